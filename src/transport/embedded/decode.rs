//! Bodies in JSON, read as Go's `encoding/json` reads them into Consul's types: names in any case,
//! and its words for what does not fit.

use super::{go, syntax};
use serde_json::{Map, Value};

/// The first value of a body; what follows is not looked at.
pub(super) fn parse(body: &[u8]) -> Result<Value, String> {
    let mut values = serde_json::Deserializer::from_slice(body).into_iter();
    match values.next() {
        Some(Ok(value)) => Ok(value),
        None => Err("EOF".into()),
        Some(Err(_)) => Err(syntax::complaint(body)),
    }
}

/// An object that is read into a Go struct.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// The name of the struct.
    of: &'static str,
    /// Where it stands in the body: `KV.`.
    path: String,
}

impl<'a> Fields<'a> {
    /// The body as a struct, `of`, whose Go type is written `go_type`. `null` is an empty one.
    pub(super) fn top(
        value: &'a Value,
        of: &'static str,
        go_type: &str,
    ) -> Result<Option<Fields<'a>>, String> {
        match value {
            Value::Null => Ok(None),
            Value::Object(object) => Ok(Some(Fields { object, of, path: String::new() })),
            other => Err(format!(
                "json: cannot unmarshal {} into Go value of type {go_type}",
                kind(other)
            )),
        }
    }

    /// Only these fields may be there.
    pub(super) fn allow_only(&self, known: &[&str]) -> Result<(), String> {
        let is_known = |name: &str| known.iter().any(|known| known.eq_ignore_ascii_case(name));
        match self.object.keys().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(unknown) => Err(format!("json: unknown field {}", go::quoted(unknown))),
        }
    }

    /// A field's value; `None` where it is missing or `null`.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        self.given(name).filter(|value| !value.is_null())
    }

    /// A field's value, `null` as well.
    pub(super) fn given(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).or_else(|| {
            let same = |(known, _): &(&String, &Value)| known.eq_ignore_ascii_case(name);
            self.object.iter().find(same).map(|(_, value)| value)
        })
    }

    pub(super) fn string(&self, name: &str) -> Result<Option<String>, String> {
        self.text_of(name, "string")
    }

    /// A text that has a type of its own in Go.
    pub(super) fn text_of(&self, name: &str, go_type: &str) -> Result<Option<String>, String> {
        self.read(name, go_type, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn u64(&self, name: &str) -> Result<Option<u64>, String> {
        match self.get(name) {
            Some(Value::Number(number)) if number.as_u64().is_none() => {
                Err(self.mismatch(&format!("number {number}"), name, "uint64"))
            }
            _ => self.read(name, "uint64", Value::as_u64),
        }
    }

    /// A list of texts; an empty one where it is `null`, none where it is missing.
    pub(super) fn strings(&self, name: &str) -> Result<Option<Vec<String>>, String> {
        let Some(value) = self.given(name) else { return Ok(None) };
        let list = match value {
            Value::Null => return Ok(Some(Vec::new())),
            Value::Array(list) => list,
            other => return Err(self.mismatch(kind(other), name, "[]string")),
        };
        let text = |value: &Value| match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            other => Err(self.mismatch(kind(other), name, "string")),
        };
        list.iter().map(text).collect::<Result<_, _>>().map(Some)
    }

    /// A list of structs.
    pub(super) fn structs(
        &self,
        name: &str,
        of: &'static str,
        go_type: &str,
    ) -> Result<Vec<Fields<'a>>, String> {
        let list = match self.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(list)) => list,
            Some(other) => return Err(self.mismatch(kind(other), name, &format!("[]{go_type}"))),
        };
        let path = format!("{}{name}.", self.path);
        let fields = |value: &'a Value| match value {
            Value::Object(object) => Ok(Fields { object, of, path: path.clone() }),
            other => Err(self.mismatch(kind(other), name, go_type)),
        };
        list.iter().map(fields).collect()
    }

    /// A struct; `None` where it is missing or `null`.
    pub(super) fn fields(
        &self,
        name: &str,
        of: &'static str,
        go_type: &str,
    ) -> Result<Option<Fields<'a>>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => {
                Ok(Some(Fields { object, of, path: format!("{}{name}.", self.path) }))
            }
            Some(other) => Err(self.mismatch(kind(other), name, go_type)),
        }
    }

    /// A field that does not fit its type.
    pub(super) fn mismatch(&self, found: &str, name: &str, go_type: &str) -> String {
        let (of, path) = (self.of, &self.path);
        format!(
            "json: cannot unmarshal {found} into Go struct field {of}.{path}{name} of type {go_type}"
        )
    }

    fn read<T>(
        &self,
        name: &str,
        go_type: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.mismatch(kind(value), name, go_type))
    }
}

/// What Go calls a value of this kind.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_json_is_refused_in_gos_words() {
        assert_eq!(parse(b""), Err("EOF".into()));
        assert_eq!(parse(b"{\"a\""), Err("unexpected EOF".into()));
        let invalid = "invalid character 'x' looking for beginning of value";
        assert_eq!(parse(b"x"), Err(invalid.into()));
        assert_eq!(parse(b"[1] tail"), Ok(json!([1])));
        let literal = "invalid character 'o' in literal null (expecting 'u')";
        assert_eq!(parse(b"not json"), Err(literal.into()));
    }

    #[test]
    fn fields_are_found_in_any_case_and_checked_for_their_type() {
        let value = json!({"kv": {"KEY": "a", "Flags": -1, "Names": ["x", 1]}});
        let top = Fields::top(&value, "TxnOp", "api.TxnOp").unwrap().unwrap();
        let kv = top.fields("KV", "KVTxnOp", "api.KVTxnOp").unwrap().unwrap();
        assert_eq!(kv.string("Key").unwrap().as_deref(), Some("a"));
        assert_eq!(kv.string("Missing"), Ok(None));
        let flags = "json: cannot unmarshal number -1 into Go struct field KVTxnOp.KV.Flags of type \
                     uint64";
        assert_eq!(kv.u64("Flags"), Err(flags.into()));
        let names = "json: cannot unmarshal number into Go struct field KVTxnOp.KV.Names of type \
                     string";
        assert_eq!(kv.strings("Names"), Err(names.into()));
        assert_eq!(kv.allow_only(&["Key", "Flags"]), Err("json: unknown field \"Names\"".into()));
        let array = "json: cannot unmarshal array into Go value of type api.TxnOp";
        assert_eq!(Fields::top(&json!([]), "TxnOp", "api.TxnOp").err(), Some(array.into()));
    }
}
