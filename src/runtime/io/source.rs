//! A socket that the I/O thread looks after.

use super::Shared;
use crate::sync::Mutex;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::*};
use std::task::{Context, Poll, Waker};

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
/// The peer has ended, or the socket is broken: reading does not block any more.
const ENDED: u8 = 4;

const BYTES: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);

/// A non-blocking socket and what the kernel has told of it. Edge-triggered: registered once, and
/// no system call for it in an exchange.
pub(crate) struct Source {
    shared: Arc<Shared>,
    descriptor: Arc<OwnedFd>,
    token: u64,
    ready: Arc<Ready>,
    /// The kernel tells when there is room to write.
    tells_of_room: AtomicBool,
}

/// What the kernel tells of from the beginning, beside bytes to read and the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tell {
    /// Of room to write, too: needed while a connection is being made. TCP tells only after there
    /// was none.
    Room,
    /// A unix socket tells of room whenever its peer has read something, so that is asked for only
    /// when there was none.
    Bytes,
}

#[derive(Default)]
pub(super) struct Ready {
    flags: AtomicU8,
    waker: Mutex<Option<Waker>>,
}

impl Source {
    pub(super) fn new(
        shared: Arc<Shared>,
        descriptor: Arc<OwnedFd>,
        tell: Tell,
    ) -> io::Result<Source> {
        let ready = Arc::<Ready>::default();
        let token = {
            let mut sources = shared.sources.lock();
            sources.last += 1;
            let token = sources.last;
            sources.known.insert(token, ready.clone());
            token
        };
        let tells_of_room = AtomicBool::new(tell == Tell::Room);
        let source = Source { shared, descriptor, token, ready, tells_of_room };
        let (epoll, data) = (&source.shared.epoll, EventData::new_u64(token));
        let wanted = if tell == Tell::Room { BYTES | EventFlags::OUT } else { BYTES };
        epoll::add(epoll, &source.descriptor, data, wanted)?;
        Ok(source)
    }

    pub(crate) fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.descriptor
    }

    /// Ready when there may be something to read. That is taken as used up, see
    /// [`Source::unread`].
    pub(crate) fn poll_readable(&self, context: &mut Context<'_>) -> Poll<()> {
        self.ready.poll(READABLE, context)
    }

    /// Ready when it may have room to write again.
    pub(crate) fn poll_writable(&self, context: &mut Context<'_>) -> io::Result<Poll<()>> {
        let room = self.ready.poll(WRITABLE, context);
        if room.is_pending() && !self.tells_of_room.swap(true, AcqRel) {
            let (epoll, data) = (&self.shared.epoll, EventData::new_u64(self.token));
            epoll::modify(epoll, &self.descriptor, data, BYTES | EventFlags::OUT)?;
        }
        Ok(room)
    }

    /// The last read filled its buffer, so there may be more.
    pub(crate) fn unread(&self) {
        self.ready.flags.fetch_or(READABLE, AcqRel);
    }

    /// True when something has come, or the end, since the last read.
    pub(crate) fn has_news(&self) -> bool {
        self.ready.flags.load(Acquire) & (READABLE | ENDED) != 0
    }

    /// True when the peer has ended the connection, as far as the kernel has told.
    pub(crate) fn has_ended(&self) -> bool {
        self.ready.flags.load(Acquire) & ENDED != 0
    }

    /// Who is to be woken by the next news, instead of a task that waits.
    pub(crate) fn wake(&self, waker: Option<&Waker>) {
        match waker {
            Some(waker) => self.ready.remember(waker),
            None => self.ready.forget(),
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        // A child shares the kernel's list with its parent, and must leave it alone.
        if !self.shared.is_ours() {
            return;
        }
        let known = self.shared.sources.lock().known.remove(&self.token);
        drop(known);
        self.ready.forget();
        // By hand: a forked child may have a copy of the descriptor, and then closing it is not
        // enough. It fails only for a socket that was never added.
        let _ = epoll::delete(&self.shared.epoll, &self.descriptor);
    }
}

impl Ready {
    pub(super) fn notify(&self, events: EventFlags) {
        let mut news = 0;
        if events.contains(EventFlags::IN) {
            news |= READABLE;
        }
        if events.contains(EventFlags::OUT) {
            news |= WRITABLE;
        }
        if events.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR) {
            news |= ENDED | READABLE | WRITABLE;
        }
        self.flags.fetch_or(news, AcqRel);
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Wakes nobody any more.
    pub(super) fn forget(&self) {
        self.set_waker(None);
    }

    fn poll(&self, wanted: u8, context: &mut Context<'_>) -> Poll<()> {
        // Who waits is noted first, so that no news comes between the look and the wait.
        self.remember(context.waker());
        let before = self.flags.fetch_and(!wanted, AcqRel);
        if before & (wanted | ENDED) != 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    fn remember(&self, waker: &Waker) {
        let mut known = self.waker.lock();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            let replaced = known.replace(waker.clone());
            drop(known);
            drop(replaced);
        }
    }

    fn set_waker(&self, waker: Option<Waker>) {
        let replaced = std::mem::replace(&mut *self.waker.lock(), waker);
        drop(replaced);
    }
}
