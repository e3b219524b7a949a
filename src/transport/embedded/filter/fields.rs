//! What the filters of each endpoint may select: the fields that Consul's types have, since an
//! answer's JSON leaves some of them out.

/// A field's type, which says how it can be compared.
#[derive(Clone, Copy)]
pub(crate) enum Field {
    Text,
    Flag,
    Number,
    /// A list of texts.
    Texts,
    /// A list of objects: one that matches is enough.
    Objects(&'static Object),
    /// A map from names to what is said.
    Map(&'static Field),
    Object(&'static Object),
}

/// The fields of an object, by name.
pub(crate) type Object = [(&'static str, Field)];

use Field::{Flag, Map, Number, Object as Inner, Objects, Text, Texts};

/// `/v1/catalog/nodes`.
pub(crate) const NODE: &Object = &[
    ("ID", Text),
    ("Node", Text),
    ("Address", Text),
    ("Datacenter", Text),
    ("TaggedAddresses", Map(&Text)),
    ("Meta", Map(&Text)),
];

/// `/v1/catalog/service/:name`.
pub(crate) const CATALOG_SERVICE: &Object = &[
    ("ID", Text),
    ("Node", Text),
    ("Address", Text),
    ("Datacenter", Text),
    ("TaggedAddresses", Map(&Text)),
    ("NodeMeta", Map(&Text)),
    ("ServiceKind", Text),
    ("ServiceID", Text),
    ("ServiceName", Text),
    ("ServiceTags", Texts),
    ("ServiceAddress", Text),
    ("ServiceTaggedAddresses", Map(&Inner(SERVICE_ADDRESS))),
    ("ServiceWeights", Inner(WEIGHTS)),
    ("ServiceMeta", Map(&Text)),
    ("ServicePort", Number),
    ("ServiceEnableTagOverride", Flag),
    ("ServiceProxy", Inner(PROXY)),
    ("ServiceConnect", Inner(CONNECT)),
];

/// `/v1/catalog/node/:node`, `/v1/catalog/node-services/:node`, and `/v1/agent/services`.
pub(crate) const SERVICE: &Object = &[
    ("Kind", Text),
    ("ID", Text),
    ("Service", Text),
    ("Tags", Texts),
    ("Address", Text),
    ("TaggedAddresses", Map(&Inner(SERVICE_ADDRESS))),
    ("Meta", Map(&Text)),
    ("Port", Number),
    ("Weights", Inner(WEIGHTS)),
    ("EnableTagOverride", Flag),
    ("Proxy", Inner(PROXY)),
    ("Connect", Inner(CONNECT)),
];

/// `/v1/health/node`, `/v1/health/checks`, `/v1/health/state`, and `/v1/agent/checks`.
pub(crate) const CHECK: &Object = &[
    ("Node", Text),
    ("CheckID", Text),
    ("Name", Text),
    ("Status", Text),
    ("Notes", Text),
    ("Output", Text),
    ("ServiceID", Text),
    ("ServiceName", Text),
    ("ServiceTags", Texts),
    ("Type", Text),
];

/// `/v1/health/service/:name`.
pub(crate) const SERVICE_ENTRY: &Object =
    &[("Node", Inner(NODE)), ("Service", Inner(SERVICE)), ("Checks", Objects(CHECK))];

const SERVICE_ADDRESS: &Object = &[("Address", Text), ("Port", Number)];
const WEIGHTS: &Object = &[("Passing", Number), ("Warning", Number)];
const CONNECT: &Object = &[("Native", Flag)];
const MESH_GATEWAY: &Object = &[("Mode", Text)];

const PROXY: &Object = &[
    ("DestinationServiceName", Text),
    ("DestinationServiceID", Text),
    ("LocalServiceAddress", Text),
    ("LocalServicePort", Number),
    ("Upstreams", Objects(UPSTREAM)),
    ("MeshGateway", Inner(MESH_GATEWAY)),
    ("Expose", Inner(&[("Checks", Flag), ("Paths", Objects(EXPOSED_PATH))])),
];

const UPSTREAM: &Object = &[
    ("DestinationType", Text),
    ("DestinationNamespace", Text),
    ("DestinationName", Text),
    ("Datacenter", Text),
    ("LocalBindAddress", Text),
    ("LocalBindPort", Number),
    ("MeshGateway", Inner(MESH_GATEWAY)),
];

const EXPOSED_PATH: &Object = &[
    ("ListenerPort", Number),
    ("Path", Text),
    ("LocalPathPort", Number),
    ("Protocol", Text),
    ("ParsedFromCheck", Flag),
];

/// The field of a name.
pub(super) fn find(object: &'static Object, name: &str) -> Option<&'static Field> {
    object.iter().find(|(field, _)| *field == name).map(|(_, field)| field)
}
