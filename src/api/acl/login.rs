//! Tokens for who can prove something else.

use crate::api::answer::Answer;
use crate::api::document::Document;
use crate::api::input::required;
use crate::api::json;
use crate::client::{Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result};
use crate::transport::Method;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What somebody logs in with.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Login<'a> {
    /// The name of the auth method.
    pub auth_method: &'a str,
    /// What proves who the caller is; a secret.
    pub bearer_token: &'a str,
    /// What the token's description shall tell.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<&'a str, &'a str>,
}

impl fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("auth_method", &self.auth_method)
            .field("meta", &self.meta)
            .finish_non_exhaustive()
    }
}

impl Login<'_> {
    pub(super) fn send<S: Style, T: Document>(
        &self,
        client: &Client<S>,
        options: &Options,
    ) -> Result<S::Output<Answer<T>>> {
        required(self.auth_method, "name of the auth method")?;
        required(self.bearer_token, "bearer token")?;
        let body = json::encode(self)?;
        let call = Call::new(Method::Post, Target::new("/v1/acl/login"), None, options)
            .body(&body, "application/json");
        let secret = self.bearer_token.to_string();
        let changes = call.changes();
        client.exchange(call, move |endpoint, answer| {
            // Consul, or the method's own server, may quote what it could not read.
            let hide = |error: Error| error.map_message(|text| text.replace(&secret, "<hidden>"));
            let reply = json::Reply { endpoint, response: &answer.map_err(hide)? };
            let value = T::decode(&reply).map_err(|error| error.with_outcome_unknown(changes))?;
            Ok(Answer { value, meta: crate::api::Meta::from_headers(&reply.response.headers) })
        })
    }
}

pub(super) fn logout<S: Style>(client: &Client<S>, options: &Options) -> Result<S::Output<()>> {
    let call = Call::new(Method::Post, Target::new("/v1/acl/logout"), Some(&[]), options);
    client.exchange(call, |_, answer| answer.map(drop))
}
