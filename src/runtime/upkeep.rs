//! What a client keeps up between calls: the lane, and who lives on it.

use super::clock::Clock;
use super::jitter::Jitter;
use super::lane::Lane;
use crate::observe::Stats;
use crate::sync::Mutex;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Instant;

/// What lives on a client and has to be given back when it closes.
pub(crate) trait Resident: Send + Sync {
    /// When its turn comes.
    fn order(&self) -> Order;

    /// Ends its waiting for what others hold: nothing shall be won while the client closes. Must not
    /// block.
    fn stop_waiting(&self) {}

    /// Begins to give back what it holds at Consul, without blocking; `leaving` is dropped when
    /// that is done.
    fn leave(&self, leaving: Leaving);

    /// The client is closed: nothing can be sent any more.
    fn evict(&self);

    /// The client's token is another one now. Must not block.
    fn token_changed(&self) {}

    /// Who it is and how it is getting on. Never blocks.
    fn standing(&self) -> Option<Standing> {
        None
    }
}

/// How something that lives on a client is getting on.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) order: Order,
    /// The id of a service or a session, the key of a lock, the prefix of a semaphore.
    pub(crate) name: String,
    pub(crate) stats: Stats,
}

/// Nobody is to come any more before the locks are released, and they are before the sessions that
/// hold them end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Order {
    Services,
    Elections,
    Locks,
    Semaphores,
    Sessions,
    /// They hold nothing, so they are not asked to leave.
    Watches,
}

/// Held while something is being given back.
#[derive(Clone)]
pub(crate) struct Leaving {
    _gone: Arc<Sender<Never>>,
}

enum Never {}

/// What waits for the end of all that holds a [`Leaving`].
struct Left {
    gone: Weak<Sender<Never>>,
    left: Receiver<Never>,
}

impl Leaving {
    fn new() -> (Leaving, Left) {
        let (gone, left) = crossbeam_channel::bounded(0);
        let gone = Arc::new(gone);
        let left = Left { gone: Arc::downgrade(&gone), left };
        (Leaving { _gone: gone }, left)
    }
}

/// A session that the library keeps alive.
pub(crate) trait Kept: Send + Sync {
    /// Somebody destroyed it by its id.
    fn destroyed(&self);
}

/// What a client keeps up between calls.
pub(crate) struct Upkeep {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lane: Lane,
    pub(crate) jitter: Jitter,
    residents: Mutex<Vec<Weak<dyn Resident>>>,
    kept: Mutex<HashMap<String, Weak<dyn Kept>>>,
    shelf: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    /// What is being given back though nobody waits for it.
    forgotten: Mutex<Option<Left>>,
    /// Held by who has everything given back: another one would take it for done.
    leaving: Mutex<()>,
}

impl Upkeep {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Upkeep {
        Upkeep {
            lane: Lane::new(clock.clone()),
            clock,
            jitter: Jitter::new(),
            residents: Mutex::default(),
            kept: Mutex::default(),
            shelf: Mutex::default(),
            forgotten: Mutex::default(),
            leaving: Mutex::default(),
        }
    }

    /// Has this one told when the client closes.
    pub(crate) fn enter(&self, resident: Weak<dyn Resident>) {
        let mut residents = self.residents.lock();
        // Swept when it would grow, so that each costs little.
        if residents.len() == residents.capacity() {
            residents.retain(|resident| resident.strong_count() > 0);
        }
        residents.push(resident);
    }

    /// Has this one told when the session of this id is destroyed.
    pub(crate) fn keep(&self, id: &str, session: Weak<dyn Kept>) {
        self.kept.lock().insert(id.to_string(), session);
    }

    /// The end of [`Upkeep::keep`].
    pub(crate) fn forget(&self, id: &str) {
        self.kept.lock().remove(id);
    }

    /// The session of this id was destroyed at Consul.
    pub(crate) fn session_destroyed(&self, id: &str) {
        let session = self.kept.lock().remove(id);
        if let Some(session) = session.and_then(|session| session.upgrade()) {
            session.destroyed();
        }
    }

    /// The one `T` of this client, made when it is asked for first.
    pub(crate) fn shared<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut shelf = self.shelf.lock();
        let entry = shelf.entry(TypeId::of::<T>());
        let found = entry.or_insert_with(|| Arc::new(make())).clone();
        drop(shelf);
        found.downcast().unwrap_or_else(|_| unreachable!("kept under its own type"))
    }

    /// Has everything given back that lives on the client, and waits for what is being given back
    /// already. False when that takes longer.
    pub(crate) fn leave(&self, deadline: Instant) -> bool {
        let before = [Order::Services, Order::Elections, Order::Locks, Order::Semaphores];
        self.stop_waiting();
        let Some(_turn) = self.leaving.try_lock_until(deadline) else { return false };
        // What was let go of earlier is given back before its session ends, too: a session that ends
        // with a lock leaves a lock-delay.
        before.into_iter().all(|order| self.leave_all(order, deadline))
            && self.wait_given_back(deadline)
            && self.leave_all(Order::Sessions, deadline)
            && self.wait_given_back(deadline)
    }

    /// Ends the waiting of who would take something.
    pub(crate) fn stop_waiting(&self) {
        self.residents().iter().for_each(|resident| resident.stop_waiting());
    }

    fn leave_all(&self, order: Order, deadline: Instant) -> bool {
        let (leaving, Left { left, .. }) = Leaving::new();
        for resident in self.residents().iter().filter(|resident| resident.order() == order) {
            resident.leave(leaving.clone());
        }
        drop(leaving);
        is_over(&left, deadline)
    }

    /// To be held while something is given back that nobody waits for.
    pub(crate) fn give_back(&self) -> Leaving {
        let mut forgotten = self.forgotten.lock();
        if let Some(gone) = forgotten.as_ref().and_then(|left| left.gone.upgrade()) {
            return Leaving { _gone: gone };
        }
        let (leaving, left) = Leaving::new();
        *forgotten = Some(left);
        leaving
    }

    /// Whether something is being given back that nobody waits for.
    pub(crate) fn is_giving_back(&self) -> bool {
        self.forgotten.lock().as_ref().is_some_and(|left| left.gone.strong_count() > 0)
    }

    /// Waits until it is given back, or given up. False when that takes longer.
    pub(crate) fn wait_given_back(&self, deadline: Instant) -> bool {
        let left = self.forgotten.lock().as_ref().map(|left| left.left.clone());
        left.is_none_or(|left| is_over(&left, deadline))
    }

    /// Tells everything that lives on the client that its token is another one now.
    pub(crate) fn token_changed(&self) {
        self.residents().iter().for_each(|resident| resident.token_changed());
    }

    /// Everything that lives on the client.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        self.residents().iter().filter_map(|resident| resident.standing()).collect()
    }

    /// Ends the lane and tells everything that lives on the client. Returns at once.
    pub(crate) fn close(&self) {
        self.lane.close();
        for resident in self.residents() {
            resident.evict();
        }
    }

    fn residents(&self) -> Vec<Arc<dyn Resident>> {
        self.residents.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

/// Waits until nobody holds a [`Leaving`] any more. False when that takes longer.
fn is_over(left: &Receiver<Never>, deadline: Instant) -> bool {
    matches!(left.recv_deadline(deadline), Err(RecvTimeoutError::Disconnected))
}

impl Drop for Upkeep {
    fn drop(&mut self) {
        self.lane.close();
    }
}
