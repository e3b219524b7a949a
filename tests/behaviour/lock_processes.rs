//! Locks and semaphores between processes: one that dies, one that is stopped, and the official command line tool.

use crate::quick::{
    PATIENCE, eventually, held, holder_at, in_vain, lock_spec, quick, quick_client, session,
};
use crate::support::control::{GRACE, timed};
use crate::support::{Consul, unique};
use consul_ffi::recipes::lock::{LockSpec, LostReason};
use consul_ffi::recipes::semaphore::SemaphoreSpec;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn spec(key: &str) -> LockSpec {
    LockSpec::new(key).session_spec(session().ttl(SECOND).lock_delay(SECOND))
}

/// Not a test: the other process. Holds a lock and says when it is lost, until it is killed or its
/// input ends.
#[test]
#[ignore = "run by the tests of this file"]
fn other_process() {
    let Ok(address) = std::env::var("LOCK_ADDRESS") else { return };
    let key = std::env::var("LOCK_KEY").unwrap();
    let client = quick_client(&address);
    if std::env::var_os("LOCK_IS_SLOT").is_some() {
        let spec = SemaphoreSpec::new(&key, 1).session_spec(session().ttl(SECOND));
        let semaphore = client.semaphore(spec).unwrap();
        assert!(semaphore.acquire(PATIENCE).unwrap());
        println!("held by {}", semaphore.session_id().unwrap());
        let _ = std::io::stdin().read(&mut [0]);
        return;
    }
    let lock = held(&client, spec(&key));
    println!("held by {}", lock.session_id().unwrap());
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    // Asks all the time, as a careful leader does before each piece of its work.
    while lock.is_held() {
        std::thread::sleep(Duration::from_millis(5));
    }
    println!("lost {:?}", lock.lost_reason().unwrap());
}

pub struct Other {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// Starts it, and waits until it holds the lock.
    fn holding(consul: &Consul, key: &str) -> Other {
        let (other, session) = Other::start(consul, key, &[]);
        other.checked(holder_at(consul, key), session)
    }

    /// Starts it, and waits until it holds the only slot of a semaphore.
    pub fn holding_slot(consul: &Consul, prefix: &str) -> Other {
        let (other, session) = Other::start(consul, prefix, &[("LOCK_IS_SLOT", "1")]);
        other.checked(holder_at(consul, &format!("{prefix}/{session}")), session)
    }

    /// Nobody else holds it. (It may have lost it by now, where the machine stood still.)
    fn checked(self, holder: Option<String>, session: String) -> Other {
        assert!(holder.is_none_or(|holder| holder == session));
        self
    }

    /// Starts it with these variables; gives the session that it holds with.
    fn start(consul: &Consul, key: &str, variables: &[(&str, &str)]) -> (Other, String) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lock_processes::other_process", "--ignored", "--nocapture"])
            .env("LOCK_ADDRESS", consul.address())
            .env("LOCK_KEY", key)
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut other = Other { child, output };
        let session = other.wait_for("held by ");
        (other, session)
    }

    /// What follows these words on a line of its output.
    fn wait_for(&mut self, words: &str) -> String {
        let mut lines = (&mut self.output).lines().map(Result::unwrap);
        let found = lines.find_map(|line| Some(line.split_once(words)?.1.to_string()));
        found.unwrap_or_else(|| panic!("it ended without {words}"))
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn who_dies_loses_its_locks_within_two_ttls_and_the_lock_delay() {
    let Some(consul) = quick() else { return };
    let key = unique("lock");
    let other = Other::holding(consul, &key);
    other.signal(Signal::KILL);
    let lock = quick_client(&consul.address()).lock(lock_spec(&key)).unwrap();
    let (won, timing) = timed(|| lock.acquire(PATIENCE).unwrap());
    assert!(won && timing.fair() < SECOND * 3 + GRACE, "{timing:?}");
    lock.release().unwrap();
}

#[test]
fn who_was_stopped_wakes_to_a_lost_lock() {
    let Some(consul) = quick() else { return };
    let key = unique("lock");
    let mut other = Other::holding(consul, &key);
    other.signal(Signal::STOP);
    let lock = held(&quick_client(&consul.address()), lock_spec(&key));
    // Twice its TTL has passed, and it does not know.
    other.signal(Signal::CONT);
    let (reason, timing) = timed(|| other.wait_for("lost "));
    assert_eq!(reason, format!("{:?}", LostReason::Deadline));
    assert!(timing.fair() < GRACE, "{timing:?}");
    assert!(lock.is_held());
    lock.release().unwrap();
}

/// The official command line tool's `lock`, with these arguments.
pub fn tool(consul: &Consul, arguments: &[&str]) -> Command {
    let mut command = Command::new(consul.binary());
    let address = format!("-http-addr={}", consul.address());
    command.args(["lock", &address]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn the_official_tool_and_this_library_exclude_each_other() {
    let Some(consul) = quick() else { return };
    let prefix = unique("cli");
    let key = format!("{prefix}/.lock");
    let client = quick_client(&consul.address());

    let lock = held(&client, LockSpec::new(&key).session_spec(session()));
    let refused = tool(consul, &["-try=500ms", &prefix, "true"]).output().unwrap();
    assert!(!refused.status.success(), "{refused:?}");
    assert!(lock.is_held());
    lock.release().unwrap();

    let mut holding = tool(consul, &["-pass-stdin", &prefix, "cat"]).spawn().unwrap();
    eventually("the tool has it", || holder_at(consul, &key).is_some());
    assert!(in_vain(lock.acquire(SECOND / 2)));
    assert_eq!(lock.holder(), holder_at(consul, &key));
    drop(holding.stdin.take());
    assert!(lock.acquire(PATIENCE).unwrap());
    lock.release().unwrap();
    holding.wait().unwrap();
}
