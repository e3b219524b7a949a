//! Everything that goes on in the background at once, while its client is configured anew again and
//! again: nothing of it ends, and all of it goes on with the last configuration.

use crate::quick::{
    PATIENCE, eventually, held, none, quick, quick_client, session, session_exists,
};
use crate::support::{Consul, unique};
use consul_ffi::api::agent::ServiceDefinition;
use consul_ffi::observe::Stats;
use consul_ffi::recipes::cluster::{Cluster, ClusterNews, ClusterSpec};
use consul_ffi::recipes::election::{Election, ElectionSpec, News};
use consul_ffi::recipes::fence::Fenced;
use consul_ffi::recipes::lock::{Lock, LockSpec};
use consul_ffi::recipes::registration::{KeptService, KeptServiceSpec};
use consul_ffi::recipes::semaphore::{Semaphore, SemaphoreSpec};
use consul_ffi::recipes::session::KeptSession;
use consul_ffi::watch::{NoticeKind, Watch, WatchSpec};
use consul_ffi::{Client, Config};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Outlasts a slow machine, and has a renewal after less than 3 s.
const TTL: Duration = Duration::from_secs(6);

const RELOADS: u32 = 20;

/// What was told that is no good news.
type Told = Arc<Mutex<Vec<String>>>;

struct Work {
    watch: Watch,
    kept: KeptSession,
    lock: Lock,
    slot: Semaphore,
    election: Election,
    cluster: Cluster,
    service: KeptService,
    told: Told,
}

/// What must stay as it is.
#[derive(Debug, PartialEq)]
struct Identity {
    sessions: Vec<Option<String>>,
    tokens: Vec<Option<u64>>,
    ring: u64,
}

impl Work {
    fn begin(client: &Client, name: &str) -> Work {
        let told = Told::default();
        let tell = |what: String| {
            let told = told.clone();
            move |more: String| told.lock().unwrap().push(format!("{what}: {more}"))
        };
        let session = || session().ttl(TTL);
        let failed = tell("the watch".into());
        let watch = client.watch_with(WatchSpec::key(format!("{name}/watched")), move |notice| {
            if matches!(notice.kind, NoticeKind::Failed | NoticeKind::Ended) {
                failed(format!("{:?}", notice.error));
            }
        });
        let kept = client.keep_session(&session(), &none()).unwrap();
        let lock = held(client, LockSpec::new(format!("{name}/lock")).session_spec(session()));
        let slot = SemaphoreSpec::new(format!("{name}/slots"), 2).session_spec(session());
        let slot = client.semaphore(slot).unwrap();
        assert!(slot.acquire(PATIENCE).unwrap());
        let election = ElectionSpec::new(format!("{name}/election")).session_spec(session());
        let election = client.election(election).unwrap();
        assert!(election.wait_elected(PATIENCE).unwrap());
        let lost = tell("the election".into());
        let listener = move |news| {
            if let News::Lost(error) | News::Ended(error) = news {
                lost(error.to_string());
            }
        };
        election.set_listener(Some(Box::new(listener))).unwrap();
        let cluster = ClusterSpec::new("a", "here").prefix(format!("{name}/cluster")).ttl(TTL);
        let cluster = client.join_cluster(cluster).unwrap();
        cluster.wait_joined(PATIENCE).unwrap();
        eventually("it leads", || cluster.is_leader() && cluster.state().leader() == Some("a"));
        let left = tell("the cluster".into());
        let listener = move |news| {
            if !matches!(news, ClusterNews::Joined(_)) {
                left("changed".into());
            }
        };
        cluster.set_listener(Some(Box::new(listener))).unwrap();
        let service = KeptServiceSpec::new(ServiceDefinition::new(name)).ttl(TTL);
        let service = client.keep_service(service).unwrap();
        service.start().unwrap();
        let watch = watch.unwrap();
        watch.wait_ready(PATIENCE).unwrap();
        Work { watch, kept, lock, slot, election, cluster, service, told }
    }

    fn identity(&self) -> Identity {
        let state = self.cluster.state();
        let member = state.member("a").and_then(|member| member.session.clone());
        let sessions = vec![
            Some(self.kept.id()),
            self.lock.session_id(),
            self.slot.session_id(),
            self.election.session_id(),
            member,
        ];
        Identity {
            sessions,
            tokens: vec![self.lock.fencing_token(), self.election.fencing_token()],
            ring: state.ring().version(),
        }
    }

    /// All of it, with how it is getting on.
    fn stats(&self) -> [(&'static str, Stats); 5] {
        [
            ("a kept session", self.kept.stats()),
            ("held", self.lock.stats()),
            ("a slot", self.slot.stats()),
            ("leading", self.election.stats()),
            ("a kept service", self.service.stats()),
        ]
    }

    /// Waits until Consul has said of each, asked since then, that all is well.
    fn wait_confirmed(&self, since: Instant) {
        eventually("confirmed with the last configuration", || {
            let confirmed =
                |stats: &Stats| stats.last_success.is_some_and(|age| age < since.elapsed());
            self.stats().iter().all(|(_, stats)| confirmed(stats))
        });
    }

    fn check_well(&self, consul: &Consul) {
        assert!(self.kept.is_valid() && self.lock.is_held() && self.slot.is_held());
        assert!(self.election.is_leader() && self.cluster.is_leader());
        assert_eq!(self.cluster.state().living(), 1);
        for (what, stats) in self.stats() {
            assert_eq!(stats.consecutive_failures, 0, "{what}: {stats:?}");
        }
        let checks = consul.get("/v1/agent/checks").json();
        assert_eq!(checks[self.service.check_id()]["Status"], "passing");
        // Once more for each token, or for several that followed each other closely.
        let registrations = self.service.registrations();
        assert!((2..=1 + u64::from(RELOADS)).contains(&registrations), "{registrations}");
    }
}

/// Another one each time: token, times, limits.
fn configuration(consul: &Consul, number: u32) -> Config {
    let mut config = Config::without_environment();
    let settings = [
        ("address", consul.address()),
        ("min_session_ttl_ms", "1000".to_string()),
        // Where access control is off any token will do.
        ("token", format!("t{number}")),
        ("timeout_ms", (8000 + number * 100).to_string()),
        ("max_connections", (32 + number).to_string()),
        ("max_value_bytes", (400_000 + number).to_string()),
    ];
    for (name, value) in &settings {
        config.set(name, value).unwrap();
    }
    config
}

#[test]
fn all_that_goes_on_lives_through_many_reloads_and_goes_on_with_the_last() {
    let Some(consul) = quick() else { return };
    let (client, name) = (quick_client(&consul.address()), unique("reload"));
    let work = Work::begin(&client, &name);
    let before = work.identity();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Calls of every moment, of which none may fail.
        let calls = scope.spawn(|| {
            let (key, mut calls) = (format!("{name}/watched"), 0_u32);
            while !over.load(SeqCst) {
                calls += 1;
                client.kv().put(&key, calls.to_string().as_bytes(), 0, &none()).unwrap();
                client.kv().get(&key, &none()).unwrap();
                let fence = work.lock.fence().unwrap();
                assert_eq!(
                    fence.put(&format!("{name}/fenced"), b"x", 0, &none()).unwrap(),
                    Fenced::Done
                );
                std::thread::sleep(Duration::from_millis(2));
            }
            calls
        });
        for number in 1..=RELOADS {
            client.reload(&configuration(consul, number)).unwrap();
            let version = work.watch.version();
            assert!(work.watch.wait_newer(version, PATIENCE).unwrap().is_some());
            // On a busy machine two reloads are one to whoever comes late.
            eventually("registered with the new token", || {
                work.service.registrations() == 1 + u64::from(number)
            });
        }
        let last = Instant::now();
        work.wait_confirmed(last);
        over.store(true, SeqCst);
        assert!(calls.join().unwrap() >= RELOADS);
    });
    work.check_well(consul);
    assert_eq!(work.identity(), before);
    assert!(before.sessions.iter().flatten().all(|id| session_exists(consul, id)));
    assert_eq!(*work.told.lock().unwrap(), [] as [String; 0]);
    // The limits are those of the last one.
    let limit = 400_000 + RELOADS as usize;
    let put = |size| client.kv().put(&format!("{name}/large"), &vec![0; size], 0, &none());
    assert!(put(limit + 1).is_err() && put(limit).is_ok());
    client.close(PATIENCE).unwrap();
    assert!(before.sessions.iter().flatten().all(|id| !session_exists(consul, id)));
}
