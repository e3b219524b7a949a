//! The events of a watch on their way to a queue: never more than one unread of a kind, and what it
//! says is the newest.

use crate::error::{Error, Result, Status};
use crate::runtime::queue::{Content, EventKind, Flight, Queue};
use crate::sync::Mutex;
use crate::transport::Interrupt;
use crate::watch::{Notice, NoticeKind, Watch};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// What an event of a watch says besides its status.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub(super) version: u64,
    age: Option<Duration>,
    at: Instant,
}

impl News {
    /// How long ago Consul confirmed the state.
    pub(super) fn age(&self) -> Option<Duration> {
        Some(self.age? + self.at.elapsed())
    }
}

/// Where a watch's events go.
pub(super) struct Feed {
    /// None after the last event.
    flight: Mutex<Option<Flight>>,
    /// Until the last event, so that who cancels its tag stops it.
    watch: Mutex<Option<Watch>>,
    unread: Arc<Unread>,
}

/// What was told and not read yet.
#[derive(Default)]
struct Unread {
    ready: AtomicBool,
    changed: AtomicBool,
    health: AtomicBool,
    newest: Mutex<Option<News>>,
    failure: Mutex<Option<Error>>,
}

impl Feed {
    /// Begins under this tag.
    pub(super) fn attach(queue: &Queue, tag: u64) -> Result<Arc<Feed>> {
        let flight = Mutex::new(Some(queue.attach(tag)?));
        Ok(Arc::new(Feed { flight, watch: Mutex::default(), unread: Arc::default() }))
    }

    /// What a watch tells of itself.
    pub(super) fn listener(self: Arc<Feed>) -> Box<dyn Fn(Notice) + Send + Sync> {
        Box::new(move |notice| self.hear(notice))
    }

    /// The watch did not start, and who asked for it knows.
    pub(super) fn call_off(&self) {
        if let Some(flight) = self.flight.lock().take() {
            flight.call_off();
        }
    }

    /// Stops the watch when its tag is cancelled.
    pub(super) fn follow(self: &Arc<Feed>, watch: &Watch) {
        let token = match &*self.flight.lock() {
            Some(flight) => flight.cancel_token().clone(),
            None => return,
        };
        *self.watch.lock() = Some(watch.clone());
        let stopper = Arc::new(Stopper(Arc::downgrade(self)));
        if let Err(error) = token.attach(stopper.clone()) {
            stopper.interrupt(&error);
        }
    }

    /// The last event of a watch that was stopped.
    pub(super) fn stopped(&self) {
        self.end(Error::new(Status::Cancelled, "the watch was stopped"));
    }

    fn hear(&self, notice: Notice) {
        let news = News { version: notice.state.version(), age: notice.age, at: Instant::now() };
        *self.unread.newest.lock() = Some(news);
        match notice.kind {
            NoticeKind::Initial => self.tell(EventKind::WatchReady, |unread| &unread.ready),
            // The first state, when it is read, is the newest.
            NoticeKind::Changed if self.unread.ready.load(SeqCst) => {}
            NoticeKind::Changed => self.tell(EventKind::WatchChanged, |unread| &unread.changed),
            NoticeKind::Failed | NoticeKind::Recovered => {
                *self.unread.failure.lock() = notice.error;
                self.tell(EventKind::WatchHealth, |unread| &unread.health);
            }
            NoticeKind::Ended => self.end(notice.error.unwrap_or_else(closed)),
        }
    }

    fn tell(&self, kind: EventKind, flag: fn(&Unread) -> &AtomicBool) {
        if flag(&self.unread).swap(true, SeqCst) {
            return;
        }
        let unread = self.unread.clone();
        if let Some(flight) = &*self.flight.lock() {
            flight.tell(kind, move || {
                // Before anything is looked at: what is told from here on is told again.
                flag(&unread).store(false, SeqCst);
                let failure = unread.failure.lock().clone();
                let outcome = match (kind, failure) {
                    (EventKind::WatchHealth, Some(error)) => Err(error),
                    _ => Ok(Status::Ok),
                };
                unread.content(outcome)
            });
        }
    }

    fn end(&self, error: Error) {
        let (flight, watch) = (self.flight.lock().take(), self.watch.lock().take());
        if let Some(flight) = flight {
            let unread = self.unread.clone();
            flight.end(EventKind::WatchEnded, move || unread.content(Err(error)));
        }
        drop(watch);
    }
}

impl Unread {
    fn content(&self, outcome: Result<Status>) -> Content {
        let news = *self.newest.lock();
        Content { outcome, result: news.map(|news| Box::new(news) as _) }
    }
}

/// Stops a watch whose tag was cancelled, or whose queue is gone.
struct Stopper(Weak<Feed>);

impl Interrupt for Stopper {
    fn interrupt(&self, _reason: &Error) {
        let Some(feed) = self.0.upgrade() else { return };
        let watch = feed.watch.lock().clone();
        if let Some(watch) = watch {
            watch.stop();
        }
        feed.stopped();
    }
}

fn closed() -> Error {
    Error::new(Status::Closed, "the client is closed")
}
