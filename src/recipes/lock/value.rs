//! The value of a lock's key, which may be replaced while the lock is in use.

use crate::sync::Mutex;

#[derive(Default)]
pub(super) struct Value(Mutex<State>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// It was replaced, and nobody has begun to write it since.
    is_new: bool,
}

impl Value {
    pub(super) fn new(bytes: Vec<u8>) -> Value {
        Value(Mutex::new(State { bytes, is_new: false }))
    }

    pub(super) fn get(&self) -> Vec<u8> {
        self.0.lock().bytes.clone()
    }

    /// The key is to have this value from the next write on.
    pub(super) fn replace(&self, bytes: Vec<u8>) {
        *self.0.lock() = State { bytes, is_new: true };
    }

    /// Gives it to who writes it now.
    pub(super) fn to_write(&self) -> Vec<u8> {
        let mut state = self.0.lock();
        state.is_new = false;
        state.bytes.clone()
    }

    pub(super) fn is_new(&self) -> bool {
        self.0.lock().is_new
    }
}
