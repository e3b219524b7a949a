//! The idle connections to one endpoint of exchanges that wait in one way.

use super::budget::Budget;
use super::call::Call;
use super::connection::Connection;
use super::connector::Connector;
use super::endpoint::{MAX_IDLE, MAX_IDLE_AGE};
use super::socket::Socket;
use super::wait::Wait;
use crate::error::Result;
use crate::runtime::io::Timer;
use crate::sync::Mutex;
use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Instant;

/// Keeps what its exchanges wait by, too: the I/O thread, as long as there are clients that have used
/// it.
pub(super) struct Pool<W: Wait> {
    pub(super) wait: W,
    pub(super) budget: Arc<Budget>,
    connector: Arc<Connector>,
    idle: Mutex<Idle<W::Socket>>,
    /// Woken by what happens to idle connections.
    sweeper: Waker,
}

struct Idle<S: Socket> {
    /// With when they became idle, the oldest first. Boxed, as it goes in and out for each exchange.
    connections: Vec<(Instant, Box<Connection<S>>)>,
    timer: Option<Timer>,
}

impl<W: Wait> Pool<W> {
    pub(super) fn new(wait: W, connector: Arc<Connector>, budget: Arc<Budget>) -> Arc<Pool<W>> {
        Arc::new_cyclic(|pool: &Weak<Pool<W>>| Pool {
            wait,
            budget,
            connector,
            idle: Mutex::new(Idle { connections: Vec::new(), timer: None }),
            sweeper: Arc::new(Sweeper(pool.clone())).into(),
        })
    }

    /// An idle connection that is still good, the one that was used last; else a new one. `sure`
    /// where it would do harm to find out by using it.
    pub(super) async fn connection(
        &self,
        sure: bool,
        call: &Arc<Call>,
    ) -> Result<Box<Connection<W::Socket>>> {
        if call.takes_idle()
            && let Some(connection) = self.take(sure, call)
        {
            return Ok(connection);
        }
        self.open(call).await
    }

    /// A new connection.
    pub(super) async fn open(&self, call: &Arc<Call>) -> Result<Box<Connection<W::Socket>>> {
        // Boxed, since few exchanges open one: it would double the memory that each begins with.
        let link = Box::pin(self.connector.open(&self.wait, call)).await;
        link.map(|link| Box::new(Connection::new(link, self.budget.opened())))
    }

    fn take(&self, sure: bool, call: &Call) -> Option<Box<Connection<W::Socket>>> {
        loop {
            let (since, mut connection) = self.idle.lock().connections.pop()?;
            // Its answer may come before the exchange waits for it, and is no news of idleness.
            connection.link.socket().wake_on_news(None);
            let idle = call.started.saturating_duration_since(since);
            let is_good = idle < MAX_IDLE_AGE
                && connection.link.is_reusable(sure, idle, call)
                && call.attach(connection.link.socket().descriptor()).is_ok();
            if is_good {
                call.note_connection(true);
                return Some(connection);
            }
        }
    }

    /// Takes a connection back that can serve another exchange.
    pub(super) fn put(&self, mut connection: Box<Connection<W::Socket>>, max_connections: usize) {
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
            idle.timer = self.wait.wake_at(now + MAX_IDLE_AGE, &self.sweeper);
        }
        // Where nobody can be woken, it is done by who comes along.
        let is_due = idle.timer.is_none()
            && idle.connections.first().is_some_and(|(since, _)| is_old(*since, now));
        drop(idle);
        if is_due {
            self.sweep(now);
        }
    }

    /// True when the connection has come to its end; otherwise its end wakes the sweeper.
    fn is_over(&self, connection: &Connection<W::Socket>) -> bool {
        // In this order, so that no news comes in between.
        connection.link.socket().wake_on_news(Some(&self.sweeper));
        connection.link.is_over()
    }

    /// Closes what is too old, or over.
    pub(super) fn sweep(&self, now: Instant) {
        let mut idle = self.idle.lock();
        let known = std::mem::take(&mut idle.connections);
        let (kept, closed): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|(since, connection)| !is_old(*since, now) && !self.is_over(connection));
        let next = kept.first().map(|(since, _)| *since + MAX_IDLE_AGE);
        idle.connections = kept;
        let timer = next.and_then(|at| self.wait.wake_at(at, &self.sweeper));
        let replaced = std::mem::replace(&mut idle.timer, timer);
        drop(idle);
        drop((closed, replaced));
    }
}

fn is_old(since: Instant, now: Instant) -> bool {
    now.saturating_duration_since(since) >= MAX_IDLE_AGE
}

struct Sweeper<W: Wait>(Weak<Pool<W>>);

impl<W: Wait> Wake for Sweeper<W> {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(pool) = self.0.upgrade() {
            pool.sweep(Instant::now());
        }
    }
}
