//! How fast exchanges are, measured and not asserted:
//! `sh tests/support/with-consul.sh cargo test --release --lib speed -- --ignored --nocapture`

use super::started::start;
use super::*;
use crate::transport::{CancelToken, OwnedRequest};
use crossbeam_channel::unbounded;

const IN_FLIGHT: usize = 32;
const TIME: Duration = Duration::from_secs(3);

fn consul() -> Option<Arc<HttpTransport>> {
    let address = Address::parse(&std::env::var("CONSUL_HTTP_ADDR").ok()?).unwrap();
    Some(with(&HttpConfig { max_connections: IN_FLIGHT, ..config(address) }))
}

fn owned() -> OwnedRequest {
    OwnedRequest {
        method: Method::Get,
        target: "/v1/kv/speed".to_owned(),
        headers: Vec::new(),
        body: None,
        deadline: Instant::now() + Duration::from_secs(20),
        connect_by: Instant::now() + Duration::from_secs(20),
        replay: true,
        max_answer: 1 << 20,
        lane: Lane::Calls,
        gone: None,
    }
}

/// Exchanges a second, with this many in flight, started by one thread, until that says enough.
fn started(
    transport: &Arc<HttpTransport>,
    in_flight: usize,
    enough: impl Fn(u32, Duration) -> bool,
) -> f64 {
    let (send, answers) = unbounded();
    let begin = || {
        let send = send.clone();
        let done = Box::new(move |result: Result<Response>| send.send(result).unwrap());
        transport.clone().start(owned(), CancelToken::new(), done);
    };
    let (begun, mut count) = (Instant::now(), 0);
    (0..in_flight).for_each(|_| begin());
    while !enough(count, begun.elapsed()) {
        answers.recv().unwrap().unwrap();
        count += 1;
        begin();
    }
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    (0..in_flight).for_each(|_| drop(answers.recv().unwrap()));
    rate
}

fn blocking(transport: &Arc<HttpTransport>) -> f64 {
    let (begun, mut count) = (Instant::now(), 0);
    while begun.elapsed() < TIME {
        transport.exchange(owned().borrow(&CancelToken::new())).unwrap();
        count += 1;
    }
    f64::from(count) / begun.elapsed().as_secs_f64()
}

#[test]
#[ignore = "a measurement"]
fn exchanges_a_second() {
    let Some(transport) = consul() else { return };
    let put = Request { body: Some(b"value"), ..request(Method::Put, "/v1/kv/speed") };
    transport.exchange(put).unwrap();
    start(&transport, request(Method::Get, "/v1/kv/speed")).recv().unwrap().unwrap();
    for _ in 0..3 {
        let one = blocking(&transport);
        println!("blocking, one thread: {one:.0}/s");
        for in_flight in [1, IN_FLIGHT] {
            let rate = started(&transport, in_flight, |_, time| time >= TIME);
            println!("started, {in_flight} in flight: {rate:.0}/s, {:.2} times", rate / one);
        }
    }
}

/// For strace: ten thousand exchanges, with the number in flight that the environment says.
#[test]
#[ignore = "a measurement"]
fn exchanges_to_be_counted() {
    let Some(transport) = consul() else { return };
    let in_flight = std::env::var("IN_FLIGHT").map_or(IN_FLIGHT, |text| text.parse().unwrap());
    started(&transport, in_flight, |count, _| count >= 10_000);
}
