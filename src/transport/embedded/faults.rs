//! What a test has ordered to go wrong.

use std::time::Duration;

/// A fault, for the requests whose path begins with this.
#[derive(Clone, Debug)]
struct Order {
    prefix: String,
    fault: Fault,
}

#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Every request waits this long before the agent looks at it.
    Latency(Duration),
    /// The next so many requests are answered with this status and text; nothing is done.
    Fail { left: u64, status: u16, text: String },
    /// The servers have no leader.
    NoLeader,
    /// The next so many requests are done, and their answer is lost.
    LoseAnswer { left: u64 },
}

/// All that is ordered. The latest order of a kind for a prefix takes the place of the earlier one.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Order>);

impl Faults {
    pub(super) fn order(&mut self, prefix: &str, fault: Fault) {
        self.cancel(prefix, &fault);
        self.0.push(Order { prefix: prefix.to_owned(), fault });
    }

    /// Takes back the order of this kind for this prefix.
    pub(super) fn cancel(&mut self, prefix: &str, kind: &Fault) {
        let kind = std::mem::discriminant(kind);
        self.0
            .retain(|order| order.prefix != prefix || std::mem::discriminant(&order.fault) != kind);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn latency(&self, path: &str) -> Duration {
        let found = self.of(path).filter_map(|fault| match fault {
            Fault::Latency(time) => Some(*time),
            _ => None,
        });
        found.max().unwrap_or_default()
    }

    pub(super) fn has_leader(&self, path: &str) -> bool {
        !self.of(path).any(|fault| matches!(fault, Fault::NoLeader))
    }

    /// The answer that this request gets in place of its own.
    pub(super) fn take_failure(&mut self, path: &str) -> Option<(u16, String)> {
        self.of_mut(path).find_map(|fault| match fault {
            Fault::Fail { left, status, text } if *left > 0 => {
                *left -= 1;
                Some((*status, text.clone()))
            }
            _ => None,
        })
    }

    /// True when the answer to this request gets lost.
    pub(super) fn take_loss(&mut self, path: &str) -> bool {
        self.of_mut(path).any(|fault| match fault {
            Fault::LoseAnswer { left } if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })
    }

    fn of(&self, path: &str) -> impl Iterator<Item = &Fault> {
        let meant = self.0.iter().filter(move |order| path.starts_with(&order.prefix));
        meant.map(|order| &order.fault)
    }

    fn of_mut(&mut self, path: &str) -> impl Iterator<Item = &mut Fault> {
        let meant = self.0.iter_mut().filter(move |order| path.starts_with(&order.prefix));
        meant.map(|order| &mut order.fault)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};
    use std::time::Duration;

    #[test]
    fn they_meet_what_lies_under_their_prefix_and_run_out() {
        let mut faults = Faults::default();
        faults.order("/v1/kv/", Fault::Fail { left: 1, status: 500, text: "no".into() });
        faults.order("", Fault::LoseAnswer { left: 1 });
        assert_eq!(faults.take_failure("/v1/session/list"), None);
        assert_eq!(faults.take_failure("/v1/kv/a"), Some((500, "no".to_owned())));
        assert_eq!(faults.take_failure("/v1/kv/a"), None);
        assert!(faults.take_loss("/v1/x") && !faults.take_loss("/v1/x"));
    }

    #[test]
    fn the_latest_order_of_a_kind_counts() {
        let mut faults = Faults::default();
        faults.order("", Fault::Latency(Duration::from_secs(9)));
        faults.order("", Fault::Latency(Duration::from_secs(1)));
        faults.order("/v1/kv", Fault::NoLeader);
        assert_eq!(faults.latency("/v1/x"), Duration::from_secs(1));
        assert!(faults.has_leader("/v1/x") && !faults.has_leader("/v1/kv/a"));
        faults.cancel("/v1/kv", &Fault::NoLeader);
        assert!(faults.has_leader("/v1/kv/a"));
        faults.clear();
        assert_eq!(faults.latency("/v1/x"), Duration::ZERO);
    }
}
