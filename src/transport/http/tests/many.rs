//! Many exchanges at once, on one thread.

use super::control::{GRACE, timed};
use super::*;
use crate::error::Status;
use crate::observe::library_threads;
use crate::runtime::io;
use crate::sys::testing::in_child;
use crate::transport::http::endpoint::MAX_IDLE_AGE;
use crate::transport::{CancelToken, Transport};
use std::sync::mpsc::channel;

/// Shorter than the deadlines of these requests, and than idle connections are kept.
const PATIENCE: Duration = Duration::from_secs(30);

/// Threads of this process by that name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    // One that has ended in the meantime has no name any more.
    let names =
        tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.filter(|found| found.trim() == name).count()
}

#[test]
fn two_hundred_clients_of_a_forked_child_use_one_thread_while_they_are_open() {
    let address = numbering();
    let status = in_child(|| {
        assert_eq!((threads("consul-io"), library_threads()), (0, 0));
        let transports: Vec<_> = (0..200).map(|_| transport(address.clone())).collect();
        assert_eq!(threads("consul-io"), 0);
        let answers: Vec<_> = transports
            .iter()
            .map(|transport| start(transport, request(Method::Get, "/")))
            .collect();
        for answer in answers {
            answer.recv_timeout(PATIENCE).unwrap().unwrap();
        }
        assert_eq!((threads("consul-io"), library_threads()), (1, 1));
        let (last, others) = transports.split_last().unwrap();
        others.iter().for_each(|transport| transport.close());
        get(last).unwrap();
        assert_eq!(threads("consul-io"), 1);
        last.close();
        assert!(last.wait_closed(Instant::now() + PATIENCE));
        assert!(io::wait_ended(Instant::now() + PATIENCE));
        assert_eq!(library_threads(), 0);
        // A thread that was waited for is listed for another moment.
        while threads("consul-io") > 0 {
            std::thread::yield_now();
        }
        // And again.
        get(&transport(address.clone())).unwrap();
        assert!(io::wait_ended(Instant::now() + PATIENCE));
        9
    });
    assert_eq!(status, 9);
}

/// A server that tells of every request and of every end, and answers nothing.
fn silent(connections: usize) -> (Server, std::sync::mpsc::Receiver<&'static str>) {
    let (send, news) = channel();
    let server = Server::start(connections, move |_, mut stream| {
        let send = send.clone();
        std::thread::spawn(move || {
            while read_request(&mut stream).is_some() {
                send.send("request").unwrap();
            }
            send.send("end").unwrap();
        });
    });
    (server, news)
}

#[test]
fn what_is_cancelled_ends_at_the_peer_at_once_and_nothing_else_does() {
    let (server, news) = silent(2);
    let transport = server.transport();
    let (cancelled, kept) = (CancelToken::new(), CancelToken::new());
    let begin = |cancel| {
        let cancel = Some(cancel);
        let answer = start(&transport, Request { cancel, ..request(Method::Get, "/") });
        assert_eq!(news.recv_timeout(PATIENCE), Ok("request"));
        answer
    };
    let (first, second) = (begin(&cancelled), begin(&kept));
    let ((), timing) = timed(|| {
        cancelled.cancel(Status::Cancelled, "enough");
        assert_eq!(news.recv_timeout(PATIENCE), Ok("end"));
    });
    assert!(timing.fair() < GRACE, "{timing:?}");
    let error = first.recv_timeout(PATIENCE).unwrap().unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Cancelled, true));
    assert!(second.try_recv().is_err());
    let ((), timing) = timed(|| transport.close());
    assert!(timing.fair() < GRACE, "{timing:?}");
    assert_eq!(second.recv_timeout(PATIENCE).unwrap().unwrap_err().status(), Status::Closed);
    assert_eq!(news.recv_timeout(PATIENCE), Ok("end"));
}

#[test]
fn those_that_wait_for_a_place_get_it_in_their_order_whether_they_block_or_not() {
    let (send, seen) = channel();
    let (go, turn) = crossbeam_channel::unbounded::<()>();
    let server = Server::start(2, move |_, mut stream| {
        let (send, turn) = (send.clone(), turn.clone());
        std::thread::spawn(move || {
            while let Some(request) = read_request(&mut stream) {
                send.send(request.split(' ').nth(1).unwrap().to_owned()).unwrap();
                turn.recv().unwrap();
                stream.write_all(ANSWER).unwrap();
            }
        });
    });
    let transport = with(&HttpConfig { max_connections: 1, ..config(server.address.clone()) });
    let waiting = || transport.pool().unwrap().budget.waiting();
    std::thread::scope(|scope| {
        let transport = &transport;
        for number in 0..6 {
            let target = format!("/{number}");
            // A thread for each: every other one blocks in it.
            scope.spawn(move || match number % 2 {
                0 => drop(exchange(transport, request(Method::Get, &target)).unwrap()),
                _ => drop(transport.exchange(request(Method::Get, &target)).unwrap()),
            });
            if number == 0 {
                assert_eq!(seen.recv_timeout(PATIENCE).unwrap(), "/0");
            }
            while waiting() < number {
                std::thread::yield_now();
            }
        }
        for number in 1..6 {
            go.send(()).unwrap();
            assert_eq!(seen.recv_timeout(PATIENCE), Ok(format!("/{number}")));
        }
        go.send(()).unwrap();
    });
}

#[test]
fn a_panic_of_who_gets_the_answer_harms_nobody() {
    let transport = transport(numbering());
    let owned = owned(&request(Method::Get, "/"));
    let done = Box::new(|_| {
        // As a panic, without its report, for which the other tests would have to wait.
        std::panic::resume_unwind(Box::new("out of luck"))
    });
    transport.clone().start(owned, CancelToken::new(), done);
    for _ in 0..3 {
        get(&transport).unwrap();
    }
}

#[test]
fn an_idle_connection_is_closed_when_its_time_is_over() {
    let (send, ended) = channel();
    let server = Server::start(1, move |_, stream| {
        answer_all(stream, ANSWER);
        send.send(()).unwrap();
    });
    let transport = server.transport();
    get(&transport).unwrap();
    let pool = transport.pool().unwrap();
    pool.sweep(Instant::now());
    assert!(ended.try_recv().is_err());
    get(&transport).unwrap();
    pool.sweep(Instant::now() + MAX_IDLE_AGE);
    ended.recv_timeout(PATIENCE).unwrap();
    server.join();
}

#[test]
fn a_connection_that_ends_while_it_is_idle_is_closed_at_once() {
    let server = Server::start(1, |_, mut stream| {
        read_request(&mut stream);
        stream.write_all(ANSWER).unwrap();
        rustix::net::shutdown(&stream, rustix::net::Shutdown::Write).unwrap();
        // The client's end follows, without another exchange.
        wait_for_close(stream);
    });
    let transport = server.transport();
    get(&transport).unwrap();
    server.join();
}

#[test]
fn an_io_thread_that_ends_by_itself_ends_what_is_in_flight_and_is_replaced_in_a_forked_child() {
    let (server, news) = silent(1);
    let (busy, idle) = (server.transport(), transport(numbering()));
    let status = in_child(|| {
        get(&idle).unwrap();
        let answer = start(&busy, request(Method::Get, "/"));
        busy.pool().unwrap().wait.break_it();
        let error = answer.recv_timeout(PATIENCE).unwrap().unwrap_err();
        assert_eq!(error.status(), Status::Internal, "{error}");
        get(&idle).unwrap();
        8
    });
    assert_eq!(status, 8);
    // Its connection was made; how far it got is not said.
    assert!(news.recv_timeout(PATIENCE).is_ok());
}
