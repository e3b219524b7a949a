//! The settings of one call.

use super::table::{Id, Scope, Setting};
use super::value;
use crate::error::{Error, Result};
use std::time::Duration;

/// How fresh a read must be
/// (<https://developer.hashicorp.com/consul/api-docs/features/consistency>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// The leader answers; in rare cases a leader that was just replaced.
    #[default]
    Default,
    /// The leader answers after a quorum has confirmed it.
    Consistent,
    /// Any server answers, however far behind it is.
    Stale,
}

impl Consistency {
    pub(super) fn parse(word: &str) -> Consistency {
        match word {
            "consistent" => Consistency::Consistent,
            "stale" => Consistency::Stale,
            _ => Consistency::Default,
        }
    }
}

/// The settings of one call. What is not set here is the client's.
#[derive(Clone)]
pub struct Options {
    pub(crate) token: Option<String>,
    pub(crate) datacenter: Option<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) partition: Option<String>,
    pub(crate) consistency: Option<Consistency>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) wait: Option<Duration>,
    pub(crate) index: u64,
    pub(crate) near: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) max_stale: Option<Duration>,
    pub(crate) stale_on_no_leader: Option<bool>,
    pub(crate) cached: bool,
    pub(crate) node_meta: Vec<(String, String)>,
}

impl Options {
    pub(crate) const NONE: Options = Options {
        token: None,
        datacenter: None,
        namespace: None,
        partition: None,
        consistency: None,
        timeout: None,
        wait: None,
        index: 0,
        near: None,
        filter: None,
        max_stale: None,
        stale_on_no_leader: None,
        cached: false,
        node_meta: Vec::new(),
    };

    /// Options that change nothing.
    pub fn new() -> Options {
        Options::NONE
    }

    /// Sets one by its name in the table of settings, with the table's checks. An empty text
    /// unsets it.
    pub fn set(&mut self, name: &str, text: &str) -> Result<()> {
        let setting = call_setting(name)?;
        self.set_checked(setting, text).map_err(|error| error.context(name))
    }

    fn set_checked(&mut self, setting: &Setting, text: &str) -> Result<()> {
        if !text.is_empty() {
            value::check(setting, text)?;
        }
        let word = || (!text.is_empty()).then(|| text.to_string());
        let number = || match text {
            "" => Ok(None),
            text => value::parse_integer(setting, text).map(Some),
        };
        let duration = || number().map(|ms| ms.map(Duration::from_millis));
        match setting.id {
            Id::Token => self.token = word(),
            Id::Datacenter => self.datacenter = word(),
            Id::Namespace => self.namespace = word(),
            Id::Partition => self.partition = word(),
            Id::Near => self.near = word(),
            Id::Filter => self.filter = word(),
            Id::Consistency => self.consistency = word().map(|word| Consistency::parse(&word)),
            Id::TimeoutMs => self.timeout = duration()?,
            Id::WaitMs => self.wait = duration()?,
            Id::MaxStaleMs => self.max_stale = duration()?,
            Id::Index => self.index = number()?.unwrap_or(0),
            Id::StaleOnNoLeader => {
                let flag = word().map(|_| value::parse_bool(setting, text));
                self.stale_on_no_leader = flag.transpose()?;
            }
            Id::Cached => self.cached = !text.is_empty() && value::parse_bool(setting, text)?,
            _ => return Err(not_for_calls(setting.name)),
        }
        Ok(())
    }

    /// Makes it a blocking query: the answer comes when the index is above this one, or when the
    /// wait is over. 0 answers at once.
    pub fn index(mut self, index: u64) -> Options {
        self.index = index;
        self
    }

    /// How long a blocking query waits for news; 1 ms to 10 min.
    pub fn wait(mut self, wait: Duration) -> Options {
        self.wait = Some(wait.clamp(Duration::from_millis(1), Duration::from_secs(600)));
        self
    }

    /// How long the call may take in all, a day at most. A blocking query may take its wait and a
    /// sixteenth of it more.
    pub fn timeout(mut self, timeout: Duration) -> Options {
        self.timeout = Some(timeout.min(Duration::from_secs(86_400)));
        self
    }

    /// How fresh a read must be.
    pub fn consistency(mut self, consistency: Consistency) -> Options {
        self.consistency = Some(consistency);
        self
    }

    /// The ACL token.
    pub fn token(mut self, token: impl Into<String>) -> Options {
        self.token = Some(token.into());
        self
    }

    /// The datacenter to ask.
    pub fn datacenter(mut self, datacenter: impl Into<String>) -> Options {
        self.datacenter = Some(datacenter.into());
        self
    }

    /// The namespace (Consul Enterprise).
    pub fn namespace(mut self, namespace: impl Into<String>) -> Options {
        self.namespace = Some(namespace.into());
        self
    }

    /// The admin partition (Consul Enterprise).
    pub fn partition(mut self, partition: impl Into<String>) -> Options {
        self.partition = Some(partition.into());
        self
    }

    /// Sorts by round-trip time from this node; `_agent` means the agent's own.
    pub fn near(mut self, node: impl Into<String>) -> Options {
        self.near = Some(node.into());
        self
    }

    /// Only what matches this filter expression
    /// (<https://developer.hashicorp.com/consul/api-docs/features/filtering>).
    pub fn filter(mut self, expression: impl Into<String>) -> Options {
        self.filter = Some(expression.into());
        self
    }

    /// How far behind the leader the answer of a stale read may be; the leader is asked where it is
    /// further.
    pub fn max_stale(mut self, age: Duration) -> Options {
        self.max_stale = Some(age);
        self
    }

    /// Lets any server answer a default read while there is no leader.
    pub fn stale_on_no_leader(mut self, stale: bool) -> Options {
        self.stale_on_no_leader = Some(stale);
        self
    }

    /// Lets the agent answer from its cache where it has one.
    pub fn cached(mut self, cached: bool) -> Options {
        self.cached = cached;
        self
    }

    /// Only nodes with this metadata; several must all match.
    pub fn node_meta(mut self, key: impl Into<String>, value: impl Into<String>) -> Options {
        self.add_node_meta(key, value);
        self
    }

    /// Only the token, the datacenter, the namespace and the partition.
    pub(crate) fn scope(&self) -> Options {
        Options::new().or_scope(self)
    }

    /// With the token, the datacenter, the namespace and the partition of `other` where none is
    /// set.
    pub(crate) fn or_scope(&self, other: &Options) -> Options {
        let or = |own: &Option<String>, other: &Option<String>| own.clone().or(other.clone());
        Options {
            token: or(&self.token, &other.token),
            datacenter: or(&self.datacenter, &other.datacenter),
            namespace: or(&self.namespace, &other.namespace),
            partition: or(&self.partition, &other.partition),
            ..self.clone()
        }
    }

    /// As [`Options::node_meta`], in place.
    pub fn add_node_meta(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.node_meta.push((key.into(), value.into()));
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::NONE
    }
}

fn call_setting(name: &str) -> Result<&'static Setting> {
    match Setting::named(name) {
        Some(setting) if setting.scope == Scope::Client => Err(not_for_calls(name)),
        Some(setting) => Ok(setting),
        None => Err(Error::config(format!("unknown option \"{name}\""))),
    }
}

fn not_for_calls(name: &str) -> Error {
    Error::config(format!("\"{name}\" is a setting of the client, not of one call"))
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("token", &self.token.as_ref().map(|_| "<hidden>"))
            .field("datacenter", &self.datacenter)
            .field("namespace", &self.namespace)
            .field("partition", &self.partition)
            .field("consistency", &self.consistency)
            .field("timeout", &self.timeout)
            .field("wait", &self.wait)
            .field("index", &self.index)
            .field("near", &self.near)
            .field("filter", &self.filter)
            .field("max_stale", &self.max_stale)
            .field("stale_on_no_leader", &self.stale_on_no_leader)
            .field("cached", &self.cached)
            .field("node_meta", &self.node_meta)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, TABLE};
    use super::*;

    #[test]
    fn every_setting_of_a_call_can_be_set_and_unset_by_name() {
        for setting in TABLE.iter().filter(|setting| setting.scope != Scope::Client) {
            let value = match setting.kind {
                Kind::Text | Kind::Path | Kind::List | Kind::Secret => "x",
                Kind::Bool => "true",
                Kind::Integer(..) => "1",
                Kind::Choice(words) => words[0],
            };
            let before = format!("{:?}", Options::new());
            let mut options = Options::new();
            options.set(setting.name, value).unwrap();
            assert_ne!(format!("{options:?}"), before, "{}", setting.name);
            options.set(setting.name, "").unwrap();
            assert_eq!(format!("{options:?}"), before, "{}", setting.name);
        }
    }

    #[test]
    fn a_setting_of_the_client_is_refused() {
        let error = Options::new().set("address", "x").unwrap_err();
        assert!(error.message().contains("the client"), "{error}");
    }

    #[test]
    fn debug_output_hides_the_token() {
        let options = Options::new().token("s3cr3t");
        assert!(!format!("{options:?}").contains("s3cr3t"));
    }
}
