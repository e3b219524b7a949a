//! The last-good file.

use super::*;

#[test]
fn a_file_gives_a_cold_start_something_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    let spec = || WatchSpec::key("a").last_good_file(&path);
    {
        let (client, wire, _) = bench();
        let watch = client.watch(spec()).unwrap();
        assert_eq!(watch.freshness(), Freshness::Pending);
        wire.next().key(7, "kept");
        eventually("the file is written", || path.exists());
        assert!(watch.stats().last_good_error.is_none());
    }
    let (client, wire, clock) = bench();
    let told = Told::default();
    let watch = client.watch_with(spec(), told.listener()).unwrap();
    let state = watch.wait_ready(Duration::ZERO).unwrap();
    assert_eq!(value(&state).as_deref(), Some("kept"));
    clock.advance(Duration::from_secs(5));
    let Freshness::Stale(age) = watch.freshness() else { panic!("{:?}", watch.freshness()) };
    assert!(age >= Duration::from_secs(5) && age < PATIENCE + PATIENCE, "{age:?}");
    wire.next().key(7, "kept");
    assert_eq!((told.kinds(), watch.freshness()), (vec![Initial, Recovered], Freshness::Fresh));
    wire.next().key(8, "new");
    assert_eq!(told.kinds(), [Initial, Recovered, Changed]);
    eventually("the file holds the new value", || {
        std::fs::read_to_string(&path).is_ok_and(|text| text.contains(&key("new")))
    });
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn a_file_that_is_torn_or_of_another_question_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.json");
    {
        let (client, wire, _) = bench();
        let _watch = client.watch(WatchSpec::key("a").last_good_file(&path)).unwrap();
        wire.next().key(7, "kept");
        eventually("the file is written", || path.exists());
    }
    let whole = std::fs::read(&path).unwrap();
    let pending = |spec: WatchSpec, bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let (client, _wire, _) = bench();
        let watch = client.watch(spec.last_good_file(&path)).unwrap();
        watch.freshness() == Freshness::Pending
    };
    assert!(!pending(WatchSpec::key("a"), &whole));
    assert!(pending(WatchSpec::key("b"), &whole));
    for end in 0..whole.len() {
        assert!(pending(WatchSpec::key("a"), &whole[..end]), "cut at {end}");
    }
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert!(pending(WatchSpec::key("a"), &flipped));
}
