//! The system calls that need `unsafe`, locks, clocks, and what belongs to one process
//! of a fork.

#![allow(unsafe_code)]

use parking_lot::lock_api::RawMutex as _;
use rustix::thread::futex;
use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering::*};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// What Rust gives a thread by default. Were it not said, the first start of a thread would look for
/// another size in the environment, which the host may be changing on a thread of its own.
const STACK_SIZE: usize = 2 * 1024 * 1024;

/// Starts a named thread that never handles a signal: the process's signals belong to its host.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    spawn_then(name, body, |()| ())
}

/// As [`spawn`]. `tell` gets what the body gives when the thread is not among [`threads`] any more: who
/// is told does not find it there. It is only dropped where the body panics.
pub fn spawn_then<T>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
    tell: impl FnOnce(T) + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    // Counted as soon as it was started; and no more where that fails, with the closure.
    let counted = Counted::new();
    let body = move || {
        let counted = counted;
        let outcome = body();
        drop(counted);
        tell(outcome);
    };
    // A thread inherits the mask of the one that starts it, so it is blocked around the start:
    // then there is no moment at which the new thread could take a signal.
    let previous = block_signals()?;
    let thread = Builder::new().name(name.to_owned()).stack_size(STACK_SIZE).spawn(body);
    restore_signals(&previous);
    thread
}

/// The threads that [`spawn`] has started in this process, and that have not ended.
static THREADS: PerProcess<AtomicU32> = PerProcess::new();

/// How many threads of the library this process has.
pub fn threads() -> u32 {
    THREADS.get().map_or(0, |threads| threads.load(Acquire))
}

/// One of them, however it ends.
struct Counted(&'static AtomicU32);

impl Counted {
    fn new() -> Counted {
        let threads = THREADS.get_or_init(AtomicU32::default);
        threads.fetch_add(1, AcqRel);
        Counted(threads)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, AcqRel);
    }
}

fn block_signals() -> io::Result<libc::sigset_t> {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut previous = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: `sigfillset` initialises `all`; `pthread_sigmask` reads it and, when it answers 0,
    // has initialised `previous`. Both point to writable storage of the right type.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        match libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), previous.as_mut_ptr()) {
            0 => Ok(previous.assume_init()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }
}

fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: `mask` is initialised, and a null pointer asks for no old mask.
    // It fails only for an unknown `how`, which this is not.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

/// The time since the machine started, suspended time included (CLOCK_BOOTTIME): a lock must not
/// outlive a suspended machine.
pub fn boottime() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or_default(),
        u32::try_from(now.tv_nsec).unwrap_or_default(),
    )
}

/// 0 while nobody has asked for it.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// A number that is another one in a child made by `fork` than in its parent. Costs one relaxed
/// load, so that hot paths may ask.
pub fn fork_generation() -> u32 {
    match GENERATION.load(Relaxed) {
        0 => watch_forks(),
        generation => generation,
    }
}

/// From now on a fork is noticed. Nobody has anything yet that a child could inherit, so a fork
/// that happens at this moment on another thread does no harm.
#[cold]
fn watch_forks() -> u32 {
    extern "C" fn forked() {
        GENERATION.fetch_add(1, Relaxed);
    }
    // SAFETY: the handler only adds to an atomic, which is allowed in a forked child; it stays
    // valid, for the library is never unloaded. Two of them, where threads race, do no harm.
    // It fails only where there is no memory for it; then forks go unnoticed.
    unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    match GENERATION.compare_exchange(0, 1, Relaxed, Relaxed) {
        Ok(_) => 1,
        Err(generation) => generation,
    }
}

/// What is done around every fork, on the thread that forks; the second also in the child.
static AROUND_FORKS: OnceLock<Around> = OnceLock::new();

struct Around {
    before: fn(),
    after: fn(),
}

/// From now on calls `before` ahead of every fork, and `after` behind it, in the parent and in the
/// child. Only the first pair ever given counts.
pub fn around_forks(before: fn(), after: fn()) {
    extern "C" fn forking() {
        if let Some(around) = AROUND_FORKS.get() {
            (around.before)();
        }
    }
    extern "C" fn forked() {
        if let Some(around) = AROUND_FORKS.get() {
            (around.after)();
        }
    }
    if AROUND_FORKS.set(Around { before, after }).is_ok() {
        // SAFETY: the handlers call safe functions and stay valid, for the library is never
        // unloaded. It fails only where there is no memory for it; then forks go unnoticed.
        unsafe { libc::pthread_atfork(Some(forking), Some(forked), Some(forked)) };
    }
}

/// A value of which every process has its own: a forked child makes a new one and leaks the one
/// that it inherited. That one may be locked for ever, by a thread that the child does not have,
/// and its sockets are the parent's.
pub struct PerProcess<T> {
    current: AtomicPtr<Owned<T>>,
    owns: PhantomData<Box<T>>,
}

struct Owned<T> {
    generation: u32,
    value: T,
}

impl<T: Send + Sync> PerProcess<T> {
    /// No value yet.
    pub const fn new() -> PerProcess<T> {
        PerProcess { current: AtomicPtr::new(std::ptr::null_mut()), owns: PhantomData }
    }

    /// This process's value, if it has one.
    pub fn get(&self) -> Option<&T> {
        // SAFETY: the pointer is null or came from a box that is freed only by `drop`, to which no
        // borrow of `self` can live; it is published after the value was written.
        let owned = unsafe { self.current.load(Acquire).as_ref() }?;
        (owned.generation == fork_generation()).then_some(&owned.value)
    }

    /// This process's value, made when there is none. Where threads race one of the values stays.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        // Loaded before it is looked at: what replaces it is never inherited.
        let inherited = self.current.load(Acquire);
        if let Some(value) = self.get() {
            return value;
        }
        let fresh = Box::new(Owned { generation: fork_generation(), value: make() });
        let fresh = Box::into_raw(fresh);
        // SAFETY: `fresh` is a box of ours; when it is not stored nobody else has seen it. What is
        // stored is valid, as in `get`, and of this process: only the first one can be inherited.
        unsafe {
            match self.current.compare_exchange(inherited, fresh, AcqRel, Acquire) {
                Ok(_) => &(*fresh).value,
                Err(winner) => {
                    drop(Box::from_raw(fresh));
                    &(*winner).value
                }
            }
        }
    }
}

impl<T> Drop for PerProcess<T> {
    fn drop(&mut self) {
        let current = *self.current.get_mut();
        // SAFETY: null, or a box that only `self` still knows.
        unsafe {
            if current.as_ref().is_some_and(|owned| owned.generation == fork_generation()) {
                drop(Box::from_raw(current));
            }
        }
    }
}

const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and somebody may sleep until it is free.
const CONTENDED: u32 = 2;

/// How often to look again before sleeping: most locks are held for less than a system call.
const SPINS: u32 = 100;

/// What `sync::Mutex` is made of.
#[derive(Debug)]
pub struct RawLock(AtomicU32);

// SAFETY: `lock` and a true `try_lock` have changed the word from FREE, `unlock` sets it to FREE,
// with orderings that make what happened before seen; so one at a time holds it.
unsafe impl parking_lot::lock_api::RawMutex for RawLock {
    #[allow(clippy::declare_interior_mutable_const)] // As the trait wants it.
    const INIT: RawLock = RawLock(AtomicU32::new(FREE));

    type GuardMarker = parking_lot::lock_api::GuardSend;

    fn lock(&self) {
        if !self.try_lock() {
            self.lock_contended(None);
        }
    }

    fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, TAKEN, Acquire, Relaxed).is_ok()
    }

    unsafe fn unlock(&self) {
        if self.0.swap(FREE, Release) == CONTENDED {
            // It cannot fail for a word of ours.
            let _ = futex::wake(&self.0, futex::Flags::PRIVATE, 1);
        }
    }
}

// SAFETY: true only when `lock_contended` has taken it, as above.
unsafe impl parking_lot::lock_api::RawMutexTimed for RawLock {
    type Duration = Duration;
    type Instant = Instant;

    fn try_lock_for(&self, time: Duration) -> bool {
        self.try_lock() || self.lock_contended(Instant::now().checked_add(time))
    }

    fn try_lock_until(&self, until: Instant) -> bool {
        self.try_lock() || self.lock_contended(Some(until))
    }
}

impl RawLock {
    /// False when it could not be had until then.
    #[cold]
    fn lock_contended(&self, until: Option<Instant>) -> bool {
        for _ in 0..SPINS {
            if self.0.load(Relaxed) == FREE && self.try_lock() {
                return true;
            }
            std::hint::spin_loop();
        }
        while self.0.swap(CONTENDED, Acquire) != FREE {
            let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
            if rest.is_some_and(|rest| rest.is_zero()) {
                return false;
            }
            let rest = rest.and_then(|rest| rest.try_into().ok());
            // Whatever ends the sleep, the word tells.
            let _ = futex::wait(&self.0, futex::Flags::PRIVATE, CONTENDED, rest.as_ref());
        }
        true
    }
}

/// Signals and forks as tests need them.
#[cfg(test)]
pub mod testing {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    /// Runs `body` in a forked child and gives the status that the child exited with; 101 when
    /// `body` panics, a negative number when a signal ended it or it took more than two minutes.
    pub fn in_child(body: impl FnOnce() -> i32) -> i32 {
        // SAFETY: the child only runs `body`, which is what is tested, and leaves by `_exit`.
        let child = unsafe { libc::fork() };
        assert!(child >= 0, "fork failed");
        if child == 0 {
            // SAFETY: it has no preconditions; SIGALRM ends a child that hangs.
            unsafe { libc::alarm(120) };
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body));
            // SAFETY: `_exit` runs no destructors and no handlers.
            unsafe { libc::_exit(result.unwrap_or(101)) };
        }
        let mut status = 0;
        // SAFETY: `status` is writable, and `child` is a child of ours that nobody else waits for.
        while unsafe { libc::waitpid(child, &mut status, 0) } != child {}
        if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -libc::WTERMSIG(status) }
    }

    /// How many threads the process has: a forked child that has started none has one.
    pub fn threads() -> usize {
        std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
    }

    /// Closes what a descriptor stands for, as hosts do that close all there are. The number then
    /// stands for something of no use, since its owner will close it, too.
    pub fn close_behind_its_back(descriptor: &impl std::os::fd::AsRawFd) {
        let nothing = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: both numbers are open, and stay so.
        let replaced = unsafe {
            libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&nothing), descriptor.as_raw_fd())
        };
        assert_ne!(replaced, -1);
    }

    static HANDLED: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn count(_: libc::c_int) {
        HANDLED.fetch_add(1, SeqCst);
    }

    /// Handles a signal by counting it, so that system calls are cut short by it.
    pub fn ignore_by_handler(signal: libc::c_int) {
        // SAFETY: a zeroed `sigaction` is valid: no flags, an empty mask. `count` is safe to run
        // in a signal handler, for it only adds to an atomic.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count as *const () as libc::sighandler_t;
            assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
        }
    }

    /// How many signals were handled so far.
    pub fn handled() -> usize {
        HANDLED.load(SeqCst)
    }

    /// The thread that asks, for [`signal`].
    pub fn this_thread() -> libc::pthread_t {
        // SAFETY: it has no preconditions.
        unsafe { libc::pthread_self() }
    }

    /// Sends a signal to a thread that has not been joined yet.
    pub fn signal(thread: libc::pthread_t, signal: libc::c_int) {
        // SAFETY: the caller still holds the thread's `JoinHandle`, so its id is valid.
        unsafe { libc::pthread_kill(thread, signal) };
    }
}

#[cfg(test)]
mod tests {
    use super::{PerProcess, boottime, fork_generation, spawn, spawn_then, testing, threads};
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    fn status_line(thread: &str, field: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line[field.len()..].trim_start_matches(':').trim().to_owned()
    }

    #[test]
    fn a_thread_of_ours_blocks_every_signal_and_its_parent_does_not() {
        let before = status_line("thread-self", "SigBlk");
        let (send, seen) = channel();
        let thread = spawn("consul-test", move || {
            let mask = status_line("thread-self", "SigBlk");
            send.send((mask, status_line("thread-self", "Name"))).unwrap();
        });
        thread.unwrap().join().unwrap();
        let (mask, name) = seen.recv().unwrap();
        // SIGKILL and SIGSTOP cannot be blocked; the C library keeps two signals for itself.
        let mask = u64::from_str_radix(&mask, 16).unwrap();
        for signal in [1, 2, 10, 12, 13, 14, 15, 17, 34, 64] {
            assert_ne!(mask & (1 << (signal - 1)), 0, "signal {signal}");
        }
        assert_eq!(name, "consul-test");
        assert_eq!(status_line("thread-self", "SigBlk"), before);
    }

    #[test]
    fn threads_of_ours_are_counted_in_a_forked_child_from_its_first_to_its_last() {
        // In a child of its own, for other tests start threads, too.
        let status = testing::in_child(|| {
            assert_eq!(threads(), 0);
            let ((end, wait), (send, told)) = (channel::<()>(), channel());
            let body = move || wait.recv().is_err();
            spawn_then("consul-test", body, move |ended| send.send((ended, threads())).unwrap())
                .unwrap();
            assert_eq!(threads(), 1);
            assert_eq!(testing::in_child(|| threads() as i32), 0);
            drop(end);
            assert_eq!(told.recv(), Ok((true, 0)));
            // As a panic, without its report.
            let panics = || std::panic::resume_unwind(Box::new("out of luck"));
            assert!(spawn("consul-test", panics).unwrap().join().is_err());
            assert_eq!(threads(), 0);
            5
        });
        assert_eq!(status, 5);
    }

    #[test]
    fn boottime_goes_forward() {
        let first = boottime();
        assert!(first.as_secs() > 0 || first.subsec_nanos() > 0);
        assert!(boottime() >= first);
    }

    #[test]
    fn a_forked_child_has_another_generation_and_its_parent_keeps_its_own() {
        let before = fork_generation();
        assert_ne!(before, 0);
        let status = testing::in_child(|| i32::from(fork_generation() != before));
        assert_eq!(status, 1);
        assert_eq!(fork_generation(), before);
    }

    #[test]
    fn a_value_per_process_is_made_once_and_again_in_a_forked_child() {
        let value = PerProcess::new();
        assert_eq!(value.get(), None);
        let inherited = Arc::new(1);
        assert_eq!(**value.get_or_init(|| inherited.clone()), 1);
        assert_eq!(**value.get_or_init(|| Arc::new(2)), 1);
        let status = testing::in_child(|| {
            assert_eq!(value.get(), None);
            assert_eq!(**value.get_or_init(|| Arc::new(3)), 3);
            // What was inherited is not dropped.
            assert_eq!(Arc::strong_count(&inherited), 2);
            7
        });
        assert_eq!(status, 7);
        assert_eq!(**value.get().unwrap(), 1);
        drop(value);
        assert_eq!(Arc::strong_count(&inherited), 1);
    }

    #[test]
    fn threads_that_race_agree_on_one_value() {
        let value = &PerProcess::new();
        std::thread::scope(|scope| {
            let race = |i: usize| scope.spawn(move || *value.get_or_init(|| i));
            let threads: Vec<_> = (0..8).map(race).collect();
            let mut seen = threads.into_iter().map(|thread| thread.join().unwrap());
            let first = seen.next().unwrap();
            assert!(seen.all(|other| other == first));
        });
    }
}
