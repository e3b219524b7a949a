//! What a check is registered from.

mod validation;

use super::super::check::CheckStatus;
use super::super::{duration, json};
use crate::error::Result;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// A check to register with an agent: of exactly one kind, with what that kind needs
/// (<https://developer.hashicorp.com/consul/api-docs/agent/check>). It is validated as a whole when
/// it is registered.
///
/// ```
/// use consul_ffi::api::agent::CheckDefinition;
/// use std::time::Duration;
///
/// let check = CheckDefinition::new("web answers")
///     .http("http://127.0.0.1:8080/health")
///     .interval(Duration::from_secs(10))
///     .timeout(Duration::from_secs(2));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CheckDefinition {
    #[serde(rename = "CheckID", skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    notes: String,
    #[serde(rename = "ServiceID", skip_serializing_if = "String::is_empty")]
    service_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<CheckStatus>,

    #[serde(rename = "TTL", skip_serializing_if = "Option::is_none", serialize_with = "written")]
    ttl: Option<Duration>,
    #[serde(rename = "HTTP", skip_serializing_if = "Option::is_none")]
    http: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    header: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    #[serde(rename = "TLSSkipVerify", skip_serializing_if = "is_false")]
    tls_skip_verify: bool,
    #[serde(rename = "TLSServerName", skip_serializing_if = "Option::is_none")]
    tls_server_name: Option<String>,
    #[serde(rename = "TCP", skip_serializing_if = "Option::is_none")]
    tcp: Option<String>,
    #[serde(rename = "GRPC", skip_serializing_if = "Option::is_none")]
    grpc: Option<String>,
    #[serde(rename = "GRPCUseTLS", skip_serializing_if = "is_false")]
    grpc_use_tls: bool,
    // The name by which Consul's own client sends it.
    #[serde(rename = "ScriptArgs", skip_serializing_if = "Vec::is_empty")]
    script: Vec<String>,
    #[serde(rename = "DockerContainerID", skip_serializing_if = "Option::is_none")]
    docker_container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shell: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_node: Option<String>,

    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "written")]
    interval: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "written")]
    timeout: Option<Duration>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "written")]
    deregister_critical_service_after: Option<Duration>,
    #[serde(skip_serializing_if = "is_zero")]
    success_before_passing: u32,
    #[serde(skip_serializing_if = "is_zero")]
    failures_before_critical: u32,
}

impl CheckDefinition {
    /// A check with this name. Within a service's definition it may be empty: then Consul makes one.
    pub fn new(name: impl Into<String>) -> CheckDefinition {
        CheckDefinition { name: name.into(), ..CheckDefinition::default() }
    }

    /// Its id, unique on the agent; its name when it is not set.
    pub fn id(mut self, id: impl Into<String>) -> CheckDefinition {
        self.id = id.into();
        self
    }

    /// A text for people.
    pub fn notes(mut self, notes: impl Into<String>) -> CheckDefinition {
        self.notes = notes.into();
        self
    }

    /// The service that it is about, by its id; the whole node when it is not set. A check within
    /// a service's definition is about that service.
    pub fn service_id(mut self, service_id: impl Into<String>) -> CheckDefinition {
        self.service_id = service_id.into();
        self
    }

    /// What it is until it has first checked; critical when it is not set.
    pub fn status(mut self, status: CheckStatus) -> CheckDefinition {
        self.status = Some(status);
        self
    }

    /// A TTL check: it turns critical when nobody reports on it for this long.
    pub fn ttl(mut self, ttl: Duration) -> CheckDefinition {
        self.ttl = Some(ttl);
        self
    }

    /// An HTTP check: the agent asks this URL. 2xx passes, 429 warns, all else is critical.
    pub fn http(mut self, url: impl Into<String>) -> CheckDefinition {
        self.http = Some(url.into());
        self
    }

    /// The method of an HTTP check; GET when it is not set.
    pub fn http_method(mut self, method: impl Into<String>) -> CheckDefinition {
        self.method = Some(method.into());
        self
    }

    /// One more header of an HTTP check.
    pub fn http_header(
        mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> CheckDefinition {
        self.header.entry(name.into()).or_default().push(value.into());
        self
    }

    /// The body that an HTTP check sends.
    pub fn http_body(mut self, body: impl Into<String>) -> CheckDefinition {
        self.body = Some(body.into());
        self
    }

    /// Leaves the certificate of an HTTP or gRPC check's server unchecked.
    pub fn tls_skip_verify(mut self, skip: bool) -> CheckDefinition {
        self.tls_skip_verify = skip;
        self
    }

    /// The name to expect in the certificate of an HTTP check's server. Consul before 1.9 refuses
    /// it.
    pub fn tls_server_name(mut self, name: impl Into<String>) -> CheckDefinition {
        self.tls_server_name = Some(name.into());
        self
    }

    /// A TCP check: the agent connects to `host:port`.
    pub fn tcp(mut self, address: impl Into<String>) -> CheckDefinition {
        self.tcp = Some(address.into());
        self
    }

    /// A gRPC check: the agent asks the standard health service at `host:port` or
    /// `host:port/service`.
    pub fn grpc(mut self, address: impl Into<String>) -> CheckDefinition {
        self.grpc = Some(address.into());
        self
    }

    /// A gRPC check over TLS.
    pub fn grpc_use_tls(mut self, tls: bool) -> CheckDefinition {
        self.grpc_use_tls = tls;
        self
    }

    /// A script check: the agent runs this program with these arguments. Exit code 0 passes, 1
    /// warns, all else is critical. The agent's configuration must allow it.
    pub fn script<T: Into<String>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> CheckDefinition {
        self.script = arguments.into_iter().map(Into::into).collect();
        self
    }

    /// Runs the script within a Docker container, by this shell (`/bin/sh`, for example).
    pub fn docker(
        mut self,
        container: impl Into<String>,
        shell: impl Into<String>,
    ) -> CheckDefinition {
        self.docker_container = Some(container.into());
        self.shell = Some(shell.into()).filter(|shell| !shell.is_empty());
        self
    }

    /// An alias check: it is as healthy as the service with this id, of the same node when
    /// [`CheckDefinition::alias_node`] names no other.
    pub fn alias_service(mut self, service_id: impl Into<String>) -> CheckDefinition {
        self.alias_service = Some(service_id.into());
        self
    }

    /// An alias check: it is as healthy as this node. Be sure that the node exists: Consul 1.8.7
    /// crashes when it does not.
    pub fn alias_node(mut self, node: impl Into<String>) -> CheckDefinition {
        self.alias_node = Some(node.into());
        self
    }

    /// How often the agent checks; needed for every kind but TTL and alias, which have none. The
    /// agent takes less than a second as a second.
    pub fn interval(mut self, interval: Duration) -> CheckDefinition {
        self.interval = Some(interval);
        self
    }

    /// How long one check may take.
    pub fn timeout(mut self, timeout: Duration) -> CheckDefinition {
        self.timeout = Some(timeout);
        self
    }

    /// Deregisters the service after it was critical for this long. Consul takes less than a
    /// minute as a minute, and looks every 30 s.
    pub fn deregister_critical_service_after(mut self, after: Duration) -> CheckDefinition {
        self.deregister_critical_service_after = Some(after);
        self
    }

    /// How often in a row it must succeed to turn passing; at once when it is not set. What the
    /// first check finds counts at once.
    pub fn success_before_passing(mut self, times: u32) -> CheckDefinition {
        self.success_before_passing = times;
        self
    }

    /// How often in a row it must fail to turn critical; as above.
    pub fn failures_before_critical(mut self, times: u32) -> CheckDefinition {
        self.failures_before_critical = times;
        self
    }

    /// The id that was set, empty where none was.
    pub(super) fn own_id(&self) -> &str {
        &self.id
    }

    /// As it goes over the wire by itself: there Consul reads the id from `ID` and refuses
    /// `CheckID`, which is its name within a service.
    pub(super) fn wire_alone(&self) -> Result<Value> {
        json::renamed(self, "CheckID", "ID")
    }
}

fn written<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    duration::serialize(&duration.unwrap_or_default(), serializer)
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECOND: Duration = Duration::from_secs(1);

    fn named() -> CheckDefinition {
        CheckDefinition::new("c")
    }

    fn wire(check: CheckDefinition) -> Value {
        check.validate_alone().unwrap();
        check.wire_alone().unwrap()
    }

    #[test]
    fn every_kind_is_sent_by_consuls_names() {
        let cases = [
            (named().ttl(15 * SECOND), json!({"Name": "c", "TTL": "15s"})),
            (
                named()
                    .http("https://x/health")
                    .http_method("POST")
                    .http_header("A", "1")
                    .http_header("A", "2")
                    .http_body("ping")
                    .tls_skip_verify(true)
                    .tls_server_name("y")
                    .interval(SECOND)
                    .timeout(Duration::from_millis(250)),
                json!({"Name": "c", "HTTP": "https://x/health", "Method": "POST",
                    "Header": {"A": ["1", "2"]}, "Body": "ping", "TLSSkipVerify": true,
                    "TLSServerName": "y", "Interval": "1s", "Timeout": "250ms"}),
            ),
            (
                named().tcp("x:1").interval(SECOND).success_before_passing(2),
                json!({"Name": "c", "TCP": "x:1", "Interval": "1s", "SuccessBeforePassing": 2}),
            ),
            (
                named().grpc("x:1/s").grpc_use_tls(true).tls_skip_verify(true).interval(SECOND),
                json!({"Name": "c", "GRPC": "x:1/s", "GRPCUseTLS": true, "TLSSkipVerify": true,
                    "Interval": "1s"}),
            ),
            (
                named().script(["/bin/true", "-x"]).interval(SECOND).failures_before_critical(3),
                json!({"Name": "c", "ScriptArgs": ["/bin/true", "-x"], "Interval": "1s",
                    "FailuresBeforeCritical": 3}),
            ),
            (
                named().script(["true"]).docker("abc", "/bin/sh").interval(SECOND),
                json!({"Name": "c", "ScriptArgs": ["true"], "DockerContainerID": "abc",
                    "Shell": "/bin/sh", "Interval": "1s"}),
            ),
            (
                named().alias_service("web-1").alias_node("n"),
                json!({"Name": "c", "AliasService": "web-1", "AliasNode": "n"}),
            ),
        ];
        for (check, expected) in cases {
            assert_eq!(wire(check), expected);
        }
    }

    #[test]
    fn within_a_service_its_id_has_another_name() {
        let check = CheckDefinition::new("").id("i").ttl(SECOND);
        assert_eq!(serde_json::to_value(check).unwrap(), json!({"CheckID": "i", "TTL": "1s"}));
    }

    #[test]
    fn what_every_kind_may_have_is_sent() {
        let check = named()
            .id("i")
            .notes("n")
            .service_id("web-1")
            .status(CheckStatus::Passing)
            .ttl(SECOND)
            .deregister_critical_service_after(90 * 60 * SECOND);
        assert_eq!(
            wire(check),
            json!({"ID": "i", "Name": "c", "Notes": "n", "ServiceID": "web-1",
                "Status": "passing", "TTL": "1s", "DeregisterCriticalServiceAfter": "5400s"})
        );
    }
}
