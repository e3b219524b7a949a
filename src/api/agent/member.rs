//! The members of a gossip pool.

use super::super::json;
use serde::Deserialize;
use serde::de::Deserializer;
use std::collections::BTreeMap;

/// A member of a gossip pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Member {
    /// Its name: its node's, in the pool that joins the datacenters with `.datacenter` behind it.
    pub name: String,
    /// Its address for gossip.
    #[serde(rename = "Addr")]
    pub address: String,
    /// Its port for gossip.
    #[serde(deserialize_with = "json::number")]
    pub port: u16,
    /// What it tells of itself, such as its `role`, `dc` and `build`.
    #[serde(deserialize_with = "json::nullable")]
    pub tags: BTreeMap<String, String>,
    /// How it is.
    #[serde(deserialize_with = "status")]
    pub status: MemberStatus,
}

/// How a member is, in the eyes of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MemberStatus {
    /// Not known.
    #[default]
    None = 0,
    /// It answers.
    Alive = 1,
    /// It is about to leave.
    Leaving = 2,
    /// It has left.
    Left = 3,
    /// It does not answer any more.
    Failed = 4,
}

impl MemberStatus {
    /// Consul's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            MemberStatus::None => "none",
            MemberStatus::Alive => "alive",
            MemberStatus::Leaving => "leaving",
            MemberStatus::Left => "left",
            MemberStatus::Failed => "failed",
        }
    }
}

impl Member {
    /// Whether it is a server.
    pub fn is_server(&self) -> bool {
        self.tags.get("role").is_some_and(|role| role == "consul")
    }
}

fn status<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<MemberStatus, D::Error> {
    Ok(match Option::<i64>::deserialize(deserializer)? {
        Some(1) => MemberStatus::Alive,
        Some(2) => MemberStatus::Leaving,
        Some(3) => MemberStatus::Left,
        Some(4) => MemberStatus::Failed,
        _ => MemberStatus::None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_whatever_its_status() {
        let text = |status: i32| {
            format!(
                r#"{{"Name": "n", "Addr": "127.0.0.1", "Port": 8301, "Status": {status},
                    "Tags": {{"role": "consul", "dc": "dc1"}}, "ProtocolMin": 1}}"#
            )
        };
        for (number, word) in
            [(0, "none"), (1, "alive"), (2, "leaving"), (3, "left"), (4, "failed"), (9, "none")]
        {
            let member: Member = serde_json::from_str(&text(number)).unwrap();
            assert_eq!(member.status.as_str(), word);
            assert!(member.is_server());
        }
    }
}
