//! Sessions: what binds a lock to a node, to its health and to a time to live
//! (<https://developer.hashicorp.com/consul/api-docs/session>).

use super::answer::{Answer, Meta};
use super::{duration, json};
use crate::client::{Blocking, Call, Client, Style, Target};
use crate::config::Options;
use crate::error::{Error, Result, Status};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What happens to the keys that a session holds when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Behavior {
    /// They stay and are not held any more.
    #[default]
    Release,
    /// They are deleted.
    Delete,
}

/// A check of a service that a session depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ServiceCheck {
    /// The check's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// The namespace of the service (Consul Enterprise).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
}

/// What a new session shall be. What is not set is Consul's default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SessionSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "some_duration")]
    lock_delay: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    behavior: Option<Behavior>,
    #[serde(rename = "TTL", skip_serializing_if = "no_ttl", serialize_with = "some_duration")]
    ttl: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_checks: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    service_checks: Vec<ServiceCheck>,
}

/// The longest TTL that Consul takes.
const MAX_TTL: Duration = Duration::from_secs(86_400);

/// The longest lock-delay that Consul keeps, whatever it was told.
const MAX_LOCK_DELAY: Duration = Duration::from_secs(60);

impl SessionSpec {
    /// A session with Consul's defaults: of the agent's own node, without a TTL, bound to the
    /// node's `serfHealth` check.
    pub fn new() -> SessionSpec {
        SessionSpec::default()
    }

    /// A name for people.
    pub fn name(mut self, name: impl Into<String>) -> SessionSpec {
        self.name = Some(name.into());
        self
    }

    /// The node that it belongs to; Consul takes the agent's own otherwise.
    pub fn node(mut self, node: impl Into<String>) -> SessionSpec {
        self.node = Some(node.into());
        self
    }

    /// How long a key of this session cannot be acquired after the session ended while holding it;
    /// 0 to 60 s, 15 s by default. A key that was released can be acquired at once.
    pub fn lock_delay(mut self, lock_delay: Duration) -> SessionSpec {
        self.lock_delay = Some(lock_delay);
        self
    }

    /// What happens to its keys when it ends.
    pub fn behavior(mut self, behavior: Behavior) -> SessionSpec {
        self.behavior = Some(behavior);
        self
    }

    /// Whether this is what happens to its keys, as far as was said.
    pub(crate) fn ends_with(&self, behavior: Behavior) -> bool {
        self.behavior == Some(behavior)
    }

    /// The session ends when it is not renewed for this time, at the latest after twice of it:
    /// 10 s (`min_session_ttl_ms`) to 24 h. Zero, the default, means that it needs no renewal.
    pub fn ttl(mut self, ttl: Duration) -> SessionSpec {
        self.ttl = Some(ttl);
        self
    }

    /// The checks of the node that end the session when one of them is critical. Consul takes
    /// `serfHealth` when this is not set; an empty list means no check at all.
    pub fn node_checks<T: Into<String>>(
        mut self,
        checks: impl IntoIterator<Item = T>,
    ) -> SessionSpec {
        self.node_checks = Some(checks.into_iter().map(Into::into).collect());
        self
    }

    /// One more check of a service that ends the session when it is critical.
    pub fn service_check(mut self, check: ServiceCheck) -> SessionSpec {
        self.service_checks.push(check);
        self
    }

    /// One that ends by its TTL alone, where it has one and nothing was said about what else ends it.
    fn apart_from_its_node(mut self) -> SessionSpec {
        let is_silent = self.node_checks.is_none() && self.service_checks.is_empty();
        if is_silent && self.node.is_none() && !self.time_to_live().is_zero() {
            self.node_checks = Some(Vec::new());
        }
        self
    }

    /// The time to live, zero for none.
    pub fn time_to_live(&self) -> Duration {
        self.ttl.unwrap_or_default()
    }

    /// With this name where none was set.
    pub(crate) fn or_name(mut self, name: &str) -> SessionSpec {
        self.name.get_or_insert_with(|| name.to_string());
        self
    }

    /// With this TTL where none was set; zero was.
    pub(crate) fn or_ttl(mut self, ttl: Duration) -> SessionSpec {
        self.ttl.get_or_insert(ttl);
        self
    }

    /// With this behavior where none was set.
    pub(crate) fn or_behavior(mut self, behavior: Behavior) -> SessionSpec {
        self.behavior.get_or_insert(behavior);
        self
    }

    /// Refuses what Consul would refuse, or silently change.
    pub(crate) fn check(&self, min_ttl: Duration) -> Result<()> {
        let ttl = self.time_to_live();
        if !ttl.is_zero() && !(min_ttl..=MAX_TTL).contains(&ttl) {
            return Err(Error::argument(format!(
                "a session TTL of {} ms is not allowed, it takes {} ms to {} ms, or 0 for none",
                ttl.as_millis(),
                min_ttl.as_millis(),
                MAX_TTL.as_millis()
            )));
        }
        match self.lock_delay {
            Some(delay) if delay > MAX_LOCK_DELAY => Err(Error::argument(format!(
                "a lock-delay of {} ms is not allowed, it takes 0 ms to {} ms",
                delay.as_millis(),
                MAX_LOCK_DELAY.as_millis()
            ))),
            _ => Ok(()),
        }
    }
}

fn no_ttl(ttl: &Option<Duration>) -> bool {
    ttl.unwrap_or_default().is_zero()
}

fn some_duration<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    duration::serialize(&duration.unwrap_or_default(), serializer)
}

/// A session as Consul has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Session {
    /// Its id, a UUID.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The node that it belongs to.
    pub node: String,
    /// How long its keys cannot be acquired after it ended while holding them.
    #[serde(with = "duration")]
    pub lock_delay: Duration,
    /// What happens to its keys when it ends.
    pub behavior: Behavior,
    /// It ends when it is not renewed for this time, at the latest after twice of it; zero when it
    /// needs no renewal.
    #[serde(rename = "TTL", with = "duration")]
    pub ttl: Duration,
    /// The checks of the node that end it when one of them is critical.
    #[serde(deserialize_with = "json::nullable")]
    pub node_checks: Vec<String>,
    /// The checks of services that end it when one of them is critical.
    #[serde(deserialize_with = "json::nullable")]
    pub service_checks: Vec<ServiceCheck>,
    /// The namespace (Consul Enterprise).
    pub namespace: String,
    /// The admin partition (Consul Enterprise).
    pub partition: String,
    /// The index of the write that made it.
    pub create_index: u64,
    /// The index of the last write to it.
    pub modify_index: u64,
}

/// The session operations of a client.
#[derive(Clone, Copy)]
pub struct Sessions<'a, S: Style = Blocking> {
    client: &'a Client<S>,
}

const SESSION: &str = "/v1/session/";

impl<S: Style> Client<S> {
    /// The sessions.
    pub fn session(&self) -> Sessions<'_, S> {
        Sessions { client: self }
    }
}

impl<S: Style> Sessions<'_, S> {
    /// Makes a session and gives its id. Nobody renews it. Through a client with several addresses one
    /// that has a TTL, and of which nothing was said about checks, ends by that alone: the node of the
    /// server that happened to make it is only a door. After an error whose outcome is unknown
    /// the session may exist; it ends by its TTL only, so a session without one may stay for ever.
    pub fn create(
        &self,
        spec: &SessionSpec,
        options: &Options,
    ) -> Result<S::Output<Answer<String>>> {
        let settings = self.client.settings();
        spec.check(settings.min_session_ttl)?;
        let body = match settings.addresses.len() {
            1 => json::encode(spec)?,
            _ => json::encode(&spec.clone().apart_from_its_node())?,
        };
        let target = Target::new(SESSION).path("create");
        let created = Call::put_json(target, &body, options);
        json::fetch_map(self.client, created, |created: Created| created.id)
    }

    /// Starts its TTL anew. `Status::SessionInvalid` when it does not exist any more.
    pub fn renew(&self, id: &str, options: &Options) -> Result<S::Output<Answer<Session>>> {
        let call = Call::put(target("renew", id)?, options).idempotent();
        let id = id.to_string();
        self.client.heartbeat().exchange(call, move |endpoint, answer| {
            let gone = |error: Error| match error.status() {
                Status::NotFound => error.with_status(Status::SessionInvalid),
                _ => error,
            };
            let response = answer.map_err(gone)?;
            let reply = json::Reply { endpoint, response: &response };
            let found = json::decode(&reply).map_err(|error| error.with_outcome_unknown(true))?;
            match first(found) {
                Some(value) => Ok(Answer { value, meta: Meta::from_headers(&response.headers) }),
                None => {
                    let message = format!("session {id}: renewed none");
                    Err(Error::new(Status::SessionInvalid, message).with_endpoint(endpoint))
                }
            }
        })
    }

    /// Ends a session. Gives true, also when it did not exist. If this client keeps it alive, that
    /// ends too.
    pub fn destroy(&self, id: &str, options: &Options) -> Result<S::Output<Answer<bool>>> {
        let target = target("destroy", id)?;
        let (id, options) = (id.to_string(), options.clone());
        self.client.run(move |client| async move {
            let call = Call::put(target, &options).idempotent();
            let destroyed = json::confirm(&client, call)?.await?;
            client.upkeep().session_destroyed(&id);
            Ok(destroyed)
        })
    }

    /// Reads a session; `None` when it does not exist.
    pub fn info(&self, id: &str, options: &Options) -> Result<S::Output<Answer<Option<Session>>>> {
        self.read(target("info", id)?, options, first)
    }

    /// The sessions of a node.
    pub fn node(&self, node: &str, options: &Options) -> Result<S::Output<Answer<Vec<Session>>>> {
        if node.is_empty() {
            return Err(Error::argument("the name of the node is empty"));
        }
        let target = Target::new(SESSION).path("node/").segment(node);
        self.read(target, options, Option::unwrap_or_default)
    }

    /// All sessions.
    pub fn list(&self, options: &Options) -> Result<S::Output<Answer<Vec<Session>>>> {
        let target = Target::new(SESSION).path("list");
        self.read(target, options, Option::unwrap_or_default)
    }

    fn read<T: Send + 'static>(
        &self,
        target: Target,
        options: &Options,
        change: impl FnOnce(Found) -> T + Send + 'static,
    ) -> Result<S::Output<Answer<T>>> {
        json::fetch_map(self.client, Call::get(target, options), change)
    }
}

/// A list, `null` when it is empty.
type Found = Option<Vec<Session>>;

fn first(sessions: Found) -> Option<Session> {
    sessions.and_then(|sessions| sessions.into_iter().next())
}

#[derive(Deserialize)]
struct Created {
    #[serde(rename = "ID")]
    id: String,
}

fn target(verb: &str, id: &str) -> Result<Target> {
    Ok(Target::new(SESSION).path(verb).path("/").segment(check_id(id)?))
}

/// Refuses what cannot be the id of a session.
pub(crate) fn check_id(id: &str) -> Result<&str> {
    match id {
        "" => Err(Error::argument("the session id is empty")),
        id => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json_of(spec: SessionSpec) -> String {
        serde_json::to_string(&spec).unwrap()
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        assert_eq!(json_of(SessionSpec::new()), "{}");
    }

    #[test]
    fn every_field_is_sent_by_its_name_and_with_its_unit() {
        let check = ServiceCheck { id: "c".into(), namespace: String::new() };
        let spec = SessionSpec::new()
            .name("n")
            .node("web")
            .lock_delay(Duration::ZERO)
            .behavior(Behavior::Delete)
            .ttl(Duration::from_millis(10_500))
            .node_checks(["serfHealth"])
            .service_check(check);
        assert_eq!(
            json_of(spec),
            r#"{"Name":"n","Node":"web","LockDelay":"0s","Behavior":"delete","TTL":"10500ms","#
                .to_string()
                + r#""NodeChecks":["serfHealth"],"ServiceChecks":[{"ID":"c"}]}"#
        );
    }

    #[test]
    fn no_checks_at_all_is_said_aloud() {
        let none: [String; 0] = [];
        assert_eq!(json_of(SessionSpec::new().node_checks(none)), r#"{"NodeChecks":[]}"#);
    }

    #[test]
    fn a_ttl_or_lock_delay_out_of_range_names_the_range() {
        let check = |spec: SessionSpec| spec.check(Duration::from_secs(10));
        let seconds = |s| SessionSpec::new().ttl(Duration::from_secs(s));
        for ttl in [0, 10, 86_400] {
            assert!(check(seconds(ttl)).is_ok(), "{ttl}");
        }
        for ttl in [1, 9, 86_401] {
            let error = check(seconds(ttl)).unwrap_err();
            assert!(error.message().contains("10000 ms to 86400000 ms"), "{error}");
        }
        let error = check(SessionSpec::new().lock_delay(Duration::from_secs(61))).unwrap_err();
        assert!(error.message().contains("0 ms to 60000 ms"), "{error}");
    }

    #[test]
    fn a_session_with_nulls_and_nanoseconds_is_read() {
        let text = r#"{"ID":"i","Name":"","Node":"n","LockDelay":15000000000,"Behavior":"release",
            "TTL":"","NodeChecks":null,"ServiceChecks":null,"CreateIndex":7,"ModifyIndex":8}"#;
        let session: Session = serde_json::from_str(text).unwrap();
        assert_eq!(session.lock_delay, Duration::from_secs(15));
        assert_eq!((session.ttl, session.behavior), (Duration::ZERO, Behavior::Release));
        assert!(session.node_checks.is_empty() && session.service_checks.is_empty());
        assert_eq!((session.create_index, session.modify_index), (7, 8));
    }
}
