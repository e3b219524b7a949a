//! What a token is, and what becomes of an object that threads share and end at once.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::thread;

/// Counts its drops, and holds a value that a use after the drop would find gone.
struct Probe<'a> {
    drops: &'a AtomicUsize,
    text: String,
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.drops.fetch_add(1, Relaxed);
    }
}

fn probe(drops: &'static AtomicUsize) -> Probe<'static> {
    Probe { drops, text: "alive".to_owned() }
}

fn text(borrow: &Borrow<'_>) -> String {
    // SAFETY: the tests put nothing but probes into their tables.
    unsafe { (*borrow.address().cast::<Probe<'static>>()).text.clone() }
}

#[test]
fn an_object_is_dropped_after_its_last_borrow() {
    static TABLE: Table = Table::new();
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let token = TABLE.insert(1, probe(&DROPS)).unwrap();
    let borrow = TABLE.share(token).unwrap();
    drop(TABLE.end(token).unwrap());
    assert_eq!(TABLE.share(token).err(), Some(Refusal::Stale));
    assert_eq!(TABLE.end(token).err(), Some(Refusal::Stale));
    assert_eq!((text(&borrow).as_str(), DROPS.load(Relaxed)), ("alive", 0));
    drop(borrow);
    assert_eq!((DROPS.load(Relaxed), TABLE.find(token)), (1, Found::Freed));
}

#[test]
fn an_exclusive_borrow_keeps_others_out_and_outlives_the_end() {
    static TABLE: Table = Table::new();
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let token = TABLE.insert(1, probe(&DROPS)).unwrap();
    let shared = TABLE.share(token).unwrap();
    assert_eq!(TABLE.exclude(token).err(), Some(Refusal::Busy));
    drop(shared);
    let exclusive = TABLE.exclude(token).unwrap();
    assert_eq!(TABLE.share(token).err(), Some(Refusal::Busy));
    assert!(TABLE.end(token).unwrap().is_none());
    assert_eq!(DROPS.load(Relaxed), 0);
    drop(exclusive);
    assert_eq!(DROPS.load(Relaxed), 1);
}

#[test]
fn a_slot_is_used_again_but_never_its_token() {
    static TABLE: Table = Table::with_limits(1, 3);
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let token = TABLE.insert(1, probe(&DROPS)).unwrap();
        assert!(TABLE.insert(1, probe(&DROPS)).is_none(), "the table has one slot");
        drop(TABLE.end(token).unwrap());
        tokens.push(token);
    }
    assert!(TABLE.insert(1, probe(&DROPS)).is_none(), "the slot is retired");
    tokens.dedup();
    assert_eq!(tokens.len(), 3);
    assert!(tokens.iter().all(|&token| TABLE.find(token) == Found::Freed));
}

#[test]
fn garbage_is_no_token() {
    static TABLE: Table = Table::new();
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let token = TABLE.insert(5, probe(&DROPS)).unwrap();
    let mut garbage = vec![0, 1, 3, 7, 64, 4096, 0x5555_5555_5550, u64::MAX, i64::MAX as u64];
    garbage.extend((0..64).map(|bit| token ^ (1 << bit)));
    garbage.extend((0..64).map(|bit| 1 << bit));
    for value in garbage {
        assert_eq!(TABLE.share(value).err(), Some(Refusal::Stale), "{value:#x}");
        assert_eq!(TABLE.exclude(value).err(), Some(Refusal::Stale), "{value:#x}");
        assert_eq!(TABLE.end(value).err(), Some(Refusal::Stale), "{value:#x}");
        assert_eq!(TABLE.find(value), Found::Nothing, "{value:#x}");
    }
    assert_eq!(TABLE.find(token), Found::Live);
    drop(TABLE.end(token).unwrap());
    assert_eq!(DROPS.load(Relaxed), 1);
}

#[test]
fn tokens_fit_a_luajit_pointer_and_are_no_small_numbers() {
    static TABLE: Table = Table::new();
    for _ in 0..3 * SEGMENT {
        let token = TABLE.insert(63, ()).unwrap();
        assert!((1 << 28..1 << 47).contains(&token), "{token:#x}");
    }
}

#[test]
fn a_panic_while_dropping_is_contained() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("boom");
        }
    }
    static TABLE: Table = Table::with_limits(1, 9);
    let token = TABLE.insert(1, Bomb).unwrap();
    drop(TABLE.end(token).unwrap());
    assert!(TABLE.insert(1, ()).is_some(), "the slot is free again");
}

/// Runs `body` on this many threads at once and adds up what they return. Joined one by one:
/// a thread sanitizer sees the end of a plain thread, not that of a scoped one.
fn on_threads(count: u64, body: impl Fn(u64) -> usize + Copy + Send + 'static) -> usize {
    let threads: Vec<_> = (0..count).map(|i| thread::spawn(move || body(i))).collect();
    threads.into_iter().map(|thread| thread.join().unwrap()).sum()
}

#[test]
fn of_several_ends_one_succeeds() {
    static TABLE: Table = Table::new();
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    let rounds = if cfg!(miri) { 5 } else { 500 };
    for _ in 0..rounds {
        let token = TABLE.insert(1, probe(&DROPS)).unwrap();
        assert_eq!(on_threads(3, move |_| TABLE.end(token).is_ok() as usize), 1);
    }
    assert_eq!(DROPS.load(Relaxed), rounds);
}

/// Threads insert, borrow both ways and end each other's tokens as fast as they can, in a
/// table so small that slots are always used again.
#[test]
fn threads_share_the_table() {
    static TABLE: Table = Table::with_limits(64, (1 << GENERATION_BITS) - 1);
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    static TOKENS: [AtomicU64; 8] = [const { AtomicU64::new(0) }; 8];
    static ENDED: AtomicUsize = AtomicUsize::new(0);

    fn end(token: u64) {
        ENDED.fetch_add(TABLE.end(token).is_ok() as usize, Relaxed);
    }

    fn act(random: u64) -> usize {
        let place = &TOKENS[random as usize % TOKENS.len()];
        let token = place.load(Relaxed);
        match random >> 32 & 7 {
            0 | 1 => {
                end(place.swap(TABLE.insert(1, probe(&DROPS)).unwrap(), Relaxed));
                return 1;
            }
            2 => end(token),
            3 => {
                if let Ok(borrow) = TABLE.exclude(token) {
                    // SAFETY: a probe, borrowed exclusively.
                    unsafe { (*borrow.address().cast::<Probe<'static>>()).text.push('!') };
                }
            }
            _ => {
                if let Ok(borrow) = TABLE.share(token) {
                    assert!(text(&borrow).starts_with("alive"));
                }
            }
        }
        0
    }

    let rounds = if cfg!(miri) { 100 } else { 50_000 };
    let inserted = on_threads(4, move |thread| {
        let mut random = thread + 1;
        let inserted = (0..rounds).map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            act(random)
        });
        inserted.sum()
    });
    TOKENS.iter().for_each(|place| end(place.load(Relaxed)));
    assert_eq!(ENDED.load(Relaxed), inserted);
    assert_eq!(DROPS.load(Relaxed), inserted);
}
