//! Access control: tokens, the policies and roles that say what they may do, and the auth methods and
//! binding rules by which they are given out
//! (<https://developer.hashicorp.com/consul/api-docs/acl>).
//!
//! Where access control is not enabled, every call here ends with `Status::Http` and Consul's "ACL
//! support disabled" (HTTP 401).

mod login;
mod methods;
mod resource;
mod types;

pub use login::Login;
pub use methods::{AuthMethod, BindingRule};
pub(crate) use resource::Named;
pub use resource::{Resource, Resources};
pub use types::{Link, NodeIdentity, Policy, Role, ServiceIdentity, Token};

use super::answer::Answer;
use super::document::{Document, Text};
use super::input::required;
use super::json;
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::Result;
use serde::Serialize;

/// The ACL endpoints of a client.
#[derive(Clone, Copy)]
pub struct Acl<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

impl<S: Style> Client<S> {
    /// Access control.
    pub fn acl(&self) -> Acl<'_, S> {
        Acl { client: self }
    }
}

/// Which tokens to list; all where nothing is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenFilter<'a> {
    /// The id of a policy that they have.
    pub policy: Option<&'a str>,
    /// The id of a role that they have.
    pub role: Option<&'a str>,
    /// The auth method that they come from.
    pub auth_method: Option<&'a str>,
}

impl<'a, S: Style> Acl<'a, S> {
    /// Makes the first token, which may do anything. It works once in the life of a cluster:
    /// `Status::Denied` after that, with a message that says how to reset it.
    pub fn bootstrap(&self, options: &Options) -> Result<S::Output<Answer<Token>>> {
        self.bootstrap_as(options)
    }

    pub(crate) fn bootstrap_as<T: Document>(
        &self,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        let call = Call::put(Target::new("/v1/acl/bootstrap"), options);
        json::fetch_with(self.client, call, T::decode)
    }

    /// Tokens; each is known by its accessor id, which is no secret.
    pub fn tokens(&self) -> Resources<'a, S, Token> {
        Resources::new(self.client)
    }

    /// Policies.
    pub fn policies(&self) -> Resources<'a, S, Policy> {
        Resources::new(self.client)
    }

    /// Roles: names for several policies.
    pub fn roles(&self) -> Resources<'a, S, Role> {
        Resources::new(self.client)
    }

    /// Auth methods, by which somebody without a token logs in: what they trust. Each is known by its
    /// name.
    pub fn auth_methods(&self) -> Resources<'a, S, AuthMethod> {
        Resources::new(self.client)
    }

    /// Binding rules: what a token of an auth method may do.
    pub fn binding_rules(&self) -> Resources<'a, S, BindingRule> {
        Resources::new(self.client)
    }

    /// The same as text.
    pub(crate) fn texts<T: Resource>(&self) -> Resources<'a, S, Text<T>> {
        Resources::new(self.client)
    }

    /// Logs in by an auth method with what proves who the caller is, such as a JWT or the token of
    /// a Kubernetes service account. Gives a token, which ends with [`Acl::logout`]. It needs no
    /// token itself.
    pub fn login(&self, login: &Login<'_>, options: &Options) -> Result<S::Output<Answer<Token>>> {
        self.login_as(login, options)
    }

    pub(crate) fn login_as<T: Document>(
        &self,
        login: &Login<'_>,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        login.send(self.client, options)
    }

    /// Ends the token that the client or the options have, which must come from a login:
    /// `Status::Denied` otherwise.
    pub fn logout(&self, options: &Options) -> Result<S::Output<()>> {
        login::logout(self.client, options)
    }
}

impl<S: Style, T: Resource<Kind = Token>> Resources<'_, S, T> {
    /// Reads the token that the client or the options have.
    pub fn own(&self, options: &Options) -> Result<S::Output<Answer<T>>> {
        let call = Call::get(Target::new("/v1/acl/token/self"), options);
        json::fetch_with(self.client, call, T::decode)
    }

    /// Makes a token with the policies and roles of another one; the description is the new one's.
    pub fn copy(
        &self,
        accessor_id: &str,
        description: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Copy<'a> {
            description: &'a str,
        }
        required(accessor_id, "token's accessor id")?;
        let target = Target::new("/v1/acl/token/").segment(accessor_id).path("/clone");
        let body = json::encode(&Copy { description })?;
        json::fetch_with(self.client, Call::put_json(target, &body, options), T::decode)
    }

    /// Lists the tokens that have all of this.
    pub fn list_with(
        &self,
        filter: &TokenFilter<'_>,
        options: &Options,
    ) -> Result<S::Output<Answer<T::List>>> {
        let mut target = Target::new("/v1/acl/tokens");
        let parameters =
            [("policy", filter.policy), ("role", filter.role), ("authmethod", filter.auth_method)];
        for (name, value) in parameters {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                target = target.param(name, value);
            }
        }
        self.listed(target, options)
    }
}

impl<S: Style, T: Resource<Kind = BindingRule>> Resources<'_, S, T> {
    /// Lists the rules of this auth method.
    pub fn list_of(
        &self,
        auth_method: &str,
        options: &Options,
    ) -> Result<S::Output<Answer<T::List>>> {
        required(auth_method, "name of the auth method")?;
        let target = Target::new("/v1/acl/binding-rules").param("authmethod", auth_method);
        self.listed(target, options)
    }
}
