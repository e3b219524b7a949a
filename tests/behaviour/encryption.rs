//! Values encrypted at rest on a real Consul: what Consul holds, and what clients with other keys get.

use crate::clients::{client_with, config};
use crate::quick::{PATIENCE, eventually, lock_spec, none, quick, session};
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::kv::Reencrypted;
use consul_ffi::api::txn::{Txn, TxnResult};
use consul_ffi::recipes::election::ElectionSpec;
use consul_ffi::recipes::fence::Fenced;
use consul_ffi::recipes::semaphore::SemaphoreSpec;
use consul_ffi::watch::{NoticeKind, WatchSpec};
use consul_ffi::{Client, Config, Status};
use std::sync::{Arc, Mutex};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OVERHEAD: usize = 61;

/// A client that encrypts below `prefix`.
fn sealing(consul: &Consul, key: &str, prefix: &str, more: &[(&str, &str)]) -> Client {
    let mut settings = vec![("encryption_key", key), ("encryption_prefixes", prefix)];
    settings.extend_from_slice(more);
    client_with(&consul.address(), &settings)
}

fn put(client: &Client, key: &str, value: &[u8]) {
    assert!(client.kv().put(key, value, 0, &none()).unwrap().value);
}

fn value(client: &Client, key: &str) -> Vec<u8> {
    client.kv().get(key, &none()).unwrap().value.unwrap().value
}

/// What Consul holds.
fn stored(consul: &Consul, key: &str) -> Vec<u8> {
    consul.get(&format!("/v1/kv/{key}?raw")).body
}

fn index(client: &Client, key: &str) -> u64 {
    client.kv().get(key, &none()).unwrap().value.unwrap().modify_index
}

#[test]
fn every_write_is_sealed_under_the_prefix_and_nothing_else_is() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[]);
    let (kv, key) = (client.kv(), format!("{prefix}a"));
    let session = client.session().create(&Default::default(), &none()).unwrap().value;
    let check = |plain: &[u8]| {
        let stored = stored(consul, &key);
        assert!(stored.starts_with(b"\0CFE\x01") && stored.len() == plain.len() + OVERHEAD);
        assert_eq!(value(&client, &key), plain);
    };
    assert!(kv.cas(&key, b"made", 7, 0, &none()).unwrap().value);
    check(b"made");
    assert!(kv.update(&key, b"updated", &none()).unwrap().value);
    check(b"updated");
    assert!(kv.acquire(&key, b"acquired", 7, &session, &none()).unwrap().value);
    check(b"acquired");
    assert!(kv.release(&key, b"released", 7, &session, &none()).unwrap().value);
    check(b"released");
    put(&client, &key, b"");
    check(b"");

    let outside = unique("plain");
    put(&client, &outside, b"plain");
    assert_eq!(stored(consul, &outside), b"plain");
    assert_eq!(value(&client, &outside), b"plain");

    let listed = kv.list(&prefix, &none()).unwrap().value;
    assert_eq!((listed[0].key.as_str(), listed[0].value.as_slice()), (key.as_str(), &b""[..]));
    assert_eq!(kv.keys(&prefix, None, &none()).unwrap().value, [key]);
}

/// Nothing of it may reach Consul: read by a client with a key, it would fail every list.
#[test]
fn a_plain_value_that_begins_like_an_encrypted_one_is_refused_however_it_is_written() {
    let value = &b"\0CFEhello, this is binary"[..];
    let server = Server::answering(|_| Reply::json(200, "null"));
    for prefix in ["sealed/", ""] {
        let settings = [("encryption_key", KEY), ("encryption_prefixes", prefix)];
        let client = client_with(server.address(), &settings);
        let (kv, options) = (client.kv(), none());
        let mut txn = Txn::new();
        txn.set("free", value, 0).unwrap();
        let exported = format!(
            r#"[{{"key":"free","value":"{}"}}]"#,
            base64_simd::STANDARD.encode_to_string(value)
        );
        let lock = || lock_spec("free").value(value);
        let held = client.lock(lock_spec("free")).unwrap();
        for refused in [
            kv.put("free", value, 0, &options).map(drop),
            kv.update("free", value, &options).map(drop),
            kv.cas("free", value, 0, 7, &options).map(drop),
            kv.acquire("free", value, 0, "session", &options).map(drop),
            kv.release("free", value, 0, "session", &options).map(drop),
            kv.import("", exported.as_bytes(), &options).map(drop),
            client.commit(&txn, &options).map(drop),
            client.lock(lock()).map(drop),
            held.set_value(value).map(drop),
            client.semaphore(SemaphoreSpec::new("free", 1).value(value)).map(drop),
            client.election(ElectionSpec::new("free").value(value)).map(drop),
        ] {
            let error = refused.unwrap_err();
            assert_eq!(error.status(), Status::Argument, "{error}");
            assert!(error.message().contains("encryption_prefixes"), "{error}");
        }
    }
    assert!(server.requests().is_empty());
    // Who has no key cannot take it for an encrypted one.
    client_with(server.address(), &[]).kv().put("free", value, 0, &none()).map(drop).unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

/// It moves what is stored, also where the keys that encrypted it are not set.
#[test]
fn encrypted_values_are_imported_by_who_has_a_key() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let (one, other) = (sealing(consul, KEY, &prefix, &[]), sealing(consul, OTHER, "none/", &[]));
    let key = format!("{prefix}a");
    put(&one, &key, b"");
    let exported = one.kv().export(&prefix, &none()).unwrap();
    assert_eq!(other.kv().import("", &exported, &none()).unwrap(), 1);
    assert_eq!(value(&one, &key), b"");
}

#[test]
fn the_limit_counts_what_is_sent() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[("max_value_bytes", "100")]);
    let key = format!("{prefix}a");
    put(&client, &key, &[1; 100 - OVERHEAD]);
    let long = [1; 101 - OVERHEAD];
    assert_eq!(client.kv().put(&key, &long, 0, &none()).unwrap_err().status(), Status::TooLarge);
    let mut txn = Txn::new();
    txn.set(&key, &long, 0).unwrap();
    assert_eq!(client.commit(&txn, &none()).unwrap_err().status(), Status::TooLarge);
}

#[test]
fn a_transaction_seals_what_it_writes_and_opens_what_it_reads() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[("encryption_allow_plain", "false")]);
    let (a, b, plain) = (format!("{prefix}a"), format!("{prefix}b"), unique("plain"));
    let mut txn = Txn::new();
    txn.set(&a, b"1", 3).unwrap().cas(&b, b"2", 0, 0).unwrap().set(&plain, b"3", 0).unwrap();
    txn.get(&a).unwrap().get_tree(&prefix).unwrap().get(&plain).unwrap();
    let outcome = client.commit(&txn, &none()).unwrap().value;
    assert_eq!(outcome.errors(), []);
    let values: Vec<&[u8]> = outcome
        .results()
        .iter()
        .map(|result| match result {
            TxnResult::Kv(pair) => pair.value.as_slice(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(values, [&b""[..], b"", b"", b"1", b"1", b"2", b"3"]);
    assert!(stored(consul, &a).starts_with(b"\0CFE") && stored(consul, &b).starts_with(b"\0CFE"));
    assert_eq!(stored(consul, &plain), b"3");
}

#[test]
fn a_lock_and_its_fence_work_on_encrypted_values() {
    let Some(consul) = quick() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[("min_session_ttl_ms", "1000")]);
    let (key, data) = (format!("{prefix}lock"), format!("{prefix}data"));
    let lock = client.lock(lock_spec(&key).value("mine")).unwrap();
    assert!(lock.acquire(PATIENCE).unwrap());
    assert!(stored(consul, &key).starts_with(b"\0CFE"));
    assert_eq!(value(&client, &key), b"mine");
    let fence = client.fence(&key, lock.session_id().unwrap());
    assert_eq!(fence.put(&data, b"fenced", 0, &none()).unwrap(), Fenced::Done);
    assert!(stored(consul, &data).starts_with(b"\0CFE"));
    assert_eq!(value(&client, &data), b"fenced");
    lock.release().unwrap();
    assert_eq!(value(&client, &key), b"mine");

    let slots = format!("{prefix}slots");
    let spec = SemaphoreSpec::new(&slots, 1).session_spec(session());
    let (semaphore, other) =
        (client.semaphore(spec.clone()).unwrap(), client.semaphore(spec).unwrap());
    assert!(semaphore.acquire(PATIENCE).unwrap());
    assert!(stored(consul, &format!("{slots}/.lock")).starts_with(b"\0CFE"));
    assert!(!other.try_acquire().unwrap());
    semaphore.release().unwrap();
    assert!(other.acquire(PATIENCE).unwrap());
    other.release().unwrap();
}

#[test]
fn what_cannot_be_decrypted_is_an_error_that_names_it() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[]);
    let (a, b) = (format!("{prefix}a"), format!("{prefix}b"));
    put(&client, &a, b"secret");
    let sealed = stored(consul, &a);

    // Under another key, and by a list and a transaction too.
    let stranger = sealing(consul, OTHER, &prefix, &[]);
    let mut txn = Txn::new();
    txn.get(&a).unwrap();
    for error in [
        stranger.kv().get(&a, &none()).unwrap_err(),
        stranger.kv().list(&prefix, &none()).unwrap_err(),
        stranger.commit(&txn, &none()).unwrap_err(),
    ] {
        assert_eq!((error.status(), error.is_retryable()), (Status::Crypto, false));
        assert!(
            error.message().contains(&a) && error.message().contains("under the key "),
            "{error}"
        );
        assert!(!error.message().contains(OTHER) && !error.is_outcome_unknown(), "{error}");
    }

    // Moved to another key of Consul.
    consul.put(&format!("/v1/kv/{b}"), &sealed);
    let error = client.kv().get(&b, &none()).unwrap_err();
    assert_eq!(error.status(), Status::Crypto);
    assert!(error.message().contains(&b), "{error}");

    // One byte changed.
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    consul.put(&format!("/v1/kv/{a}"), &changed);
    assert_eq!(client.kv().get(&a, &none()).unwrap_err().status(), Status::Crypto);

    // And as it was.
    consul.put(&format!("/v1/kv/{a}"), &sealed);
    assert_eq!(value(&client, &a), b"secret");
}

#[test]
fn keys_are_rotated_and_plain_values_taken_in() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let name = |name: &str| format!("{prefix}in/{name}");
    let inside = name("");
    let before = sealing(consul, OTHER, &inside, &[]);
    for old in ["a", "b", "held"] {
        assert!(before.kv().put(&name(old), old.as_bytes(), 9, &none()).unwrap().value);
    }
    let session = before.session().create(&Default::default(), &none()).unwrap().value;
    assert!(before.kv().acquire(&name("held"), b"held", 9, &session, &none()).unwrap().value);
    consul.put(&format!("/v1/kv/{}?flags=5", name("plain")), b"plain");
    consul.put(&format!("/v1/kv/{prefix}outside"), b"outside");
    let mut broken = stored(consul, &name("a"));
    broken[50] ^= 1;
    consul.put(&format!("/v1/kv/{}", name("broken")), &broken);

    let after = sealing(consul, KEY, &inside, &[("encryption_old_keys", OTHER)]);
    put(&after, &name("new"), b"new");
    let done = after.kv().reencrypt(&prefix, &none()).unwrap().value;
    assert_eq!(done, Reencrypted { rewritten: 3, current: 1, held: 1, outside: 1, failed: 1 });

    // Only the new key is needed now, and no flag was lost.
    let strict = [("encryption_allow_plain", "false")];
    let alone = sealing(consul, KEY, &inside, &strict);
    for (key, flags) in [("a", 9), ("b", 9), ("plain", 5), ("new", 0)] {
        let pair = alone.kv().get(&name(key), &none()).unwrap().value.unwrap();
        assert_eq!((pair.value.as_slice(), pair.flags), (key.as_bytes(), flags));
    }
    // A plain value is refused, and not made a trusted one, where plain is not allowed.
    consul.put(&format!("/v1/kv/{}", name("plain")), b"planted");
    let error = alone.kv().get(&name("plain"), &none()).unwrap_err();
    assert!(error.message().contains("encryption_allow_plain"), "{error}");
    let done = alone.kv().reencrypt(&inside, &none()).unwrap().value;
    assert_eq!((done.rewritten, done.current, done.failed), (0, 3, 3));

    let plain = client_with(&consul.address(), &[]);
    assert_eq!(plain.kv().reencrypt("a", &none()).unwrap_err().status(), Status::Config);
}

/// What [`sealing`] makes a client of.
fn sealed_config(consul: &Consul, settings: &[(&str, &str)]) -> Config {
    let mut config = Config::without_environment();
    config.set("address", &consul.address()).unwrap();
    settings.iter().for_each(|(name, value)| config.set(name, value).unwrap());
    config
}

#[test]
fn keys_are_changed_by_a_reload_and_each_opens_what_is_read_from_then_on() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let (old, new) = (format!("{prefix}old"), format!("{prefix}new"));
    let client = sealing(consul, OTHER, &prefix, &[]);
    let reload = |key: &str, more: &[(&str, &str)]| {
        let named = [("encryption_key", key), ("encryption_prefixes", prefix.as_str())];
        client.reload(&sealed_config(consul, &[&named, more].concat()))
    };
    put(&client, &old, b"under the old key");
    let watch = client.watch(WatchSpec::key(&old)).unwrap();
    watch.wait_ready(PATIENCE).unwrap();

    // Rotation: the old key stays listed.
    reload(KEY, &[("encryption_old_keys", OTHER)]).unwrap();
    assert_eq!(value(&client, &old), b"under the old key");
    put(&client, &new, b"under the new key");
    assert_eq!(value(&sealing(consul, KEY, &prefix, &[]), &new), b"under the new key");
    let stranger = sealing(consul, OTHER, &prefix, &[]);
    assert_eq!(stranger.kv().get(&new, &none()).unwrap_err().status(), Status::Crypto);

    // What cannot be a key changes nothing.
    let error = reload("c2hvcnQ=", &[]).unwrap_err();
    assert_eq!(error.status(), Status::Config);
    assert_eq!(value(&client, &old), b"under the old key");

    // Not listed any more: refused, whatever reads it, and what is under the new key is not.
    reload(KEY, &[]).unwrap();
    let error = client.kv().get(&old, &none()).unwrap_err();
    assert_eq!((error.status(), error.is_retryable()), (Status::Crypto, false));
    assert!(error.message().contains(&old), "{error}");
    assert_eq!(client.kv().list(&prefix, &none()).unwrap_err().status(), Status::Crypto);
    assert_eq!(value(&client, &new), b"under the new key");
    // A query that a watch has sent before ends as it began; the next one cannot open it.
    let seen = || watch.state().content().unwrap().pair(&old).unwrap().value.clone();
    let fails = || watch.stats().consecutive_failures > 0;
    put(&stranger, &old, b"seen by the query of before");
    eventually("what was sent before ends", || fails() || seen() == b"seen by the query of before");
    let last = seen();
    put(&stranger, &old, b"by one who has the old key");
    eventually("the watch cannot open it", fails);
    assert_eq!(watch.stats().last_error.unwrap().status(), Status::Crypto);
    assert_eq!(seen(), last);

    // Listed again, the watch has what it could not open; and encrypted anew nobody needs it.
    reload(KEY, &[("encryption_old_keys", OTHER)]).unwrap();
    eventually("the watch opens it", || seen() == b"by one who has the old key");
    assert_eq!(client.kv().reencrypt(&prefix, &none()).unwrap().value.rewritten, 1);
    reload(KEY, &[]).unwrap();
    assert_eq!(value(&client, &old), b"by one who has the old key");

    // Plain values are refused, and another prefix is encrypted, from the reload on.
    let plain = format!("{prefix}plain");
    consul.put(&format!("/v1/kv/{plain}"), b"planted");
    assert_eq!(value(&client, &plain), b"planted");
    reload(KEY, &[("encryption_allow_plain", "false")]).unwrap();
    assert_eq!(client.kv().get(&plain, &none()).unwrap_err().status(), Status::Crypto);
    let outside = unique("outside");
    let named = [("encryption_key", KEY), ("encryption_prefixes", outside.as_str())];
    client.reload(&sealed_config(consul, &named)).unwrap();
    put(&client, &outside, b"x");
    put(&client, &plain, b"x");
    assert!(stored(consul, &outside).starts_with(b"\0CFE"));
    assert_eq!(stored(consul, &plain), b"x");
}

#[test]
fn a_watch_gives_plain_text_and_does_not_tell_of_a_new_salt() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[]);
    let key = format!("{prefix}a");
    put(&client, &key, b"1");
    let told: Arc<Mutex<Vec<NoticeKind>>> = Arc::default();
    let listener = told.clone();
    let watch = client
        .watch_with(WatchSpec::prefix(&prefix), move |notice| {
            listener.lock().unwrap().push(notice.kind);
        })
        .unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    let seen = || {
        let state = watch.state();
        let pair = state.content().unwrap().pair(&key).cloned().unwrap();
        (pair.value, pair.modify_index, state.version())
    };
    assert_eq!(seen(), (b"1".to_vec(), index(&client, &key), 1));

    // The same again: another cipher text, another index, no change.
    put(&client, &key, b"1");
    let newest = index(&client, &key);
    eventually("the newest index is seen", || seen().1 == newest);
    assert_eq!(seen(), (b"1".to_vec(), newest, 1));

    put(&client, &key, b"2");
    assert!(watch.wait_newer(1, PATIENCE).unwrap().is_some());
    assert_eq!(seen(), (b"2".to_vec(), index(&client, &key), 2));
    watch.stop();
    assert_eq!(*told.lock().unwrap(), [NoticeKind::Initial, NoticeKind::Changed]);
}

#[test]
fn a_watch_follows_a_reload_that_encrypts_something_else() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, "elsewhere/", &[]);
    let key = format!("{prefix}a");
    put(&client, &key, b"1");
    let watch = client.watch(WatchSpec::key(&key)).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    let address = consul.address();
    client
        .reload(&config(&address, &[("encryption_key", KEY), ("encryption_prefixes", &prefix)]))
        .unwrap();
    put(&client, &key, b"1");
    assert!(stored(consul, &key).starts_with(b"\0CFE\x01"));
    let newest = index(&client, &key);
    let seen = || watch.state().content().unwrap().pair(&key).unwrap().modify_index;
    eventually("the newest index is seen", || seen() == newest);
    assert_eq!(watch.state().version(), 1);
}

#[test]
fn a_watch_fails_without_losing_what_it_had_and_recovers() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[]);
    let key = format!("{prefix}a");
    put(&client, &key, b"1");
    let watch = client.watch(WatchSpec::key(&key)).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    put(&sealing(consul, OTHER, &prefix, &[]), &key, b"2");
    eventually("the watch fails", || watch.stats().consecutive_failures > 0);
    assert_eq!(watch.stats().last_error.unwrap().status(), Status::Crypto);
    assert_eq!(watch.state().content().unwrap().pair(&key).unwrap().value, b"1");
    put(&client, &key, b"3");
    assert!(watch.wait_newer(1, PATIENCE).unwrap().is_some());
    assert_eq!(watch.state().content().unwrap().pair(&key).unwrap().value, b"3");
}

#[test]
fn the_last_good_file_holds_no_plain_text() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("last-good");
    let client = sealing(consul, KEY, &prefix, &[]);
    let key = format!("{prefix}a");
    put(&client, &key, b"a secret to keep");
    let spec = WatchSpec::key(&key).last_good_file(&path);
    let watch = client.watch(spec.clone()).unwrap();
    watch.wait_ready(PATIENCE).unwrap();
    eventually("the file is written", || path.exists());
    watch.stop();
    let file = std::fs::read(&path).unwrap();
    let body = &file[file.iter().position(|&byte| byte == b'\n').unwrap() + 1..];
    let answer: serde_json::Value = serde_json::from_slice(body).unwrap();
    let sealed = answer[0]["Value"].as_str().unwrap();
    // Base64 of the four bytes that an encrypted value begins with.
    assert!(sealed.starts_with("AENGR"), "{sealed}");

    // Consul away: the file is read with the key, and is nothing without it.
    let away = |key| {
        let settings = [("encryption_key", key), ("encryption_prefixes", prefix.as_str())];
        client_with("http://127.0.0.1:1", &settings)
    };
    let watch = away(KEY).watch(spec.clone()).unwrap();
    assert_eq!(watch.state().content().unwrap().pair(&key).unwrap().value, b"a secret to keep");
    let stranger = away(OTHER).watch(spec).unwrap();
    assert!(stranger.state().content().is_none());
}

#[test]
fn an_export_moves_what_is_stored() {
    let Some(consul) = consul() else { return };
    let prefix = unique("sealed") + "/";
    let client = sealing(consul, KEY, &prefix, &[]);
    let key = format!("{prefix}a");
    put(&client, &key, b"secret");
    let before = stored(consul, &key);
    let exported = client.kv().export(&prefix, &none()).unwrap();
    let listed: serde_json::Value = serde_json::from_slice(&exported).unwrap();
    assert!(listed[0]["value"].as_str().unwrap().starts_with("AENGR"), "{listed}");
    // Whoever moves it needs no key.
    let mover = client_with(&consul.address(), &[]);
    assert!(mover.kv().delete(&key, &none()).unwrap().value);
    assert_eq!(mover.kv().import("", &exported, &none()).unwrap(), 1);
    assert_eq!(stored(consul, &key), before);
    // Nor does a client that has one encrypt it a second time.
    assert_eq!(client.kv().import("", &exported, &none()).unwrap(), 1);
    assert_eq!(stored(consul, &key), before);
    assert_eq!(value(&client, &key), b"secret");
}
