use super::*;
use crossbeam_channel::unbounded;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn in_ms(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// A thread of the test's own, so that tests do not end each other's.
fn own() -> Io {
    Io::start(threads()).unwrap()
}

fn field(status: &str, name: &str) -> String {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim().to_owned()
}

#[test]
fn jobs_run_in_their_order_on_a_named_thread_without_signals() {
    let io = own();
    let (send, seen) = unbounded();
    for i in 0..3 {
        let send = send.clone();
        io.run(move || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            send.send((i, status)).unwrap();
        });
    }
    for i in 0..3 {
        let (ran, status) = seen.recv_timeout(PATIENCE).unwrap();
        assert_eq!((ran, field(&status, "Name")), (i, "consul-io".to_owned()));
        let blocked = u64::from_str_radix(&field(&status, "SigBlk"), 16).unwrap();
        assert_ne!(blocked & (1 << (libc::SIGTERM - 1)), 0);
    }
}

struct Counting(AtomicUsize);

impl Bell for Counting {
    fn ring(&self) -> bool {
        self.0.fetch_add(1, SeqCst);
        false
    }
}

#[test]
fn a_bell_rings_once_a_turn_and_at_once_elsewhere() {
    let bell = Arc::new(Counting(AtomicUsize::new(0)));
    ring(&bell);
    assert_eq!(bell.0.load(SeqCst), 1);
    let io = own();
    let (send, seen) = unbounded();
    let in_turn = bell.clone();
    io.run(move || {
        for _ in 0..3 {
            ring(&in_turn);
        }
        send.send(in_turn.0.load(SeqCst)).unwrap();
    });
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(1));
    let started = Instant::now();
    while bell.0.load(SeqCst) < 2 {
        assert!(started.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    assert_eq!(bell.0.load(SeqCst), 2);
}

#[test]
fn timers_come_in_time_and_not_when_they_are_dropped() {
    let io = own();
    let (send, seen) = unbounded();
    let timer_at = |start: Instant, ms| {
        let send = send.clone();
        let at = start + Duration::from_millis(ms);
        io.after(at, move || send.send((ms, Instant::now() >= at)).unwrap())
    };
    // The later one first: it must not make the thread oversleep the other.
    let start = Instant::now();
    let _late = timer_at(start, 3_600_000);
    let _early = timer_at(start, 20);
    assert_eq!(seen.recv_timeout(PATIENCE), Ok((20, true)));
    // While these are set the thread is kept busy, however long that takes.
    let ((busy, is_busy), (go, wait)) = (unbounded(), unbounded::<()>());
    io.run(move || {
        busy.send(()).unwrap();
        let _ = wait.recv();
    });
    is_busy.recv_timeout(PATIENCE).unwrap();
    // From one moment, however long this thread is kept from its work between them.
    let start = Instant::now();
    let _last = timer_at(start, 3);
    drop(timer_at(start, 2));
    let (_first, _past) = (timer_at(start, 1), timer_at(start, 0));
    go.send(()).unwrap();
    for expected in [0, 1, 3] {
        assert_eq!(seen.recv_timeout(PATIENCE), Ok((expected, true)));
    }
    assert!(seen.is_empty());
}

#[test]
fn a_panic_ends_neither_the_thread_nor_what_comes_after() {
    let io = own();
    let (send, seen) = unbounded();
    io.run(|| panic!("out of luck"));
    let _timer = io.after(Instant::now(), || panic!("out of luck"));
    io.spawn(async { panic!("out of luck") });
    let last = send.clone();
    io.spawn(async move {
        let _held = send;
        next_turn().await;
        panic!("out of luck")
    });
    io.run(move || last.send(1).unwrap());
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(1));
    // What the task that panicked held is gone.
    assert!(seen.recv_timeout(PATIENCE).is_err_and(|error| error.is_disconnected()));
}

#[test]
fn a_task_waits_for_a_socket_and_is_woken_by_bytes_and_by_the_end() {
    let io = own();
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
    let mut theirs = UnixStream::from(theirs);
    let (source, (send, seen)) = (io.watch(Arc::new(ours), Tell::Bytes).unwrap(), unbounded());
    io.spawn(async move {
        let mut buffer = [0; 4];
        loop {
            std::future::poll_fn(|context| source.poll_readable(context)).await;
            match rustix::io::read(source.descriptor(), &mut buffer) {
                Ok(0) => break,
                Ok(read) => send.send(buffer[..read].to_vec()).unwrap(),
                Err(error) => assert_eq!(error, rustix::io::Errno::AGAIN),
            }
        }
        // Before what tells of the end.
        drop(source);
        drop(send);
    });
    for word in [b"one", b"two"] {
        theirs.write_all(word).unwrap();
        assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), word);
    }
    drop(theirs);
    assert!(seen.recv_timeout(PATIENCE).is_err_and(|error| error.is_disconnected()));
    assert_eq!(io.0.0.sources.lock().known.len(), 0);
}

#[test]
fn a_thread_that_is_awake_is_not_rung() {
    let io = own();
    let ran = Arc::new(AtomicUsize::new(0));
    let (busy, (go, wait), (done, finished)) = (io.clone(), unbounded::<()>(), unbounded());
    io.run(move || {
        // While this runs the thread is awake, so nobody has to wake it.
        let _ = wait.recv();
        assert!(busy.0.0.queue.lock().asleep.is_none());
    });
    for _ in 0..100 {
        let ran = ran.clone();
        io.run(move || {
            ran.fetch_add(1, SeqCst);
        });
    }
    go.send(()).unwrap();
    io.run(move || done.send(()).unwrap());
    finished.recv_timeout(PATIENCE).unwrap();
    assert_eq!(ran.load(SeqCst), 100);
}

#[test]
fn the_thread_ends_with_its_last_user_and_drops_what_it_holds() {
    let io = own();
    let held = Arc::new(());
    let (kept, (send, gone)) = (held.clone(), unbounded::<()>());
    let timer = io.after(in_ms(60_000), move || drop(kept));
    io.spawn({
        let kept = held.clone();
        async move {
            let _held = (kept, send);
            std::future::pending::<()>().await;
        }
    });
    // The task waits for nothing that could wake it, so nobody but the caller held it.
    assert!(gone.recv_timeout(PATIENCE).is_err_and(|error| error.is_disconnected()));
    let shared = Arc::downgrade(&io.0.0);
    drop(io.clone());
    assert!(!shared.upgrade().unwrap().queue.lock().stopping);
    drop(io);
    let until = Instant::now() + PATIENCE;
    while Arc::strong_count(&held) > 1 {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
    drop(timer);
}

#[test]
fn a_forked_child_leaves_its_parents_thread_alone_and_has_its_own() {
    let io = own();
    let timer = io.after(in_ms(60_000), || {});
    let locked = io.0.0.queue.lock();
    let status = sys::testing::in_child(|| {
        // What was inherited is locked for ever here.
        drop(Timer { shared: io.0.0.clone(), key: timer.key });
        drop(Owner(io.0.0.clone()));
        let io = Io::get().unwrap();
        let (send, seen) = unbounded();
        io.run(move || send.send(3).unwrap());
        seen.recv_timeout(PATIENCE).unwrap()
    });
    assert_eq!(status, 3);
    drop(locked);
    let (send, seen) = unbounded();
    io.run(move || send.send(4).unwrap());
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(4));
}

/// As by Ctrl-Z and `fg`.
#[test]
fn a_process_that_is_stopped_for_a_while_keeps_its_thread_in_a_forked_child() {
    let status = sys::testing::in_child(|| {
        let io = Io::get().unwrap();
        for _ in 0..3 {
            while io.0.0.queue.lock().asleep.is_none() {
                std::thread::yield_now();
            }
            let stopping = ["-c", "kill -STOP $PPID; kill -CONT $PPID"];
            assert!(std::process::Command::new("sh").args(stopping).status().unwrap().success());
            let (send, seen) = unbounded();
            io.run(move || send.send(()).unwrap());
            seen.recv_timeout(PATIENCE).unwrap();
        }
        7
    });
    assert_eq!(status, 7);
}

#[test]
fn a_thread_whose_descriptors_are_closed_ends_and_another_takes_its_place_in_a_forked_child() {
    // In a child, for the number of a closed descriptor may be another test's at once.
    let status = sys::testing::in_child(|| {
        let io = Io::get().unwrap();
        let (send, seen) = unbounded();
        let held = send.clone();
        io.spawn(async move {
            let _held = held;
            next_turn().await;
            std::future::pending::<()>().await;
        });
        io.break_it();
        let other = Io::get().unwrap();
        other.run(move || send.send(6).unwrap());
        seen.recv_timeout(PATIENCE).unwrap()
    });
    assert_eq!(status, 6);
}

/// Runs the loop of `io` on a thread of its own, until it is told that there is news.
struct Guested {
    nudge: Nudge,
    news: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

fn guest_at_the_wheel(io: &Io) -> Guested {
    let (guest, news) = (Guest::of(io), Arc::new(AtomicBool::new(false)));
    let (nudge, told) = (guest.nudge(), news.clone());
    let drives = move || {
        while !guest.drive(None, || told.load(SeqCst)) {
            std::thread::yield_now();
        }
    };
    let thread = std::thread::Builder::new().name("guest".to_owned()).spawn(drives).unwrap();
    lend_until(io, || io.0.0.queue.lock().drives > 0);
    Guested { nudge, news, thread }
}

/// Has the thread lend its wheel, as it does when it has woken a reader, until it was taken.
fn lend_until(io: &Io, mut is_taken: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_taken() {
        assert!(Instant::now() < end);
        io.run(|| ring(&Arc::new(Reader)));
        // What it is given to do ends its nap, so it gets nothing meanwhile.
        let until = in_ms(10);
        while !is_taken() && Instant::now() < until {
            std::thread::yield_now();
        }
    }
}

impl Guested {
    fn leaves(self) {
        self.news.store(true, SeqCst);
        self.nudge.nudge();
        self.thread.join().unwrap();
    }
}

/// Ringing it ends somebody's wait.
struct Reader;

impl Bell for Reader {
    fn ring(&self) -> bool {
        true
    }
}

fn thread_of_a_job(io: &Io) -> String {
    let (send, seen) = unbounded();
    io.run(move || {
        assert!(is_io_thread());
        send.send(std::thread::current().name().unwrap_or("consul-io").to_owned()).unwrap();
    });
    seen.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn who_waits_runs_the_loop_meanwhile_and_the_thread_goes_on_after_it() {
    let io = own();
    assert_eq!(thread_of_a_job(&io), "consul-io");
    let guested = guest_at_the_wheel(&io);
    assert_eq!(thread_of_a_job(&io), "guest");
    let (send, seen) = unbounded();
    let told = send.clone();
    let _timer = io.after(in_ms(5), move || {
        told.send(std::thread::current().name().map(str::to_owned)).unwrap();
    });
    assert_eq!(seen.recv_timeout(PATIENCE).unwrap().as_deref(), Some("guest"));
    guested.leaves();
    // At once for a job, and by itself for what nobody tells it of.
    assert_eq!(thread_of_a_job(&io), "consul-io");
    let _timer = io.after(in_ms(5), move || send.send(None).unwrap());
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(None));
}

#[test]
fn who_runs_the_loop_is_not_rung_by_itself() {
    let io = own();
    let guested = guest_at_the_wheel(&io);
    let rings = || {
        let info = format!("/proc/self/fdinfo/{}", io.0.0.alarm.as_raw_fd());
        let info = std::fs::read_to_string(info).unwrap();
        u64::from_str_radix(&field(&info, "eventfd-count"), 16).unwrap()
    };
    let (nudge, before, (send, seen)) = (guested.nudge.clone(), rings(), unbounded());
    io.run(move || {
        (0..100).for_each(|_| nudge.nudge());
        send.send(()).unwrap();
    });
    seen.recv_timeout(PATIENCE).unwrap();
    // By what gave it the job, at most.
    assert!(rings() <= before + 1);
    guested.leaves();
}

#[test]
fn where_two_wait_the_thread_serves_them() {
    let io = own();
    let guested = guest_at_the_wheel(&io);
    let (second, third) = (Guest::of(&io), Guest::of(&io));
    assert!(!second.drive(None, || true), "the wheel is taken");
    guested.leaves();
    assert!(!second.drive(None, || true), "another one waits, too");
    assert_eq!(thread_of_a_job(&io), "consul-io");
    drop(third);
    assert!(!second.drive(Some(Instant::now()), || false), "there is no time");
}

#[test]
fn a_guest_leaves_when_its_time_is_almost_over() {
    let io = own();
    let guest = Guest::of(&io);
    lend_until(&io, || {
        let until = in_ms(5);
        let has_driven = guest.drive(Some(until), || false);
        assert!(!has_driven || Instant::now() + Duration::from_millis(1) >= until);
        has_driven
    });
}

#[test]
fn the_thread_ends_while_a_guest_is_at_its_wheel() {
    let io = own();
    let guested = guest_at_the_wheel(&io);
    let shared = io.0.0.clone();
    drop(io);
    guested.thread.join().unwrap();
    let until = Instant::now() + PATIENCE;
    while !shared.queue.lock().ended {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
}
