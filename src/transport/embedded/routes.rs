//! The one table from method and path to a handler.

use super::state::State;
use super::wait::Read;
use super::wire::{Answer, Outcome, Wire};
use super::{kv, session, status, txn};
use crate::transport::Method;

/// What answers a request.
#[derive(Clone, Copy)]
pub(super) enum Handler {
    /// Reads; may be a blocking query.
    Read(fn(&State, &Wire) -> Outcome<Read>),
    /// Changes something, or reads what has no index.
    Act(fn(&mut State, &Wire) -> Outcome<Answer>),
}

/// Who answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The servers, which need a leader for it.
    Servers,
    /// The agent by itself.
    Agent,
}

/// A path of the API, with the methods that it knows.
pub(super) struct Route {
    /// Ends with a slash where a name follows.
    path: &'static str,
    place: Place,
    methods: &'static [(Method, Handler)],
}

use Handler::{Act, Read as Reads};
use Method::{Delete, Get, Put};
use Place::{Agent, Servers};

#[rustfmt::skip]
const ROUTES: &[Route] = &[
    Route { path: "/v1/kv/", place: Servers, methods: &[
        (Get, Reads(kv::get)), (Put, Act(kv::put)), (Delete, Act(kv::delete)),
    ] },
    Route { path: "/v1/session/create", place: Servers, methods: &[(Put, Act(session::create))] },
    Route { path: "/v1/session/destroy/", place: Servers, methods: &[(Put, Act(session::destroy))] },
    Route { path: "/v1/session/info/", place: Servers, methods: &[(Get, Reads(session::info))] },
    Route { path: "/v1/session/list", place: Servers, methods: &[(Get, Reads(session::list))] },
    Route { path: "/v1/session/node/", place: Servers, methods: &[(Get, Reads(session::of_node))] },
    Route { path: "/v1/session/renew/", place: Servers, methods: &[(Put, Act(session::renew))] },
    Route { path: "/v1/status/leader", place: Agent, methods: &[(Get, Act(status::leader))] },
    Route { path: "/v1/status/peers", place: Agent, methods: &[(Get, Act(status::peers))] },
    Route { path: "/v1/txn", place: Servers, methods: &[(Put, Act(txn::apply))] },
];

/// Where a request goes.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) handler: Handler,
}

/// The handler for a request, or the answer where there is none.
pub(super) fn find(wire: &mut Wire) -> Outcome<Found> {
    let path = wire.path.as_str();
    if !path.chars().all(super::go::is_printable) {
        return Err(Answer::empty(400));
    }
    if let Some(clean) = cleaned(path) {
        return Err(Answer::empty(301).with_header("location", clean));
    }
    let matches = |route: &&Route| match route.path.strip_suffix('/') {
        Some(_) => path.starts_with(route.path),
        None => path == route.path,
    };
    let found = ROUTES.iter().filter(matches).max_by_key(|route| route.path.len());
    let route = found.ok_or_else(|| Answer::empty(404))?;
    let handler = route.methods.iter().find(|(method, _)| *method == wire.method);
    let (_, handler) = handler.ok_or_else(|| not_allowed(route, wire.method))?;
    wire.routed(route.path);
    Ok(Found { place: route.place, handler: *handler })
}

fn not_allowed(route: &Route, method: Method) -> Answer {
    let known = route.methods.iter().map(|(method, _)| method.as_str());
    let allow = ["OPTIONS"].into_iter().chain(known).collect::<Vec<_>>().join(",");
    let text = format!("method {} not allowed", method.as_str());
    Answer::error(405, text).with_header("allow", allow)
}

/// The path that Go's server redirects to: without empty segments and dots, and with the slash that
/// a route ends with. None where the path is clean.
fn cleaned(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut clean = format!("/{}", segments.join("/"));
    let is_folder = path.ends_with('/') && clean.len() > 1;
    let lacks_slash = ROUTES.iter().any(|route| route.path.strip_suffix('/') == Some(&clean))
        && !ROUTES.iter().any(|route| route.path == clean);
    if is_folder || lacks_slash {
        clean.push('/');
    }
    (clean != path).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::embedded::testing::get;

    fn refusal(path: &str) -> Answer {
        find(&mut get(path)).err().unwrap()
    }

    #[test]
    fn a_name_is_what_follows_the_route() {
        let mut wire = get("/v1/kv/a%20b/c+d?raw");
        assert!(find(&mut wire).is_ok());
        assert_eq!(wire.name(), "a b/c+d");
        assert!(wire.has("raw") && !wire.has("recurse"));
    }

    #[test]
    fn paths_are_cleaned_by_a_redirect() {
        for path in ["/v1/kv/a//b", "/v1/kv/./b", "/v1/kv/a/../b", "/v1/kv", "/v1/kv/a%2F/b"] {
            assert_eq!(refusal(path).status, 301, "{path}");
        }
        assert!(find(&mut get("/v1/kv/a/")).is_ok());
    }

    #[test]
    fn what_is_unknown_is_told_from_what_is_not_allowed() {
        assert_eq!(refusal("/v1/nowhere").status, 404);
        assert_eq!(refusal("/v1/kv/a%09b").status, 400);
        let mut posted = get("/v1/kv/a");
        posted.method = Method::Post;
        let answer = find(&mut posted).err().unwrap();
        assert_eq!((answer.status, answer.body), (405, b"method POST not allowed".to_vec()));
    }
}
