//! A transaction whose values are encrypted, made from the plain one when it is sent: only then is
//! it known by which client.

use super::Txn;
use crate::api::json;
use crate::client::Vault;
use crate::error::{Error, Result, Status};
use base64_simd::STANDARD;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The verbs that write a value.
const WRITES: &[&str] = &["set", "cas", "lock", "unlock"];

/// The same transaction, its values encrypted where the vault covers their keys.
pub(super) fn sealed(txn: &Txn, vault: &Vault) -> Result<Txn> {
    let mut operations: Vec<Map<String, Value>> = serde_json::from_slice(&txn.body)
        .map_err(|error| Error::new(Status::Internal, error.to_string()))?;
    let mut largest = txn.largest;
    for (position, operation) in operations.iter_mut().enumerate() {
        let Some(Value::Object(operation)) = operation.get_mut("KV") else { continue };
        let length = seal(operation, vault)
            .map_err(|error| error.context(format_args!("operation {position}")))?;
        largest = largest.max((length, position));
    }
    Ok(Txn { body: json::encode(&operations)?, largest, ..txn.clone() })
}

/// Encrypts the value of an operation on a key, or refuses it where it cannot stay plain. Gives the length of what is stored, 0 where it is
/// left as it is.
fn seal(operation: &mut Map<String, Value>, vault: &Vault) -> Result<usize> {
    let verb = text(operation, "Verb")?;
    if !WRITES.contains(&verb) {
        return Ok(0);
    }
    let key = text(operation, "Key")?;
    let value = STANDARD
        .decode_to_vec(text(operation, "Value")?)
        .map_err(|_| Error::argument("the value is not base64"))?;
    let Cow::Owned(stored) = vault.seal(key, &value)? else { return Ok(0) };
    let encoded = STANDARD.encode_to_string(&stored);
    let length = stored.len();
    operation.retain(|name, _| !name.eq_ignore_ascii_case("Value"));
    operation.insert("Value".to_string(), Value::String(encoded));
    Ok(length)
}

/// A field that holds text, empty where there is none. Consul takes a name in any case, and of
/// several the last: which that is, is not to be guessed here.
fn text<'a>(operation: &'a Map<String, Value>, name: &str) -> Result<&'a str> {
    let mut fields = operation.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
    match (fields.next(), fields.next()) {
        (None, _) | (Some((_, Value::Null)), None) => Ok(""),
        (Some((_, Value::String(text))), None) => Ok(text),
        (Some(_), None) => Err(Error::argument(format!("{name} is not a text"))),
        _ => Err(Error::argument(format!("{name} is given twice"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Encryption;

    fn vault() -> Vault {
        let (key, prefixes) = ([7; 32], vec!["app/".to_string()]);
        Vault::new(&Encryption { key, old_keys: Vec::new(), prefixes, allow_plain: true }).unwrap()
    }

    fn operations(txn: &Txn) -> Vec<Value> {
        let Value::Array(operations) = serde_json::from_slice(&txn.body).unwrap() else { panic!() };
        operations.into_iter().map(|mut operation| operation["KV"].take()).collect()
    }

    fn opened(key: &str, operation: &Value) -> Vec<u8> {
        let mut stored = STANDARD.decode_to_vec(operation["Value"].as_str().unwrap()).unwrap();
        assert!(stored.starts_with(b"\0CFE"));
        vault().open(key, &mut stored).unwrap();
        stored
    }

    #[test]
    fn every_verb_that_writes_is_sealed_and_nothing_else_is_touched() {
        let mut txn = Txn::new();
        txn.set("app/a", b"1", u64::MAX).unwrap().cas("app/b", b"", 0, 7).unwrap();
        txn.lock("app/c", b"3", 0, "s").unwrap().unlock("app/d", b"4", 0, "s").unwrap();
        txn.set("other", b"5", 0).unwrap().get("app/a").unwrap().delete("app/a").unwrap();
        let (plain, sealed) = (operations(&txn), operations(&sealed(&txn, &vault()).unwrap()));
        assert_eq!(sealed.len(), plain.len());
        for (position, (key, value)) in
            [("app/a", &b"1"[..]), ("app/b", b""), ("app/c", b"3"), ("app/d", b"4")]
                .iter()
                .enumerate()
        {
            assert_eq!(opened(key, &sealed[position]), *value);
            let without = |operation: &Value| {
                let mut operation = operation.clone();
                operation.as_object_mut().unwrap().remove("Value");
                operation
            };
            assert_eq!(without(&sealed[position]), without(&plain[position]));
        }
        assert_eq!(sealed[4..], plain[4..]);
    }

    #[test]
    fn an_operation_in_json_is_sealed_however_it_is_spelt() {
        let mut txn = Txn::new();
        txn.json(r#"{"KV":{"Verb":"set","key":"app/a","VALUE":"MQ=="}}"#).unwrap();
        txn.json(r#"{"KV":{"Verb":"set","Key":"app/b","Value":null}}"#).unwrap();
        txn.json(r#"{"Node":{"Verb":"get","Node":{"Node":"n"}}}"#).unwrap();
        let sealed = operations(&sealed(&txn, &vault()).unwrap());
        assert_eq!(opened("app/a", &sealed[0]), b"1");
        assert!(sealed[0].get("VALUE").is_none());
        assert_eq!(opened("app/b", &sealed[1]), b"");
    }

    #[test]
    fn an_operation_in_json_that_can_be_read_two_ways_is_refused() {
        for text in [
            r#"{"KV":{"Verb":"set","Key":"other","key":"app/a","Value":"MQ=="}}"#,
            r#"{"KV":{"Verb":"set","Key":"app/a","Value":5}}"#,
            r#"{"KV":{"Verb":"set","Key":"app/a","Value":"?"}}"#,
        ] {
            let mut txn = Txn::new();
            txn.get("app/a").unwrap().json(text).unwrap();
            let error = sealed(&txn, &vault()).unwrap_err();
            assert_eq!(error.status(), Status::Argument, "{text}");
            assert!(error.message().starts_with("operation 1: "), "{error}");
        }
    }

    #[test]
    fn a_plain_value_that_begins_like_an_encrypted_one_is_refused() {
        let mut txn = Txn::new();
        txn.get("a").unwrap().cas("other", b"\0CFEhello", 0, 7).unwrap();
        let error = sealed(&txn, &vault()).unwrap_err();
        assert_eq!(error.status(), Status::Argument);
        assert!(error.message().starts_with("operation 1: "), "{error}");
        // What it only reads or deletes it may name.
        let mut txn = Txn::new();
        txn.json(r#"{"KV":{"Verb":"delete","Key":"other","Value":"AENGRQ=="}}"#).unwrap();
        assert!(sealed(&txn, &vault()).is_ok());
    }

    #[test]
    fn the_limit_is_that_of_what_is_stored() {
        let mut txn = Txn::new();
        txn.set("other", &[0; 30], 0).unwrap().set("app/a", b"x", 0).unwrap();
        assert_eq!(sealed(&txn, &vault()).unwrap().largest, (62, 1));
    }
}
