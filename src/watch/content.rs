//! What a watch has found, in an order that does not depend on Consul's mood, and when two of them
//! say the same.

use crate::api::event::UserEvent;
use crate::api::health::ServiceEntry;
use crate::api::kv::KvPair;
use crate::api::raw::RawAnswer;
use crate::api::{Check, Node, Service};
use crate::client::Vault;
use std::collections::BTreeMap;

/// What a watch has found.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A key; `None` when it does not exist.
    Key(Option<KvPair>),
    /// The keys of a prefix, sorted.
    Pairs(Vec<KvPair>),
    /// The instances of a service, sorted by node and id, or by distance where `near` asks for it.
    Entries(Vec<ServiceEntry>),
    /// The names of the services with their tags.
    Services(BTreeMap<String, Vec<String>>),
    /// The nodes, sorted by name, or by distance where `near` asks for it.
    Nodes(Vec<Node>),
    /// Checks, sorted by node and id.
    Checks(Vec<Check>),
    /// User events, the oldest first.
    Events(Vec<UserEvent>),
    /// Any other endpoint's answer.
    Raw(RawAnswer),
}

/// What of a content counts when two are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// A check that only says something else has not changed.
    pub(super) ignore_output: bool,
}

impl Content {
    /// How many things it holds.
    pub fn len(&self) -> usize {
        match self {
            Content::Key(pair) => usize::from(pair.is_some()),
            Content::Pairs(pairs) => pairs.len(),
            Content::Entries(entries) => entries.len(),
            Content::Services(names) => names.len(),
            Content::Nodes(nodes) => nodes.len(),
            Content::Checks(checks) => checks.len(),
            Content::Events(events) => events.len(),
            Content::Raw(answer) => usize::from(answer.http_status != 404),
        }
    }

    /// True when Consul has said that there is nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pair of this key.
    pub fn pair(&self, key: &str) -> Option<&KvPair> {
        match self {
            Content::Key(pair) => pair.as_ref().filter(|pair| pair.key == key),
            Content::Pairs(pairs) => {
                let at = pairs.binary_search_by(|pair| pair.key.as_str().cmp(key)).ok()?;
                pairs.get(at)
            }
            _ => None,
        }
    }

    /// The pairs, of a key or a prefix.
    pub fn pairs(&self) -> &[KvPair] {
        match self {
            Content::Key(pair) => pair.as_slice(),
            Content::Pairs(pairs) => pairs,
            _ => &[],
        }
    }

    /// The instances of a service.
    pub fn entries(&self) -> &[ServiceEntry] {
        match self {
            Content::Entries(entries) => entries,
            _ => &[],
        }
    }

    /// Puts it into its order. With `near` the order is Consul's, and says something.
    pub(super) fn sorted(mut self, near: bool) -> Content {
        match &mut self {
            Content::Pairs(pairs) => pairs.sort_by(|a, b| a.key.cmp(&b.key)),
            Content::Entries(entries) => {
                if !near {
                    entries.sort_by(|a, b| place(a).cmp(&place(b)));
                }
                for entry in entries {
                    sort_checks(&mut entry.checks);
                }
            }
            Content::Services(names) => names.values_mut().for_each(|tags| tags.sort()),
            Content::Nodes(nodes) if !near => nodes.sort_by(|a, b| a.name.cmp(&b.name)),
            Content::Checks(checks) => sort_checks(checks),
            _ => {}
        }
        self
    }

    /// Whether two contents say the same to who watches. The indexes of services, nodes and checks
    /// do not count: they move without anything else. Those of keys do: a compare-and-set needs
    /// them.
    pub(super) fn same(&self, other: &Content, by: Comparison) -> bool {
        match (self, other) {
            (Content::Entries(a), Content::Entries(b)) => each(a, b, |a, b| {
                same_service(&a.service, &b.service)
                    && same_node(&a.node, &b.node)
                    && each(&a.checks, &b.checks, |a, b| same_check(a, b, by))
            }),
            (Content::Nodes(a), Content::Nodes(b)) => each(a, b, same_node),
            (Content::Checks(a), Content::Checks(b)) => each(a, b, |a, b| same_check(a, b, by)),
            _ => self == other,
        }
    }

    /// Whether nothing but the last write of encrypted values differs: they were encrypted anew.
    pub(super) fn is_rewritten(&self, other: &Content, vault: &Vault) -> bool {
        match (self, other) {
            (Content::Key(Some(a)), Content::Key(Some(b))) => same_value(a, b, vault),
            (Content::Pairs(a), Content::Pairs(b)) => each(a, b, |a, b| same_value(a, b, vault)),
            _ => false,
        }
    }
}

fn same_value(a: &KvPair, b: &KvPair, vault: &Vault) -> bool {
    let KvPair { key, value, flags, session, lock_index, create_index, modify_index } = a;
    *key == b.key
        && *value == b.value
        && *flags == b.flags
        && *session == b.session
        && *lock_index == b.lock_index
        && *create_index == b.create_index
        && (*modify_index == b.modify_index || vault.covers(key))
}

fn each<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn place(entry: &ServiceEntry) -> (&str, &str) {
    (&entry.node.name, &entry.service.id)
}

fn sort_checks(checks: &mut [Check]) {
    checks.sort_by(|a, b| (&a.node, &a.id).cmp(&(&b.node, &b.id)));
}

// Taken apart whole, so that a field that is added has to be thought of here.

fn same_service(a: &Service, b: &Service) -> bool {
    let Service {
        id,
        name,
        kind,
        tags,
        address,
        tagged_addresses,
        meta,
        port,
        weights,
        enable_tag_override,
        proxy,
        connect,
        create_index: _,
        modify_index: _,
    } = a;
    *id == b.id
        && *name == b.name
        && *kind == b.kind
        && *tags == b.tags
        && *address == b.address
        && *tagged_addresses == b.tagged_addresses
        && *meta == b.meta
        && *port == b.port
        && *weights == b.weights
        && *enable_tag_override == b.enable_tag_override
        && *proxy == b.proxy
        && *connect == b.connect
}

fn same_node(a: &Node, b: &Node) -> bool {
    let Node {
        id,
        name,
        address,
        datacenter,
        tagged_addresses,
        meta,
        create_index: _,
        modify_index: _,
    } = a;
    *id == b.id
        && *name == b.name
        && *address == b.address
        && *datacenter == b.datacenter
        && *tagged_addresses == b.tagged_addresses
        && *meta == b.meta
}

fn same_check(a: &Check, b: &Check, by: Comparison) -> bool {
    let Check {
        node,
        id,
        name,
        status,
        notes,
        output,
        service_id,
        service_name,
        service_tags,
        kind,
        create_index: _,
        modify_index: _,
    } = a;
    *node == b.node
        && *id == b.id
        && *name == b.name
        && *status == b.status
        && *notes == b.notes
        && (by.ignore_output || *output == b.output)
        && *service_id == b.service_id
        && *service_name == b.service_name
        && *service_tags == b.service_tags
        && *kind == b.kind
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(node: &str, id: &str) -> ServiceEntry {
        let mut entry = ServiceEntry::default();
        entry.node.name = node.to_string();
        entry.service.id = id.to_string();
        entry.checks = ["b", "a"].map(|id| Check { id: id.into(), ..Check::default() }).into();
        entry
    }

    fn entries(list: &[ServiceEntry]) -> Content {
        Content::Entries(list.to_vec()).sorted(false)
    }

    const ALL: Comparison = Comparison { ignore_output: false };

    #[test]
    fn the_order_of_a_service_list_says_nothing() {
        let (one, two) = (entry("n1", "web-1"), entry("n2", "web-1"));
        let mut turned = two.clone();
        turned.checks.reverse();
        assert!(entries(&[one.clone(), two.clone()]).same(&entries(&[turned, one.clone()]), ALL));
        assert!(!entries(&[one.clone(), two.clone()]).same(&entries(&[one]), ALL));
    }

    #[test]
    fn with_near_the_order_is_what_was_asked_for() {
        let (one, two) = (entry("n1", "a"), entry("n2", "a"));
        let near = |list: [&ServiceEntry; 2]| Content::Entries(list.map(Clone::clone).into());
        let (ab, ba) = (near([&one, &two]).sorted(true), near([&two, &one]).sorted(true));
        assert!(!ab.same(&ba, ALL));
        assert_eq!(ba.entries()[0].node.name, "n2");
    }

    #[test]
    fn indexes_of_the_catalog_do_not_count_and_the_output_where_told_so() {
        let one = entry("n", "a");
        let mut other = one.clone();
        other.service.modify_index = 9;
        other.node.modify_index = 9;
        other.checks[0].modify_index = 9;
        assert!(entries(std::slice::from_ref(&one)).same(&entries(&[other.clone()]), ALL));
        other.checks[0].output = "12 % free".into();
        let (one, other) = (entries(&[one]), entries(&[other]));
        assert!(!one.same(&other, ALL));
        assert!(one.same(&other, Comparison { ignore_output: true }));
    }

    #[test]
    fn a_key_written_anew_has_changed() {
        let pair = |modify_index| {
            Content::Key(Some(KvPair { key: "a".into(), modify_index, ..KvPair::default() }))
        };
        assert!(!pair(1).same(&pair(2), ALL));
        assert!(!pair(1).same(&Content::Key(None), ALL));
        assert!(Content::Key(None).is_empty() && pair(1).len() == 1);
    }

    #[test]
    fn a_pair_is_found_by_its_key() {
        let pair = |key: &str| KvPair { key: key.into(), ..KvPair::default() };
        let pairs = Content::Pairs(vec![pair("b"), pair("a/2"), pair("a/10")]).sorted(false);
        for key in ["a/10", "a/2", "b"] {
            assert_eq!(pairs.pair(key).map(|pair| pair.key.as_str()), Some(key));
        }
        assert!(pairs.pair("a").is_none());
    }
}
