//! Keys and values, and the tombstones of those that were deleted.

use super::{Due, State};
use crate::transport::embedded::go;
use std::collections::BTreeMap;
use std::collections::btree_map::Range;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a tombstone keeps an index from going back, at least.
const TOMBSTONE_TTL: Duration = Duration::from_secs(15 * 60);
/// Tombstones are reaped together.
const TOMBSTONE_GRANULARITY: Duration = Duration::from_secs(30);

/// What stands under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::transport::embedded) struct Entry {
    pub(in crate::transport::embedded) value: Arc<[u8]>,
    pub(in crate::transport::embedded) flags: u64,
    /// Empty where nobody holds it.
    pub(in crate::transport::embedded) session: String,
    pub(in crate::transport::embedded) lock_index: u64,
    pub(in crate::transport::embedded) create_index: u64,
    pub(in crate::transport::embedded) modify_index: u64,
}

/// The table of keys.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Kv {
    entries: BTreeMap<String, Entry>,
    /// The index at which each deleted key was deleted.
    tombstones: BTreeMap<String, u64>,
    /// The highest index that the table or its tombstones ever had.
    index: u64,
    /// Until when nobody may lock a key.
    delays: BTreeMap<String, Instant>,
}

impl Kv {
    pub(in crate::transport::embedded) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// The highest index of the table.
    pub(in crate::transport::embedded) fn index(&self) -> u64 {
        self.index
    }

    /// What stands under keys that begin with this, in their order.
    pub(in crate::transport::embedded) fn under<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Entry)> {
        starting(&self.entries, prefix).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// The index of a list: the highest of what is in it and of what was deleted from it; of the
    /// whole table where there is neither, or where the list is of everything.
    pub(in crate::transport::embedded) fn index_under(&self, prefix: &str) -> u64 {
        if prefix.is_empty() {
            return self.index;
        }
        let stones = starting(&self.tombstones, prefix);
        let stones = stones.take_while(|(key, _)| key.starts_with(prefix));
        let stones = stones.map(|(_, &index)| index);
        let entries = self.under(prefix).map(|(_, entry)| entry.modify_index);
        entries.chain(stones).max().unwrap_or(self.index)
    }

    /// The keys that a session holds, which is known by the bytes of its id.
    pub(super) fn held_by(&self, session: &[u8]) -> Vec<String> {
        let holds = |entry: &Entry| {
            !entry.session.is_empty()
                && go::parse_uuid(&entry.session).is_ok_and(|holder| holder == session)
        };
        let held = self.entries.iter().filter(|(_, entry)| holds(entry));
        held.map(|(key, _)| key.clone()).collect()
    }

    /// Nobody may lock this key until then.
    pub(super) fn delay(&mut self, key: String, until: Instant) {
        self.delays.insert(key, until);
    }

    /// True where a lock-delay keeps a key from being locked.
    pub(in crate::transport::embedded) fn is_delayed(&self, key: &str, now: Instant) -> bool {
        self.delays.get(key).is_some_and(|&until| until > now)
    }

    /// Forgets the tombstones up to this index.
    pub(super) fn reap(&mut self, index: u64) {
        self.tombstones.retain(|_, stone| *stone > index);
    }

    /// Stores what has changed. An entry that says what was there already changes nothing.
    fn store(&mut self, key: &str, mut entry: Entry, index: u64) -> Entry {
        let existing = self.entries.get(key);
        entry.create_index = existing.map_or(index, |existing| existing.create_index);
        entry.modify_index = existing.map_or(index, |existing| existing.modify_index);
        if existing == Some(&entry) {
            return entry;
        }
        entry.modify_index = index;
        self.index = index;
        self.entries.insert(key.to_owned(), entry.clone());
        entry
    }

    fn remove(&mut self, key: &str, index: u64) -> bool {
        if self.entries.remove(key).is_none() {
            return false;
        }
        self.tombstones.insert(key.to_owned(), index);
        self.index = index;
        true
    }

    /// One tombstone stands for all, under the prefix: a list of less than that does not see it. None
    /// is needed where everything goes.
    fn remove_under(&mut self, prefix: &str, index: u64) {
        self.entries.retain(|key, _| !key.starts_with(prefix));
        if !prefix.is_empty() {
            self.tombstones.insert(prefix.to_owned(), index);
        }
        self.index = index;
    }
}

fn starting<'a, T>(map: &'a BTreeMap<String, T>, prefix: &str) -> Range<'a, String, T> {
    map.range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
}

/// What is written under a key.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Written {
    pub(in crate::transport::embedded) value: Arc<[u8]>,
    pub(in crate::transport::embedded) flags: u64,
}

impl Written {
    fn by(self, session: &str, lock_index: u64) -> Entry {
        let session = session.to_owned();
        Entry { value: self.value, flags: self.flags, session, lock_index, ..Entry::default() }
    }
}

/// The changes. Each has the index of the change that it belongs to.
impl State {
    /// Writes. Who holds the key goes on holding it, and the count of its holders is lost.
    pub(in crate::transport::embedded) fn kv_set(
        &mut self,
        index: u64,
        key: &str,
        written: Written,
    ) -> Entry {
        let session = self.kv().get(key).map(|entry| entry.session.clone()).unwrap_or_default();
        self.kv_mut().store(key, written.by(&session, 0), index)
    }

    /// Writes if the key was last changed at this index, or does not exist where that is 0. None
    /// where it is not so.
    pub(in crate::transport::embedded) fn kv_set_at(
        &mut self,
        index: u64,
        key: &str,
        written: Written,
        at: u64,
    ) -> Option<Entry> {
        let current = self.kv().get(key).map_or(0, |entry| entry.modify_index);
        (current == at).then(|| self.kv_set(index, key, written))
    }

    /// Makes a session the holder of the key. None where another one holds it. An error says what is
    /// wrong with the session.
    pub(in crate::transport::embedded) fn kv_lock(
        &mut self,
        index: u64,
        key: &str,
        written: Written,
        session: &str,
    ) -> Result<Option<Entry>, String> {
        if session.is_empty() {
            return Err("missing session".into());
        }
        if self.sessions().get(session)?.is_none() {
            return Err(format!("invalid session {}", go::quoted(session)));
        }
        let lock_index = match self.kv().get(key) {
            None => 1,
            Some(entry) if entry.session == session => entry.lock_index,
            Some(entry) if entry.session.is_empty() => entry.lock_index + 1,
            Some(_) => return Ok(None),
        };
        Ok(Some(self.kv_mut().store(key, written.by(session, lock_index), index)))
    }

    /// Takes the key from the session that holds it. None where that one does not.
    pub(in crate::transport::embedded) fn kv_unlock(
        &mut self,
        index: u64,
        key: &str,
        written: Written,
        session: &str,
    ) -> Result<Option<Entry>, String> {
        if session.is_empty() {
            return Err("missing session".into());
        }
        let held = self.kv().get(key).filter(|entry| entry.session == session);
        let Some(lock_index) = held.map(|entry| entry.lock_index) else { return Ok(None) };
        Ok(Some(self.kv_mut().store(key, written.by("", lock_index), index)))
    }

    /// The key's holder has ended: nobody holds it.
    pub(super) fn kv_abandon(&mut self, index: u64, key: &str) {
        if let Some(entry) = self.kv().get(key).cloned() {
            let free = Entry { session: String::new(), ..entry };
            self.kv_mut().store(key, free, index);
        }
    }

    /// Deletes the key, where it exists.
    pub(in crate::transport::embedded) fn kv_delete(&mut self, index: u64, key: &str) {
        if self.kv_mut().remove(key, index) {
            self.bury(index);
        }
    }

    /// Deletes the key if it was last changed at this index; true also where it does not exist.
    pub(in crate::transport::embedded) fn kv_delete_at(
        &mut self,
        index: u64,
        key: &str,
        at: u64,
    ) -> bool {
        match self.kv().get(key) {
            None => true,
            Some(entry) if entry.modify_index != at => false,
            Some(_) => {
                self.kv_delete(index, key);
                true
            }
        }
    }

    /// Deletes every key that begins with this.
    pub(in crate::transport::embedded) fn kv_delete_under(&mut self, index: u64, prefix: &str) {
        if self.kv().under(prefix).next().is_none() {
            return;
        }
        self.kv_mut().remove_under(prefix, index);
        self.bury(index);
    }

    /// Tombstones of this index go when their time is over.
    fn bury(&mut self, index: u64) {
        let (now, step) = (self.now + TOMBSTONE_TTL, TOMBSTONE_GRANULARITY.as_secs());
        let into = now.saturating_duration_since(self.began).as_secs() % step;
        self.agenda.set(Due::Tombstones(index), now + Duration::from_secs(step - into));
    }
}
