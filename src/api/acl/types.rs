//! Tokens, policies and roles as Consul has them.

use crate::api::document::documents;
use crate::api::json;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A policy or a role by its id or its name; either will do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Link {
    /// The id.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Link {
    /// The policy or role with this name.
    pub fn named(name: impl Into<String>) -> Link {
        Link { name: name.into(), ..Link::default() }
    }
}

/// The right to register a service and to find others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceIdentity {
    /// The name of the service.
    pub service_name: String,
    /// The datacenters where it holds; all when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub datacenters: Vec<String>,
}

/// The right to register a node (Consul 1.8.1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NodeIdentity {
    /// The name of the node.
    pub node_name: String,
    /// The datacenter where it holds.
    pub datacenter: String,
}

/// A token. Its secret is never in its `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Token {
    /// Its public id.
    #[serde(rename = "AccessorID", skip_serializing_if = "String::is_empty")]
    pub accessor_id: String,
    /// The secret, which calls carry; empty where it is not shown.
    #[serde(rename = "SecretID", skip_serializing_if = "String::is_empty")]
    pub secret_id: String,
    /// For people.
    pub description: String,
    /// What it may do.
    #[serde(deserialize_with = "json::nullable")]
    pub policies: Vec<Link>,
    /// What it may do by its roles.
    #[serde(deserialize_with = "json::nullable")]
    pub roles: Vec<Link>,
    /// What it may do for services.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub service_identities: Vec<ServiceIdentity>,
    /// What it may do for nodes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub node_identities: Vec<NodeIdentity>,
    /// Whether it holds in its own datacenter alone.
    pub local: bool,
    /// The auth method that it comes from.
    #[serde(skip_serializing)]
    pub auth_method: String,
    /// When it ends, as RFC 3339; empty for never. It can be set when the token is made.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "json::nullable")]
    pub expiration_time: String,
    /// For how long it shall hold, in Consul's syntax such as `8h`; set when the token is made.
    #[serde(rename = "ExpirationTTL", skip_serializing_if = "String::is_empty")]
    #[serde(deserialize_with = "json::nullable")]
    pub expiration_ttl: String,
    /// When it was made, as RFC 3339.
    #[serde(skip_serializing)]
    pub create_time: String,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("accessor_id", &self.accessor_id)
            .field("description", &self.description)
            .field("policies", &self.policies)
            .field("roles", &self.roles)
            .finish_non_exhaustive()
    }
}

/// A policy: rules under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Policy {
    /// Its id.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// The rules, in HCL or JSON. A list of policies is without them.
    pub rules: String,
    /// The datacenters where it holds; all when it is empty.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub datacenters: Vec<String>,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

/// A role: policies under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Role {
    /// Its id.
    #[serde(rename = "ID", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it may do.
    #[serde(deserialize_with = "json::nullable")]
    pub policies: Vec<Link>,
    /// What it may do for services.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub service_identities: Vec<ServiceIdentity>,
    /// What it may do for nodes.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "json::nullable")]
    pub node_identities: Vec<NodeIdentity>,
    /// The index of the change that made it.
    #[serde(skip_serializing)]
    pub create_index: u64,
    /// The index of its last change.
    #[serde(skip_serializing)]
    pub modify_index: u64,
}

documents!(Token, Policy, Role);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_and_never_shown() {
        let token = Token { secret_id: "s3cr3t".into(), ..Token::default() };
        assert!(serde_json::to_string(&token).unwrap().contains("s3cr3t"));
        assert!(!format!("{token:?}").contains("s3cr3t"));
    }

    #[test]
    fn what_consul_does_not_have_is_null_or_missing() {
        let text = r#"{"AccessorID":"a","Policies":null,"Roles":[{"ID":"r","Name":"n"}],
            "ExpirationTime":null,"Local":true,"CreateIndex":7,"Hash":"x"}"#;
        let token: Token = serde_json::from_str(text).unwrap();
        assert!(token.policies.is_empty() && token.local && token.expiration_time.is_empty());
        assert_eq!((token.roles[0].name.as_str(), token.create_index), ("n", 7));
    }
}
