//! The language of the cases, a line each:
//!
//! ```text
//! GET /v1/kv/a?raw => 200 & value       a request, the status, and words of the answer
//! PUT /v1/kv/a value => 200             with a body
//! GET /v1/kv/a => 200 & !Session        words that are not in the answer
//! pass 19.9s                            lets time pass
//! begin GET /v1/kv/a?index=<index>      a request that will wait, and does so now
//! waits                                 it still does
//! ends => 200 & value                   it is answered, with this
//! ```

use crate::sequence::Step;
use crate::side::{Answer, Seen, Side};
use consul_ffi::api::raw::Method;
use consul_ffi::embedded::Embedded;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Less than anything takes that a real agent is to do in time.
const PUNCTUAL: Duration = Duration::from_millis(900);

/// All the time that a script lets pass.
pub fn length(script: &str) -> Duration {
    script.lines().filter_map(|line| line.trim().strip_prefix("pass ")).map(seconds).sum()
}

fn seconds(text: &str) -> Duration {
    let number = text.trim().strip_suffix('s').and_then(|number| number.parse().ok());
    Duration::from_secs_f64(number.unwrap_or_else(|| panic!("{text}: not like 1.5s")))
}

/// An agent, and what has happened at it.
pub struct Rig<'a> {
    side: &'a Side,
    seen: Seen,
    waiting: Option<Receiver<Answer>>,
    began: Instant,
    /// What the script has let pass.
    passed: Duration,
}

impl<'a> Rig<'a> {
    pub fn new(side: &'a Side, name: &str) -> Rig<'a> {
        let rig = Rig {
            side,
            seen: side.nothing_seen(name),
            waiting: None,
            began: Instant::now(),
            passed: Duration::ZERO,
        };
        if let Some(embedded) = rig.embedded() {
            embedded.stop_clock();
        }
        rig
    }

    /// Runs the script up to what is not as it says.
    pub fn run(mut self, script: &str) -> Result<(), String> {
        let lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
        for line in lines {
            self.line(line).map_err(|wrong| format!("{line}\n  {wrong}"))?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(time) = line.strip_prefix("pass ") {
            self.pass(seconds(time));
            return Ok(());
        }
        if let Some(request) = line.strip_prefix("begin ") {
            return self.begin(self.seen.fill(&step(request)));
        }
        if line == "waits" {
            return self.still_waits();
        }
        let (request, expected) = line.split_once(" => ").expect("what is expected");
        match request {
            "ends" => {
                let answer = self.end()?;
                self.check(&answer, expected)
            }
            request => self.ask(&self.seen.fill(&step(request)), expected),
        }
    }

    /// A request, and what is expected of its answer. Time goes on for a real agent, whatever a busy
    /// machine does: what has come too early by the script's time proves nothing where the script is
    /// late, and what is due may come late.
    fn ask(&mut self, step: &Step, expected: &str) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.side.ask(step);
            self.seen.learn(step, &answer);
            let outcome = self.check(&answer, expected);
            if outcome.is_ok() || self.embedded().is_some() {
                return outcome;
            }
            match self.passed.is_zero() {
                true if self.began.elapsed() > PUNCTUAL => return Ok(()),
                false if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                _ => return outcome,
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        self.passed += time;
        match self.embedded() {
            Some(embedded) => embedded.advance(time),
            None => std::thread::sleep(time),
        }
    }

    fn embedded(&self) -> Option<Embedded> {
        Embedded::of(self.side.client()).ok()
    }

    fn begin(&mut self, step: Step) -> Result<(), String> {
        let (send, receive) = channel();
        let side = self.side.another();
        std::thread::spawn(move || send.send(side.ask(&step)));
        self.waiting = Some(receive);
        self.still_waits()
    }

    /// Back when the request is known to wait.
    fn still_waits(&mut self) -> Result<(), String> {
        let Some(embedded) = self.embedded() else { return Ok(()) };
        let waiting = self.waiting.as_ref().expect("a request that was begun");
        let deadline = Instant::now() + PATIENCE;
        loop {
            match waiting.try_recv() {
                Ok(answer) => return Err(format!("it is answered: {}", answer.text)),
                Err(TryRecvError::Disconnected) => return Err("its thread is gone".to_owned()),
                Err(TryRecvError::Empty) if embedded.waiting() == 1 => return Ok(()),
                Err(TryRecvError::Empty) => {}
            }
            assert!(Instant::now() < deadline, "the request never came");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn end(&mut self) -> Result<Answer, String> {
        let waiting = self.waiting.take().expect("a request that was begun");
        waiting.recv_timeout(PATIENCE).map_err(|_| "it still waits".to_owned())
    }

    fn check(&self, answer: &Answer, expected: &str) -> Result<(), String> {
        let (index, text) = (answer.index, &answer.text);
        let wrong = |what: &str| Err(format!("{what}: index={index} {text}"));
        let mut words = expected.split(" & ").map(|word| self.seen.filled(word));
        let status = words.next().unwrap_or_default();
        // An error says what was asked before it says the status.
        if !text.starts_with(&status) && !text.contains(&format!(": {status}")) {
            return wrong("another status");
        }
        for word in words {
            let holds = match word.strip_prefix('!') {
                Some(word) => !text.contains(word),
                None => text.contains(&word) || format!("index={index}") == word,
            };
            if !holds {
                return wrong(&format!("not so: {word}"));
            }
        }
        Ok(())
    }
}

fn step(request: &str) -> Step {
    let mut words = request.splitn(3, ' ');
    let method: Method = words.next().and_then(|word| word.parse().ok()).expect("a method");
    let target = words.next().expect("a target").to_owned();
    Step { method, target, body: words.next().unwrap_or_default().as_bytes().to_vec() }
}
