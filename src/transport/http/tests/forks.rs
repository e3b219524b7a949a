//! Processes that fork with warm connections.

use super::*;
use crate::sys::testing::in_child;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

fn number(response: Result<Response>) -> i32 {
    String::from_utf8(response.unwrap().body).unwrap().parse().unwrap()
}

#[test]
fn a_child_opens_connections_of_its_own_and_leaves_its_parents_alone() {
    let transport = transport(numbering());
    assert_eq!(number(get(&transport)), 0);
    for child in 1..4 {
        let status = in_child(|| {
            let first = number(get(&transport));
            assert_eq!(number(get(&transport)), first);
            // A grandchild has its own, too.
            let grandchild = in_child(|| number(get(&transport)));
            assert_ne!(grandchild, first);
            assert_eq!(number(get(&transport)), first);
            transport.close();
            first
        });
        assert_eq!(status, 2 * child - 1);
        assert_eq!(number(get(&transport)), 0);
    }
    assert_eq!(transport.usage(), Usage { in_flight: 0, connections: 1 });
    let status = in_child(|| {
        assert_eq!(transport.usage(), Usage::default());
        get(&transport).unwrap();
        transport.usage().connections as i32
    });
    assert_eq!(status, 1);
    transport.close();
    let status = in_child(|| get(&transport).unwrap_err().status() as i32 & 0xff);
    assert_eq!(status, crate::error::Status::Closed as i32 & 0xff);
}

#[test]
fn the_parents_connection_ends_although_a_child_has_a_copy() {
    let (send, ended) = std::sync::mpsc::channel();
    let server = Server::start(1, move |_, stream| {
        answer_all(stream, ANSWER);
        send.send(()).unwrap();
    });
    let transport = server.transport();
    get(&transport).unwrap();
    // The child lives until its parent has closed, and only then ends itself.
    let (mut wait, go) = std::io::pipe().unwrap();
    let (mut born, birth) = std::io::pipe().unwrap();
    let child = std::thread::spawn(move || {
        in_child(|| {
            (&birth).write_all(b"x").unwrap();
            wait.read(&mut [0]).unwrap() as i32
        })
    });
    born.read_exact(&mut [0]).unwrap();
    transport.close();
    ended.recv_timeout(Duration::from_secs(30)).unwrap();
    (&go).write_all(b"x").unwrap();
    assert_eq!(child.join().unwrap(), 1);
}

#[test]
fn a_fork_amid_exchanges_of_other_threads_hangs_nobody() {
    // Most of the threads wait for a place: what they sleep in must not be in their child's way.
    let transport = with(&HttpConfig { max_connections: 2, ..config(numbering()) });
    let (over, count) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| {
                while !over.load(SeqCst) {
                    get(&transport).unwrap();
                    count.fetch_add(1, SeqCst);
                }
            });
        }
        for _ in 0..20 {
            let status = in_child(|| {
                std::thread::scope(|scope| {
                    for _ in 0..24 {
                        scope.spawn(|| (0..5).for_each(|_| drop(get(&transport).unwrap())));
                    }
                });
                5
            });
            assert_eq!(status, 5);
        }
        over.store(true, SeqCst);
    });
    assert!(count.load(SeqCst) > 0);
}
