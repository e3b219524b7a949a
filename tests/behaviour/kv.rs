//! Keys and values on a real Consul.

use crate::clients::{client_at, client_with, shared_client};
use crate::support::control::timed;
use crate::support::fault::{Reply, Server};
use crate::support::{Consul, consul, unique};
use consul_ffi::api::kv::KvPair;
use consul_ffi::{Client, Options, Status};
use std::time::Duration;

/// The flag by which the official clients mark a lock; too large for a double.
const LOCK_FLAG: u64 = 0x2ddc_cbc0_58a5_0c18;

fn none() -> Options {
    Options::new()
}

fn get(client: &Client, key: &str) -> Option<KvPair> {
    client.kv().get(key, &none()).unwrap().value
}

fn read(client: &Client, key: &str) -> KvPair {
    get(client, key).unwrap_or_else(|| panic!("{key} does not exist"))
}

fn put(client: &Client, key: &str, value: &[u8]) {
    assert!(client.kv().put(key, value, 0, &none()).unwrap().value);
}

#[test]
fn an_absent_key_is_no_error_and_has_an_index_to_wait_on() {
    let Some(client) = shared_client() else { return };
    let answer = client.kv().get(&unique("absent"), &none()).unwrap();
    assert_eq!(answer.value, None);
    assert!(answer.meta.index >= 1 && answer.meta.known_leader);
}

#[test]
fn a_404_of_somebody_else_is_no_word_that_there_is_no_key() {
    // So Consul answers for a path that it does not know, as where `/v1` is in its address.
    let server = Server::answering(|_| Reply::bytes(404, "").header("Vary", "Accept-Encoding"));
    let client = client_at(server.address());
    let kv = client.kv();
    let errors = [
        kv.get("a", &none()).unwrap_err(),
        kv.list("a", &none()).unwrap_err(),
        kv.keys("a", None, &none()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!((error.status(), error.http_status()), (Status::Http, 404), "{error}");
        assert!(error.message().contains("is it Consul's address?"), "{error}");
    }
}

#[test]
fn what_is_put_is_got_with_its_flags() {
    let Some(client) = shared_client() else { return };
    let key = unique("kv");
    assert!(client.kv().put(&key, b"value", 42, &none()).unwrap().value);
    let answer = client.kv().get(&key, &none()).unwrap();
    let pair = answer.value.unwrap();
    assert_eq!((pair.key.as_str(), pair.value.as_slice(), pair.flags), (&*key, &b"value"[..], 42));
    assert_eq!((pair.session, pair.lock_index), (None, 0));
    assert_eq!(pair.create_index, pair.modify_index);
    assert_eq!(answer.meta.index, pair.modify_index);
}

#[test]
fn a_deleted_key_is_gone_and_deleting_an_absent_one_is_fine() {
    let Some(client) = shared_client() else { return };
    let key = unique("kv");
    put(&client, &key, b"x");
    for _ in 0..2 {
        assert!(client.kv().delete(&key, &none()).unwrap().value);
        assert_eq!(get(&client, &key), None);
    }
}

#[test]
fn a_prefix_is_listed_named_and_deleted_as_a_whole() {
    let Some(client) = shared_client() else { return };
    let prefix = unique("tree") + "/";
    let names: Vec<String> = (0..100).map(|number| format!("{prefix}{number:03}")).collect();
    for name in &names {
        put(&client, name, name.as_bytes());
    }
    let listed = client.kv().list(&prefix, &none()).unwrap();
    assert!(listed.meta.index > 0);
    assert_eq!(listed.value.iter().map(|pair| &pair.key).collect::<Vec<_>>(), {
        names.iter().collect::<Vec<_>>()
    });
    assert!(listed.value.iter().all(|pair| pair.value == pair.key.as_bytes()));
    assert_eq!(client.kv().keys(&prefix, None, &none()).unwrap().value, names);

    assert!(client.kv().delete_prefix(&prefix, &none()).unwrap().value);
    let listed = client.kv().list(&prefix, &none()).unwrap();
    assert!(listed.value.is_empty() && listed.meta.index > 0);
    let named = client.kv().keys(&prefix, None, &none()).unwrap();
    assert!(named.value.is_empty() && named.meta.index > 0);
}

#[test]
fn compare_and_set_with_index_0_creates_once() {
    let Some(client) = shared_client() else { return };
    let key = unique("cas");
    assert!(client.kv().cas(&key, b"first", 1, 0, &none()).unwrap().value);
    assert!(!client.kv().cas(&key, b"second", 2, 0, &none()).unwrap().value);
    assert_eq!(read(&client, &key).value, b"first");
}

#[test]
fn compare_and_set_writes_only_what_nobody_else_changed() {
    let Some(client) = shared_client() else { return };
    let key = unique("cas");
    put(&client, &key, b"old");
    let index = read(&client, &key).modify_index;
    assert!(!client.kv().cas(&key, b"new", 0, 1, &none()).unwrap().value);
    assert_eq!(read(&client, &key).value, b"old");
    assert!(client.kv().cas(&key, b"new", 0, index, &none()).unwrap().value);
    assert!(!client.kv().cas(&key, b"newer", 0, index, &none()).unwrap().value);
    assert_eq!(read(&client, &key).value, b"new");
}

#[test]
fn compare_and_delete_deletes_only_what_nobody_else_changed() {
    let Some(client) = shared_client() else { return };
    let key = unique("cas");
    put(&client, &key, b"x");
    for stale in [0, 1] {
        assert!(!client.kv().delete_cas(&key, stale, &none()).unwrap().value);
    }
    let index = read(&client, &key).modify_index;
    assert!(client.kv().delete_cas(&key, index, &none()).unwrap().value);
    assert_eq!(get(&client, &key), None);
    for any in [0, 1, index] {
        assert!(client.kv().delete_cas(&key, any, &none()).unwrap().value);
    }
}

#[test]
fn an_absent_key_can_be_waited_for() {
    let Some(client) = shared_client() else { return };
    let key = unique("watched");
    let start = client.kv().get(&key, &none()).unwrap().meta.index;
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut index = start;
            // Other tests' writes may wake the wait for a key that does not exist.
            loop {
                let answer = client.kv().get(&key, &none().index(index)).unwrap();
                assert!(answer.meta.index >= index);
                match answer.value {
                    Some(pair) => return (pair, answer.meta.index),
                    None => index = answer.meta.index,
                }
            }
        });
        put(&client, &key, b"here");
        let (pair, index) = watcher.join().unwrap();
        assert_eq!(pair.value, b"here");
        assert!(index > start);
    });
}

#[test]
fn an_absent_prefix_can_be_waited_for() {
    let Some(client) = shared_client() else { return };
    let prefix = unique("watched") + "/";
    let start = client.kv().list(&prefix, &none()).unwrap().meta.index;
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut index = start;
            loop {
                let answer = client.kv().list(&prefix, &none().index(index)).unwrap();
                if !answer.value.is_empty() {
                    return answer;
                }
                index = answer.meta.index;
            }
        });
        put(&client, &format!("{prefix}a"), b"here");
        let answer = watcher.join().unwrap();
        assert_eq!(answer.value.len(), 1);
        assert!(answer.meta.index > start);
    });
}

#[test]
fn a_write_elsewhere_does_not_end_the_wait_for_an_existing_key() {
    let Some(client) = shared_client() else { return };
    let key = unique("watched");
    put(&client, &key, b"x");
    let index = read(&client, &key).modify_index;
    let options = none().index(index).wait(Duration::from_millis(500));
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| timed(|| client.kv().get(&key, &options).unwrap()));
        for _ in 0..3 {
            put(&client, &format!("{key}-sibling"), unique("value").as_bytes());
        }
        let (answer, timing) = watcher.join().unwrap();
        assert!(timing.elapsed >= Duration::from_millis(500), "{timing:?}");
        assert_eq!(answer.meta.index, index);
    });
}

#[test]
fn an_index_that_consul_has_not_reached_waits_its_time_and_comes_back_smaller() {
    let Some(client) = shared_client() else { return };
    let key = unique("ahead");
    put(&client, &key, b"x");
    let ahead = 1 << 40;
    let options = none().index(ahead).wait(Duration::from_millis(500));
    let (answer, timing) = timed(|| client.kv().get(&key, &options).unwrap());
    assert!(timing.elapsed >= Duration::from_millis(500), "{timing:?}");
    assert!(answer.meta.index < ahead && answer.value.is_some());
}

fn session(client: &Client) -> String {
    use consul_ffi::api::session::SessionSpec;
    let none_at_all: [&str; 0] = [];
    let spec = SessionSpec::new().node_checks(none_at_all).lock_delay(Duration::ZERO);
    client.session().create(&spec, &none()).unwrap().value
}

#[test]
fn a_key_is_acquired_once_a_holder_and_counts_its_holders() {
    let Some(client) = shared_client() else { return };
    let (key, holder) = (unique("lock"), session(&client));
    let acquire =
        |value: &[u8]| client.kv().acquire(&key, value, LOCK_FLAG, &holder, &none()).unwrap().value;
    assert!(acquire(b"one"));
    let pair = read(&client, &key);
    assert_eq!((pair.lock_index, pair.session.as_ref()), (1, Some(&holder)));
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"one"[..], LOCK_FLAG));

    assert!(acquire(b"two"));
    let pair = read(&client, &key);
    assert_eq!((pair.value.as_slice(), pair.lock_index), (&b"two"[..], 1));

    assert!(client.kv().release(&key, b"three", LOCK_FLAG, &holder, &none()).unwrap().value);
    let pair = read(&client, &key);
    assert_eq!((pair.value.as_slice(), pair.lock_index, pair.session), (&b"three"[..], 1, None));

    assert!(acquire(b"four"));
    assert_eq!(read(&client, &key).lock_index, 2);
    client.session().destroy(&holder, &none()).unwrap();
}

#[test]
fn a_held_key_is_neither_acquired_nor_released_by_another_session() {
    let Some(client) = shared_client() else { return };
    let (key, holder, other) = (unique("lock"), session(&client), session(&client));
    assert!(client.kv().acquire(&key, b"a", 0, &holder, &none()).unwrap().value);
    assert!(!client.kv().acquire(&key, b"b", 0, &other, &none()).unwrap().value);
    assert!(!client.kv().release(&key, b"b", 0, &other, &none()).unwrap().value);
    let pair = read(&client, &key);
    assert_eq!((pair.value.as_slice(), pair.session.as_ref()), (&b"a"[..], Some(&holder)));
    for id in [&holder, &other] {
        client.session().destroy(id, &none()).unwrap();
    }
}

#[test]
fn an_absent_key_is_not_released() {
    let Some(client) = shared_client() else { return };
    let id = session(&client);
    assert!(!client.kv().release(&unique("absent"), b"", 0, &id, &none()).unwrap().value);
    client.session().destroy(&id, &none()).unwrap();
}

#[test]
fn acquiring_needs_a_session_that_lives() {
    let Some(client) = shared_client() else { return };
    let key = unique("lock");
    let acquire = |id: &str| client.kv().acquire(&key, b"", 0, id, &none()).unwrap_err();
    let unknown = acquire("11111111-2222-3333-4444-555555555555");
    assert_eq!(unknown.status(), Status::SessionInvalid);
    assert!(unknown.message().contains("invalid session"), "{unknown}");
    assert!(!unknown.is_outcome_unknown() && !unknown.is_retryable());
    let empty = acquire("");
    assert_eq!(empty.status(), Status::Argument);
    assert!(empty.message().contains("session id is empty"), "{empty}");
    assert_eq!(get(&client, &key), None);
}

#[test]
fn a_plain_write_to_a_held_key_is_done_and_leaves_it_held() {
    let Some(client) = shared_client() else { return };
    let (key, holder) = (unique("lock"), session(&client));
    assert!(client.kv().acquire(&key, b"a", 7, &holder, &none()).unwrap().value);
    put(&client, &key, b"b");
    let pair = read(&client, &key);
    assert_eq!((pair.value.as_slice(), pair.session.as_ref()), (&b"b"[..], Some(&holder)));
    client.session().destroy(&holder, &none()).unwrap();
}

#[test]
fn values_are_bytes_of_any_kind() {
    let Some(client) = shared_client() else { return };
    let all: Vec<u8> = (0..=255).collect();
    let values = [&all[..], b"", b"\0", b"null", b"\xff\xfe", b"true\n"];
    for value in values {
        let key = unique("bytes");
        put(&client, &key, value);
        assert_eq!(read(&client, &key).value, value);
        let raw = consul().unwrap().get(&format!("/v1/kv/{key}?raw"));
        assert_eq!(raw.body, value);
    }
}

#[test]
fn absent_empty_and_forbidden_are_three_things() {
    let Some(consul) = Consul::build().acl().start() else { return };
    let allowed = client_with(&consul.address(), &[("token", consul.token())]);
    put(&allowed, "empty", b"");
    assert_eq!(get(&allowed, "empty").unwrap().value, b"");
    assert_eq!(get(&allowed, "absent"), None);

    let nobody = client_at(&consul.address());
    for key in ["empty", "absent"] {
        let error = nobody.kv().get(key, &none()).unwrap_err();
        assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
        assert!(error.message().contains("Permission denied"), "{error}");
    }
    let error = nobody.kv().put("empty", b"x", 0, &none()).unwrap_err();
    assert_eq!((error.status(), error.is_outcome_unknown()), (Status::Denied, false));
    // What a token may not see is missing from lists, without a word.
    assert!(nobody.kv().list("", &none()).unwrap().value.is_empty());
    assert!(nobody.kv().keys("", None, &none()).unwrap().value.is_empty());

    let unknown = none().token("11111111-2222-3333-4444-555555555555");
    let error = allowed.kv().get("empty", &unknown).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
    assert!(error.message().contains("ACL not found"), "{error}");
}

#[test]
fn a_value_may_have_the_limits_length_and_no_byte_more() {
    let Some(consul) = consul() else { return };
    let client = client_at(&consul.address());
    let (key, limit) = (unique("large"), 524_288);
    let large = vec![b'x'; limit + 1];
    put(&client, &key, &large[..limit]);
    assert_eq!(read(&client, &key).value.len(), limit);

    let refused = client.kv().put(&key, &large, 0, &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 0));
    assert!(refused.message().contains("max_value_bytes"), "{refused}");

    let hopeful = client_with(&consul.address(), &[("max_value_bytes", "1000000")]);
    let refused = hopeful.kv().put(&key, &large, 0, &none()).unwrap_err();
    assert_eq!((refused.status(), refused.http_status()), (Status::TooLarge, 413));
    assert_eq!(read(&client, &key).value.len(), limit);
}

#[test]
fn flags_and_indexes_fill_64_bits() {
    let Some(client) = shared_client() else { return };
    for flags in [u64::MAX, 1 << 63, (1 << 53) + 1, LOCK_FLAG] {
        let key = unique("flags");
        client.kv().put(&key, b"", flags, &none()).unwrap();
        assert_eq!(read(&client, &key).flags, flags);
    }

    let index = 15_616_765_216_658_428_665;
    let server = Server::answering(move |_| {
        let pair = r#"[{"Key":"a","Value":null,"Flags":0,"LockIndex":18446744073709551615,
            "CreateIndex":9007199254740993,"ModifyIndex":15616765216658428665}]"#;
        Reply::json(200, pair).index(index)
    });
    let client = client_at(server.address());
    let answer = client.kv().get("a", &none().index(index)).unwrap();
    let pair = answer.value.unwrap();
    assert_eq!((answer.meta.index, pair.modify_index), (index, index));
    assert_eq!((pair.lock_index, pair.create_index), (u64::MAX, (1 << 53) + 1));
    client.kv().cas("a", b"", 0, index, &none()).unwrap_err();
    let requests = server.requests();
    assert_eq!(requests[0].parameter("index"), Some("15616765216658428665"));
    assert_eq!(requests[1].parameter("cas"), Some("15616765216658428665"));
}

#[test]
fn keys_with_odd_characters_are_written_read_listed_and_deleted_by_their_name() {
    let Some(client) = shared_client() else { return };
    let prefix = unique("odd") + "/";
    let keys: Vec<String> =
        ["a b", "a+b", "a%b", "a%2Fb", "a?b=c&d", "a#b", "é€", "a:b;c", "\"a\"", "<a>"]
            .iter()
            .map(|name| format!("{prefix}{name}"))
            .collect();
    for key in &keys {
        put(&client, key, key.as_bytes());
    }
    for key in &keys {
        assert_eq!(read(&client, key).value, key.as_bytes());
    }
    let mut sorted = keys.clone();
    sorted.sort();
    assert_eq!(client.kv().keys(&prefix, None, &none()).unwrap().value, sorted);
    for (left, key) in (0..keys.len()).rev().zip(&keys) {
        client.kv().delete(key, &none()).unwrap();
        assert_eq!(client.kv().list(&prefix, &none()).unwrap().value.len(), left);
    }
}

#[test]
fn a_key_that_consul_cannot_be_asked_for_is_refused_before_anything_is_sent() {
    let server = Server::answering(|_| Reply::text(200, "true"));
    let client = client_at(server.address());
    let (kv, none) = (client.kv(), none());
    for key in ["/a", "a//b", "a/../b", "a/./b", "..", "a\0b", "a\nb"] {
        let refused = [
            kv.put(key, b"", 0, &none).map(drop),
            kv.update(key, b"", &none).map(drop),
            kv.cas(key, b"", 0, 0, &none).map(drop),
            kv.acquire(key, b"", 0, "s", &none).map(drop),
            kv.release(key, b"", 0, "s", &none).map(drop),
            kv.get(key, &none).map(drop),
            kv.delete(key, &none).map(drop),
            kv.delete_cas(key, 1, &none).map(drop),
            kv.list(key, &none).map(drop),
            kv.keys(key, None, &none).map(drop),
            kv.delete_prefix(key, &none).map(drop),
        ];
        for (operation, result) in refused.into_iter().enumerate() {
            let error = result.unwrap_err();
            assert_eq!(error.status(), Status::Argument, "{operation} {key:?}");
            assert!(!error.is_outcome_unknown() && !error.message().is_empty());
        }
    }
    assert_eq!(kv.get("", &none).unwrap_err().status(), Status::Argument);
    assert_eq!(kv.delete_prefix("", &none).unwrap_err().status(), Status::Argument);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_slash_at_the_end_makes_another_key() {
    let Some(client) = shared_client() else { return };
    let key = unique("dir");
    put(&client, &key, b"file");
    put(&client, &format!("{key}/"), b"folder");
    assert_eq!(read(&client, &key).value, b"file");
    assert_eq!(read(&client, &format!("{key}/")).value, b"folder");
}

#[test]
fn names_end_at_the_separator_and_prefixes_are_bytes_not_paths() {
    let Some(client) = shared_client() else { return };
    let root = unique("levels");
    for name in ["a/b", "a/c/d", "a/c/e", "ax"] {
        put(&client, &format!("{root}/{name}"), b"");
    }
    let names = |prefix: &str, separator| {
        let keys = client.kv().keys(&format!("{root}/{prefix}"), separator, &none()).unwrap().value;
        keys.iter().map(|key| key[root.len() + 1..].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names("a/", Some("/")), ["a/b", "a/c/"]);
    assert_eq!(names("a", Some("/")), ["a/", "ax"]);
    assert_eq!(names("a/", None), ["a/b", "a/c/d", "a/c/e"]);
    let listed = client.kv().list(&format!("{root}/a"), &none()).unwrap().value;
    assert!(listed.iter().any(|pair| pair.key.ends_with("/ax")));
}

#[test]
fn the_root_of_an_empty_store_is_empty_and_no_error() {
    let Some(consul) = Consul::start() else { return };
    let client = client_at(&consul.address());
    assert!(client.kv().keys("", None, &none()).unwrap().value.is_empty());
    let listed = client.kv().list("", &none()).unwrap();
    assert!(listed.value.is_empty() && listed.meta.index > 0);
}

#[test]
fn writing_the_same_again_changes_no_index() {
    let Some(client) = shared_client() else { return };
    let key = unique("same");
    put(&client, &key, b"x");
    let before = read(&client, &key);
    put(&client, &key, b"x");
    assert_eq!(read(&client, &key), before);
}

#[test]
fn a_put_replaces_the_flags_and_an_update_keeps_them() {
    let Some(client) = shared_client() else { return };
    let key = unique("flags");
    assert!(client.kv().update(&key, b"new", &none()).unwrap().value);
    assert_eq!(read(&client, &key).flags, 0);
    client.kv().put(&key, b"a", LOCK_FLAG, &none()).unwrap();
    assert!(client.kv().update(&key, b"b", &none()).unwrap().value);
    let pair = read(&client, &key);
    assert_eq!((pair.value.as_slice(), pair.flags), (&b"b"[..], LOCK_FLAG));
    put(&client, &key, b"c");
    assert_eq!(read(&client, &key).flags, 0);
}

#[test]
fn updates_of_many_at_once_lose_no_flags() {
    let Some(client) = shared_client() else { return };
    let key = unique("flags");
    client.kv().put(&key, b"", LOCK_FLAG, &none()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4 {
            let (client, key) = (&client, &key);
            scope.spawn(move || {
                for round in 0..10 {
                    let value = format!("{writer}/{round}");
                    assert!(client.kv().update(key, value.as_bytes(), &none()).unwrap().value);
                }
            });
        }
    });
    assert_eq!(read(&client, &key).flags, LOCK_FLAG);
}

#[test]
fn an_update_gives_up_when_its_time_is_over() {
    let server = Server::answering(|request| match request.method.as_str() {
        "GET" => Reply::json(200, r#"[{"Key":"a","Flags":1,"ModifyIndex":5}]"#).index(5),
        _ => Reply::text(200, "false"),
    });
    let client = client_at(server.address());
    let time = Duration::from_millis(100);
    let options = none().timeout(time);
    let (outcome, timing) = timed(|| client.kv().update("a", b"x", &options));
    let error = outcome.unwrap_err();
    assert_eq!(error.status(), Status::Timeout);
    assert!(error.message().contains("/v1/kv/a"), "{error}");
    let requests = server.requests();
    match requests.get(1) {
        Some(write) => {
            assert_eq!((write.parameter("cas"), write.parameter("flags")), (Some("5"), Some("1")));
        }
        // The machine stood still.
        None => assert!(!timing.is_punctual(time / 2), "{timing:?}"),
    }
}

#[test]
fn an_unknown_datacenter_is_named_by_consul() {
    let Some(client) = shared_client() else { return };
    let options = none().datacenter("nowhere");
    let error = client.kv().get("a", &options).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 500));
    assert!(error.message().contains("No path to datacenter"), "{error}");
    assert!(!error.is_retryable());
    let error = client.kv().put("a", b"", 0, &options).unwrap_err();
    assert!(!error.is_outcome_unknown(), "{error}");
}

#[test]
fn the_empty_prefix_lists_all() {
    let Some(client) = shared_client() else { return };
    let key = unique("any");
    put(&client, &key, b"x");
    assert!(client.kv().keys("", None, &none()).unwrap().value.contains(&key));
    assert!(client.kv().list("", &none()).unwrap().value.iter().any(|pair| pair.key == key));
}
