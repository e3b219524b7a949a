//! A service as the agent's own API shows it, which is not how the catalog does.

use crate::transport::embedded::state::{
    Address, Connect, Expose, MeshGateway, Proxy, Service, Upstream, Weights,
};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Shown<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    kind: &'a str,
    #[serde(rename = "ID")]
    id: &'a str,
    service: &'a str,
    tags: &'a [String],
    meta: BTreeMap<&'a str, &'a str>,
    port: i64,
    address: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    tagged_addresses: BTreeMap<&'a str, &'a Address>,
    weights: Weights,
    enable_tag_override: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    content_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<ShownProxy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect: Option<&'a Connect>,
}

impl<'a> Shown<'a> {
    pub(super) fn new(service: &'a Service) -> Shown<'a> {
        let meta = service.meta.iter().flatten();
        let addresses = service.tagged_addresses.iter().flatten();
        let has_proxy = matches!(
            &service.kind[..],
            "connect-proxy" | "mesh-gateway" | "terminating-gateway" | "ingress-gateway"
        );
        Shown {
            kind: &service.kind,
            id: &service.id,
            service: &service.service,
            tags: service.tags(),
            meta: meta.map(|(name, value)| (&name[..], &value[..])).collect(),
            port: service.port,
            address: &service.address,
            tagged_addresses: addresses.map(|(name, address)| (&name[..], address)).collect(),
            weights: service.weights,
            enable_tag_override: service.enable_tag_override,
            content_hash: "",
            proxy: has_proxy.then(|| ShownProxy::new(&service.proxy)),
            connect: service.connect.native.then_some(&service.connect),
        }
    }

    /// The same, with the hash of what it says.
    pub(super) fn hashed<'b>(self, hash: &'b str) -> Shown<'b>
    where
        'a: 'b,
    {
        Shown { content_hash: hash, ..self }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownProxy<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    destination_service_name: &'a str,
    #[serde(rename = "DestinationServiceID", skip_serializing_if = "str::is_empty")]
    destination_service_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    local_service_address: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    local_service_port: i64,
    #[serde(skip_serializing_if = "Map::is_empty")]
    config: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    upstreams: Vec<ShownUpstream<'a>>,
    mesh_gateway: &'a MeshGateway,
    expose: &'a Expose,
}

impl<'a> ShownProxy<'a> {
    fn new(proxy: &'a Proxy) -> ShownProxy<'a> {
        ShownProxy {
            destination_service_name: &proxy.destination_service_name,
            destination_service_id: &proxy.destination_service_id,
            local_service_address: &proxy.local_service_address,
            local_service_port: proxy.local_service_port,
            config: &proxy.config,
            upstreams: proxy.upstreams.iter().map(ShownUpstream::new).collect(),
            mesh_gateway: &proxy.mesh_gateway,
            expose: &proxy.expose,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ShownUpstream<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    destination_type: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    destination_namespace: &'a str,
    destination_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    datacenter: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    local_bind_address: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    local_bind_port: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a Map<String, Value>>,
    mesh_gateway: &'a MeshGateway,
}

impl<'a> ShownUpstream<'a> {
    fn new(upstream: &'a Upstream) -> ShownUpstream<'a> {
        ShownUpstream {
            destination_type: &upstream.destination_type,
            destination_namespace: &upstream.destination_namespace,
            destination_name: &upstream.destination_name,
            datacenter: &upstream.datacenter,
            local_bind_address: &upstream.local_bind_address,
            local_bind_port: upstream.local_bind_port,
            config: upstream.config.as_ref().filter(|config| !config.is_empty()),
            mesh_gateway: &upstream.mesh_gateway,
        }
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}
