//! The one list of handle types: number, C type and meaning. Numbers never change once released.

/// A C handle type and its number.
///
/// # Safety
/// No two types have the same number: it alone tells what is behind a handle.
pub unsafe trait Typed: Sized + 'static {
    /// The number that every handle of this type carries.
    const KIND: Kind;
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal, $name:ident;)+) => {
        /// The types of handles.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Kind { $($(#[doc = $doc])+ $variant = $number,)+ }

        $(
            $(#[doc = $doc])+
            #[derive(Debug)]
            pub struct $name(());

            // SAFETY: two variants with the same number do not compile.
            unsafe impl Typed for $name {
                const KIND: Kind = Kind::$variant;
            }
        )+

        impl Kind {
            /// Every type, in the order of the list.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)+];

            /// The type with this number, when there is one.
            pub fn from_number(number: u32) -> Option<Kind> {
                match number { $($number => Some(Kind::$variant),)+ _ => None }
            }

            /// The name of the C type, such as `consul_client`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => stringify!($name),)+ }
            }

            /// What it is, in the words of the header.
            pub fn doc(self) -> &'static str {
                match self { $(Kind::$variant => concat!($($doc, "\n",)+).trim_ascii(),)+ }
            }
        }
    };
}

kinds! {
    /// Talks to Consul. One is enough for a process; any number of threads may use it at once.
    Client = 1, consul_client;
    /// The settings a client is made from.
    Config = 2, consul_config;
    /// The settings of single calls. One may serve any number of calls and threads at once.
    Options = 3, consul_options;
    /// Keys with their values, as one answer gave them.
    Kv = 4, consul_kv;
    /// The names of keys, as one answer gave them.
    Keys = 5, consul_keys;
    /// An answer that is one run of bytes: a text, an id, JSON.
    Text = 6, consul_text;
    /// What a session is created from.
    SessionSpec = 7, consul_session_spec;
    /// A session that the library keeps alive.
    Session = 8, consul_session;
    /// Sessions, as one answer gave them.
    Sessions = 9, consul_sessions;
    /// What a lock is made from.
    LockSpec = 10, consul_lock_spec;
    /// A lock on a key.
    Lock = 11, consul_lock;
    /// A transaction that is being put together.
    Txn = 12, consul_txn;
    /// What a transaction came to.
    TxnResult = 13, consul_txn_result;
    /// What a check is registered from.
    CheckSpec = 14, consul_check_spec;
    /// What a service is registered from.
    ServiceSpec = 15, consul_service_spec;
    /// The services of an agent, as one answer gave them.
    Services = 16, consul_services;
    /// Instances of a service with their node and checks, as one answer gave them.
    ServiceEntries = 17, consul_service_entries;
    /// Health checks, as one answer gave them.
    Checks = 18, consul_checks;
    /// Nodes of the catalog, as one answer gave them.
    Nodes = 19, consul_nodes;
    /// Names of services with their tags, as one answer gave them.
    ServiceNames = 20, consul_service_names;
    /// Members of the gossip pool, as one answer gave them.
    Members = 21, consul_members;
    /// Where everything asynchronous arrives.
    Queue = 22, consul_queue;
    /// One thing that arrived in a queue.
    Event = 23, consul_event;
    /// The answer to a generic request.
    Response = 24, consul_response;
    /// Who an agent is, as it told.
    AgentInfo = 25, consul_agent_info;
    /// What is written into the catalog in one step.
    Registration = 26, consul_registration;
    /// What a service that stays registered is made from.
    KeptServiceSpec = 27, consul_kept_service_spec;
    /// A service that the library keeps registered.
    KeptService = 28, consul_kept_service;
    /// How something was getting on when it was asked for.
    Stats = 29, consul_stats;
    /// What to watch, and how to be told of it.
    WatchSpec = 30, consul_watch_spec;
    /// A query that the library keeps asking.
    Watch = 31, consul_watch;
    /// A reader's own look at what a watch has found.
    View = 32, consul_view;
    /// A use of an instance of a service.
    Lease = 33, consul_lease;
    /// How the parts of a program are.
    HealthReport = 34, consul_health_report;
    /// Records that were taken from the log.
    LogRecords = 35, consul_log_records;
    /// The servers of Raft, as one answer gave them.
    RaftPeers = 48, consul_raft_peers;
    /// What a semaphore is made from.
    SemaphoreSpec = 36, consul_semaphore_spec;
    /// A semaphore of which one slot can be held.
    Semaphore = 37, consul_semaphore;
    /// What an election is made from.
    ElectionSpec = 38, consul_election_spec;
    /// Of all candidates for a key, one leads.
    Election = 39, consul_election;
    /// Who led when it was asked.
    Leader = 40, consul_leader;
    /// A node's part in a cluster, and what it knows of the others.
    Cluster = 41, consul_cluster;
    /// Tells which node a key belongs to.
    Ring = 42, consul_ring;
    /// What a node joins a cluster with.
    ClusterSpec = 43, consul_cluster_spec;
    /// Nodes of a cluster, as they were at one moment.
    ClusterNodes = 44, consul_cluster_nodes;
    /// User events, as one answer gave them.
    UserEvents = 45, consul_user_events;
    /// Addresses of a client that have changed.
    EndpointChanges = 46, consul_endpoint_changes;
    /// What a re-encryption came to.
    Reencryption = 52, consul_reencryption;
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn numbers_lead_back_to_their_type_and_fit_six_bits() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::from_number(kind as u32), Some(kind));
            assert!((1..64).contains(&(kind as u32)), "{kind:?}");
        }
        assert_eq!(Kind::from_number(0), None);
    }
}
