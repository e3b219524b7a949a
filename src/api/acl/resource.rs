//! What tokens, policies, roles, auth methods and binding rules have in common.

use super::methods::{AuthMethod, BindingRule};
use super::types::{Policy, Role, Token};
use crate::api::answer::Answer;
use crate::api::document::{Document, Text};
use crate::api::input::required;
use crate::api::json::{self, Elements, Reply};
use crate::client::{Accept, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::Result;
use std::marker::PhantomData;

/// A token, a policy, a role, an auth method or a binding rule, typed or as JSON.
pub trait Resource: Document {
    /// Which of them it is.
    type Kind;
    /// How many of them are given.
    type List: Send + 'static;
    /// Its name in paths and messages.
    #[doc(hidden)]
    const NAME: &'static str;
    /// The same of many.
    #[doc(hidden)]
    const PLURAL: &'static str;
    /// What one is known by.
    #[doc(hidden)]
    const KEY: &'static str;
    #[doc(hidden)]
    fn list(reply: &Reply<'_>) -> Result<Self::List>;
}

macro_rules! resources {
    ($($kind:ident $name:literal $plural:literal $key:literal;)+) => {
        $(impl Resource for $kind {
            type Kind = $kind;
            type List = Vec<$kind>;
            const NAME: &'static str = $name;
            const PLURAL: &'static str = $plural;
            const KEY: &'static str = $key;

            fn list(reply: &Reply<'_>) -> Result<Vec<$kind>> {
                json::decode(reply).map(|list: Elements<$kind>| list.0)
            }
        })+
    };
}

resources! {
    Token "token" "tokens" "id";
    Policy "policy" "policies" "id";
    Role "role" "roles" "id";
    AuthMethod "auth-method" "auth-methods" "name";
    BindingRule "binding-rule" "binding-rules" "id";
}

impl<T: Resource> Resource for Text<T> {
    type Kind = T::Kind;
    type List = Text<T>;
    const NAME: &'static str = T::NAME;
    const PLURAL: &'static str = T::PLURAL;
    const KEY: &'static str = T::KEY;

    fn list(reply: &Reply<'_>) -> Result<Text<T>> {
        Text::decode(reply)
    }
}

/// All tokens, all policies, all roles, all auth methods or all binding rules.
///
/// A read of something that does not exist gives `None` where Consul answers 404. For tokens and
/// policies Consul 1.8 answers as to an unknown token, `Status::Denied` with "ACL not found".
#[derive(Clone, Copy)]
pub struct Resources<'a, S: Style, T> {
    pub(super) client: &'a Client<S>,
    of: PhantomData<fn() -> T>,
}

impl<'a, S: Style, T: Resource> Resources<'a, S, T> {
    pub(super) fn new(client: &'a Client<S>) -> Resources<'a, S, T> {
        Resources { client, of: PhantomData }
    }

    /// Makes one; gives it with its id.
    pub fn create(&self, resource: &T, options: &Options) -> Result<S::Output<Answer<T>>> {
        self.write(Target::new("/v1/acl/").path(T::NAME), resource, options)
    }

    /// Reads one by its id; of tokens, their accessor id; of auth methods, their name.
    pub fn read(&self, id: &str, options: &Options) -> Result<S::Output<Answer<Option<T>>>> {
        self.found(self.of_id(id)?, options)
    }

    /// Replaces one: what is not set is empty after that.
    pub fn update(
        &self,
        id: &str,
        resource: &T,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        self.write(self.of_id(id)?, resource, options)
    }

    /// Deletes one, which need not exist.
    pub fn delete(&self, id: &str, options: &Options) -> Result<S::Output<()>> {
        let call = Call::delete(self.of_id(id)?, options).idempotent().accept(Accept::NotFound);
        self.client.exchange(call, |_, answer| answer.map(drop))
    }

    /// Lists them; of tokens without their secrets on most versions of Consul.
    pub fn list(&self, options: &Options) -> Result<S::Output<Answer<T::List>>> {
        self.listed(Target::new("/v1/acl/").path(T::PLURAL), options)
    }

    pub(super) fn listed(
        &self,
        target: Target,
        options: &Options,
    ) -> Result<S::Output<Answer<T::List>>> {
        json::fetch_with(self.client, Call::get(target, options), T::list)
    }

    fn of_id(&self, id: &str) -> Result<Target> {
        required(id, &format!("{}'s {}", T::NAME, T::KEY))?;
        Ok(Target::new("/v1/acl/").path(T::NAME).path("/").segment(id))
    }

    fn write(
        &self,
        target: Target,
        resource: &T,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        let body = resource.encode()?;
        json::fetch_with(self.client, Call::put_json(target, &body, options), T::decode)
    }

    fn found(&self, target: Target, options: &Options) -> Result<S::Output<Answer<Option<T>>>> {
        let call = Call::get(target, options).accept(Accept::NotFound);
        json::fetch_with(self.client, call, |reply| match reply.response.status {
            404 => Ok(None),
            _ => T::decode(reply).map(Some),
        })
    }
}

/// Policies and roles have names.
pub trait Named {}
impl Named for Policy {}
impl Named for Role {}

impl<S: Style, T: Resource<Kind: Named>> Resources<'_, S, T> {
    /// Reads one by its name.
    pub fn read_by_name(
        &self,
        name: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<Option<T>>>> {
        required(name, &format!("{}'s name", T::NAME))?;
        self.found(Target::new("/v1/acl/").path(T::NAME).path("/name/").segment(name), options)
    }
}
