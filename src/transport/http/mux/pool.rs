//! The idle connections of tasks to one endpoint.

use super::connect;
use super::connection::Connection;
use crate::error::Result;
use crate::runtime::io::{Io, Timer};
use crate::sync::Mutex;
use crate::transport::http::budget::Budget;
use crate::transport::http::call::Call;
use crate::transport::http::connector::Connector;
use crate::transport::http::endpoint::{MAX_IDLE, MAX_IDLE_AGE};
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

/// Keeps the I/O thread, too, as long as there are clients that have used it.
pub(in crate::transport::http) struct Pool {
    pub(in crate::transport::http) io: Io,
    pub(in crate::transport::http) budget: Arc<Budget>,
    connector: Arc<Connector>,
    idle: Mutex<Idle>,
    /// Woken by what happens to idle connections.
    sweeper: Waker,
}

#[derive(Default)]
struct Idle {
    /// With when they became idle, the oldest first.
    connections: Vec<(Instant, Connection)>,
    timer: Option<Timer>,
}

impl Pool {
    pub(in crate::transport::http) fn new(
        connector: Arc<Connector>,
        budget: Arc<Budget>,
    ) -> Result<Arc<Pool>> {
        let io = Io::get()?;
        Ok(Arc::new_cyclic(|pool: &Weak<Pool>| Pool {
            io,
            budget,
            connector,
            idle: Mutex::default(),
            sweeper: Arc::new(Sweeper(pool.clone())).into(),
        }))
    }

    /// False when its I/O thread has ended by itself.
    pub(in crate::transport::http) fn is_alive(&self) -> bool {
        self.io.is_alive()
    }

    /// An idle connection that is still good, the one that was used last; else a new one.
    pub(super) async fn connection(&self, replay: bool, call: &Arc<Call>) -> Result<Connection> {
        if call.takes_idle()
            && let Some(connection) = self.take(replay, call)
        {
            return Ok(connection);
        }
        connect::open(&self.connector, &self.io, call).await.map(Connection::new)
    }

    fn take(&self, replay: bool, call: &Call) -> Option<Connection> {
        loop {
            let (_, mut connection) = self.idle.lock().connections.pop()?;
            // What may be sent twice need not be sure.
            let is_reusable = connection.link.is_reusable(!replay, call);
            if is_reusable && call.attach(connection.link.socket().source().descriptor()).is_ok() {
                call.note_connection(true);
                return Some(connection);
            }
        }
    }

    /// Takes a connection back that can serve another exchange.
    pub(super) fn put(&self, mut connection: Connection, max_connections: usize) {
        connection.rest();
        if self.is_over(&connection) {
            return;
        }
        let now = Instant::now();
        let mut idle = self.idle.lock();
        if idle.connections.len() >= max_connections.max(MAX_IDLE) {
            drop(idle);
            return drop(connection);
        }
        idle.connections.push((now, connection));
        if idle.timer.is_none() {
            idle.timer = Some(self.io.wake_at(now + MAX_IDLE_AGE, &self.sweeper));
        }
    }

    /// True when the connection has come to its end; otherwise its end wakes the sweeper.
    fn is_over(&self, connection: &Connection) -> bool {
        // In this order, so that no news comes in between.
        connection.link.socket().source().wake(self.sweeper.clone());
        connection.link.is_over()
    }

    /// Closes what is too old, or over.
    pub(in crate::transport::http) fn sweep(&self, now: Instant) {
        let mut idle = self.idle.lock();
        let known = std::mem::take(&mut idle.connections);
        let (kept, closed): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|(since, connection)| {
                let is_old = now.saturating_duration_since(*since) >= MAX_IDLE_AGE;
                !is_old && !self.is_over(connection)
            });
        let next = kept.first().map(|(since, _)| *since + MAX_IDLE_AGE);
        idle.connections = kept;
        let timer = next.map(|at| self.io.wake_at(at, &self.sweeper));
        let replaced = std::mem::replace(&mut idle.timer, timer);
        drop(idle);
        drop((closed, replaced));
    }
}

struct Sweeper(Weak<Pool>);

impl Wake for Sweeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            pool.sweep(Instant::now());
        }
    }
}
