//! A lock whose client is let go of right after it.

use super::*;
use crate::client::Embedded;
use crate::config::Config;

#[test]
fn who_retires_ends_calls_at_once_and_gives_back_what_was_let_go_of() {
    let mut config = Config::without_environment();
    config.set("address", "embedded:retires").unwrap();
    let (client, other) = (Client::new(&config).unwrap(), Client::new(&config).unwrap());
    let agent = Embedded::of(&other).unwrap();
    agent.stop_clock();
    let lock = client.lock(LockSpec::new("held")).unwrap();
    lock.acquire(SECOND).unwrap();
    let waiting = agent.waiting();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let options = Options::new().index(1_000_000).wait(60 * SECOND);
            client.kv().get("a", &options)
        });
        while agent.waiting() == waiting {
            std::thread::yield_now();
        }
        agent.set_latency(SECOND);
        drop(lock);
        client.retire();
        assert_eq!(waits.join().unwrap().unwrap_err().status(), Status::Closed);
    });
    agent.reset_faults();
    let held = |index: u64| {
        let options = Options::new().index(index).wait(60 * SECOND);
        let answer = other.kv().get("held", &options).unwrap();
        (answer.value.unwrap().session.is_some(), answer.meta.index)
    };
    let (mut is_held, mut index) = held(0);
    assert!(is_held);
    agent.advance(SECOND);
    while is_held {
        (is_held, index) = held(index);
    }
}
