//! What carries a connection's bytes.

use super::call::Call;
use super::socket::{Idle, News, Socket, look};
use super::tls::TlsLink;
use std::io;
use std::time::Duration;

/// No server ends a connection that was idle for less, but one that dies.
const BRIEF: Duration = Duration::from_secs(1);

pub(super) enum Link<S: Socket> {
    Plain(S),
    Tls(Box<TlsLink<S>>),
}

impl<S: Socket> Link<S> {
    pub(super) fn socket(&self) -> &S {
        match self {
            Link::Plain(socket) => socket,
            Link::Tls(tls) => tls.socket(),
        }
    }

    pub(super) async fn send_all(&mut self, bytes: &[u8], call: &Call) -> io::Result<()> {
        match self {
            Link::Plain(socket) => socket.send_all(bytes, call).await,
            Link::Tls(tls) => tls.send_all(bytes, call).await,
        }
    }

    /// Waits for bytes. 0 when the peer has closed in the way the protocol asks for.
    pub(super) async fn receive(&mut self, into: &mut [u8], call: &Call) -> io::Result<usize> {
        match self {
            Link::Plain(socket) => socket.receive(into, call).await,
            Link::Tls(tls) => tls.receive(into, call).await,
        }
    }

    /// True when a connection that was idle for so long can serve another exchange: open, and nothing
    /// left to read. Only a system call is `sure`.
    pub(super) fn is_reusable(&mut self, sure: bool, idle: Duration, call: &Call) -> bool {
        loop {
            if let Link::Tls(tls) = self
                && !tls.is_quiet()
            {
                return false;
            }
            let is_likely = match self.socket().news() {
                News::Nothing => true,
                News::Untold => idle < BRIEF,
                News::Some | News::End => false,
            };
            if is_likely && !sure {
                return true;
            }
            match (look(self.socket().descriptor()), &mut *self) {
                (Idle::Quiet, _) => return true,
                // A session ticket, for example.
                (Idle::Unread, Link::Tls(tls)) => match tls.receive_now(call) {
                    Ok(1..) => {}
                    Ok(0) | Err(_) => return false,
                },
                _ => return false,
            }
        }
    }

    /// True when an idle connection has come to its end, as far as has been told.
    pub(super) fn is_over(&self) -> bool {
        let news = self.socket().news();
        matches!(news, News::Some | News::End)
            && match look(self.socket().descriptor()) {
                Idle::Quiet => false,
                Idle::Unread => news == News::End || !self.is_tls(),
                Idle::Gone => true,
            }
    }

    /// Gives memory back before the connection lies idle.
    pub(super) fn rest(&mut self) {
        if let Link::Tls(tls) = self {
            tls.rest();
        }
    }

    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Link::Tls(_))
    }
}
