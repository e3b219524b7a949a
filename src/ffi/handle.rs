//! # Handles
//!
//! A handle is a pointer to a type that is never defined, and not an address: the library checks
//! it on every use. A NULL, freed, foreign or invented handle gives `CONSUL_ERR_HANDLE`, and does
//! nothing in a `_free`.
//!
//! After a `fork` a client goes on working in the child, with connections of its own; so do
//! configurations, options and answers. Queues, events, locks, kept sessions and kept services stay
//! with the parent: in the child their calls give `CONSUL_ERR_FORKED`, their accessors what they give
//! for a handle that is not live, and their `_free` tells nobody. No call in a child hangs for what
//! another thread of the parent was doing.

use super::guard::guard_or;
use super::kind::{Kind, Typed};
use super::table::{Borrow, Found, Refusal, Table};
use crate::error::{Error, Result, Status};
use crate::sys::fork_generation;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A C handle type, and the Rust object behind each of its handles.
pub trait Handle: Typed {
    /// What a handle of this type stands for.
    type Object: Send + Sync + 'static;

    /// Whether it belongs to the process that made it: its threads, its sessions. In a forked child
    /// its calls give `Forked`, accessors nothing, and a free tells nobody.
    const BELONGS_TO_PROCESS: bool = false;

    /// Called once by the free that ended the handle, while other threads may still be using the
    /// object: the place to wake them. Not called when a thread has borrowed it exclusively.
    fn freed(object: &Self::Object) {
        let _ = object;
    }
}

static TABLE: Table = Table::new();

/// How many handles of each type number live.
static LIVE: [AtomicUsize; 64] = [const { AtomicUsize::new(0) }; 64];

/// Turns an object into a handle, which is the caller's to free.
pub fn new<H: Handle>(object: H::Object) -> Result<*mut H> {
    let kind = H::KIND as u8;
    let process = if H::BELONGS_TO_PROCESS { fork_generation() } else { 0 };
    let token = TABLE.insert_for(process, kind, object).ok_or_else(|| {
        Error::new(Status::NoMemory, format!("no room for another {} handle", H::KIND.name()))
    })?;
    LIVE[usize::from(kind)].fetch_add(1, Relaxed);
    Ok(ptr::without_provenance_mut(token as usize))
}

/// Borrows the object of a handle. The handle may be freed meanwhile; the object stays.
#[inline]
pub fn get<H: Handle>(handle: *const H) -> Result<Shared<H>> {
    let token = token_of(handle)?;
    let borrow = TABLE.share(token).map_err(|refusal| explain::<H>(token, refusal))?;
    check_process::<H>(&borrow)?;
    Ok(Shared { borrow, handle: PhantomData })
}

/// Borrows the object of a handle that may be NULL.
pub fn get_optional<H: Handle>(handle: *const H) -> Result<Option<Shared<H>>> {
    if handle.is_null() { Ok(None) } else { get(handle).map(Some) }
}

/// Borrows the object of a handle to change it. `Busy` while anyone else uses it.
pub fn get_mut<H: Handle>(handle: *mut H) -> Result<Exclusive<H>> {
    let token = token_of(handle)?;
    let borrow = TABLE.exclude(token).map_err(|refusal| explain::<H>(token, refusal))?;
    check_process::<H>(&borrow)?;
    Ok(Exclusive { borrow, handle: PhantomData })
}

/// Reads from the object of a handle; `fallback` when the handle is not live. For accessors: the
/// thread's last error stays as it is.
#[inline]
pub fn read<H: Handle, T>(handle: *const H, fallback: T, body: impl FnOnce(&H::Object) -> T) -> T {
    guard_or(fallback, || {
        let token = checked_token(handle)?;
        let borrow = TABLE.share(token).ok()?;
        check_process::<H>(&borrow).ok()?;
        Some(body(&Shared { borrow, handle: PhantomData::<*const H> }))
    })
}

/// Ends a handle. Does nothing for one that is not live.
pub fn free<H: Handle>(handle: *mut H) {
    guard_or((), || {
        let borrow = TABLE.end(checked_token(handle)?).ok()?;
        LIVE[H::KIND as usize].fetch_sub(1, Relaxed);
        let borrow = borrow.filter(|borrow| !borrow.is_inherited())?;
        H::freed(&Shared { borrow, handle: PhantomData::<*const H> });
        Some(())
    })
}

/// How many handles of a type (`CONSUL_HANDLE_...`) were not freed yet; `CONSUL_HANDLE_ALL` counts
/// all types together. 0 for a number that is no type.
#[unsafe(no_mangle)]
pub extern "C" fn consul_live_handles(handle_type: i32) -> usize {
    match usize::try_from(handle_type) {
        Ok(0) => LIVE.iter().map(|live| live.load(Relaxed)).sum(),
        Ok(number) => LIVE.get(number).map_or(0, |live| live.load(Relaxed)),
        Err(_) => 0,
    }
}

/// An object shared with whoever else uses its handle.
pub struct Shared<H: Handle> {
    borrow: Borrow<'static>,
    handle: PhantomData<*const H>,
}

impl<H: Handle> Deref for Shared<H> {
    type Target = H::Object;

    #[inline]
    fn deref(&self) -> &H::Object {
        // SAFETY: the token carries H's type number, so `new::<H>` made the object; the borrow
        // keeps it alive and free of exclusive borrowers.
        unsafe { &*self.borrow.address().cast::<H::Object>() }
    }
}

/// An object that nobody else uses meanwhile.
pub struct Exclusive<H: Handle> {
    borrow: Borrow<'static>,
    handle: PhantomData<*const H>,
}

impl<H: Handle> Deref for Exclusive<H> {
    type Target = H::Object;

    fn deref(&self) -> &H::Object {
        // SAFETY: as for `Shared`.
        unsafe { &*self.borrow.address().cast::<H::Object>() }
    }
}

impl<H: Handle> DerefMut for Exclusive<H> {
    fn deref_mut(&mut self) -> &mut H::Object {
        // SAFETY: as for `Shared`, and the borrow is exclusive.
        unsafe { &mut *self.borrow.address().cast::<H::Object>() }
    }
}

/// Refuses what belongs to this process's parent.
#[inline]
fn check_process<H: Handle>(borrow: &Borrow<'_>) -> Result<()> {
    if H::BELONGS_TO_PROCESS && borrow.is_inherited() {
        let name = H::KIND.name();
        let message = format!("the {name} handle belongs to the parent of this process");
        return Err(Error::new(Status::Forked, message));
    }
    Ok(())
}

/// The token, when it carries H's type number.
#[inline]
fn checked_token<H: Handle>(handle: *const H) -> Option<u64> {
    let token = handle.addr() as u64;
    (Table::kind_of(token) == H::KIND as u32).then_some(token)
}

#[inline]
fn token_of<H: Handle>(handle: *const H) -> Result<u64> {
    checked_token(handle).ok_or_else(|| explain::<H>(handle.addr() as u64, Refusal::Stale))
}

#[cold]
fn explain<H: Handle>(token: u64, refusal: Refusal) -> Error {
    let expected = H::KIND.name();
    if refusal == Refusal::Busy {
        let message = format!("the {expected} handle is in use by another thread");
        return Error::new(Status::Busy, message);
    }
    let kind = Kind::from_number(Table::kind_of(token));
    let got = match (TABLE.find(token), kind) {
        _ if token == 0 => "got NULL".to_owned(),
        (Found::Nothing, _) | (_, None) => "got something that is not a handle".to_owned(),
        (_, Some(kind)) if kind != H::KIND => format!("got a {} handle", kind.name()),
        _ => "got one that was freed already".to_owned(),
    };
    Error::new(Status::Handle, format!("expected a {expected} handle, {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::text;
    use std::sync::atomic::AtomicBool;

    /// A text that remembers whether its handle was freed. It borrows a number that no other
    /// test uses, so that counting its handles is exact.
    struct Probe {
        text: String,
        freed: AtomicBool,
    }

    struct ProbeHandle;

    // SAFETY: the tests make no real handle with this number.
    unsafe impl Typed for ProbeHandle {
        const KIND: Kind = Kind::Event;
    }

    impl Handle for ProbeHandle {
        type Object = Probe;

        fn freed(probe: &Probe) {
            probe.freed.store(true, Relaxed);
        }
    }

    fn probe() -> *mut ProbeHandle {
        new(Probe { text: "probe".to_owned(), freed: AtomicBool::new(false) }).unwrap()
    }

    fn message<T>(result: Result<T>) -> String {
        let error = result.err().unwrap();
        assert_eq!(error.status(), Status::Handle);
        error.message().to_owned()
    }

    #[test]
    fn misuse_is_named() {
        let live = probe();
        let text = new::<text::consul_text>(b"x".to_vec().into()).unwrap();
        assert_eq!(
            message(get::<ProbeHandle>(ptr::null())),
            "expected a consul_event handle, got NULL"
        );
        assert_eq!(
            message(get::<ProbeHandle>(ptr::without_provenance(0x7fff_1234_5679))),
            "expected a consul_event handle, got something that is not a handle"
        );
        assert_eq!(
            message(get::<ProbeHandle>(text.cast())),
            "expected a consul_event handle, got a consul_text handle"
        );
        assert!(get_optional::<ProbeHandle>(ptr::null()).unwrap().is_none());
        free::<ProbeHandle>(text.cast());
        assert_eq!(get(live).unwrap().text, "probe");
        free(live);
        free(live);
        assert_eq!(
            message(get_mut(live)),
            "expected a consul_event handle, got one that was freed already"
        );
        free(text);
    }

    #[test]
    fn counted_are_handles_that_were_not_freed() {
        struct Counted;
        // SAFETY: the tests make no other handle with this number.
        unsafe impl Typed for Counted {
            const KIND: Kind = Kind::Queue;
        }
        impl Handle for Counted {
            type Object = ();
        }
        let live = || consul_live_handles(Kind::Queue as i32);
        let (one, two) = (new::<Counted>(()).unwrap(), new::<Counted>(()).unwrap());
        assert_eq!(live(), 2);
        let shared = get(one).unwrap();
        free(one);
        free(one);
        assert_eq!(live(), 1);
        drop(shared);
        free(two);
        assert_eq!(live(), 0);
    }

    #[test]
    fn an_object_in_use_is_not_changed() {
        let live = probe();
        let shared = get(live).unwrap();
        assert_eq!(get_mut(live).err().unwrap().status(), Status::Busy);
        drop(shared);
        get_mut(live).unwrap().text.push('!');
        assert_eq!(read(live, 0, |probe| probe.text.len()), 6);
        free(live);
        assert_eq!(read(live, 0, |probe| probe.text.len()), 0);
    }

    #[test]
    fn a_free_tells_the_object_while_others_use_it() {
        let live = probe();
        let shared = get(live).unwrap();
        free(live);
        assert!(shared.freed.load(Relaxed));
    }

    #[test]
    fn counting_knows_no_other_numbers() {
        assert_eq!(
            [-1, 63, 64, i32::MAX, i32::MIN].map(|number| consul_live_handles(number)),
            [0; 5]
        );
    }
}
