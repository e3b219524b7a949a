//! How late this machine is: for tests of deadlines on a machine that does other work too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(2);

/// How much longer than it should something may take on a busy machine, beside what the control thread
/// oversleeps: until all threads and processes that have a part in it have had their turns. Whatever
/// else could end it takes longer.
pub const GRACE: Duration = Duration::from_secs(5);

/// A thread that only sleeps, and adds up what it oversleeps. A deadline kept too late by no
/// more than that thread's lateness was kept as well as the machine let it.
pub struct Control {
    started: Instant,
    over: Arc<AtomicBool>,
    sleeper: JoinHandle<Duration>,
}

/// How long something took, and how late a plain sleeping thread was meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub elapsed: Duration,
    pub lateness: Duration,
}

impl Timing {
    /// The time it took less what is the machine's fault.
    pub fn fair(&self) -> Duration {
        self.elapsed.saturating_sub(self.lateness)
    }

    /// Whether the machine let others do in time what had this much time to spare.
    pub fn is_punctual(&self, spare: Duration) -> bool {
        self.lateness < spare
    }
}

impl Control {
    /// Starts the clock.
    pub fn start() -> Control {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let sleeper = std::thread::spawn(move || {
            let mut late = Duration::ZERO;
            while !seen.load(Ordering::Relaxed) {
                let asleep = Instant::now();
                std::thread::sleep(TICK);
                let overslept = asleep.elapsed().saturating_sub(TICK);
                // Any sleep ends a little late, by the timer's grain; that is no stall.
                if overslept > TICK / 2 {
                    late += overslept;
                }
            }
            late
        });
        Control { started: Instant::now(), over, sleeper }
    }

    /// How long ago that was.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Stops the clock.
    pub fn stop(self) -> Timing {
        let elapsed = self.elapsed();
        self.over.store(true, Ordering::Relaxed);
        let lateness = self.sleeper.join().expect("the sleeping thread");
        Timing { elapsed, lateness }
    }
}

/// Does `work` beside the clock.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Timing) {
    let control = Control::start();
    let result = work();
    (result, control.stop())
}
