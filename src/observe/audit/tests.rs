use super::*;
use crate::error::Status;
use serde_json::{Value, json};
use std::path::Path;

fn opened(path: &Path) -> Arc<Audit> {
    let (file, actor) = (path.to_path_buf(), Some("billing".to_string()));
    Audit::open(&AuditSettings { file, actor, rotation: Rotation::default() }).unwrap()
}

/// The one line that a change with this end makes.
fn line(method: &'static str, target: &str, body: &str, end: impl FnOnce(&mut Entry)) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    let mut entry = opened(&path).begin(method, target, Some(body.as_bytes()));
    end(&mut entry);
    drop(entry);
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == 1, "{text:?}");
    serde_json::from_str(&text).unwrap()
}

fn subject(target: &str, body: &str) -> Value {
    let mut line = line("PUT", target, body, |entry| entry.answered("http://a", 200, b"true"));
    let line = line.as_object_mut().unwrap();
    for name in ["time", "endpoint", "actor", "pid", "outcome", "http_status", "duration_ms"] {
        assert!(line.remove(name).is_some(), "{name}");
    }
    assert_eq!(line.remove("method"), Some(json!("PUT")));
    line.clone().into()
}

#[test]
fn a_line_says_who_what_when_and_how_it_ended() {
    let line = line("DELETE", "/v1/kv/a%20b?cas=7&dc=x", "", |entry| {
        entry.answered("http://a:1", 200, b"true\n");
    });
    assert_eq!(line["actor"], "billing");
    assert_eq!(line["pid"], std::process::id());
    assert_eq!((&line["method"], &line["path"]), (&json!("DELETE"), &json!("/v1/kv/a%20b")));
    assert_eq!((&line["query"], &line["endpoint"]), (&json!("cas=7&dc=x"), &json!("http://a:1")));
    assert_eq!((&line["outcome"], &line["http_status"]), (&json!("ok"), &json!(200)));
    assert!(line["duration_ms"].as_f64().unwrap() >= 0.0);
    let time = humantime::parse_rfc3339(line["time"].as_str().unwrap()).unwrap();
    assert!(SystemTime::now().duration_since(time).unwrap() < Duration::from_secs(60));
    assert_eq!(line["time"].as_str().unwrap().len(), "2026-01-01T00:00:00.000Z".len());
}

#[test]
fn an_outcome_is_one_of_four() {
    let outcome = |end: &dyn Fn(&mut Entry)| {
        let line = line("PUT", "/v1/kv/a", "", end);
        (line["outcome"].clone(), line["status"].clone(), line["http_status"].clone())
    };
    let failed = |error: Error| outcome(&|entry| entry.failed("http://a", &error));
    assert_eq!(
        outcome(&|entry| entry.answered("http://a", 200, b"false")),
        (json!("refused"), Value::Null, json!(200))
    );
    assert_eq!(
        outcome(&|entry| entry.answered("http://a", 409, b"{}")),
        (json!("refused"), Value::Null, json!(409))
    );
    assert_eq!(
        failed(Error::new(Status::Denied, "").with_http_status(403)),
        (json!("failed"), json!("ERR_DENIED"), json!(403))
    );
    assert_eq!(
        failed(Error::new(Status::Timeout, "").with_outcome_unknown(true)),
        (json!("unknown"), json!("ERR_TIMEOUT"), Value::Null)
    );
    let doubt = |unknown| {
        outcome(&|entry| {
            entry.answered("http://a", 200, b"<html>");
            entry.doubted(&Error::new(Status::Decode, "").with_outcome_unknown(unknown));
        })
    };
    assert_eq!(doubt(true), (json!("unknown"), json!("ERR_DECODE"), json!(200)));
    assert_eq!(doubt(false), (json!("ok"), Value::Null, json!(200)));
}

#[test]
fn what_a_body_names_is_said_and_nothing_else_of_it() {
    let secret = "s3cr3t";
    for (target, body, expected) in [
        ("/v1/kv/ID", json!({"ID": secret}), json!({})),
        (
            "/v1/agent/service/register",
            json!({"ID": "web-1", "Name": "web", "Meta": {"a": secret}}),
            json!({"ID": "web-1", "Name": "web"}),
        ),
        (
            "/v1/catalog/register",
            json!({"Node": "n", "Address": secret, "Service": {"ID": "s", "Tags": [secret]}}),
            json!({"Node": "n", "Service/ID": "s"}),
        ),
        ("/v1/acl/update", json!({"ID": secret, "Name": "old"}), json!({"Name": "old"})),
        (
            "/v1/acl/login",
            json!({"AuthMethod": "k8s", "BearerToken": secret}),
            json!({
                "AuthMethod": "k8s"
            }),
        ),
        ("/v1/operator/keyring", json!({"Key": secret}), json!({})),
    ] {
        let found = subject(target, &body.to_string());
        let named = found.get("subject").cloned().unwrap_or(json!({}));
        assert_eq!(named, expected, "{target}");
        assert!(!found.to_string().contains(secret), "{found}");
    }
    assert_eq!(subject("/v1/catalog/register", "no JSON"), json!({"path": "/v1/catalog/register"}));
}

#[test]
fn parameters_and_paths_that_may_be_secret_are_hidden() {
    let query = |target: &str| subject(target, "")["query"].as_str().unwrap().to_string();
    assert_eq!(query("/v1/agent/check/pass/a?note=s3cr3t&dc=x"), "note=<hidden>&dc=x");
    assert_eq!(query("/v1/kv/a?flags=7&acquire=id&recurse"), "flags=<hidden>&acquire=id&recurse");
    assert_eq!(
        query("/v1/kv/a?dc=x;token=s3cr3t;&%74oken=s"),
        "dc=x&token=<hidden>&%74oken=<hidden>"
    );
    for path in ["/v1/acl/destroy/s3cr3t", "/v1/acl/clone/s3cr3t/"] {
        let shown = subject(path, "")["path"].as_str().unwrap().to_string();
        assert!(!shown.contains("s3cr3t") && shown.ends_with("/<hidden>"), "{shown}");
    }
}

#[test]
fn a_transaction_is_told_by_its_operations() {
    let body = json!([
        {"KV": {"Verb": "set", "Key": "a", "Value": "czNjcjN0"}},
        {"Node": {"Verb": "delete", "Node": {"ID": "i", "Meta": {"a": "s3cr3t"}}}},
        {"Service": {"Verb": "cas", "Node": "n", "Service": {"Service": "web"}}},
        {"Check": {"Verb": "set", "Check": {"Node": "n", "CheckID": "c", "Notes": "s3cr3t"}}},
        {"Else": {}},
    ]);
    assert_eq!(
        subject("/v1/txn", &body.to_string())["operations"],
        json!([
            {"verb": "set", "key": "a"},
            {"verb": "delete", "node": "i"},
            {"verb": "cas", "node": "n", "service": "web"},
            {"verb": "set", "node": "n", "check": "c"},
        ])
    );
    // A value that stands in the place of a name makes it no operation.
    assert_eq!(subject("/v1/txn", "[{\"KV\":7}]").get("operations"), None);
}

#[test]
fn what_was_made_is_told_by_its_id_and_never_by_its_secret() {
    let made = |target: &str, answer: Value| {
        line("PUT", target, "", |entry| {
            entry.answered("http://a", 200, answer.to_string().as_bytes());
        })["made"]
            .clone()
    };
    assert_eq!(made("/v1/session/create", json!({"ID": "s"})), "s");
    let token = json!({"AccessorID": "a", "SecretID": "s3cr3t", "ID": "s3cr3t"});
    assert_eq!(made("/v1/acl/token", token.clone()), "a");
    assert_eq!(made("/v1/acl/login", token.clone()), "a");
    assert_eq!(made("/v1/acl/create", token), Value::Null);
    assert_eq!(made("/v1/kv/a", json!(true)), Value::Null);
}

/// Neither is what never began nor what never ended.
#[test]
fn what_was_not_sent_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit");
    drop(opened(&path).begin("PUT", "/v1/kv/a", None));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_line_that_cannot_be_written_is_counted() {
    let audit = opened(Path::new("/dev/full"));
    let before = log::dropped();
    audit.begin("PUT", "/v1/kv/a", None).failed("http://a", &Error::new(Status::Connect, ""));
    assert!(log::dropped() > before);
    let nameless = AuditSettings {
        file: "/no/such/folder/audit".into(),
        actor: None,
        rotation: Rotation::default(),
    };
    let error = Audit::open(&nameless).err().unwrap();
    assert!(error.message().contains("the audit log /no/such"), "{error}");
    assert_eq!(error.status(), Status::Io);
    assert!(!process_name().is_empty());
}
