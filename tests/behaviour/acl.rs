//! Access control on a real agent that denies by default.

use crate::clients::{client_of, client_with, shared_client};
use crate::deferred::wait;
use crate::support::Consul;
use base64_simd::URL_SAFE_NO_PAD;
use consul_ffi::api::acl::{
    AuthMethod, BindingRule, Link, Login, Policy, Role, Token, TokenFilter,
};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::{Client, Options, Status};
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn none() -> Options {
    Options::new()
}

/// An agent that denies by default, and a client that may do anything.
fn guarded() -> Option<(Consul, Client)> {
    let consul = Consul::build().acl().start()?;
    let client = client_with(&consul.address(), &[("token", consul.token())]);
    Some((consul, client))
}

fn policy(name: &str, rules: &str) -> Policy {
    Policy { name: name.into(), rules: rules.into(), ..Policy::default() }
}

#[test]
fn a_cluster_is_bootstrapped_once() {
    // Without a management token of its own, and open, or the harness could not tell it is ready.
    let hcl = "acl { enabled = true default_policy = \"allow\" }";
    let Some(consul) = Consul::with_hcl(hcl) else { return };
    let client = client_of(&consul);
    let first = client.acl().bootstrap(&none()).unwrap().value;
    let options = none().token(first.secret_id.clone());
    let own = client.acl().tokens().own(&options).unwrap().value;
    assert_eq!(
        (own.accessor_id, &own.policies[0].name[..]),
        (first.accessor_id, "global-management")
    );
    let error = client.acl().bootstrap(&none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Denied, 403));
    assert!(error.message().contains("reset index"), "{error}");
}

#[test]
fn a_token_may_do_what_its_policy_says() {
    let Some((consul, client)) = guarded() else { return };
    let acl = client.acl();
    let rules = r#"key_prefix "app/" { policy = "write" } session_prefix "" { policy = "write" }"#;
    let made = acl.policies().create(&policy("app", rules), &none()).unwrap().value;
    assert!(!made.id.is_empty() && made.rules == rules);
    assert_eq!(acl.policies().read(&made.id, &none()).unwrap().value.unwrap(), made);
    let named = acl.policies().read_by_name("app", &none()).unwrap().value;
    assert_eq!(named.unwrap().id, made.id);
    let listed = acl.policies().list(&none()).unwrap().value;
    assert!(listed.iter().any(|policy| policy.id == made.id));

    let wanted = Token { policies: vec![Link::named("app")], ..Token::default() };
    let token = acl.tokens().create(&wanted, &none()).unwrap().value;
    let user = client_with(&consul.address(), &[("token", &token.secret_id)]);
    user.kv().put("app/a", b"1", 0, &none()).unwrap();
    user.session().create(&SessionSpec::new(), &none()).unwrap();
    let error = user.kv().put("other/a", b"1", 0, &none()).unwrap_err();
    assert_eq!(error.status(), Status::Denied);
    let own = user.acl().tokens().own(&none()).unwrap().value;
    assert_eq!((&own.accessor_id, &own.policies), (&token.accessor_id, &token.policies));

    let mut changed = policy("app", r#"key_prefix "app/" { policy = "read" }"#);
    changed.description = "reads".into();
    let changed = acl.policies().update(&made.id, &changed, &none()).unwrap().value;
    assert_eq!((changed.description.as_str(), &changed.id), ("reads", &made.id));
    let error = acl.policies().create(&policy("app", ""), &none()).unwrap_err();
    assert_eq!(error.status(), Status::Http, "{error}");

    acl.policies().delete(&made.id, &none()).unwrap();
    acl.policies().delete(&made.id, &none()).unwrap();
    match acl.policies().read(&made.id, &none()) {
        Ok(found) => assert_eq!(found.value, None),
        Err(error) => assert_eq!(error.status(), Status::Denied, "{error}"),
    }
}

#[test]
fn tokens_are_cloned_changed_listed_and_deleted() {
    let Some((_consul, client)) = guarded() else { return };
    let (acl, later) = (client.acl(), client.deferred());
    let policy = acl.policies().create(&policy("reader", ""), &none()).unwrap().value;
    let role =
        Role { name: "readers".into(), policies: vec![Link::named("reader")], ..Role::default() };
    let role = acl.roles().create(&role, &none()).unwrap().value;
    let wanted = Token {
        description: "first".into(),
        roles: vec![Link { id: role.id.clone(), ..Link::default() }],
        ..Token::default()
    };
    let token = wait(later.acl().tokens().create(&wanted, &none()).unwrap()).unwrap().value;
    assert_eq!(token.roles[0].name, "readers");
    let clone = acl.tokens().copy(&token.accessor_id, "second", &none()).unwrap().value;
    assert_eq!((clone.description.as_str(), &clone.roles), ("second", &token.roles));
    assert_ne!(clone.secret_id, token.secret_id);

    let filter = TokenFilter { role: Some(&role.id), ..TokenFilter::default() };
    let listed = acl.tokens().list_with(&filter, &none()).unwrap().value;
    assert_eq!(listed.len(), 2);
    let filter = TokenFilter { policy: Some(&policy.id), ..TokenFilter::default() };
    assert!(acl.tokens().list_with(&filter, &none()).unwrap().value.is_empty());
    let all = wait(later.acl().tokens().list(&none()).unwrap()).unwrap().value;
    assert!(all.len() >= 3);

    let changed = Token { description: "changed".into(), ..token.clone() };
    let changed = acl.tokens().update(&token.accessor_id, &changed, &none()).unwrap().value;
    assert_eq!((changed.description.as_str(), &changed.roles), ("changed", &token.roles));
    let read = acl.tokens().read(&token.accessor_id, &none()).unwrap().value.unwrap();
    assert_eq!(read.description, "changed");
    for token in [&token, &clone] {
        acl.tokens().delete(&token.accessor_id, &none()).unwrap();
        match acl.tokens().read(&token.accessor_id, &none()) {
            Ok(found) => assert_eq!(found.value, None),
            Err(error) => assert_eq!(error.status(), Status::Denied, "{error}"),
        }
    }

    let named = acl.roles().read_by_name("readers", &none()).unwrap().value.unwrap();
    assert_eq!((named.id.as_str(), named.policies.len()), (role.id.as_str(), 1));
    let fewer = Role { name: "readers".into(), description: "none".into(), ..Role::default() };
    assert!(acl.roles().update(&role.id, &fewer, &none()).unwrap().value.policies.is_empty());
    assert_eq!(acl.roles().list(&none()).unwrap().value.len(), 1);
    acl.roles().delete(&role.id, &none()).unwrap();
    assert_eq!(acl.roles().read(&role.id, &none()).unwrap().value, None);
    assert_eq!(acl.roles().read_by_name("readers", &none()).unwrap().value, None);
    for error in [
        acl.tokens().read("", &none()).unwrap_err(),
        acl.tokens().copy("", "", &none()).unwrap_err(),
        acl.roles().read_by_name("", &none()).unwrap_err(),
    ] {
        assert_eq!(error.status(), Status::Argument, "{error}");
    }
}

/// A JWT of these claims, signed by openssl with the key of a file: RS256 (RFC 7515, RFC 7518).
fn jwt(key: &Path, claims: &serde_json::Value) -> String {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    let signed = format!(
        "{}.{}",
        part(br#"{"alg":"RS256","typ":"JWT"}"#),
        part(claims.to_string().as_bytes())
    );
    let message = key.with_extension("message");
    std::fs::write(&message, &signed).unwrap();
    let openssl = ["dgst", "-sha256", "-sign", key.to_str().unwrap(), message.to_str().unwrap()];
    format!("{signed}.{}", part(&openssl_gives(&openssl)))
}

fn openssl_gives(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn who_an_auth_method_believes_gets_what_a_binding_rule_says() {
    let Some((consul, client)) = guarded() else { return };
    let acl = client.acl();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    openssl_gives(&["genrsa", "-out", key.to_str().unwrap(), "2048"]);
    let public = openssl_gives(&["rsa", "-pubout", "-in", key.to_str().unwrap()]);
    let method = AuthMethod {
        name: "jwt".into(),
        kind: "jwt".into(),
        config: serde_json::json!({
            "JWTValidationPubKeys": [String::from_utf8(public).unwrap()],
            "ClaimMappings": {"sub": "user"},
        }),
        ..AuthMethod::default()
    };
    let made = acl.auth_methods().create(&method, &none()).unwrap().value;
    assert_eq!((made.name.as_str(), made.kind.as_str()), ("jwt", "jwt"));
    assert_eq!(acl.auth_methods().read("jwt", &none()).unwrap().value.unwrap(), made);
    assert_eq!(acl.auth_methods().list(&none()).unwrap().value[0].name, "jwt");

    acl.policies()
        .create(&policy("reader", r#"key_prefix "" { policy = "read" }"#), &none())
        .unwrap();
    let role =
        Role { name: "readers".into(), policies: vec![Link::named("reader")], ..Role::default() };
    acl.roles().create(&role, &none()).unwrap();
    let rule = BindingRule {
        auth_method: "jwt".into(),
        selector: "value.user==ada".into(),
        bind_type: "role".into(),
        bind_name: "readers".into(),
        ..BindingRule::default()
    };
    let bound = acl.binding_rules().create(&rule, &none()).unwrap().value;
    assert_eq!(acl.binding_rules().read(&bound.id, &none()).unwrap().value.unwrap(), bound);
    let later = client.deferred();
    let listed = wait(later.acl().binding_rules().list_of("jwt", &none()).unwrap()).unwrap().value;
    assert_eq!(listed, acl.binding_rules().list(&none()).unwrap().value);

    let stranger = client_of(&consul);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let proof = |user: &str| {
        jwt(&key, &serde_json::json!({"sub": user, "iat": now, "nbf": now, "exp": now + 3600}))
    };
    let login = |proof: &str| {
        let login = Login { auth_method: "jwt", bearer_token: proof, ..Login::default() };
        stranger.acl().login(&login, &none())
    };
    let token = login(&proof("ada")).unwrap().value;
    assert_eq!((token.roles[0].name.as_str(), token.auth_method.as_str()), ("readers", "jwt"));
    let user = client_with(&consul.address(), &[("token", &token.secret_id)]);
    assert!(user.kv().get("a", &none()).unwrap().value.is_none());
    assert_eq!(user.kv().put("a", b"1", 0, &none()).unwrap_err().status(), Status::Denied);
    let error = login(&proof("bob")).unwrap_err();
    assert_eq!(error.status(), Status::Denied, "{error}");
    user.acl().logout(&none()).unwrap();

    let changed = BindingRule { selector: String::new(), ..bound.clone() };
    let changed = acl.binding_rules().update(&bound.id, &changed, &none()).unwrap().value;
    assert_eq!((changed.selector.as_str(), &changed.id), ("", &bound.id));
    assert!(login(&proof("bob")).is_ok());
    acl.binding_rules().delete(&bound.id, &none()).unwrap();
    assert_eq!(acl.binding_rules().read(&bound.id, &none()).unwrap().value, None);
    let described = AuthMethod { description: "d".into(), ..method };
    let described = acl.auth_methods().update("jwt", &described, &none()).unwrap().value;
    assert_eq!(described.description, "d");
    acl.auth_methods().delete("jwt", &none()).unwrap();
    assert_eq!(acl.auth_methods().read("jwt", &none()).unwrap().value, None);
    let error = acl.auth_methods().read("", &none()).unwrap_err();
    assert!(error.message().contains("auth-method's name"), "{error}");
}

#[test]
fn logins_that_cannot_be_are_refused_and_show_no_secret() {
    let Some((consul, client)) = guarded() else { return };
    let stranger = client_of(&consul);
    let login = Login { auth_method: "none", bearer_token: "s3cr3t-jwt", ..Login::default() };
    let error = stranger.acl().login(&login, &none()).unwrap_err();
    assert_eq!(error.status(), Status::Denied, "{error}");
    assert!(!error.message().contains("s3cr3t") && !format!("{login:?}").contains("s3cr3t"));
    for login in [
        Login { bearer_token: "x", ..Login::default() },
        Login { auth_method: "x", ..Login::default() },
    ] {
        let error = stranger.acl().login(&login, &none()).unwrap_err();
        assert_eq!(error.status(), Status::Argument, "{error}");
    }
    for client in [&client, &stranger] {
        let error = client.acl().logout(&none()).unwrap_err();
        assert_eq!(error.status(), Status::Denied, "{error}");
        assert!(!error.message().contains(consul.token()));
    }
    let Some(open) = shared_client() else { return };
    let error = open.acl().tokens().list(&none()).unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Http, 401), "{error}");
    assert!(error.message().contains("ACL support disabled"), "{error}");
}
