//! Auth methods and binding rules as Consul has them.

use crate::api::document::documents;
use crate::api::json;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to log in with what somebody else vouches for
/// (<https://developer.hashicorp.com/consul/docs/security/acl/auth-methods>). What it is configured with
/// may hold secrets, and is never in its `Debug`.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct AuthMethod {
    /// Its name, by which it is known.
    pub name: String,
    /// `kubernetes`, `jwt` (Consul 1.8) or another one; it cannot be changed.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Its name for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub display_name: String,
    /// For people.
    pub description: String,
    /// For how long a token holds at most, in Consul's syntax such as `8h`; empty for ever.
    #[serde(rename = "MaxTokenTTL", skip_serializing_if = "String::is_empty")]
    #[serde(deserialize_with = "json::nullable")]
    pub max_token_ttl: String,
    /// Where a token holds: `local`, which it does where this is empty, or `global`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub token_locality: String,
    /// What its kind needs: whom it trusts, and how a login is looked at. A list is without it.
    pub config: serde_json::Value,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

impl fmt::Debug for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthMethod")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("description", &self.description)
            .finish_non_exhaustive()
    }
}

/// What a token of an auth method may do, where the login is one that the selector selects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct BindingRule {
    /// Its id.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// For people.
    pub description: String,
    /// The name of the auth method, which cannot be changed.
    pub auth_method: String,
    /// Which logins it is for, such as `value.team==ops`; empty for all.
    pub selector: String,
    /// What `bind_name` is the name of: `service`, `role`, or `node` (Consul 1.8.1).
    pub bind_type: String,
    /// The name, in which `${value.team}` stands for what the login tells.
    pub bind_name: String,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

documents!(AuthMethod, BindingRule);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_method_is_configured_with_is_sent_and_never_shown() {
        let config = serde_json::json!({"ServiceAccountJWT": "s3cr3t"});
        let method = AuthMethod { name: "minikube".into(), config, ..AuthMethod::default() };
        assert!(serde_json::to_string(&method).unwrap().contains("s3cr3t"));
        let shown = format!("{method:?}");
        assert!(shown.contains("minikube") && !shown.contains("s3cr3t"));
    }
}
