//! The environment variables of the official tools, each read in a process of its own.

use crate::support::certs::{self, certs};
use crate::support::fault::{Door, Reply, Request, Server};
use consul_ffi::{Client, Config, Options};
use std::io::Write;
use std::process::Command;

/// Makes a client of the environment alone and reads a key. Prints the error, if there is one.
#[test]
#[ignore = "the tests of this module run it in a process with an environment of its own"]
fn probe() {
    let mut config = Config::new();
    for (variable, setting) in [("EXPLICIT_TOKEN", "token"), ("EXPLICIT_ADDRESS", "address")] {
        if let Ok(value) = std::env::var(variable) {
            config.set(setting, &value).unwrap();
        }
    }
    let got = Client::new(&config).and_then(|client| client.kv().get("a", &Options::new()));
    if let Err(error) = got {
        println!("<<{error}>>");
    }
}

/// Runs the probe with these variables and no other of Consul's; the error that it met.
fn probed(variables: &[(&str, &str)]) -> Option<String> {
    let inherited = std::env::vars_os().map(|(name, _)| name);
    let mut command = Command::new(std::env::current_exe().unwrap());
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("CONSUL_")) {
        command.env_remove(name);
    }
    let output = command
        .args(["--exact", "environment::probe", "--ignored", "--nocapture"])
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    Some(text.split_once("<<")?.1.split_once(">>")?.0.to_string())
}

/// The request that the probe sends with these variables; `{}` stands for the server's address.
fn request_with(variables: &[(&str, &str)]) -> Request {
    let server = Server::answering(|_| Reply::json(200, "[]"));
    let fill = |text: &str| text.replace("{}", server.address());
    let variables: Vec<(&str, String)> =
        variables.iter().map(|(name, value)| (*name, fill(value))).collect();
    let borrowed: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(probed(&borrowed), None);
    server.request()
}

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

const ADDRESS: (&str, &str) = ("CONSUL_HTTP_ADDR", "{}");

#[test]
fn the_address_is_taken_with_and_without_a_scheme_and_as_a_socket() {
    let server = Server::answering(|_| Reply::json(200, "[]"));
    let bare = server.address().trim_start_matches("http://");
    for address in [server.address(), bare, &format!("{bare}/prefix")] {
        assert_eq!(probed(&[("CONSUL_HTTP_ADDR", address)]), None);
    }
    let paths: Vec<_> = server.requests().into_iter().map(|request| request.target).collect();
    assert_eq!(paths, ["/v1/kv/a", "/v1/kv/a", "/prefix/v1/kv/a"]);

    let socket = Server::answering_at(Door::Unix, |_| Reply::json(200, "[]"));
    assert_eq!(probed(&[("CONSUL_HTTP_ADDR", socket.address())]), None);
    assert_eq!(socket.requests().len(), 1);
}

#[test]
fn every_variable_that_shapes_a_request_is_honoured() {
    let request = request_with(&[
        ADDRESS,
        ("CONSUL_HTTP_TOKEN", "from-environment"),
        ("CONSUL_HTTP_AUTH", "user:pass:word"),
        ("CONSUL_NAMESPACE", "team"),
        ("CONSUL_PARTITION", "part"),
    ]);
    assert_eq!(request.header("x-consul-token"), Some("from-environment"));
    assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwYXNzOndvcmQ="));
    assert_eq!(request.parameter("ns"), Some("team"));
    assert_eq!(request.parameter("partition"), Some("part"));
}

#[test]
fn an_explicit_token_beats_the_token_file_which_beats_the_environment() {
    let file = file("  from-file\n");
    let file = ("CONSUL_HTTP_TOKEN_FILE", file.path().to_str().unwrap());
    let variable = ("CONSUL_HTTP_TOKEN", "from-environment");
    let explicit = ("EXPLICIT_TOKEN", "explicit");
    let token = |variables: &[_]| {
        let request = request_with(variables);
        request.header("x-consul-token").map(str::to_owned)
    };
    assert_eq!(token(&[ADDRESS]), None);
    assert_eq!(token(&[ADDRESS, variable]).as_deref(), Some("from-environment"));
    assert_eq!(token(&[ADDRESS, file, variable]).as_deref(), Some("from-file"));
    assert_eq!(token(&[ADDRESS, file, variable, explicit]).as_deref(), Some("explicit"));
}

#[test]
fn what_the_program_sets_beats_the_environment() {
    let nobody = Server::refused_address();
    request_with(&[("CONSUL_HTTP_ADDR", &nobody), ("EXPLICIT_ADDRESS", "{}")]);
}

#[test]
fn a_variable_that_makes_no_sense_is_named() {
    let missing = [("CONSUL_HTTP_TOKEN_FILE", "/no/such/file")];
    assert!(probed(&missing).unwrap().contains("/no/such/file"));
    for variable in ["CONSUL_HTTP_SSL", "CONSUL_HTTP_SSL_VERIFY"] {
        let error = probed(&[(variable, "perhaps")]).unwrap();
        assert!(error.contains(variable) && error.contains("true or false"), "{error}");
    }
    let error = probed(&[("CONSUL_HTTP_ADDR", "ftp://127.0.0.1:21")]).unwrap();
    assert!(error.contains("ftp"), "{error}");
}

#[test]
fn tls_is_spoken_as_the_environment_says() {
    let server = Server::answering_at(Door::Tls(certs::SERVER), |_| Reply::json(200, "[]"));
    let bare = server.address().trim_start_matches("https://");
    let (ca, wrong) = (certs().path(certs::CA), ("CONSUL_TLS_SERVER_NAME", "other.example"));
    let address = ("CONSUL_HTTP_ADDR", bare);
    let (tls, trust) = (("CONSUL_HTTP_SSL", "true"), ("CONSUL_CACERT", ca.to_str().unwrap()));
    assert_eq!(probed(&[address, tls, trust]), None);
    assert!(probed(&[address, trust]).is_some(), "plain HTTP to a port of TLS");
    assert!(probed(&[address, tls]).unwrap().contains("certificate"));
    assert!(probed(&[address, tls, trust, wrong]).unwrap().contains("other.example"));
    assert_eq!(probed(&[address, tls, ("CONSUL_HTTP_SSL_VERIFY", "false")]), None);
}

#[test]
fn a_file_of_the_environment_that_is_missing_is_named() {
    let address = ("CONSUL_HTTP_ADDR", "https://127.0.0.1:1");
    let certificate = ("CONSUL_CLIENT_CERT", "/no/such/certificate");
    let cases: [&[(&str, &str)]; 3] = [
        &[address, ("CONSUL_CACERT", "/no/such/authority")],
        &[address, ("CONSUL_CAPATH", "/no/such/folder")],
        &[address, certificate, ("CONSUL_CLIENT_KEY", "/no/such/key")],
    ];
    for variables in cases {
        let error = probed(variables).unwrap();
        assert!(error.contains(variables[1].1), "{error}");
    }
    let half = probed(&[address, certificate]).unwrap();
    assert!(half.contains("tls_key_file"), "{half}");
}
