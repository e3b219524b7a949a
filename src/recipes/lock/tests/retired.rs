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
    agent.advance(SECOND);
    let until = Instant::now() + PATIENCE;
    let held = || other.kv().get("held", &Options::new()).unwrap().value.unwrap().session.is_some();
    while held() {
        assert!(Instant::now() < until);
        std::thread::yield_now();
    }
}
