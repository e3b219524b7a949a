//! What Consul allows as metadata of services.

use super::state::Meta;

const MOST_PAIRS: usize = 64;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 512;
const RESERVED: &str = "consul-";
const MESH_GATEWAY: &str = "mesh-gateway";
/// The one reserved name that a mesh gateway may have.
const WAN_FEDERATION: &str = "consul-wan-federation";

/// Checks the metadata of a service of this kind; the reason is Consul's.
pub(super) fn check_service_meta(kind: &str, meta: &Meta) -> Result<(), String> {
    let Some(meta) = meta else { return Ok(()) };
    if meta.len() > MOST_PAIRS {
        return Err(format!("Node metadata cannot contain more than {MOST_PAIRS} key/value pairs"));
    }
    for (key, value) in meta {
        check_pair(kind, key, value)
            .map_err(|why| format!("Couldn't load metadata pair ('{key}', '{value}'): {why}"))?;
    }
    Ok(())
}

fn check_pair(kind: &str, key: &str, value: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if key.is_empty() {
        return Err("Key cannot be blank".to_owned());
    }
    if !key.chars().all(allowed) {
        return Err("Key contains invalid characters".to_owned());
    }
    if key.len() > LONGEST_KEY {
        return Err(format!("Key is too long (limit: {LONGEST_KEY} characters)"));
    }
    let is_known = kind == MESH_GATEWAY && key == WAN_FEDERATION;
    if key.starts_with(RESERVED) && !is_known {
        return Err(format!("Key prefix '{RESERVED}' is reserved for internal use"));
    }
    if value.len() > LONGEST_VALUE {
        return Err(format!("Value is too long (limit: {LONGEST_VALUE} characters)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_service_meta;
    use std::collections::BTreeMap;

    #[test]
    fn what_is_too_long_or_reserved_is_refused_in_consuls_words() {
        let (long_key, long_value) = ("k".repeat(129), "v".repeat(513));
        let cases = [
            ("", "c", "Key cannot be blank"),
            ("a b", "c", "Key contains invalid characters"),
            ("consul-x", "c", "Key prefix 'consul-' is reserved for internal use"),
            (&long_key, "c", "Key is too long (limit: 128 characters)"),
            ("a", &long_value, "Value is too long (limit: 512 characters)"),
        ];
        for (key, value, why) in cases {
            let meta = BTreeMap::from([(key.to_owned(), value.to_owned())]);
            let text = format!("Couldn't load metadata pair ('{key}', '{value}'): {why}");
            assert_eq!(check_service_meta("", &Some(meta)), Err(text));
        }
        let many = (0..65).map(|n| (format!("k{n}"), String::new())).collect();
        let text = "Node metadata cannot contain more than 64 key/value pairs";
        assert_eq!(check_service_meta("", &Some(many)), Err(text.to_owned()));
        let wan = BTreeMap::from([("consul-wan-federation".to_owned(), "1".to_owned())]);
        assert_eq!(check_service_meta("mesh-gateway", &Some(wan)), Ok(()));
    }
}
