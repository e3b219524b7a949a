//! What can be done with a document of access control, whichever it is.

use super::asynchronous::{consul_async, done, ok};
use super::client::consul_client;
use super::guard::guard;
use super::options::consul_options;
use super::status::consul_status;
use super::text::{Content, consul_text};
use super::{call, input};
use crate::api::Answer;
use crate::api::acl::{Named, Resource};
use crate::api::document::Text;
use crate::error::{Result, Status};
use std::ffi::c_char;

/// A string that a call needs, and what its parameter is called.
pub(super) type Parameter = (*const c_char, &'static str);

pub(super) fn told<T>(answer: Answer<Text<T>>) -> (Status, Option<Content>) {
    done(answer.value.into_bytes().into())
}

pub(super) fn found<T>(answer: Answer<Option<Text<T>>>) -> (Status, Option<Content>) {
    match answer.value {
        Some(text) => done(text.into_bytes().into()),
        None => (Status::NotFound, None),
    }
}

/// # Safety
/// `document` is NULL or NUL-terminated.
unsafe fn object<T: Resource>(document: *const c_char) -> Result<Text<T>> {
    // SAFETY: the caller's promise.
    let json = unsafe { input::required_str(document, &T::NAME.replace('-', "_")) }?;
    Text::object(json.as_bytes(), &T::NAME.replace('-', " "))
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn create<T: Resource>(
    client: *const consul_client,
    document: *const c_char,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, request, out) }?;
        // SAFETY: as above.
        let document = unsafe { object::<T>(document) }?;
        ending.give(out, client.acl().texts::<T>().create(&document, &options)?, told)
    })
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn read<T: Resource>(
    client: *const consul_client,
    (id, parameter): Parameter,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, request, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, parameter) }?;
        ending.give(out, client.acl().texts::<T>().read(id, &options)?, found)
    })
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn read_by_name<T: Resource<Kind: Named>>(
    client: *const consul_client,
    name: *const c_char,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, request, out) }?;
        // SAFETY: as above.
        let name = unsafe { input::required_str(name, "name") }?;
        ending.give(out, client.acl().texts::<T>().read_by_name(name, &options)?, found)
    })
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn update<T: Resource>(
    client: *const consul_client,
    (id, parameter): Parameter,
    document: *const c_char,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, request, out) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, parameter) }?;
        // SAFETY: as above.
        let document = unsafe { object::<T>(document) }?;
        ending.give(out, client.acl().texts::<T>().update(id, &document, &options)?, told)
    })
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn delete<T: Resource>(
    client: *const consul_client,
    (id, parameter): Parameter,
    options: *const consul_options,
    request: *const consul_async,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending) = unsafe { call::begin(client, options, request) }?;
        // SAFETY: as above.
        let id = unsafe { input::required_str(id, parameter) }?;
        ending.end(client.acl().texts::<T>().delete(id, &options)?, ok)
    })
}

/// # Safety
/// Pointers as the header asks for.
pub(super) unsafe fn list<T: Resource>(
    client: *const consul_client,
    options: *const consul_options,
    request: *const consul_async,
    out: *mut *mut consul_text,
) -> consul_status {
    guard(|| {
        // SAFETY: the caller's promise.
        let (client, options, ending, out) =
            unsafe { call::giving(client, options, request, out) }?;
        ending.give(out, client.acl().texts::<T>().list(&options)?, told)
    })
}
