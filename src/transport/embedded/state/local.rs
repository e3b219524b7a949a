//! What the agent itself has been told: its own services and checks, before the catalog knows of
//! them (<https://github.com/hashicorp/consul/blob/v1.8.7/agent/local/state.go>).

use super::alias::Alias;
use super::{CRITICAL, Check, Definition, Due, Service, State};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// No check deregisters its service sooner, whatever it says.
const SHORTEST_REAP: Duration = Duration::from_secs(60);
/// How often the agent looks for services to deregister.
const REAP_INTERVAL: Duration = Duration::from_secs(30);
/// When the catalog hears of an output that has changed alone: between half of this and one and a
/// half.
const OUTPUT_DELAY: Duration = Duration::from_secs(300);
/// The most output that is kept of a check.
const MOST_OUTPUT: usize = 4096;

/// A row of the agent's, and whether the catalog has it.
#[derive(Clone, Debug)]
pub(super) struct Own<T> {
    pub(super) row: T,
    pub(super) in_sync: bool,
    /// The agent has forgotten it, and the catalog is to.
    pub(super) deleted: bool,
}

impl<T> Own<T> {
    fn new(row: T) -> Own<T> {
        Own { row, in_sync: false, deleted: false }
    }
}

/// A check of the agent's.
#[derive(Clone, Debug)]
pub(super) struct OwnCheck {
    pub(super) check: Check,
    /// What it says by itself if nobody says anything in time.
    ttl: Option<Ttl>,
    /// Its service goes when it has been critical for so long.
    reap_after: Option<Duration>,
    critical_since: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Ttl {
    ttl: Duration,
    most_output: usize,
    last_output: String,
}

/// The agent's services and checks, by their ids as they are written.
#[derive(Clone, Debug, Default)]
pub(in crate::transport::embedded) struct Local {
    pub(super) services: BTreeMap<String, Own<Service>>,
    pub(super) checks: BTreeMap<String, Own<OwnCheck>>,
    pub(super) node_in_sync: bool,
    /// The checks that stand for something else, by their ids.
    pub(super) aliases: BTreeMap<String, Alias>,
}

impl Local {
    pub(in crate::transport::embedded) fn service(&self, id: &str) -> Option<&Service> {
        self.services.get(id).filter(|own| !own.deleted).map(|own| &own.row)
    }

    pub(in crate::transport::embedded) fn services(&self) -> impl Iterator<Item = &Service> {
        self.services.values().filter(|own| !own.deleted).map(|own| &own.row)
    }

    pub(in crate::transport::embedded) fn check(&self, id: &str) -> Option<&Check> {
        self.live_check(id).map(|own| &own.check)
    }

    pub(in crate::transport::embedded) fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values().filter(|own| !own.deleted).map(|own| &own.row.check)
    }

    /// The checks that say how a service is: its own and those of the node.
    pub(in crate::transport::embedded) fn health_of(&self, id: &str) -> Vec<&Check> {
        let concerns = |check: &&Check| check.service_id.is_empty() || check.service_id == id;
        self.checks().filter(concerns).collect()
    }

    /// How many checks wait to be told of.
    pub(in crate::transport::embedded) fn ttl_count(&self) -> usize {
        self.checks.values().filter(|own| own.row.ttl.is_some()).count()
    }

    fn live_check(&self, id: &str) -> Option<&OwnCheck> {
        self.checks.get(id).filter(|own| !own.deleted).map(|own| &own.row)
    }

    fn live_check_mut(&mut self, id: &str) -> Option<&mut Own<OwnCheck>> {
        self.checks.get_mut(id).filter(|own| !own.deleted)
    }
}

type Result = std::result::Result<(), String>;

impl State {
    pub(in crate::transport::embedded) fn local(&self) -> &Local {
        &self.local
    }

    pub(super) fn local_mut(&mut self) -> &mut Local {
        self.note_change();
        Arc::make_mut(&mut self.local)
    }

    /// Registers a service with checks. A check that was there keeps its status and output; one that
    /// is not named stays too, unless the new ones replace them.
    pub(in crate::transport::embedded) fn add_service(
        &mut self,
        service: Service,
        checks: Vec<(Check, Definition)>,
        replace: bool,
    ) -> Result {
        let id = service.id.clone();
        let is_new = self.local.service(&id).is_none();
        let kept: Vec<String> = checks.iter().map(|(check, _)| check.id.clone()).collect();
        let new: Vec<String> =
            kept.iter().filter(|check| self.local.check(check).is_none()).cloned().collect();
        let own = |check: &Check| check.service_id == id && !kept.contains(&check.id);
        let others: Vec<_> =
            self.local.checks().filter(|check| own(check)).map(|check| check.id.clone()).collect();
        self.local_mut().services.insert(id.clone(), Own::new(service));
        for (mut check, definition) in checks {
            if let Some(known) = self.local.check(&check.id) {
                check.status.clone_from(&known.status);
                check.output.clone_from(&known.output);
            }
            if let Err(why) = self.put_check(check, Some(&definition)) {
                self.take_back(is_new.then_some(&id), &new);
                return Err(why);
            }
        }
        if replace {
            others.iter().for_each(|check| self.remove_check(check));
        }
        Ok(())
    }

    /// Takes back what a refused registration has left.
    fn take_back(&mut self, service: Option<&String>, checks: &[String]) {
        checks.iter().for_each(|check| self.remove_check(check));
        if let Some(id) = service {
            self.forget_service(id);
        }
    }

    /// Removes a service with its checks, where it is.
    pub(in crate::transport::embedded) fn remove_service(&mut self, id: &str) {
        if self.local.service(id).is_none() {
            return;
        }
        let own = self.local.checks().filter(|check| check.service_id == id);
        let checks: Vec<String> = own.map(|check| check.id.clone()).collect();
        self.forget_service(id);
        checks.iter().for_each(|check| self.remove_check(check));
    }

    fn forget_service(&mut self, id: &str) {
        if let Some(own) = self.local_mut().services.get_mut(id) {
            (own.deleted, own.in_sync) = (true, false);
        }
    }

    /// Registers a check. One that was there keeps its status and output.
    pub(in crate::transport::embedded) fn add_check(
        &mut self,
        check: Check,
        definition: Option<&Definition>,
    ) -> Result {
        let id = check.id.clone();
        let known = self.local.check(&id).cloned();
        self.put_check(check, definition)?;
        if let Some(known) = known {
            self.update_check(&id, &known.status, &known.output);
        }
        Ok(())
    }

    /// Removes a check, where it is.
    pub(in crate::transport::embedded) fn remove_check(&mut self, id: &str) {
        self.agenda.cancel(&Due::CheckTtl(id.to_owned()));
        let local = self.local_mut();
        local.aliases.remove(id);
        if let Some(own) = local.live_check_mut(id) {
            (own.deleted, own.in_sync) = (true, false);
        }
    }

    fn put_check(&mut self, check: Check, definition: Option<&Definition>) -> Result {
        let Some(definition) = definition else {
            self.store_check(check, None, None);
            return Ok(());
        };
        definition.check().map_err(|why| format!("Check is not valid: {why}"))?;
        if definition.is_script() {
            return Err("Scripts are disabled on this agent from remote calls; to enable, \
                        configure 'enable_script_checks' to true"
                .to_owned());
        }
        let ttl = positive(definition.ttl).map(|ttl| {
            let most_output = usize::try_from(definition.output_max_size).unwrap_or(0);
            let most_output =
                if most_output > 0 { most_output.min(MOST_OUTPUT) } else { MOST_OUTPUT };
            Ttl { ttl, most_output, last_output: String::new() }
        });
        let reap_after = positive(definition.deregister_critical_service_after);
        let (id, alias) = (check.id.clone(), Alias::of(definition));
        self.store_check(check, ttl, reap_after.map(|after| after.max(SHORTEST_REAP)));
        if let Some(alias) = alias {
            self.local_mut().aliases.insert(id, alias);
        }
        Ok(())
    }

    fn store_check(&mut self, check: Check, ttl: Option<Ttl>, reap_after: Option<Duration>) {
        let id = check.id.clone();
        match &ttl {
            Some(ttl) => self.agenda.set(Due::CheckTtl(id.clone()), self.now + ttl.ttl),
            None => self.agenda.cancel(&Due::CheckTtl(id.clone())),
        }
        self.agenda.cancel(&Due::CheckOutput(id.clone()));
        let own = OwnCheck { check, ttl, reap_after, critical_since: None };
        let local = self.local_mut();
        local.aliases.remove(&id);
        local.checks.insert(id, Own::new(own));
    }

    /// Somebody says how a check with a TTL is.
    pub(in crate::transport::embedded) fn tell_check(
        &mut self,
        id: &str,
        status: &str,
        output: &str,
    ) -> Result {
        let ttl = self.local.live_check(id).and_then(|own| own.ttl.clone());
        let Some(ttl) = ttl else {
            return Err(format!("CheckID {id:?} does not have associated TTL"));
        };
        let output = shortened(output, ttl.most_output);
        self.update_check(id, status, &output);
        self.agenda.set(Due::CheckTtl(id.to_owned()), self.now + ttl.ttl);
        if let Some(own) = self.local_mut().live_check_mut(id) {
            own.row.ttl = Some(Ttl { last_output: output, ..ttl });
        }
        Ok(())
    }

    /// Nobody said anything in time.
    pub(super) fn check_expired(&mut self, id: &str) {
        let ttl = self.local.live_check(id).and_then(|own| own.ttl.as_ref());
        let Some(last) = ttl.map(|ttl| &ttl.last_output) else { return };
        let output = match &last[..] {
            "" => "TTL expired".to_owned(),
            last => format!("TTL expired (last output before timeout follows): {last}"),
        };
        self.update_check(id, CRITICAL, &output);
        self.sync_changes();
    }

    pub(super) fn update_check(&mut self, id: &str, status: &str, output: &str) {
        let now = self.now;
        let Some(own) = self.local_mut().live_check_mut(id) else { return };
        let row = &mut own.row;
        row.critical_since = match status == CRITICAL {
            true => Some(row.critical_since.unwrap_or(now)),
            false => None,
        };
        let check = &mut row.check;
        let same_status = check.status == status;
        let changed = !same_status || check.output != output;
        if changed {
            check.output = output.to_owned();
        }
        if !same_status {
            check.status = status.to_owned();
            own.in_sync = false;
        }
        self.plan_reap(id);
        let due = Due::CheckOutput(id.to_owned());
        if changed && same_status && !self.agenda.has(&due) {
            self.agenda.set(due, now + OUTPUT_DELAY);
        }
    }

    /// The catalog hears of an output that has changed alone.
    pub(super) fn output_due(&mut self, id: &str) {
        if let Some(own) = self.local_mut().live_check_mut(id) {
            own.in_sync = false;
        }
        self.sync_changes();
    }

    /// A critical check may take its service with it, when the agent next looks after its time.
    fn plan_reap(&mut self, id: &str) {
        let due = Due::Reap(id.to_owned());
        let own = self.local.live_check(id).filter(|own| !own.check.service_id.is_empty());
        let since = own.and_then(|own| Some(own.critical_since? + own.reap_after?));
        let Some(from) = since else { return self.agenda.cancel(&due) };
        let age = from.saturating_duration_since(self.began);
        let looks = age.as_nanos() / REAP_INTERVAL.as_nanos() + 1;
        let looks = u32::try_from(looks).unwrap_or(u32::MAX);
        self.agenda.set(due, self.began + REAP_INTERVAL * looks);
    }

    /// A check has been critical for too long.
    pub(super) fn reap(&mut self, id: &str) {
        let own = self.local.live_check(id).filter(|own| own.critical_since.is_some());
        let Some(service) = own.map(|own| own.check.service_id.clone()) else { return };
        self.remove_service(&service);
        self.sync_changes();
    }
}

fn positive(nanos: i64) -> Option<Duration> {
    u64::try_from(nanos).ok().filter(|nanos| *nanos > 0).map(Duration::from_nanos)
}

fn shortened(output: &str, most: usize) -> String {
    let all = output.len();
    match output.as_bytes().get(..most) {
        Some(kept) if all > most => {
            let kept = String::from_utf8_lossy(kept);
            format!("{kept} ... (captured {most} of {all} bytes)")
        }
        _ => output.to_owned(),
    }
}
