use super::*;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;

const PATIENCE: Duration = Duration::from_secs(60);

fn ok() -> Content {
    Content::plain(Ok(Status::Ok))
}

fn end(flight: Flight) {
    flight.end(EventKind::Done, ok);
}

fn next(queue: &Queue) -> Event {
    queue.next(PATIENCE).unwrap().unwrap()
}

fn is_readable(fd: RawFd) -> bool {
    // A look at it by its number, as a host has it.
    let link = format!("/proc/self/fdinfo/{fd}");
    let info = std::fs::read_to_string(link).unwrap();
    !info.lines().any(|line| line.replace(' ', "").ends_with("eventfd-count:0"))
}

#[test]
fn events_come_in_their_order_and_are_made_when_they_are_read() {
    let queue = Queue::new();
    let (first, second) = (queue.begin(1).unwrap(), queue.begin(2).unwrap());
    let reader = std::thread::current().id();
    second.end(EventKind::Done, move || {
        assert_eq!(std::thread::current().id(), reader);
        Content { outcome: Ok(Status::NotFound), result: Some(Box::new(7_u8)) }
    });
    std::thread::spawn(move || end(first)).join().unwrap();
    let event = next(&queue);
    assert_eq!((event.kind, event.tag), (EventKind::Done, 2));
    assert_eq!(event.content.outcome, Ok(Status::NotFound));
    assert_eq!(event.content.result.unwrap().downcast_ref(), Some(&7_u8));
    assert_eq!(next(&queue).tag, 1);
    assert!(queue.next(Duration::ZERO).unwrap().is_none());
}

#[test]
fn a_reader_waits_for_what_comes_later() {
    let queue = Queue::new();
    let flight = queue.begin(5).unwrap();
    let reader = std::thread::spawn({
        let queue = queue.clone();
        move || next(&queue).tag
    });
    end(flight);
    assert_eq!(reader.join().unwrap(), 5);
}

#[test]
fn operations_count_until_they_are_read() {
    let queue = Queue::new();
    queue.set_most(2);
    let (one, two) = (queue.begin(1).unwrap(), queue.begin(2).unwrap());
    assert_eq!(queue.begin(3).err().unwrap().status(), Status::Busy);
    let watch = queue.attach(9).unwrap();
    watch.tell(EventKind::Done, ok);
    end(one);
    assert_eq!(queue.begin(3).err().unwrap().status(), Status::Busy);
    assert_eq!((next(&queue).tag, next(&queue).tag), (9, 1));
    queue.begin(3).unwrap().call_off();
    end(queue.begin(3).unwrap());
    end(two);
    end(watch);
    assert_eq!([3, 2, 9].map(|_| next(&queue).tag), [3, 2, 9]);
    assert!(queue.begin(4).is_ok());
}

#[test]
fn a_tag_cancels_all_that_have_it() {
    let queue = Queue::new();
    let (one, other, same) =
        (queue.begin(1).unwrap(), queue.begin(2).unwrap(), queue.begin(1).unwrap());
    queue.cancel(1);
    assert!(one.cancel_token().is_cancelled() && same.cancel_token().is_cancelled());
    assert!(!other.cancel_token().is_cancelled());
}

#[test]
fn what_is_given_up_or_cannot_be_read_still_has_its_event() {
    let queue = Queue::new();
    drop(queue.begin(1).unwrap());
    queue.begin(2).unwrap().end(EventKind::Done, || panic!("out of luck"));
    for tag in [1, 2] {
        let event = next(&queue);
        assert_eq!(event.tag, tag);
        assert_eq!(event.content.outcome.unwrap_err().status(), Status::Internal);
    }
}

#[test]
fn a_wake_ends_one_wait_also_one_that_comes_later() {
    let queue = Queue::new();
    queue.wake();
    assert!(queue.next(Duration::MAX).unwrap().is_none());
    let reader = std::thread::spawn({
        let queue = queue.clone();
        move || queue.next(Duration::MAX).unwrap().is_none()
    });
    queue.wake();
    assert!(reader.join().unwrap());
}

/// Others than the I/O thread tell it as well.
#[test]
fn a_reader_that_runs_the_io_loop_meanwhile_misses_nothing() {
    let (io, queue) = (io::Io::get().unwrap(), Queue::new());
    let (send, seen) = std::sync::mpsc::channel();
    let reader = std::thread::spawn({
        let queue = queue.clone();
        move || {
            while let Ok(event) = queue.next(Duration::MAX) {
                send.send(event.map(|event| event.tag)).unwrap();
            }
        }
    });
    let driven = || {
        let is_driven = || queue.0.state.lock().driver.is_some();
        let last = Instant::now() + PATIENCE;
        while !is_driven() {
            assert!(Instant::now() < last);
            let flight = queue.begin(1).unwrap();
            io.run(move || end(flight));
            assert_eq!(seen.recv_timeout(PATIENCE), Ok(Some(1)));
            // Whatever the thread is given to do keeps it at its work.
            let until = Instant::now() + Duration::from_millis(10);
            while !is_driven() && Instant::now() < until {
                std::thread::yield_now();
            }
        }
    };
    driven();
    end(queue.begin(2).unwrap());
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(Some(2)));
    driven();
    queue.wake();
    assert_eq!(seen.recv_timeout(PATIENCE), Ok(None));
    driven();
    queue.close();
    reader.join().unwrap();
}

#[test]
fn a_closed_queue_ends_what_is_in_flight_silently() {
    let queue = Queue::new();
    let flight = queue.begin(1).unwrap();
    let reader = std::thread::spawn({
        let queue = queue.clone();
        move || queue.next(Duration::MAX).err().unwrap().status()
    });
    queue.close();
    assert!(flight.cancel_token().is_cancelled());
    end(flight);
    assert_eq!(reader.join().unwrap(), Status::Closed);
    assert_eq!(queue.begin(2).err().unwrap().status(), Status::Closed);
}

#[test]
fn the_descriptor_is_readable_while_something_waits() {
    let queue = Queue::new();
    end(queue.begin(1).unwrap());
    let fd = queue.fd().unwrap();
    assert!(is_readable(fd) && queue.fd() == Ok(fd));
    end(queue.begin(2).unwrap());
    next(&queue);
    assert!(is_readable(fd));
    next(&queue);
    assert!(!is_readable(fd));
    queue.wake();
    assert!(is_readable(fd));
    assert!(queue.next(Duration::ZERO).unwrap().is_none());
    assert!(!is_readable(fd));
}

#[test]
fn a_socket_gets_a_byte_each_time_that_something_comes_to_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    let queue = Queue::new();
    queue.serve(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut reader = UnixStream::connect(&path).unwrap();
    reader.set_read_timeout(Some(PATIENCE)).unwrap();
    for round in 0..3 {
        end(queue.begin(round).unwrap());
        end(queue.begin(round).unwrap());
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        assert_eq!(byte, [1]);
        next(&queue);
        next(&queue);
    }
    // Who comes later is told at once of what waits.
    end(queue.begin(9).unwrap());
    let mut late = UnixStream::connect(&path).unwrap();
    late.set_read_timeout(Some(PATIENCE)).unwrap();
    late.read_exact(&mut [0]).unwrap();
    queue.close();
    assert!(!path.exists());
}

#[test]
fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (queue, other) = (Queue::new(), Queue::new());
    queue.serve(&path).unwrap();
    let refused = other.serve(&path).unwrap_err();
    assert_eq!(refused.status(), Status::Io);
    assert!(refused.message().contains("queue"), "{refused}");
    let text = folder.path().join("text");
    std::fs::write(&text, "kept").unwrap();
    assert!(other.serve(&text).is_err());
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "kept");
}
