//! Requests put to a state by themselves, with a clock that stands until it is turned.

use super::routes::{self, Handler};
use super::state::State;
use super::testing::request;
use super::wait::{Mark, Read};
use super::wire::Answer;
use crate::transport::Method;
use serde_json::Value;
use std::time::{Duration, Instant};

pub(super) struct Desk {
    pub(super) state: State,
}

/// What came back.
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) body: String,
    /// 0 where none is told.
    pub(super) index: u64,
}

impl Told {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The texts of one field in a list of objects.
    pub(super) fn column(&self, name: &str) -> Vec<String> {
        let rows = self.json();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row.pointer(name).unwrap().as_str().unwrap().to_owned()).collect()
    }
}

impl Desk {
    pub(super) fn new() -> Desk {
        Desk { state: State::new(Instant::now()) }
    }

    pub(super) fn get(&mut self, target: &str) -> Told {
        self.ask(Method::Get, target, "")
    }

    pub(super) fn put(&mut self, target: &str, body: &str) -> Told {
        self.ask(Method::Put, target, body)
    }

    /// A request that must succeed.
    pub(super) fn done(&mut self, target: &str, body: &str) {
        let told = self.put(target, body);
        assert_eq!(told.status, 200, "{target} {body}: {}", told.body);
    }

    /// The index of a list.
    pub(super) fn index(&mut self, target: &str) -> u64 {
        self.get(target).index
    }

    pub(super) fn turn(&mut self, seconds: u64) {
        self.state.settle(self.state.now + Duration::from_secs(seconds));
    }

    fn ask(&mut self, method: Method, target: &str, body: &str) -> Told {
        let mut wire = request(method, target, body.as_bytes());
        let found = match routes::find(&mut wire) {
            Ok(found) => found,
            Err(answer) => return told(answer, 0),
        };
        match found.handler {
            Handler::Act(act) => {
                told(act(&mut self.state, &wire).unwrap_or_else(|answer| answer), 0)
            }
            Handler::Read(read) => match read(&self.state, &wire) {
                Ok(Read { answer, mark: Mark::Index(index) | Mark::Event(index) }) => {
                    told(answer, index)
                }
                Ok(Read { answer, .. }) | Err(answer) => told(answer, 0),
            },
        }
    }
}

fn told(answer: Answer, index: u64) -> Told {
    Told { status: answer.status, body: String::from_utf8(answer.body).unwrap(), index }
}
