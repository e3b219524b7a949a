//! Watches that share: a query, connections, threads.

use super::*;

#[test]
fn watches_of_the_same_thing_share_a_query_and_later_ones_need_no_answer() {
    let (client, wire, _) = bench();
    let one = client.watch(WatchSpec::key("a")).unwrap();
    let two = client.watch(WatchSpec::key("a").settle(ms(10), ms(20))).unwrap();
    wire.next().key(5, "x");
    let told = Told::default();
    let three = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
    assert_eq!(told.kinds(), [Initial]);
    assert!([&one, &two, &three].iter().all(|watch| value(&watch.state()).is_some()));
    let held = wire.next();
    assert!(wire.is_quiet());
    // Its query ends with the last of them.
    drop((one, two));
    assert!(!held.cancel.is_cancelled());
    drop(three);
    assert!(held.cancel.is_cancelled());
}

#[test]
fn what_was_given_up_is_remembered_when_nothing_is_watched_any_more() {
    let (client, wire, _) = bench();
    let mut waits = Vec::new();
    for _ in 0..40 {
        let watch = client.watch(WatchSpec::key("a")).unwrap();
        wire.next().key(5, "x");
        let held = wire.next();
        waits.push(held.target.rsplit_once("wait=").map(|(_, wait)| wait.to_string()));
        drop(watch);
    }
    // Consul still holds each of them for its wait: soon they wait for nothing any more.
    assert!(waits[..11].iter().all(|wait| wait.as_deref() == Some("30000ms")), "{waits:?}");
    assert!(waits[12..].iter().all(Option::is_none), "{waits:?}");
}

#[test]
fn clients_of_one_address_share_its_connections() {
    let (one, wire, clock) = bench();
    let config = Config::without_environment();
    let other = Client::for_test(&config, wire.clone(), clock);
    let watches: Vec<_> = [&one, &other]
        .iter()
        .flat_map(|client| (0..10).map(|n| client.watch(WatchSpec::key(n.to_string()))))
        .map(|watch| watch.unwrap())
        .collect();
    for _ in 0..20 {
        wire.next().answer(404, 5, "");
    }
    assert!(watches.iter().all(|watch| watch.version() == 1));
    let held: Vec<_> = (0..12).map(|_| wire.next()).collect();
    assert!(wire.is_quiet());
    let long = held.iter().filter(|asked| asked.target.contains("wait=30000ms")).count();
    assert_eq!(long, 11);
}

#[test]
fn what_has_ended_keeps_no_thread() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wire.next().key(5, "x");
    let hub = watch.0.watched.hub.clone();
    assert!(hub.has_threads());
    client.shutdown();
    // The handle is still there, and what it has found.
    assert!(!hub.has_threads());
    assert_eq!(value(&watch.state()).as_deref(), Some("x"));
}

#[test]
fn another_token_is_another_query() {
    let (client, wire, _) = bench();
    let spec = |token| WatchSpec::key("a").options(&Options::new().token(token));
    let _watches = ["one", "two", "one"].map(|token| client.watch(spec(token)).unwrap());
    let _asked = (wire.next(), wire.next());
    assert!(wire.is_quiet());
}

#[test]
fn many_more_watches_than_connections_have_their_turns() {
    let (client, wire, clock) = bench();
    let watches: Vec<_> =
        (0..100).map(|n| client.watch(WatchSpec::key(format!("k{n}"))).unwrap()).collect();
    let mut most = 0;
    let mut held: Vec<Asked> = Vec::new();
    let started = Instant::now();
    while watches.iter().any(|watch| watch.version() == 0) {
        assert!(started.elapsed() < PATIENCE);
        held.push(wire.next());
        most = most.max(held.len() + wire.asked.lock().len());
        // First reads are answered at once, waits are held.
        if held.last().unwrap().index().is_none() {
            held.pop().unwrap().answer(404, 5, "");
        } else if held.len() == 12 {
            clock.advance(Duration::from_secs(2));
            for asked in std::mem::take(&mut held) {
                asked.answer(404, 5, "");
            }
        }
    }
    assert!(most <= 12, "{most} at once");
}
