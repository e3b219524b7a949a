//! How watches end, and who reads meanwhile.

use super::*;

#[test]
fn nothing_is_told_after_a_stop_whoever_stops() {
    let (client, wire, _) = bench();
    let told = Told::default();
    let slot: Arc<OnceLock<Watch>> = Arc::default();
    let (seen, own) = (told.clone(), slot.clone());
    let watch = client
        .watch_with(WatchSpec::key("a"), move |notice| {
            seen.0.lock().push(notice);
            // From inside, and twice.
            if let Some(watch) = own.get() {
                watch.stop();
                watch.stop();
            }
        })
        .unwrap();
    slot.set(watch.clone()).unwrap();
    wire.next().key(1, "x");
    assert_eq!(told.kinds(), [Initial]);
    watch.stop();
    assert!(wire.is_quiet());
    assert_eq!(watch.wait_newer(1, PATIENCE).unwrap_err().status(), Status::Cancelled);
    assert_eq!(value(&watch.state()).as_deref(), Some("x"));
}

#[test]
fn a_stop_waits_for_the_listener_that_runs() {
    let (client, wire, _) = bench();
    let (enter, entered) = crossbeam_channel::bounded(0);
    let (leave, left) = crossbeam_channel::bounded::<()>(0);
    let done = Arc::new(AtomicUsize::new(0));
    let finished = done.clone();
    let watch = client
        .watch_with(WatchSpec::key("a"), move |_| {
            enter.send(()).unwrap();
            left.recv().unwrap();
            finished.fetch_add(1, SeqCst);
        })
        .unwrap();
    let asked = wire.next();
    let answering = std::thread::spawn(move || asked.key(1, "x"));
    entered.recv().unwrap();
    let stopping = std::thread::spawn(move || {
        watch.stop();
        done.load(SeqCst)
    });
    std::thread::sleep(Duration::from_millis(20));
    assert!(!stopping.is_finished());
    leave.send(()).unwrap();
    assert_eq!(stopping.join().unwrap(), 1);
    answering.join().unwrap();
}

#[test]
fn stops_from_everywhere_race_with_answers() {
    for _ in 0..50 {
        let (client, wire, _) = bench();
        let told = Told::default();
        let watch = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
        let asked = wire.next();
        std::thread::scope(|scope| {
            scope.spawn(|| asked.key(1, "x"));
            let stoppers = [0; 3].map(|_| {
                scope.spawn(|| {
                    watch.stop();
                    told.kinds().len()
                })
            });
            let told_by_then = stoppers.map(|stopper| stopper.join().unwrap());
            assert!(told_by_then.iter().all(|&count| count == told.kinds().len()));
        });
    }
}

#[test]
fn readers_see_whole_states_while_they_change() {
    let (client, wire, clock) = bench();
    let watch = client.watch(WatchSpec::service("web")).unwrap();
    let entry = |id: usize| format!(r#"{{"Node":{{"Node":"n"}},"Service":{{"ID":"{id}"}}}}"#);
    let list = |count: usize| format!("[{}]", (0..count).map(entry).collect::<Vec<_>>().join(","));
    wire.next().answer(200, 1, list(1));
    let over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while !over.load(SeqCst) {
                    let (version, state) = (watch.version(), watch.state());
                    assert!(state.version() >= version && state.version() >= last);
                    last = state.version();
                    // The version of a state says how many there are.
                    assert_eq!(state.content().unwrap().len() as u64, state.version());
                    let pick = watch.pick(Strategy::LeastConnections).unwrap().unwrap();
                    let lease = pick.lease();
                    assert!(!pick.entry().service.id.is_empty());
                    drop(lease);
                }
            });
        }
        for count in 2..60 {
            clock.advance(Duration::from_secs(1));
            wire.next().answer(200, count as u64, list(count));
        }
        over.store(true, SeqCst);
    });
}

#[test]
fn a_forked_child_reads_what_there_was_and_begins_anew() {
    let (client, wire, _) = bench();
    let watch = client.watch(WatchSpec::key("a")).unwrap();
    wire.next().key(5, "parent's");
    let held = wire.next();
    let version = watch.version();
    let in_child = crate::sys::testing::in_child(|| {
        assert_eq!(value(&watch.state()).as_deref(), Some("parent's"));
        assert!(matches!(watch.freshness(), Freshness::Stale(_)));
        assert_eq!(watch.version(), version);
        // It was asked for anew when it was read.
        let asked = wire.next();
        assert_eq!(asked.index(), None);
        asked.key(6, "child's");
        assert_eq!(watch.freshness(), Freshness::Fresh);
        assert_eq!(value(&watch.state()).as_deref(), Some("child's"));
        assert_eq!(watch.version(), version + 1);
        watch.stop();
        0
    });
    assert_eq!(in_child, 0);
    assert!(!held.cancel.is_cancelled());
    assert_eq!(value(&watch.state()).as_deref(), Some("parent's"));
    assert_eq!(watch.freshness(), Freshness::Fresh);
}

#[test]
fn a_closed_client_ends_its_watches_with_one_last_notice() {
    let (client, wire, _) = bench();
    let told = Told::default();
    let watch = client.watch_with(WatchSpec::key("a"), told.listener()).unwrap();
    wire.next().key(1, "x");
    let held = wire.next();
    client.shutdown();
    client.shutdown();
    assert_eq!(told.kinds(), [Initial, Ended]);
    assert!(held.cancel.is_cancelled());
    assert!(matches!(watch.freshness(), Freshness::Stale(_)));
    assert_eq!(watch.wait_newer(1, PATIENCE).unwrap_err().status(), Status::Closed);
    assert_eq!(client.watch(WatchSpec::key("a")).unwrap_err().status(), Status::Closed);
}
