//! The changes of a client's addresses on their way to a queue: never more than one unread event, which
//! says of each address what has come together until it is read.

use super::endpoint_changes::Object;
use super::event::Given;
use super::kind::consul_endpoint_changes;
use super::outlet::Outlet;
use crate::client::{EndpointChange, EndpointListener, EndpointNews, EndpointState};
use crate::error::{Error, Result, Status};
use crate::runtime::queue::{Content, EventKind, Queue};
use crate::sync::Mutex;
use std::sync::Arc;

/// More addresses than a client has. A program that reads nothing, and configures its client anew with
/// other addresses again and again, loses the oldest.
const MOST: usize = 64;

/// What has come together of one address.
pub(super) struct Change {
    pub(super) address: String,
    pub(super) before: EndpointState,
    pub(super) after: EndpointState,
    pub(super) reason: Option<Error>,
    pub(super) count: u32,
}

/// Where the changes go.
struct Feed {
    outlet: Arc<Outlet>,
    unread: Arc<Mutex<Vec<Change>>>,
}

/// What listens for this queue.
pub(super) fn attach(queue: &Queue, tag: u64) -> Result<EndpointListener> {
    let outlet = Outlet::attach(queue, tag, EventKind::EndpointEnded)?;
    let feed = Feed { outlet, unread: Arc::default() };
    Ok(Box::new(move |news| feed.hear(news)))
}

impl Feed {
    fn hear(&self, news: EndpointNews) {
        match news {
            EndpointNews::Changed(changes) => self.tell(changes),
            EndpointNews::Ended(error) => self.outlet.end(error),
        }
    }

    fn tell(&self, changes: Vec<EndpointChange>) {
        let is_first = {
            let mut unread = self.unread.lock();
            let is_first = unread.is_empty();
            changes.into_iter().for_each(|change| add(&mut unread, change));
            is_first
        };
        if !is_first {
            return;
        }
        let unread = self.unread.clone();
        self.outlet.tell(EventKind::EndpointChanged, move || {
            let changes = std::mem::take(&mut *unread.lock());
            let given = Given::new::<consul_endpoint_changes>(Object::new(&changes));
            Content { outcome: Ok(Status::Ok), result: Some(Box::new(given)) }
        });
    }
}

/// Adds a change to those of its address.
fn add(unread: &mut Vec<Change>, change: EndpointChange) {
    let EndpointChange { address, before, after, reason } = change;
    if let Some(known) = unread.iter_mut().find(|known| known.address == address) {
        known.after = after;
        known.reason = reason.or_else(|| known.reason.take());
        known.count = known.count.saturating_add(1);
        return;
    }
    if unread.len() == MOST {
        unread.remove(0);
    }
    unread.push(Change { address, before, after, reason, count: 1 });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::Condition::{self, *};
    use std::time::Duration;

    fn change(address: usize, before: Condition, after: Condition) -> EndpointChange {
        let state = |condition| EndpointState { condition, in_use: address == 0 };
        let reason = (after == Down).then(|| Error::new(Status::Connect, "refused"));
        let (before, after) = (state(before), state(after));
        EndpointChange { address: format!("http://{address}"), before, after, reason }
    }

    fn count(queue: &Queue) -> usize {
        std::iter::from_fn(|| queue.next(Duration::ZERO).unwrap()).count()
    }

    #[test]
    fn what_comes_before_it_is_read_comes_together() {
        let queue = Queue::new();
        let hear = attach(&queue, 1).unwrap();
        hear(EndpointNews::Changed(vec![change(0, Up, Down), change(1, Down, Up)]));
        hear(EndpointNews::Changed(vec![change(0, Down, Up)]));
        assert_eq!(count(&queue), 1);
        assert_eq!(count(&queue), 0);
        hear(EndpointNews::Changed(vec![change(0, Up, Down)]));
        hear(EndpointNews::Ended(Error::new(Status::Closed, "closed")));
        hear(EndpointNews::Changed(vec![change(0, Down, Up)]));
        assert_eq!(count(&queue), 2);
    }

    #[test]
    fn one_that_flaps_is_one_row_with_its_reason() {
        let mut unread = Vec::new();
        for _ in 0..1000 {
            add(&mut unread, change(0, Up, Down));
            add(&mut unread, change(0, Down, Up));
        }
        let [only] = unread.as_slice() else { unreachable!("{}", unread.len()) };
        assert_eq!((only.before.condition, only.after.condition, only.count), (Up, Up, 2000));
        assert_eq!(only.reason.as_ref().unwrap().status(), Status::Connect);
        for address in 0..1000 {
            add(&mut unread, change(address, Up, Down));
        }
        assert_eq!((unread.len(), unread[0].address.as_str()), (MOST, "http://936"));
    }
}
