//! The one table from method and path to a handler.

use super::state::State;
use super::wait::Read;
use super::wire::{Answer, Outcome, Wire};
use super::{agent_api, catalog, coordinate, event, health, kv, session, status, txn};
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
    Route { path: "/v1/agent/check/deregister/", place: Agent, methods: &[(Put, Act(agent_api::deregister_check))] },
    Route { path: "/v1/agent/check/fail/", place: Agent, methods: &[(Put, Act(agent_api::fail))] },
    Route { path: "/v1/agent/check/pass/", place: Agent, methods: &[(Put, Act(agent_api::pass))] },
    Route { path: "/v1/agent/check/register", place: Agent, methods: &[(Put, Act(agent_api::register_check))] },
    Route { path: "/v1/agent/check/update/", place: Agent, methods: &[(Put, Act(agent_api::update))] },
    Route { path: "/v1/agent/check/warn/", place: Agent, methods: &[(Put, Act(agent_api::warn))] },
    Route { path: "/v1/agent/checks", place: Agent, methods: &[(Get, Act(agent_api::checks))] },
    Route { path: "/v1/agent/force-leave/", place: Agent, methods: &[(Put, Act(agent_api::force_leave))] },
    Route { path: "/v1/agent/health/service/id/", place: Agent, methods: &[(Get, Act(agent_api::by_id))] },
    Route { path: "/v1/agent/health/service/name/", place: Agent, methods: &[(Get, Act(agent_api::by_name))] },
    Route { path: "/v1/agent/join/", place: Agent, methods: &[(Put, Act(agent_api::join))] },
    Route { path: "/v1/agent/leave", place: Agent, methods: &[(Put, Act(agent_api::leave))] },
    Route { path: "/v1/agent/maintenance", place: Agent, methods: &[(Put, Act(agent_api::maintain_node))] },
    Route { path: "/v1/agent/members", place: Agent, methods: &[(Get, Act(agent_api::members))] },
    Route { path: "/v1/agent/metrics", place: Agent, methods: &[(Get, Act(agent_api::metrics))] },
    Route { path: "/v1/agent/reload", place: Agent, methods: &[(Put, Act(agent_api::reload))] },
    Route { path: "/v1/agent/self", place: Agent, methods: &[(Get, Act(agent_api::self_info))] },
    Route { path: "/v1/agent/service/", place: Agent, methods: &[(Get, Reads(agent_api::service))] },
    Route { path: "/v1/agent/service/deregister/", place: Agent, methods: &[(Put, Act(agent_api::deregister_service))] },
    Route { path: "/v1/agent/service/maintenance/", place: Agent, methods: &[(Put, Act(agent_api::maintain_service))] },
    Route { path: "/v1/agent/service/register", place: Agent, methods: &[(Put, Act(agent_api::register_service))] },
    Route { path: "/v1/agent/services", place: Agent, methods: &[(Get, Act(agent_api::services))] },
    Route { path: "/v1/agent/token/", place: Agent, methods: &[(Put, Act(agent_api::token))] },
    Route { path: "/v1/catalog/connect/", place: Servers, methods: &[(Get, Reads(catalog::connect))] },
    Route { path: "/v1/catalog/datacenters", place: Agent, methods: &[(Get, Act(catalog::datacenters))] },
    Route { path: "/v1/catalog/deregister", place: Servers, methods: &[(Put, Act(catalog::deregister))] },
    Route { path: "/v1/catalog/node/", place: Servers, methods: &[(Get, Reads(catalog::node))] },
    Route { path: "/v1/catalog/node-services/", place: Servers, methods: &[(Get, Reads(catalog::node_services))] },
    Route { path: "/v1/catalog/nodes", place: Servers, methods: &[(Get, Reads(catalog::nodes))] },
    Route { path: "/v1/catalog/register", place: Servers, methods: &[(Put, Act(catalog::register))] },
    Route { path: "/v1/catalog/service/", place: Servers, methods: &[(Get, Reads(catalog::service))] },
    Route { path: "/v1/catalog/services", place: Servers, methods: &[(Get, Reads(catalog::services))] },
    Route { path: "/v1/coordinate/datacenters", place: Agent, methods: &[(Get, Act(coordinate::datacenters))] },
    Route { path: "/v1/coordinate/node/", place: Servers, methods: &[(Get, Reads(coordinate::node))] },
    Route { path: "/v1/coordinate/nodes", place: Servers, methods: &[(Get, Reads(coordinate::nodes))] },
    Route { path: "/v1/coordinate/update", place: Servers, methods: &[(Put, Act(coordinate::update))] },
    Route { path: "/v1/event/fire/", place: Agent, methods: &[(Put, Act(event::fire))] },
    Route { path: "/v1/event/list", place: Agent, methods: &[(Get, Reads(event::list))] },
    Route { path: "/v1/health/checks/", place: Servers, methods: &[(Get, Reads(health::checks))] },
    Route { path: "/v1/health/connect/", place: Servers, methods: &[(Get, Reads(health::connect))] },
    Route { path: "/v1/health/ingress/", place: Servers, methods: &[(Get, Reads(health::ingress))] },
    Route { path: "/v1/health/node/", place: Servers, methods: &[(Get, Reads(health::node))] },
    Route { path: "/v1/health/service/", place: Servers, methods: &[(Get, Reads(health::service))] },
    Route { path: "/v1/health/state/", place: Servers, methods: &[(Get, Reads(health::status))] },
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
        return Err(moved(wire, clean));
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

/// A redirect, which Go explains to who asks to read.
fn moved(wire: &Wire, clean: String) -> Answer {
    if wire.method != Get {
        return Answer::empty(301).with_header("location", clean);
    }
    let shown = clean.replace('&', "&amp;");
    let text = format!("<a href=\"{shown}\">Moved Permanently</a>.\n\n");
    Answer::bytes(301, "text/html; charset=utf-8", text.into_bytes()).with_header("location", clean)
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
