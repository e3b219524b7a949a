//! Operations on keys.

use super::shown::Outcomes;
use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::go;
use crate::transport::embedded::state::{Entry, State, Written};
use base64_simd::STANDARD;

pub(super) struct KeyOperation {
    verb: String,
    key: String,
    written: Written,
    index: u64,
    session: String,
}

impl KeyOperation {
    pub(super) fn read(fields: &Fields<'_>) -> Result<KeyOperation, String> {
        fields.allow_only(&["Verb", "Key", "Value", "Flags", "Index", "Session", "Namespace"])?;
        let text = |name| Ok::<_, String>(fields.string(name)?.unwrap_or_default());
        let value = match fields.get("Value").map(|value| value.as_str().ok_or(value)) {
            None => Vec::new(),
            Some(Ok(text)) => decoded(text)?,
            Some(Err(other)) => {
                return Err(fields.mismatch(decode::kind(other), "Value", "[]uint8"));
            }
        };
        Ok(KeyOperation {
            verb: fields.text_of("Verb", "api.KVOp")?.unwrap_or_default(),
            key: text("Key")?,
            written: Written {
                value: value.into(),
                flags: fields.u64("Flags")?.unwrap_or_default(),
            },
            index: fields.u64("Index")?.unwrap_or_default(),
            session: text("Session")?,
        })
    }

    pub(super) fn is_write(&self) -> bool {
        let verb = self.verb.as_str();
        matches!(verb, "set" | "delete" | "delete-cas" | "delete-tree" | "cas" | "lock" | "unlock")
    }

    pub(super) fn check(&self, state: &State) -> Result<(), String> {
        if self.key.is_empty() && self.verb != "delete-tree" {
            return Err("Must provide key".into());
        }
        if self.verb == "lock" && state.kv().is_delayed(&self.key, state.now) {
            return Err(format!("failed to lock key {} due to lock delay", self.quoted()));
        }
        Ok(())
    }

    pub(super) fn run(&self, state: &mut State, index: u64) -> Result<Outcomes, String> {
        let (key, written) = (self.key.as_str(), self.written.clone());
        let name = self.quoted();
        let stored = match self.verb.as_str() {
            "get" => return self.read_one(state),
            "get-tree" => return Ok(self.read_tree(state)),
            "check-session" | "check-index" => self.checked(state)?,
            "check-not-exists" => match state.kv().get(key) {
                Some(_) => return Err(format!("key {name} exists")),
                None => return Ok(Outcomes::None),
            },
            "delete" => return Ok(self.deleted(|key| state.kv_delete(index, key))),
            "delete-tree" => return Ok(self.deleted(|key| state.kv_delete_under(index, key))),
            "delete-cas" => match state.kv_delete_at(index, key, self.index) {
                true => return Ok(Outcomes::None),
                false => return Err(format!("failed to delete key {name}, index is stale")),
            },
            "set" => state.kv_set(index, key, written),
            "cas" => state
                .kv_set_at(index, key, written, self.index)
                .ok_or_else(|| format!("failed to set key {name}, index is stale"))?,
            "lock" => state
                .kv_lock(index, key, written, &self.session)?
                .ok_or_else(|| format!("failed to lock key {name}, lock is already held"))?,
            "unlock" => state.kv_unlock(index, key, written, &self.session)?.ok_or_else(|| {
                format!(
                    "failed to unlock key {name}, lock isn't held, or is held by another session"
                )
            })?,
            verb => return Err(format!("unknown KV verb {}", go::quoted(verb))),
        };
        Ok(Outcomes::Keys(vec![(self.key.clone(), Entry { value: [].into(), ..stored })]))
    }

    fn deleted(&self, delete: impl FnOnce(&str)) -> Outcomes {
        delete(&self.key);
        Outcomes::None
    }

    fn read_one(&self, state: &State) -> Result<Outcomes, String> {
        let found = state.kv().get(&self.key).cloned();
        let entry = found.ok_or_else(|| format!("key {} doesn't exist", self.quoted()))?;
        Ok(Outcomes::Keys(vec![(self.key.clone(), entry)]))
    }

    fn read_tree(&self, state: &State) -> Outcomes {
        let found = state.kv().under(&self.key);
        Outcomes::Keys(found.map(|(key, entry)| (key.clone(), entry.clone())).collect())
    }

    /// The entry, if it is as it should be.
    fn checked(&self, state: &State) -> Result<Entry, String> {
        let (name, is_session) = (self.quoted(), self.verb == "check-session");
        let what = if is_session { "session" } else { "index" };
        let missing = || format!("failed to check {what}, key {name} doesn't exist");
        let entry = state.kv().get(&self.key).cloned().ok_or_else(missing)?;
        if is_session && entry.session != self.session {
            let (current, wanted) = (go::quoted(&entry.session), go::quoted(&self.session));
            return Err(format!(
                "failed session check for key {name}, current session {current} != {wanted}"
            ));
        }
        let (current, wanted) = (entry.modify_index, self.index);
        if !is_session && current != wanted {
            return Err(format!(
                "failed index check for key {name}, current modify index {current} != {wanted}"
            ));
        }
        Ok(entry)
    }

    fn quoted(&self) -> String {
        go::quoted(&self.key)
    }
}

/// A value, or Go's words for where it is no base64.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect();
    STANDARD
        .decode_to_vec(&plain)
        .map_err(|_| format!("illegal base64 data at input byte {}", illegal_at(&plain)))
}

/// Where Go's decoder gives up.
fn illegal_at(text: &[u8]) -> usize {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/".contains(&byte);
    let end = text.iter().position(|&byte| !is_plain(byte)).unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default();
    match (end % 4, rest) {
        // Without its padding the last part begins nothing.
        (part, []) => end - part,
        (2, [b'=']) | (3, [b'=']) => text.len(),
        (2, [b'=', b'=', ..]) => end + 2,
        (2, [b'=', ..]) | (3, [b'=', ..]) => end + 1,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn what_is_no_base64_is_refused_in_gos_words() {
        assert_eq!(decoded("eA=="), Ok(b"x".to_vec()));
        assert_eq!(decoded("eA\n=="), Ok(b"x".to_vec()));
        for (text, at) in [("eA=", 3), ("eA", 0), ("e!A=", 1), ("!!", 0), ("eHh4eA", 4)] {
            let cause = format!("illegal base64 data at input byte {at}");
            assert_eq!(decoded(text), Err(cause), "{text}");
        }
    }
}
