//! Keys as Consul's own command writes and reads them.

use crate::clients::client_of;
use crate::deferred::wait;
use crate::support::{Consul, consul, unique};
use consul_ffi::{Options, Status};
use std::io::Write;
use std::process::{Command, Stdio};

fn none() -> Options {
    Options::new()
}

/// `consul kv` with these arguments and this input.
fn kv(consul: &Consul, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut command = Command::new(consul.binary());
    command.env("CONSUL_HTTP_ADDR", consul.address()).arg("kv").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn exports_and_imports_are_those_of_consul_kv() {
    let Some(consul) = consul() else { return };
    let (client, prefix) = (client_of(consul), unique("portable"));
    let key = |name: &str| format!("{prefix}/{name}");
    let pairs = [("a", &b"one"[..], 0), ("b/\u{e9} \"x\"", b"\0\xff any", u64::MAX), ("c", b"", 7)];
    for (name, value, flags) in pairs {
        client.kv().put(&key(name), value, flags, &none()).unwrap();
    }
    let exported = client.kv().export(&format!("{prefix}/"), &none()).unwrap();
    let theirs = kv(consul, &["export", &format!("{prefix}/")], b"");
    assert_eq!(String::from_utf8_lossy(&exported), String::from_utf8_lossy(&theirs).trim_end());

    let read = || client.kv().list(&format!("{prefix}/"), &none()).unwrap().value;
    let before = read();
    let check = || {
        let plain = |pairs: &[consul_ffi::api::kv::KvPair]| -> Vec<_> {
            pairs.iter().map(|p| (p.key.clone(), p.value.clone(), p.flags)).collect()
        };
        assert_eq!(plain(&read()), plain(&before));
    };
    client.kv().delete_prefix(&prefix, &none()).unwrap();
    kv(consul, &["import", "-"], &exported);
    check();
    client.kv().delete_prefix(&prefix, &none()).unwrap();
    assert_eq!(client.kv().import("", &theirs, &none()).unwrap(), 3);
    check();
    // Without waiting, and under another prefix.
    let later = client.deferred();
    let copy = wait(later.kv().export(&key("a"), &none()).unwrap()).unwrap();
    assert_eq!(wait(later.kv().import("copy-of-", &copy, &none()).unwrap()).unwrap(), 1);
    let copied = client.kv().get(&format!("copy-of-{prefix}/a"), &none()).unwrap().value;
    assert_eq!(copied.unwrap().value, b"one");
    assert_eq!(client.kv().export(&unique("absent"), &none()).unwrap(), b"[]");
    client.kv().delete_prefix(&format!("copy-of-{prefix}"), &none()).unwrap();
    client.kv().delete_prefix(&prefix, &none()).unwrap();
}

#[test]
fn many_keys_large_values_and_odd_names_come_back() {
    let Some(consul) = Consul::start() else { return };
    let client = client_of(&consul);
    // More than one transaction takes, and a value that none does.
    for number in 0..150 {
        client.kv().put(&format!("many/{number:03}"), b"v", number, &none()).unwrap();
    }
    let large = vec![b'x'; 500_000];
    client.kv().put("many/large", &large, 0, &none()).unwrap();
    let odd = br#"[{"KV":{"Verb":"set","Key":"/odd//key/","Value":"AA=="}}]"#;
    assert_eq!(consul.put("/v1/txn", odd).status, 200);
    let exported = client.kv().export("", &none()).unwrap();
    consul.restart();
    assert_eq!(client.kv().import("", &exported, &none()).unwrap(), 152);
    assert_eq!(client.kv().export("", &none()).unwrap(), exported);

    // It says how far it came.
    let refused =
        format!(r#"[{{"key":"a","value":"eA=="}},{{"key":"{}","value":""}}]"#, "k".repeat(9));
    let client = crate::clients::client_with(&consul.address(), &[("max_txn_operations", "1")]);
    consul.kill();
    let error = client.kv().import("", refused.as_bytes(), &none()).unwrap_err();
    assert_eq!(error.status(), Status::Connect);
    assert!(error.message().starts_with("0 of 2 keys were imported"), "{error}");
}
