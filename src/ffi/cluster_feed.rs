//! The changes of a cluster on their way to a queue: never more than one unread of each type, which
//! says what has come together until it is read.

use super::cluster_nodes::{self, Object, consul_cluster_nodes};
use super::event::Given;
use super::kind::consul_text;
use super::outlet::Outlet;
use crate::error::{Result, Status};
use crate::recipes::cluster::{ClusterListener, ClusterNews, Member};
use crate::runtime::queue::{Content, EventKind, Queue};
use crate::sync::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where the changes go.
struct Feed {
    outlet: Arc<Outlet>,
    unread: Arc<Mutex<Unread>>,
}

/// What was told and not read yet; None where no event is on its way.
#[derive(Default)]
struct Unread {
    joined: Option<BTreeMap<String, Member>>,
    left: Option<BTreeMap<String, Member>>,
    changed: Option<BTreeMap<String, Member>>,
    leader: Option<Option<String>>,
    ring: bool,
}

/// One of the three lists of members.
type List = fn(&mut Unread) -> &mut Option<BTreeMap<String, Member>>;

const JOINED: List = |unread| &mut unread.joined;
const LEFT: List = |unread| &mut unread.left;
const CHANGED: List = |unread| &mut unread.changed;

/// What listens for this queue.
pub(super) fn attach(queue: &Queue, tag: u64) -> Result<ClusterListener> {
    let outlet = Outlet::attach(queue, tag, EventKind::ClusterEnded)?;
    let feed = Feed { outlet, unread: Arc::default() };
    Ok(Box::new(move |news| feed.hear(news)))
}

impl Feed {
    fn hear(&self, news: ClusterNews) {
        match news {
            ClusterNews::Joined(members) => self.list(EventKind::ClusterJoined, JOINED, members),
            ClusterNews::Left(members) => self.list(EventKind::ClusterLeft, LEFT, members),
            ClusterNews::Changed(members) => self.list(EventKind::ClusterChanged, CHANGED, members),
            ClusterNews::Leader(leader) => {
                if self.unread.lock().leader.replace(leader).is_none() {
                    self.tell(EventKind::ClusterLeader, leads);
                }
            }
            ClusterNews::Ring => {
                if !std::mem::replace(&mut self.unread.lock().ring, true) {
                    self.tell(EventKind::ClusterRing, |unread| {
                        unread.ring = false;
                        Content::plain(Ok(Status::Ok))
                    });
                }
            }
            ClusterNews::Ended(error) => self.outlet.end(error),
        }
    }

    /// What was told of a member last counts, in whatever order the lists are read.
    fn list(&self, kind: EventKind, list: List, members: Vec<Member>) {
        let first = {
            let mut unread = self.unread.lock();
            for other in [JOINED, LEFT, CHANGED] {
                if let Some(known) = other(&mut unread) {
                    members.iter().for_each(|member| drop(known.remove(&member.id)));
                }
            }
            let first = list(&mut unread).is_none();
            let known = list(&mut unread).get_or_insert_default();
            known.extend(members.into_iter().map(|member| (member.id.clone(), member)));
            first
        };
        if first {
            self.tell(kind, move |unread| {
                let members = list(unread).take().unwrap_or_default();
                let members: Vec<Member> = members.into_values().collect();
                let object = Object::Told(cluster_nodes::rows(&members, None));
                given(Given::new::<consul_cluster_nodes>(object))
            });
        }
    }

    fn tell(&self, kind: EventKind, content: impl FnOnce(&mut Unread) -> Content + Send + 'static) {
        let unread = self.unread.clone();
        self.outlet.tell(kind, move || content(&mut unread.lock()));
    }
}

fn leads(unread: &mut Unread) -> Content {
    match unread.leader.take().flatten() {
        Some(leader) => given(Given::new::<consul_text>(leader.into_bytes().into())),
        None => Content::plain(Ok(Status::NotFound)),
    }
}

fn given(given: Given) -> Content {
    Content { outcome: Ok(Status::Ok), result: Some(Box::new(given)) }
}
