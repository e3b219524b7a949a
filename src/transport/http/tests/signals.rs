//! Exchanges that a signal meets, on the thread that waits for the answer.

use super::*;
use crate::error::Status;
use crate::sys;
use std::sync::mpsc::channel;

#[test]
fn a_signal_interrupts_only_who_wants_it() {
    for interruptible in [false, true] {
        let (send, arrived) = channel();
        let (release, wait) = channel::<()>();
        let server = Server::start(1, move |_, mut stream| {
            read_request(&mut stream);
            send.send(()).unwrap();
            let _ = wait.recv();
            let _ = stream.write_all(ANSWER);
        });
        let transport = with(&HttpConfig { interruptible, ..config(server.address.clone()) });
        sys::testing::ignore_by_handler(libc::SIGUSR1);
        let (identify, identity) = channel();
        let call = std::thread::spawn(move || {
            identify.send(sys::testing::this_thread()).unwrap();
            get(&transport)
        });
        let thread = identity.recv().unwrap();
        arrived.recv().unwrap();
        // It may not have come to the wait yet, so more than one.
        while !call.is_finished() && (interruptible || sys::testing::handled() < 3) {
            sys::testing::signal(thread, libc::SIGUSR1);
            std::thread::sleep(Duration::from_millis(2));
        }
        drop(release);
        let result = call.join().unwrap();
        match interruptible {
            false => assert_eq!(result.unwrap().body, b"ok"),
            true => assert_eq!(result.unwrap_err().status(), Status::Interrupted),
        }
        server.join();
    }
}
