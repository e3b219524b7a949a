//! How an exchange waits: on its caller's thread ([`super::blocking`]), or in a task of the I/O thread
//! ([`super::mux`]). Everything else of an exchange is written once, over this.

use super::call::Call;
use super::socket::Socket;
use crate::error::Result;
use crate::runtime::io::{Tell, Timer};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub(super) trait Wait: Send + Sync + 'static {
    type Socket: Socket + 'static;

    /// Waits for [`Call::signal`] until `until` at most. True when it came.
    fn wait(&self, call: &Call, until: Instant) -> impl Future<Output = Result<bool>> + Send;

    /// Takes over a non-blocking socket that is connected, or being connected.
    fn take_over(&self, descriptor: Arc<OwnedFd>, tell: Tell) -> io::Result<Self::Socket>;

    /// Waits until it is connected.
    fn connected(
        &self,
        socket: &Self::Socket,
        until: Instant,
        call: &Call,
    ) -> impl Future<Output = io::Result<()>> + Send;

    /// Has somebody woken at this time, where there is who could do it.
    fn wake_at(&self, at: Instant, waker: &Waker) -> Option<Timer>;
}
