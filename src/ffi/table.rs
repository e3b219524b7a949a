//! The table behind the handles: slots that are looked up, shared and freed without a lock.
//!
//! A token packs the slot's number with the generation and the type of the object in it, and a
//! slot's state carries the same two, so one comparison tells a live token from every other
//! 64-bit value. A slot is used again under the next generation and retired after the last one,
//! so a stale token never means another object.

#[cfg(test)]
mod tests;

use crate::sys::fork_generation;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

// A token: generation (19 bits), type (6 bits), slot (22 bits). Generations begin at 1, so no
// token is below 2^28; all are below 2^47, which LuaJIT asks of a pointer.
const SLOT_BITS: u32 = 22;
const TYPE_BITS: u32 = 6;
const GENERATION_BITS: u32 = 19;
const TOKEN_BITS: u32 = SLOT_BITS + TYPE_BITS + GENERATION_BITS;

const _: () = assert!(TOKEN_BITS == 47 && usize::BITS == 64, "a token is a 64-bit pointer");

// A slot's state: generation and type as in the token, then whether the object is live, then who
// borrows it: one exclusively, or a number of them together.
const KEY_SHIFT: u32 = 33;
const LIVE: u64 = 1 << 32;
const EXCLUSIVE: u64 = 1 << 31;
const SHARED: u64 = 1;
const BORROWS: u64 = LIVE - 1;

const SEGMENT_BITS: u32 = 8;
const SEGMENT: usize = 1 << SEGMENT_BITS;
const SEGMENTS: usize = 1 << (SLOT_BITS - SEGMENT_BITS);

// The head of the free list: the first slot's number plus one (0: the list is empty) under a
// counter of changes, which keeps a head that was taken and put back from passing as untouched.
const HEAD_BITS: u32 = 24;
const HEAD_MASK: u64 = (1 << HEAD_BITS) - 1;

/// What a token stands for, asked after a look-up failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The table never gave out such a token.
    Nothing,
    /// The object was freed.
    Freed,
    /// The object is there.
    Live,
}

/// Why an object was not lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The token stands for no live object.
    Stale,
    /// Another thread uses the object in a way that excludes this one.
    Busy,
}

/// An object without its type.
struct Object {
    address: *mut (),
    /// Drops the object at `address`.
    drop: unsafe fn(*mut ()),
}

/// One place for an object. On a cache line of its own, so that threads which use different
/// handles do not slow each other down.
#[repr(align(64))]
struct Slot {
    state: AtomicU64,
    /// The next slot of the free list, plus one; 0 ends it.
    next: AtomicU32,
    /// The process (`sys::fork_generation`) that the object belongs to, 0 for none. Written and
    /// read as `object` is.
    process: AtomicU32,
    /// Written while the slot belongs to one thread (taken from the free list, not yet live) and
    /// read while it is live or by the thread that ended it.
    object: UnsafeCell<MaybeUninit<Object>>,
}

impl Slot {
    fn vacant() -> Slot {
        Slot {
            state: AtomicU64::new(0),
            next: AtomicU32::new(0),
            process: AtomicU32::new(0),
            object: UnsafeCell::new(MaybeUninit::uninit()),
        }
    }
}

/// A table of objects of any type.
pub struct Table {
    segments: [AtomicPtr<[Slot; SEGMENT]>; SEGMENTS],
    /// How many slots have been used at least once.
    used: AtomicU32,
    free: AtomicU64,
    slots: u32,
    generations: u64,
}

// SAFETY: `insert` takes only objects that are Send and Sync, and the states order every access.
unsafe impl Send for Table {}
// SAFETY: as above.
unsafe impl Sync for Table {}

impl Table {
    /// A table with as many slots and generations as tokens can name.
    pub const fn new() -> Table {
        Table::with_limits(1 << SLOT_BITS, (1 << GENERATION_BITS) - 1)
    }

    /// A table with at most this many slots, each used at most `generations` times.
    const fn with_limits(slots: u32, generations: u64) -> Table {
        Table {
            segments: [const { AtomicPtr::new(ptr::null_mut()) }; SEGMENTS],
            used: AtomicU32::new(0),
            free: AtomicU64::new(0),
            slots,
            generations,
        }
    }

    /// As [`Table::insert_for`], for an object of no process.
    #[cfg(test)]
    fn insert<T: Send + Sync + 'static>(&self, kind: u8, object: T) -> Option<u64> {
        self.insert_for(0, kind, object)
    }

    /// Takes in an object of this type number and gives its token; `None` when there is no room.
    /// It may belong to one process of a fork, 0 for none: in a child, where its threads are not,
    /// it is there, but nobody may touch it, and it is not dropped.
    pub fn insert_for<T: Send + Sync + 'static>(
        &self,
        process: u32,
        kind: u8,
        object: T,
    ) -> Option<u64> {
        let index = self.pop().or_else(|| self.first_use())?;
        let slot = self.slot(index)?;
        let object =
            Object { address: Box::into_raw(Box::new(object)).cast(), drop: drop_box::<T> };
        // SAFETY: the slot is neither live nor in the free list, so it is this thread's alone.
        unsafe { (*slot.object.get()).write(object) };
        slot.process.store(process, Relaxed);
        // Relaxed: what the slot's last owner did came with the free list's head.
        let generation = generation_of(slot.state.load(Relaxed)) + 1;
        let key = generation << TYPE_BITS | u64::from(kind);
        // Release: whoever sees it live sees the object.
        slot.state.store(key << KEY_SHIFT | LIVE, Release);
        Some(key << SLOT_BITS | u64::from(index))
    }

    /// Lends the object for shared use.
    #[inline]
    pub fn share(&self, token: u64) -> Result<Borrow<'_>, Refusal> {
        self.lend(token, |state| (state & EXCLUSIVE == 0).then_some(state + SHARED), SHARED)
    }

    /// Lends the object to one borrower alone; `Busy` when anyone else has it.
    pub fn exclude(&self, token: u64) -> Result<Borrow<'_>, Refusal> {
        self.lend(token, |state| (state & BORROWS == 0).then_some(state + EXCLUSIVE), EXCLUSIVE)
    }

    #[inline]
    fn lend(
        &self,
        token: u64,
        borrowed: impl Fn(u64) -> Option<u64>,
        share: u64,
    ) -> Result<Borrow<'_>, Refusal> {
        let (index, slot) = self.slot_of(token).ok_or(Refusal::Stale)?;
        let mut state = slot.state.load(Relaxed);
        loop {
            if !is_live(state, token) {
                return Err(Refusal::Stale);
            }
            let next = borrowed(state).ok_or(Refusal::Busy)?;
            // Acquire: pairs with the store in `insert`, and for an exclusive borrower with the
            // end of every earlier borrow.
            match slot.state.compare_exchange_weak(state, next, Acquire, Relaxed) {
                Ok(_) => return Ok(Borrow { table: self, slot, index, share }),
                Err(now) => state = now,
            }
        }
    }

    /// Ends the token. Of several that try at once exactly one succeeds and gets a last borrow,
    /// or `None` when an exclusive borrower has the object; it is dropped after its last borrow.
    pub fn end(&self, token: u64) -> Result<Option<Borrow<'_>>, Refusal> {
        let (index, slot) = self.slot_of(token).ok_or(Refusal::Stale)?;
        let mut state = slot.state.load(Relaxed);
        loop {
            if !is_live(state, token) {
                return Err(Refusal::Stale);
            }
            let exclusive = state & EXCLUSIVE != 0;
            let dead = (state & !LIVE) + if exclusive { 0 } else { SHARED };
            match slot.state.compare_exchange_weak(state, dead, Acquire, Relaxed) {
                Ok(_) if exclusive => return Ok(None),
                Ok(_) => return Ok(Some(Borrow { table: self, slot, index, share: SHARED })),
                Err(now) => state = now,
            }
        }
    }

    /// The type number in a token.
    #[inline]
    pub fn kind_of(token: u64) -> u32 {
        (token >> SLOT_BITS) as u32 & ((1 << TYPE_BITS) - 1)
    }

    /// What the token stands for at this moment.
    #[cold]
    pub fn find(&self, token: u64) -> Found {
        let key = token >> SLOT_BITS;
        let generation = key >> TYPE_BITS;
        let Some((_, slot)) = self.slot_of(token) else { return Found::Nothing };
        let state = slot.state.load(Relaxed);
        if generation == 0 || generation > generation_of(state) {
            Found::Nothing
        } else if generation < generation_of(state) {
            Found::Freed
        } else if key != state >> KEY_SHIFT {
            Found::Nothing
        } else if state & LIVE == 0 {
            Found::Freed
        } else {
            Found::Live
        }
    }

    #[inline]
    fn slot_of(&self, token: u64) -> Option<(u32, &Slot)> {
        if token >> TOKEN_BITS != 0 {
            return None;
        }
        let index = (token & ((1 << SLOT_BITS) - 1)) as u32;
        Some((index, self.slot(index)?))
    }

    #[inline]
    fn slot(&self, index: u32) -> Option<&Slot> {
        // Acquire: pairs with the exchange that published the segment.
        let segment = self.segments.get(index as usize >> SEGMENT_BITS)?.load(Acquire);
        // SAFETY: null, or a segment that is never freed.
        let segment = unsafe { segment.as_ref() }?;
        segment.get(index as usize % SEGMENT)
    }

    /// A slot that was never used.
    fn first_use(&self) -> Option<u32> {
        let mut index = self.used.load(Relaxed);
        loop {
            if index >= self.slots {
                return None;
            }
            self.ensure_segment(index as usize >> SEGMENT_BITS)?;
            match self.used.compare_exchange_weak(index, index + 1, Relaxed, Relaxed) {
                Ok(_) => return Some(index),
                Err(now) => index = now,
            }
        }
    }

    fn ensure_segment(&self, number: usize) -> Option<()> {
        let place = self.segments.get(number)?;
        if !place.load(Acquire).is_null() {
            return Some(());
        }
        let mut slots = Vec::new();
        slots.try_reserve_exact(SEGMENT).ok()?;
        slots.resize_with(SEGMENT, Slot::vacant);
        let segment: Box<[Slot; SEGMENT]> = slots.into_boxed_slice().try_into().ok()?;
        let segment = Box::into_raw(segment);
        // Release: whoever sees the segment sees its slots.
        if place.compare_exchange(ptr::null_mut(), segment, Release, Relaxed).is_err() {
            // SAFETY: another thread was faster, so nobody has seen this one.
            drop(unsafe { Box::from_raw(segment) });
        }
        Some(())
    }

    fn pop(&self) -> Option<u32> {
        // Acquire, here and below: pairs with the exchange in `push`.
        let mut head = self.free.load(Acquire);
        loop {
            let index = u32::try_from(head & HEAD_MASK).ok()?.checked_sub(1)?;
            // Another thread may pop the slot meanwhile and write its `next`; then the head has
            // changed too and the exchange fails.
            let next = self.slot(index)?.next.load(Relaxed);
            match self.free.compare_exchange_weak(head, changed(head, next), Acquire, Acquire) {
                Ok(_) => return Some(index),
                Err(now) => head = now,
            }
        }
    }

    fn push(&self, index: u32, slot: &Slot) {
        let mut head = self.free.load(Relaxed);
        loop {
            slot.next.store((head & HEAD_MASK) as u32, Relaxed);
            // Release: hands the slot over to whoever pops it.
            match self.free.compare_exchange_weak(head, changed(head, index + 1), Release, Relaxed)
            {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Called by the one who ended the last borrow of an ended token.
    #[cold]
    fn retire(&self, index: u32, slot: &Slot) {
        // SAFETY: the slot is not live and has no borrower, so it is this thread's alone, and its
        // object was written before it went live.
        let object = unsafe { (*slot.object.get()).assume_init_read() };
        let inherited = is_inherited(slot);
        // Pushed before the object is dropped, which may take its time.
        if generation_of(slot.state.load(Relaxed)) < self.generations {
            self.push(index, slot);
        }
        if inherited {
            return; // Left as it is: it may be locked for ever, and tells others when dropped.
        }
        // A panic while dropping ends here: a free has no way to tell, and the object is gone.
        // SAFETY: read out of the slot above, so this is its only owner.
        let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { (object.drop)(object.address) }));
        if let Err(payload) = dropped {
            std::mem::forget(payload); // Its own drop could panic too.
        }
    }
}

/// Whether the slot's object is that of this process's parent.
fn is_inherited(slot: &Slot) -> bool {
    match slot.process.load(Relaxed) {
        0 => false,
        process => process != fork_generation(),
    }
}

fn generation_of(state: u64) -> u64 {
    state >> (KEY_SHIFT + TYPE_BITS)
}

#[inline]
fn is_live(state: u64, token: u64) -> bool {
    state >> (KEY_SHIFT - 1) == (token >> SLOT_BITS) << 1 | 1
}

/// The head that follows `head` with this slot number plus one in front.
fn changed(head: u64, first: u32) -> u64 {
    ((head >> HEAD_BITS).wrapping_add(1)) << HEAD_BITS | u64::from(first)
}

/// # Safety
/// `address` comes from `Box::<T>::into_raw` and is not used afterwards.
unsafe fn drop_box<T>(address: *mut ()) {
    // SAFETY: the caller's promise.
    drop(unsafe { Box::from_raw(address.cast::<T>()) });
}

/// Keeps an object from being dropped.
pub struct Borrow<'a> {
    table: &'a Table,
    slot: &'a Slot,
    index: u32,
    share: u64,
}

impl Borrow<'_> {
    /// True when the object belongs to the parent of this process: then it must not be touched.
    pub fn is_inherited(&self) -> bool {
        is_inherited(self.slot)
    }

    /// The object's address, good for as long as the borrow.
    #[inline]
    pub fn address(&self) -> *mut () {
        // SAFETY: written before the slot went live, and nobody writes while it is borrowed.
        unsafe { (*self.slot.object.get()).assume_init_ref().address }
    }
}

impl Drop for Borrow<'_> {
    #[inline]
    fn drop(&mut self) {
        // Release: this borrower's use comes before the drop. Acquire: for whoever drops.
        let left = self.slot.state.fetch_sub(self.share, AcqRel) - self.share;
        if left & (LIVE | BORROWS) == 0 {
            self.table.retire(self.index, self.slot);
        }
    }
}
