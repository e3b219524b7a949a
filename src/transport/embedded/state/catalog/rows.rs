//! The rows of the catalog's tables, written as Consul's API writes them.

use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Names and what stands under them; `None` is Consul's null, which is not the same as nothing.
pub(in crate::transport::embedded) type Meta = Option<BTreeMap<String, String>>;

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Node {
    #[serde(rename = "ID")]
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) node: String,
    pub(in crate::transport::embedded) address: String,
    pub(in crate::transport::embedded) datacenter: String,
    pub(in crate::transport::embedded) tagged_addresses: Meta,
    pub(in crate::transport::embedded) meta: Meta,
    pub(in crate::transport::embedded) create_index: u64,
    pub(in crate::transport::embedded) modify_index: u64,
}

/// An instance of a service, without the node that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Service {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) kind: String,
    #[serde(rename = "ID")]
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) service: String,
    #[serde(serialize_with = "list")]
    pub(in crate::transport::embedded) tags: Option<Vec<String>>,
    pub(in crate::transport::embedded) address: String,
    #[serde(skip_serializing_if = "lacks_entries")]
    pub(in crate::transport::embedded) tagged_addresses: Option<BTreeMap<String, Address>>,
    pub(in crate::transport::embedded) meta: Meta,
    pub(in crate::transport::embedded) port: i64,
    pub(in crate::transport::embedded) weights: Weights,
    pub(in crate::transport::embedded) enable_tag_override: bool,
    pub(in crate::transport::embedded) proxy: Proxy,
    pub(in crate::transport::embedded) connect: Connect,
    pub(in crate::transport::embedded) create_index: u64,
    pub(in crate::transport::embedded) modify_index: u64,
}

impl Service {
    /// The tags; none where there is no list.
    pub(in crate::transport::embedded) fn tags(&self) -> &[String] {
        self.tags.as_deref().unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Weights {
    pub(in crate::transport::embedded) passing: i64,
    pub(in crate::transport::embedded) warning: i64,
}

impl Default for Weights {
    fn default() -> Weights {
        Weights { passing: 1, warning: 1 }
    }
}

impl Weights {
    pub(in crate::transport::embedded) fn check(self) -> Result<(), &'static str> {
        match self {
            Weights { passing: ..1, .. } => Err("Passing must be greater than 0"),
            Weights { warning: ..0, .. } => Err("Warning must be greater or equal than 0"),
            Weights { passing: 65_536.., .. } | Weights { warning: 65_536.., .. } => {
                Err("DNS Weight must be between 0 and 65535")
            }
            _ => Ok(()),
        }
    }
}

/// One of the addresses that a service has beside its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Address {
    pub(in crate::transport::embedded) address: String,
    pub(in crate::transport::embedded) port: i64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Connect {
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::transport::embedded) native: bool,
}

/// What a proxy in the mesh is for. It is kept and shown; there is no mesh.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Proxy {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) destination_service_name: String,
    #[serde(rename = "DestinationServiceID", skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) destination_service_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) local_service_address: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::transport::embedded) local_service_port: i64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(in crate::transport::embedded) config: Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::transport::embedded) upstreams: Vec<Upstream>,
    pub(in crate::transport::embedded) mesh_gateway: MeshGateway,
    pub(in crate::transport::embedded) expose: Expose,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Upstream {
    pub(in crate::transport::embedded) destination_type: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) destination_namespace: String,
    pub(in crate::transport::embedded) destination_name: String,
    pub(in crate::transport::embedded) datacenter: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) local_bind_address: String,
    pub(in crate::transport::embedded) local_bind_port: i64,
    pub(in crate::transport::embedded) config: Option<Map<String, Value>>,
    pub(in crate::transport::embedded) mesh_gateway: MeshGateway,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct MeshGateway {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) mode: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Expose {
    #[serde(skip_serializing_if = "is_false")]
    pub(in crate::transport::embedded) checks: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::transport::embedded) paths: Vec<ExposedPath>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct ExposedPath {
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::transport::embedded) listener_port: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) path: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::transport::embedded) local_path_port: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) protocol: String,
    pub(in crate::transport::embedded) parsed_from_check: bool,
}

/// A check of a node or of a service on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Check {
    pub(in crate::transport::embedded) node: String,
    #[serde(rename = "CheckID")]
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) name: String,
    pub(in crate::transport::embedded) status: String,
    pub(in crate::transport::embedded) notes: String,
    pub(in crate::transport::embedded) output: String,
    #[serde(rename = "ServiceID")]
    pub(in crate::transport::embedded) service_id: String,
    pub(in crate::transport::embedded) service_name: String,
    #[serde(serialize_with = "list")]
    pub(in crate::transport::embedded) service_tags: Option<Vec<String>>,
    #[serde(rename = "Type")]
    pub(in crate::transport::embedded) kind: String,
    pub(in crate::transport::embedded) definition: Definition,
    pub(in crate::transport::embedded) create_index: u64,
    pub(in crate::transport::embedded) modify_index: u64,
}

impl Check {
    pub(in crate::transport::embedded) fn is_critical(&self) -> bool {
        self.status == CRITICAL
    }

    /// True where both say the same. Consul does not look at the type here.
    pub(in crate::transport::embedded) fn says(&self, other: &Check) -> bool {
        let alike = |check: &Check| Check {
            kind: String::new(),
            create_index: 0,
            modify_index: 0,
            ..check.clone()
        };
        alike(self) == alike(other)
    }
}

pub(in crate::transport::embedded) const PASSING: &str = "passing";
pub(in crate::transport::embedded) const WARNING: &str = "warning";
pub(in crate::transport::embedded) const CRITICAL: &str = "critical";

/// How a check is done, by whoever does it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Definition {
    #[serde(skip_serializing_if = "is_zero", serialize_with = "duration")]
    pub(in crate::transport::embedded) interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::transport::embedded) output_max_size: i64,
    #[serde(skip_serializing_if = "is_zero", serialize_with = "duration")]
    pub(in crate::transport::embedded) timeout: i64,
    #[serde(skip_serializing_if = "is_zero", serialize_with = "duration")]
    pub(in crate::transport::embedded) deregister_critical_service_after: i64,
    #[serde(rename = "HTTP", skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) http: String,
    #[serde(rename = "TLSSkipVerify", skip_serializing_if = "is_false")]
    pub(in crate::transport::embedded) tls_skip_verify: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(in crate::transport::embedded) header: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) method: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) body: String,
    #[serde(rename = "TCP", skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) tcp: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::transport::embedded) script_args: Vec<String>,
    #[serde(rename = "DockerContainerID", skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) docker_container_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) shell: String,
    #[serde(rename = "GRPC", skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) grpc: String,
    #[serde(rename = "GRPCUseTLS", skip_serializing_if = "is_false")]
    pub(in crate::transport::embedded) grpc_use_tls: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) alias_node: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::transport::embedded) alias_service: String,
    #[serde(rename = "TTL", skip_serializing_if = "is_zero")]
    pub(in crate::transport::embedded) ttl: i64,
}

impl Definition {
    /// The type that a check of this definition has.
    pub(in crate::transport::embedded) fn kind(&self) -> &'static str {
        let repeated = self.interval > 0;
        match self {
            _ if !self.grpc.is_empty() && repeated => "grpc",
            _ if !self.http.is_empty() && repeated => "http",
            _ if self.ttl > 0 => "ttl",
            _ if !self.tcp.is_empty() && repeated => "tcp",
            _ if self.is_alias() => "alias",
            _ if self.is_script() && !self.docker_container_id.is_empty() && repeated => "docker",
            _ if self.is_script() => "script",
            _ => "",
        }
    }

    pub(in crate::transport::embedded) fn is_alias(&self) -> bool {
        !self.alias_node.is_empty() || !self.alias_service.is_empty()
    }

    pub(in crate::transport::embedded) fn is_script(&self) -> bool {
        !self.script_args.is_empty()
    }

    /// What an agent demands of a check that it is to do.
    pub(in crate::transport::embedded) fn check(&self) -> Result<(), &'static str> {
        let texts = [&self.http, &self.tcp, &self.grpc];
        let needs_interval = self.is_script() || texts.iter().any(|text| !text.is_empty());
        if self.interval > 0 && self.ttl > 0 {
            return Err("Interval and TTL cannot both be specified");
        }
        if needs_interval && self.interval <= 0 {
            return Err("Interval must be > 0 for Script, HTTP, or TCP checks");
        }
        if needs_interval && self.is_alias() {
            return Err("Interval cannot be set for Alias checks");
        }
        if self.is_alias() && self.ttl > 0 {
            return Err("TTL must be not be set for Alias checks");
        }
        if !needs_interval && !self.is_alias() && self.ttl <= 0 {
            return Err("TTL must be > 0 for TTL checks");
        }
        if self.output_max_size < 0 {
            return Err("MaxOutputMaxSize must be positive");
        }
        Ok(())
    }
}

/// Where a node is in the net's space of round trips.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Coordinate {
    pub(in crate::transport::embedded) node: String,
    pub(in crate::transport::embedded) segment: String,
    pub(in crate::transport::embedded) coord: Point,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::transport::embedded) struct Point {
    pub(in crate::transport::embedded) vec: Vec<f64>,
    pub(in crate::transport::embedded) error: f64,
    pub(in crate::transport::embedded) adjustment: f64,
    pub(in crate::transport::embedded) height: f64,
}

impl Default for Point {
    /// Where every node begins.
    fn default() -> Point {
        Point { vec: vec![0.0; 8], error: 1.5, adjustment: 0.0, height: 1e-5 }
    }
}

impl Point {
    /// The time there and back, in seconds, as Serf estimates it.
    pub(in crate::transport::embedded) fn distance(&self, other: &Point) -> f64 {
        let sides = self.vec.iter().zip(&other.vec).map(|(a, b)| (a - b) * (a - b));
        let direct = sides.sum::<f64>().sqrt() + self.height + other.height;
        let adjusted = direct + self.adjustment + other.adjustment;
        if adjusted > 0.0 { adjusted } else { direct }
    }
}

/// A list that the API shows as empty where there is none.
fn list<S: serde::Serializer>(
    list: &Option<Vec<String>>,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(list.as_deref().unwrap_or_default())
}

fn duration<S: serde::Serializer>(
    nanos: &i64,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&crate::transport::embedded::go::duration(*nanos))
}

fn lacks_entries(entries: &Option<BTreeMap<String, Address>>) -> bool {
    entries.as_ref().is_none_or(BTreeMap::is_empty)
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
