//! Keys in the format of `consul kv export` and `consul kv import`.

use super::{Kv, check_prefix};
use crate::api::json;
use crate::api::txn::{Txn, TxnOutcome};
use crate::client::{Client, Either, Style};
use crate::config::{Options, Settings};
use crate::error::{Error, Result, Status};
use serde::{Deserialize, Serialize};
use serde_json::ser::{PrettyFormatter, Serializer};

/// One key, as it travels.
#[derive(Serialize, Deserialize)]
struct Portable {
    key: String,
    #[serde(default)]
    flags: u64,
    #[serde(default, serialize_with = "as_base64", deserialize_with = "json::base64_bytes")]
    value: Vec<u8>,
}

/// What one operation of a transaction needs beside its key and the base64 of its value.
const OPERATION: u64 = 128;

impl<S: Style> Kv<'_, S> {
    /// Reads every key that begins with `prefix`, as `consul kv export` writes them: a JSON array
    /// of `key`, `flags` and `value`, which is base64. The empty prefix exports all. An encrypted
    /// value stays encrypted.
    pub fn export(&self, prefix: &str, options: &Options) -> Result<S::Output<Vec<u8>>> {
        check_prefix(prefix)?;
        let (prefix, options) = (prefix.to_string(), options.clone());
        self.client.run(move |client| async move {
            let client = client.as_stored();
            let found = client.kv().list(&prefix, &options)?.await?.value;
            let portable = found.into_iter().map(|pair| Portable {
                key: pair.key,
                flags: pair.flags,
                value: pair.value,
            });
            written(&portable.collect::<Vec<_>>())
        })
    }

    /// Writes keys as [`Kv::export`] or `consul kv export` gave them, `prefix` before the name of
    /// each; gives how many. They are written whatever was there, keys that are not among them stay.
    /// Values are written as they are: one that was exported encrypted can be read under its own name
    /// only, and a plain one is plain until [`Kv::reencrypt`].
    ///
    /// As many as fit go into one transaction, so what fails in the middle leaves whole
    /// transactions behind it; the error says how many keys were written. Everything is read and
    /// checked before anything is sent. The time that the options allow is that of each.
    pub fn import(
        &self,
        prefix: &str,
        exported: &[u8],
        options: &Options,
    ) -> Result<S::Output<usize>> {
        let entries = read(exported)?;
        if let Some(vault) = self.client.vault() {
            entries.iter().try_for_each(|entry| vault.check_stored(&entry.key, &entry.value))?;
        }
        let steps = steps(prefix, entries, &self.client.settings())?;
        let options = Options { index: 0, ..options.clone() };
        self.client.run(move |client| async move {
            let client = client.as_stored();
            let all = steps.iter().map(Step::keys).sum::<usize>();
            let mut written = 0;
            for step in &steps {
                step.run(&client, &options).await.map_err(|error| {
                    error.context(format_args!("{written} of {all} keys were imported"))
                })?;
                written += step.keys();
            }
            Ok(written)
        })
    }
}

/// What is sent at a time.
enum Step {
    Together(Txn),
    /// A key whose value is too long for a transaction.
    Alone(Portable),
}

impl Step {
    fn keys(&self) -> usize {
        match self {
            Step::Together(txn) => txn.len(),
            Step::Alone(_) => 1,
        }
    }

    async fn run(&self, client: &Client<Either>, options: &Options) -> Result<()> {
        match self {
            Step::Together(txn) => client.commit_as(txn, options, committed)?.await,
            Step::Alone(one) => {
                client.kv().put(&one.key, &one.value, one.flags, options)?.await.map(drop)
            }
        }
    }
}

fn committed(outcome: TxnOutcome) -> Result<()> {
    let status = if outcome.is_denied() { Status::Denied } else { Status::Http };
    match outcome.errors().first() {
        None => Ok(()),
        Some(error) => Err(Error::new(status, error.what.clone()).with_http_status(409)),
    }
}

fn steps(prefix: &str, entries: Vec<Portable>, settings: &Settings) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let (mut txn, mut bytes) = (Txn::new(), 0);
    for mut entry in entries {
        entry.key.insert_str(0, prefix);
        if entry.key.is_empty() {
            return Err(Error::argument("one of the keys to import has no name"));
        }
        super::check_size(entry.value.len(), settings)
            .map_err(|error| error.context(format_args!("the key {:?}", entry.key)))?;
        // Escaped, a byte of a key may take six.
        let size = OPERATION + 6 * entry.key.len() as u64 + (entry.value.len() as u64 / 3 + 1) * 4;
        if size > settings.max_txn_bytes {
            super::check_key(&entry.key)?;
            steps.push(Step::Alone(entry));
            continue;
        }
        if bytes + size > settings.max_txn_bytes || txn.len() >= settings.max_txn_operations {
            steps.push(Step::Together(std::mem::take(&mut txn)));
            bytes = 0;
        }
        txn.set_any(&entry.key, &entry.value, entry.flags)?;
        bytes += size;
    }
    if !txn.is_empty() {
        steps.push(Step::Together(txn));
    }
    Ok(steps)
}

fn read(exported: &[u8]) -> Result<Vec<Portable>> {
    serde_json::from_slice(exported).map_err(|error| {
        let wanted = "an array of key, flags and value in base64, as consul kv export writes it";
        Error::argument(format!("what to import is not {wanted}: {error}"))
    })
}

/// Indented as Consul's own command does it.
fn written(portable: &[Portable]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let formatter = PrettyFormatter::with_indent(b"\t");
    portable
        .serialize(&mut Serializer::with_formatter(&mut text, formatter))
        .map_err(|error| Error::new(Status::Internal, error.to_string()))?;
    Ok(text)
}

fn as_base64<S: serde::Serializer>(
    value: &[u8],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64_simd::STANDARD.encode_to_string(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn settings(limits: &[(&str, &str)]) -> Settings {
        let mut config = Config::without_environment();
        for (name, value) in limits {
            config.set(name, value).unwrap();
        }
        Settings::resolve(&config).unwrap()
    }

    fn entry(key: &str, value: usize) -> Portable {
        Portable { key: key.to_string(), flags: 7, value: vec![0; value] }
    }

    fn sizes(entries: Vec<Portable>, limits: &[(&str, &str)]) -> Vec<usize> {
        let steps = steps("", entries, &settings(limits)).unwrap();
        steps.iter().map(Step::keys).collect()
    }

    #[test]
    fn keys_go_together_as_far_as_the_limits_allow() {
        let many = || (0..5).map(|number| entry(&format!("k{number}"), 10)).collect();
        assert_eq!(sizes(many(), &[]), [5]);
        assert_eq!(sizes(many(), &[("max_txn_operations", "2")]), [2, 2, 1]);
        assert_eq!(sizes(many(), &[("max_txn_bytes", "400")]), [2, 2, 1]);
        let large = vec![entry("a", 1), entry("large", 1000), entry("b", 1)];
        assert_eq!(sizes(large, &[("max_txn_bytes", "400")]), [1, 2]);
        assert_eq!(sizes(Vec::new(), &[]), [0; 0]);
    }

    #[test]
    fn what_cannot_be_is_refused_before_anything_is_sent() {
        for text in ["", "{}", "[1]", r#"[{"value":""}]"#, r#"[{"key":"a","value":"?"}]"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let refused = |entry, limits: &[(&str, &str)]| steps("", vec![entry], &settings(limits));
        assert!(refused(entry("", 1), &[]).is_err());
        assert!(refused(entry("a", 101), &[("max_value_bytes", "100")]).is_err());
        // Only a transaction reaches such a key.
        assert!(refused(entry("/odd//key", 1), &[]).is_ok());
        assert!(refused(entry("/odd//key", 1000), &[("max_txn_bytes", "400")]).is_err());
    }

    #[test]
    fn a_value_may_be_null_and_flags_may_lack() {
        let read = read(br#"[{"key":"a","value":null},{"key":"b","flags":18446744073709551615}]"#);
        let read = read.unwrap();
        assert!(read[0].value.is_empty() && read[1].value.is_empty());
        assert_eq!((read[0].flags, read[1].flags), (0, u64::MAX));
    }
}
