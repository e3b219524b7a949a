//! What bodies say of services, checks and nodes.

mod values;

use crate::transport::embedded::decode::{self, Fields};
use crate::transport::embedded::state::{
    Address, Check, Connect, Definition, Expose, ExposedPath, MeshGateway, Node, Proxy,
    Registration, Service, Upstream, Weights,
};
use serde_json::Value;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, String>;

/// A check as an agent is told of it.
#[derive(Debug, Default)]
pub(in crate::transport::embedded) struct CheckSpec {
    pub(in crate::transport::embedded) id: String,
    pub(in crate::transport::embedded) name: String,
    pub(in crate::transport::embedded) status: String,
    pub(in crate::transport::embedded) notes: String,
    pub(in crate::transport::embedded) service_id: String,
    pub(in crate::transport::embedded) definition: Definition,
}

/// A service as an agent is told of it.
#[derive(Debug, Default)]
pub(in crate::transport::embedded) struct ServiceSpec {
    pub(in crate::transport::embedded) service: Service,
    /// None where the agent is to choose them.
    pub(in crate::transport::embedded) weights: Option<Weights>,
    pub(in crate::transport::embedded) checks: Vec<CheckSpec>,
    /// It wants a proxy beside it.
    pub(in crate::transport::embedded) has_sidecar: bool,
}

/// What is to go from the catalog.
#[derive(Debug, Default)]
pub(in crate::transport::embedded) struct Deregistration {
    pub(in crate::transport::embedded) datacenter: String,
    pub(in crate::transport::embedded) node: String,
    pub(in crate::transport::embedded) service_id: String,
    pub(in crate::transport::embedded) check_id: String,
}

const DEFINITION: &[&str] = &[
    "Interval",
    "Timeout",
    "TTL",
    "DeregisterCriticalServiceAfter",
    "ScriptArgs",
    "HTTP",
    "Header",
    "Method",
    "Body",
    "TCP",
    "AliasNode",
    "AliasService",
    "DockerContainerID",
    "Shell",
    "GRPC",
    "GRPCUseTLS",
    "TLSSkipVerify",
    "SuccessBeforePassing",
    "FailuresBeforeCritical",
    "OutputMaxSize",
    "args",
    "script_args",
    "deregister_critical_service_after",
    "docker_container_id",
    "tls_skip_verify",
    "ServiceID",
    "service_id",
    "Name",
    "Status",
    "Notes",
];

impl ServiceSpec {
    /// The body of `/v1/agent/service/register`.
    pub(in crate::transport::embedded) fn read(body: &[u8]) -> Result<ServiceSpec> {
        const GO_TYPE: &str = "struct { EnableTagOverrideSnake bool \
            \"json:\\\"enable_tag_override\\\"\"; TaggedAddressesSnake \
            map[string]structs.ServiceAddress \"json:\\\"tagged_addresses\\\"\"; *structs.Alias }";
        let value = decode::parse(body)?;
        let Some(fields) = Fields::top(&value, "", GO_TYPE)? else { return Ok(Self::default()) };
        // What a nested value says is wrong comes before all else.
        let (connect, has_sidecar) = connect(&fields)?;
        let proxy = proxy(&fields)?;
        let mut checks = Vec::new();
        if let Some(value) = fields.get("Check") {
            let check = check_type(value).map_err(|why| fields.outer(&why, "Check"))?;
            checks.extend((!check.is_empty()).then_some(check));
        }
        for value in fields.list("Checks", "structs.CheckTypes")? {
            checks.push(check_type(value).map_err(|why| fields.outer(&why, "Checks"))?);
        }
        fields.allow_only(&[
            "Kind",
            "ID",
            "Name",
            "Tags",
            "Address",
            "TaggedAddresses",
            "Meta",
            "Port",
            "Check",
            "Checks",
            "Weights",
            "Token",
            "EnableTagOverride",
            "Proxy",
            "Connect",
            "enable_tag_override",
            "tagged_addresses",
        ])?;
        fields.string("Token")?;
        let mut service = service(&fields, "Name")?;
        (service.connect, service.proxy) = (connect, proxy);
        service.enable_tag_override |= fields.flag("enable_tag_override")?;
        if service.tagged_addresses.as_ref().is_none_or(BTreeMap::is_empty) {
            service.tagged_addresses = addresses(&fields, "tagged_addresses")?;
        }
        if service.id.is_empty() {
            service.id.clone_from(&service.service);
        }
        Ok(ServiceSpec { service, weights: weights(&fields)?, checks, has_sidecar })
    }
}

impl CheckSpec {
    /// The body of `/v1/agent/check/register`.
    pub(in crate::transport::embedded) fn read(body: &[u8]) -> Result<CheckSpec> {
        let value = decode::parse(body)?;
        let Some(fields) =
            Fields::top(&value, "", &go_type("ServiceIDSnake string \"json:\\\"service_id\\\"\""))?
        else {
            return Ok(Self::default());
        };
        fields.allow_only(&[DEFINITION, &["ID", "Token"]].concat())?;
        fields.string("Token")?;
        Ok(CheckSpec { id: fields.text("ID")?, ..check_spec(&fields)? })
    }

    fn is_empty(&self) -> bool {
        let CheckSpec { id, name, status, notes, service_id: _, definition } = self;
        [id, name, status, notes].iter().all(|text| text.is_empty())
            && *definition == Definition::default()
    }
}

/// A check within a service's definition says its service in vain.
const SERVICE_IDS: &str = "ServiceID string \"json:\\\"ServiceID\\\"\"; \
                           ServiceIDSnake string \"json:\\\"service_id\\\"\"";

/// What Go calls the type that checks are read into.
fn go_type(service_ids: &str) -> String {
    let durations = "Interval interface {}; Timeout interface {}; TTL interface {}; \
                     DeregisterCriticalServiceAfter interface {}";
    let aliases = [
        "Args []string \"json:\\\"args\\\"\"",
        "ScriptArgsSnake []string \"json:\\\"script_args\\\"\"",
        "DeregisterCriticalServiceAfterSnake interface {} \
         \"json:\\\"deregister_critical_service_after\\\"\"",
        "DockerContainerIDSnake string \"json:\\\"docker_container_id\\\"\"",
        "TLSSkipVerifySnake bool \"json:\\\"tls_skip_verify\\\"\"",
    ];
    format!("struct {{ {durations}; {}; {service_ids}; *structs.Alias }}", aliases.join("; "))
}

/// A check within a service's definition.
fn check_type(value: &Value) -> Result<CheckSpec> {
    let Some(fields) = Fields::top(value, "", &go_type(SERVICE_IDS))? else {
        return Ok(CheckSpec::default());
    };
    fields.allow_only(&[DEFINITION, &["CheckID", "ProxyHTTP", "ProxyGRPC"]].concat())?;
    Ok(CheckSpec { id: fields.text("CheckID")?, ..check_spec(&fields)? })
}

/// All but the id.
fn check_spec(fields: &Fields<'_>) -> Result<CheckSpec> {
    let either = |name: &str, snake: &str| match fields.text(name)? {
        text if text.is_empty() => fields.text(snake),
        text => Ok(text),
    };
    let mut spec = CheckSpec {
        id: String::new(),
        name: fields.text("Name")?,
        status: fields.text("Status")?,
        notes: fields.text("Notes")?,
        service_id: either("ServiceID", "service_id")?,
        definition: Definition::default(),
    };
    let docker_container_id = either("DockerContainerID", "docker_container_id")?;
    let skips_verify = fields.flag("tls_skip_verify")?;
    let scripts = ["args", "script_args"].map(|name| fields.strings(name));
    let mut definition = definition(fields)?;
    for script in scripts {
        let script = script?.unwrap_or_default();
        if definition.script_args.is_empty() {
            definition.script_args = script;
        }
    }
    if definition.deregister_critical_service_after == 0 {
        definition.deregister_critical_service_after =
            fields.duration("deregister_critical_service_after")?;
    }
    definition.docker_container_id = docker_container_id;
    definition.tls_skip_verify |= skips_verify;
    spec.definition = definition;
    Ok(spec)
}

fn definition(fields: &Fields<'_>) -> Result<Definition> {
    Ok(Definition {
        output_max_size: fields.number("OutputMaxSize")?,
        http: fields.text("HTTP")?,
        tls_skip_verify: fields.flag("TLSSkipVerify")?,
        header: header(fields)?,
        method: fields.text("Method")?,
        body: fields.text("Body")?,
        tcp: fields.text("TCP")?,
        script_args: fields.strings("ScriptArgs")?.unwrap_or_default(),
        docker_container_id: fields.text("DockerContainerID")?,
        shell: fields.text("Shell")?,
        grpc: fields.text("GRPC")?,
        grpc_use_tls: fields.flag("GRPCUseTLS")?,
        alias_node: fields.text("AliasNode")?,
        alias_service: fields.text("AliasService")?,
        // Texts are looked into when all has its type.
        interval: fields.duration("Interval")?,
        timeout: fields.duration("Timeout")?,
        ttl: fields.duration("TTL")?,
        deregister_critical_service_after: fields.duration("DeregisterCriticalServiceAfter")?,
    })
}

fn header(fields: &Fields<'_>) -> Result<BTreeMap<String, Vec<String>>> {
    let Some(entries) = fields.map("Header", "map[string][]string")? else {
        return Ok(BTreeMap::new());
    };
    let values = |value: &Value| match value {
        Value::Array(all) => all
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| fields.mismatch("number", "Header", "string")),
        Value::Null => Ok(Vec::new()),
        other => Err(fields.mismatch(decode::kind(other), "Header", "[]string")),
    };
    entries.iter().map(|(name, value)| Ok((name.clone(), values(value)?))).collect()
}

/// The body of `/v1/catalog/register`, and the datacenter that it names.
pub(in crate::transport::embedded) fn read_registration(body: &[u8]) -> Result<Registration> {
    let value = decode::parse(body)?;
    let Some(fields) = Fields::top(&value, "RegisterRequest", "structs.RegisterRequest")? else {
        return Ok(Registration::default());
    };
    fields.allow_only(&[
        "Datacenter",
        "ID",
        "Node",
        "Address",
        "TaggedAddresses",
        "NodeMeta",
        "Service",
        "Check",
        "Checks",
        "SkipNodeUpdate",
        "Token",
        "CreateIndex",
        "ModifyIndex",
    ])?;
    let node = Node {
        id: fields.text("ID")?,
        node: fields.text("Node")?,
        address: fields.text("Address")?,
        datacenter: fields.text("Datacenter")?,
        tagged_addresses: fields.texts_by_name("TaggedAddresses")?,
        meta: fields.texts_by_name("NodeMeta")?,
        ..Node::default()
    };
    let found = fields.fields("Service", "NodeService", "structs.NodeService")?;
    let service = found.map(|fields| node_service(&fields)).transpose()?;
    let mut checks = Vec::new();
    for fields in fields.structs("Checks", "HealthCheck", "structs.HealthCheck")? {
        checks.push(health_check(&fields)?);
    }
    if let Some(fields) = fields.fields("Check", "HealthCheck", "structs.HealthCheck")? {
        checks.push(health_check(&fields)?);
    }
    Ok(Registration { node, skip_node_update: fields.flag("SkipNodeUpdate")?, service, checks })
}

/// The body of `/v1/catalog/deregister`.
pub(in crate::transport::embedded) fn read_deregistration(body: &[u8]) -> Result<Deregistration> {
    let value = decode::parse(body)?;
    const GO_TYPE: &str = "struct { Address string; *structs.Alias }";
    let Some(fields) = Fields::top(&value, "", GO_TYPE)? else {
        return Ok(Deregistration::default());
    };
    fields.allow_only(&["Datacenter", "Node", "ServiceID", "CheckID", "Token", "Address"])?;
    Ok(Deregistration {
        datacenter: fields.text("Datacenter")?,
        node: fields.text("Node")?,
        service_id: fields.text("ServiceID")?,
        check_id: fields.text("CheckID")?,
    })
}

/// A service as the catalog is told of it.
pub(in crate::transport::embedded) fn node_service(fields: &Fields<'_>) -> Result<Service> {
    fields.allow_only(&[
        "Kind",
        "ID",
        "Service",
        "Tags",
        "Address",
        "TaggedAddresses",
        "Meta",
        "Port",
        "Weights",
        "EnableTagOverride",
        "Proxy",
        "Connect",
        "CreateIndex",
        "ModifyIndex",
    ])?;
    let ((connect, _), proxy) = (connect(fields)?, proxy(fields)?);
    let weights = weights(fields)?.unwrap_or_default();
    Ok(Service { weights, connect, proxy, ..service(fields, "Service")? })
}

/// A check as the catalog is told of it.
pub(in crate::transport::embedded) fn health_check(fields: &Fields<'_>) -> Result<Check> {
    fields.allow_only(&[
        "Node",
        "CheckID",
        "Name",
        "Status",
        "Notes",
        "Output",
        "ServiceID",
        "ServiceName",
        "ServiceTags",
        "Type",
        "Definition",
        "CreateIndex",
        "ModifyIndex",
    ])?;
    let found = fields.get("Definition").map(|value| {
        const GO_TYPE: &str = "struct { Interval interface {}; Timeout interface {}; \
            DeregisterCriticalServiceAfter interface {}; TTL interface {}; *structs.Alias }";
        Fields::top(value, "", GO_TYPE)
            .and_then(|inner| inner.as_ref().map_or(Ok(Definition::default()), definition))
            .map_err(|why| fields.outer(&why, "Definition"))
    });
    Ok(Check {
        node: fields.text("Node")?,
        id: fields.text("CheckID")?,
        name: fields.text("Name")?,
        status: fields.text("Status")?,
        notes: fields.text("Notes")?,
        output: fields.text("Output")?,
        service_id: fields.text("ServiceID")?,
        service_name: fields.text("ServiceName")?,
        service_tags: fields.tags("ServiceTags")?,
        kind: fields.text("Type")?,
        definition: found.transpose()?.unwrap_or_default(),
        ..Check::default()
    })
}

/// What both kinds of service say in the same words.
fn service(fields: &Fields<'_>, name: &str) -> Result<Service> {
    Ok(Service {
        kind: fields.text("Kind")?,
        id: fields.text("ID")?,
        service: fields.text(name)?,
        tags: fields.tags("Tags")?,
        address: fields.text("Address")?,
        tagged_addresses: addresses(fields, "TaggedAddresses")?,
        meta: fields.texts_by_name("Meta")?,
        port: fields.number("Port")?,
        enable_tag_override: fields.flag("EnableTagOverride")?,
        ..Service::default()
    })
}

fn addresses(fields: &Fields<'_>, name: &str) -> Result<Option<BTreeMap<String, Address>>> {
    let Some(entries) = fields.map(name, "map[string]structs.ServiceAddress")? else {
        return Ok(None);
    };
    let address = |value: &Value| -> Result<Address> {
        let fields = Fields::top(value, "ServiceAddress", "structs.ServiceAddress")?;
        let Some(fields) = fields else { return Ok(Address::default()) };
        Ok(Address { address: fields.text("Address")?, port: fields.number("Port")? })
    };
    let entries = entries.iter().map(|(name, value)| Ok((name.clone(), address(value)?)));
    entries.collect::<Result<_>>().map(Some)
}

fn weights(fields: &Fields<'_>) -> Result<Option<Weights>> {
    let Some(fields) = fields.fields("Weights", "Weights", "structs.Weights")? else {
        return Ok(None);
    };
    fields.allow_only(&["Passing", "Warning"])?;
    let (passing, warning) = (fields.number("Passing")?, fields.number("Warning")?);
    Ok(Some(Weights { passing, warning }))
}

/// Whether the service speaks the mesh's protocol itself, and whether it wants a proxy.
fn connect(fields: &Fields<'_>) -> Result<(Connect, bool)> {
    let Some(value) = fields.get("Connect") else { return Ok((Connect::default(), false)) };
    let Some(fields) = Fields::top(value, "", "structs.ServiceConnect")? else {
        return Ok((Connect::default(), false));
    };
    let has_sidecar = ["SidecarService", "sidecar_service"];
    let has_sidecar = has_sidecar.iter().any(|name| fields.get(name).is_some());
    Ok((Connect { native: fields.flag("Native")? }, has_sidecar))
}

fn proxy(fields: &Fields<'_>) -> Result<Proxy> {
    let Some(value) = fields.get("Proxy") else { return Ok(Proxy::default()) };
    let Some(fields) = Fields::top(value, "", "structs.ConnectProxyConfig")? else {
        return Ok(Proxy::default());
    };
    let either = |name: &str, snake: &str| match fields.text(name)? {
        text if text.is_empty() => fields.text(snake),
        text => Ok(text),
    };
    let port = match fields.number("LocalServicePort")? {
        0 => fields.number("local_service_port")?,
        port => port,
    };
    Ok(Proxy {
        destination_service_name: either("DestinationServiceName", "destination_service_name")?,
        destination_service_id: either("DestinationServiceID", "destination_service_id")?,
        local_service_address: either("LocalServiceAddress", "local_service_address")?,
        local_service_port: port,
        config: fields.map("Config", "map[string]interface {}")?.cloned().unwrap_or_default(),
        upstreams: upstreams(&fields)?,
        mesh_gateway: mesh_gateway(&fields)?,
        expose: expose(&fields)?,
    })
}

fn upstreams(fields: &Fields<'_>) -> Result<Vec<Upstream>> {
    let upstream = |value: &&Value| {
        let Some(fields) = Fields::top(value, "", "structs.Upstream")? else {
            return Ok(Upstream::default());
        };
        let kind = fields.text("DestinationType")?;
        Ok(Upstream {
            destination_type: if kind.is_empty() { "service".to_owned() } else { kind },
            destination_namespace: fields.text("DestinationNamespace")?,
            destination_name: fields.text("DestinationName")?,
            datacenter: fields.text("Datacenter")?,
            local_bind_address: fields.text("LocalBindAddress")?,
            local_bind_port: fields.number("LocalBindPort")?,
            config: fields.map("Config", "map[string]interface {}")?.cloned(),
            mesh_gateway: mesh_gateway(&fields)?,
        })
    };
    fields.list("Upstreams", "structs.Upstreams")?.iter().map(upstream).collect()
}

fn mesh_gateway(fields: &Fields<'_>) -> Result<MeshGateway> {
    let found = fields.fields("MeshGateway", "MeshGatewayConfig", "structs.MeshGatewayConfig")?;
    let mode = found.map(|fields| fields.text("Mode")).transpose()?;
    Ok(MeshGateway { mode: mode.unwrap_or_default() })
}

fn expose(fields: &Fields<'_>) -> Result<Expose> {
    let Some(fields) = fields.fields("Expose", "ExposeConfig", "structs.ExposeConfig")? else {
        return Ok(Expose::default());
    };
    let path = |value: &&Value| {
        let Some(fields) = Fields::top(value, "", "structs.ExposePath")? else {
            return Ok(ExposedPath::default());
        };
        Ok(ExposedPath {
            listener_port: fields.number("ListenerPort")?,
            path: fields.text("Path")?,
            local_path_port: fields.number("LocalPathPort")?,
            protocol: fields.text("Protocol")?,
            parsed_from_check: fields.flag("ParsedFromCheck")?,
        })
    };
    let paths = fields.list("Paths", "[]structs.ExposePath")?;
    Ok(Expose {
        checks: fields.flag("Checks")?,
        paths: paths.iter().map(path).collect::<Result<_>>()?,
    })
}
