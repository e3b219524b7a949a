//! The news of an election on their way to a queue: never more than one unread of a kind, and the
//! last one that is read of "won" and "lost" tells how it is.

use super::outlet::Outlet;
use crate::error::{Error, Result, Status};
use crate::recipes::election::{ElectionListener, News};
use crate::runtime::queue::{Content, EventKind, Queue};
use crate::sync::Mutex;
use std::sync::Arc;

/// Where the news go.
struct Feed {
    outlet: Arc<Outlet>,
    unread: Mutex<Unread>,
}

/// What was told and not read yet.
#[derive(Default)]
struct Unread {
    changed: bool,
    won: bool,
    lost: bool,
    /// How it is: won, or lost for this reason.
    newest: Option<std::result::Result<(), Error>>,
}

impl Unread {
    fn flag(&mut self, kind: EventKind) -> &mut bool {
        match kind {
            EventKind::ElectionWon => &mut self.won,
            EventKind::ElectionLost => &mut self.lost,
            _ => &mut self.changed,
        }
    }

    /// What has to be told anew once this was read: where both were unread, the newest may be the
    /// one that was read first.
    fn read(&mut self, kind: EventKind) -> Option<EventKind> {
        *self.flag(kind) = false;
        if kind == EventKind::ElectionChanged || self.won || self.lost {
            return None;
        }
        let newest = kind_of(self.newest.as_ref()?);
        (newest != kind).then_some(newest)
    }
}

fn kind_of(newest: &std::result::Result<(), Error>) -> EventKind {
    match newest {
        Ok(()) => EventKind::ElectionWon,
        Err(_) => EventKind::ElectionLost,
    }
}

/// What listens for this queue.
pub(super) fn attach(queue: &Queue, tag: u64) -> Result<ElectionListener> {
    let outlet = Outlet::attach(queue, tag, EventKind::ElectionEnded)?;
    let feed = Arc::new(Feed { outlet, unread: Mutex::default() });
    Ok(Box::new(move |news| feed.hear(news)))
}

impl Feed {
    fn hear(self: &Arc<Feed>, news: News) {
        let newest = match news {
            News::Changed => return self.tell(EventKind::ElectionChanged),
            News::Ended(error) => return self.outlet.end(error),
            News::Won => Ok(()),
            News::Lost(error) => Err(error),
        };
        let kind = kind_of(&newest);
        self.unread.lock().newest = Some(newest);
        self.tell(kind);
    }

    fn tell(self: &Arc<Feed>, kind: EventKind) {
        if std::mem::replace(self.unread.lock().flag(kind), true) {
            return;
        }
        let feed = self.clone();
        self.outlet.tell(kind, move || feed.content(kind));
    }

    /// What an event says when it is read.
    fn content(self: &Arc<Feed>, kind: EventKind) -> Content {
        let (again, newest) = {
            let mut unread = self.unread.lock();
            (unread.read(kind), unread.newest.clone())
        };
        if let Some(again) = again {
            self.tell(again);
        }
        let lost = || Error::new(Status::LockLost, "the lock was lost");
        Content::plain(match (kind, newest) {
            (EventKind::ElectionLost, Some(Err(error))) => Err(error),
            (EventKind::ElectionLost, _) => Err(lost()),
            _ => Ok(Status::Ok),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn lost() -> News {
        News::Lost(Error::new(Status::LockLost, "gone"))
    }

    /// The kinds of the events that wait.
    fn kinds(queue: &Queue) -> Vec<EventKind> {
        let next = || queue.next(Duration::ZERO).unwrap();
        std::iter::from_fn(|| next().map(|event| event.kind)).collect()
    }

    #[test]
    fn the_last_event_that_is_read_tells_how_it_is() {
        use EventKind::{ElectionLost as Lost, ElectionWon as Won};
        let queue = Queue::new();
        let listener = attach(&queue, 1).unwrap();
        for news in [News::Won, lost(), News::Won] {
            listener(news);
        }
        assert_eq!(kinds(&queue), [Won, Lost, Won]);
        for _ in 0..100 {
            listener(lost());
            listener(News::Won);
        }
        listener(lost());
        assert_eq!(kinds(&queue), [Lost, Won, Lost]);
        listener(News::Won);
        assert_eq!(kinds(&queue), [Won]);
    }

    #[test]
    fn changes_that_nobody_reads_are_one_event() {
        let queue = Queue::new();
        let listener = attach(&queue, 1).unwrap();
        for _ in 0..3 {
            listener(News::Changed);
        }
        assert_eq!(kinds(&queue), [EventKind::ElectionChanged]);
    }

    #[test]
    fn who_is_replaced_leaves_without_a_word_and_who_is_cancelled_with_one() {
        let queue = Queue::new();
        drop(attach(&queue, 1).unwrap());
        assert_eq!(kinds(&queue), []);
        let listener = attach(&queue, 2).unwrap();
        queue.cancel(2);
        assert_eq!(kinds(&queue), [EventKind::ElectionEnded]);
        listener(News::Won);
        assert_eq!(kinds(&queue), []);
    }
}
