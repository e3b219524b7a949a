//! Access control on a real agent that denies by default.

use crate::clients::{client_of, client_with, shared_client};
use crate::deferred::wait;
use crate::support::Consul;
use consul_ffi::api::acl::{Link, Login, Policy, Role, Token, TokenFilter};
use consul_ffi::api::session::SessionSpec;
use consul_ffi::{Client, Options, Status};

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
