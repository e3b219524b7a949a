//! How a service is, as its agent knows it.

use super::super::check::{AggregatedStatus, Check};
use super::super::json;
use super::super::service::Service;
use serde::de::{Deserialize, Deserializer};

/// An instance of a service on the agent and how it is.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceHealth {
    /// What its checks come to; `None` when one has a status that is none of Consul's words.
    #[serde(rename = "AggregatedStatus", deserialize_with = "word")]
    pub status: Option<AggregatedStatus>,
    /// The instance.
    pub service: Service,
    /// Its checks and those of the node.
    #[serde(deserialize_with = "json::nullable")]
    pub checks: Vec<Check>,
}

fn word<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<AggregatedStatus>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.as_deref().and_then(AggregatedStatus::parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_is_one_of_consuls_words() {
        for (text, status) in [
            (r#""maintenance""#, Some(AggregatedStatus::Maintenance)),
            (r#""""#, None),
            ("null", None),
        ] {
            let text =
                format!(r#"{{"AggregatedStatus": {text}, "Service": {{}}, "Checks": null}}"#);
            assert_eq!(serde_json::from_str::<ServiceHealth>(&text).unwrap().status, status);
        }
    }
}
