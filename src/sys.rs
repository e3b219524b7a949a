//! The system calls that need `unsafe`, and clocks.

#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Starts a named thread that never handles a signal: the process's signals belong to its host.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A thread inherits the mask of the one that starts it, so it is blocked around the start:
    // then there is no moment at which the new thread could take a signal.
    let previous = block_signals()?;
    let thread = Builder::new().name(name.to_owned()).spawn(body);
    restore_signals(&previous);
    thread
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

/// Signals as tests need them.
#[cfg(test)]
pub mod testing {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

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
    use super::{boottime, spawn};

    fn status_line(thread: &str, field: &str) -> String {
        let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line[field.len()..].trim_start_matches(':').trim().to_owned()
    }

    #[test]
    fn a_thread_of_ours_blocks_every_signal_and_its_parent_does_not() {
        let before = status_line("thread-self", "SigBlk");
        let (send, seen) = std::sync::mpsc::channel();
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
    fn boottime_goes_forward() {
        let first = boottime();
        assert!(first.as_secs() > 0 || first.subsec_nanos() > 0);
        assert!(boottime() >= first);
    }
}
