//! A service that stays registered with its agent, and says that it is well.

mod found;
mod home;
mod leaving;
mod schedule;
mod shared;
mod spec;
mod tend;
#[cfg(test)]
mod tests;

pub use spec::{Heartbeat, KeptServiceSpec};

use crate::api::CheckStatus;
use crate::api::agent::ServiceDefinition;
use crate::client::{Blocking, Client, Deferred, Style};
use crate::error::Result;
use crate::observe::Stats;
use crate::recipes::owned::Owned;
use shared::Shared;

/// A service that the library keeps registered with the agent.
///
/// Its heartbeat has a schedule and connections of its own, whatever the program and its other
/// calls do. When the agent has lost the service, which a heartbeat or a look at the agent tells,
/// it is registered again, with the status that it had. Whatever the program changes is tried
/// again until the agent has it. Dropping this value deregisters the service in the background,
/// unless [`KeptService::stop`] was called. Any method from any thread.
///
/// It belongs to one agent. Of a client with several addresses that is the one in use when it is
/// started; when that does not answer any more it is registered with another one, and deregistered
/// from the first when that answers again.
///
/// An id belongs to one handle: two that keep the same id undo each other's changes.
///
/// Its calls end in the style of the client that it was made through. In a forked child it is its
/// parent's: calls give `Status::Forked`, the rest does and tells nothing.
pub struct KeptService<S: Style = Blocking>(Owned<Shared, S>);

impl<S: Style> Client<S> {
    /// A service to keep registered. Checks what it is made of; sends nothing.
    pub fn keep_service(&self, spec: KeptServiceSpec) -> Result<KeptService<S>> {
        let shared = Shared::new(&self.blocking(), spec.checked()?);
        Ok(KeptService(Owned::new(shared, self.style())))
    }
}

impl<S: Style> KeptService<S> {
    /// The same service, whose calls do not wait: what they give begins when it is awaited.
    pub fn deferred(&self) -> KeptService<Deferred> {
        self.styled(Deferred)
    }

    /// The same service, whose calls wait for their end.
    pub fn blocking(&self) -> KeptService {
        self.styled(Blocking)
    }

    /// The same service, whose calls end in this style.
    pub(crate) fn styled<T: Style>(&self, style: T) -> KeptService<T> {
        KeptService(self.0.styled(style))
    }

    /// Registers it, and keeps it registered from then on. An error says how the first try went,
    /// that it was cancelled too: the library goes on trying all the same. One that is started
    /// already stays so. `Status::Closed` after [`KeptService::close`].
    pub fn start(&self) -> Result<S::Output<()>> {
        self.0.run(move |service, client| async move { service.start(&client).await })
    }

    /// Lets it alone from now on: it stays registered, and its heartbeat ends. Returns at once.
    pub fn stop(&self) {
        if let Ok(service) = self.0.shared() {
            service.stop();
        }
    }

    /// Deregisters it and says how that went. After an error the library goes on trying in the
    /// background for two TTLs, a minute at least.
    pub fn close(&self) -> Result<S::Output<()>> {
        self.0.run(move |service, client| async move { service.close(&client).await })
    }

    /// Says how the program is, from now on. Returns at once; the agent is told within a round
    /// trip, and every heartbeat says it again. A note that changes wakes all who watch the
    /// service. `Status::Argument` when it has no TTL.
    pub fn set_status(&self, status: CheckStatus, note: &str) -> Result<()> {
        self.0.shared()?.set_status(status, note)
    }

    /// Says that the program is as it said last. With [`Heartbeat::Program`] it must be called at
    /// least once a TTL; costs no request.
    pub fn pat(&self) {
        if let Ok(service) = self.0.shared() {
            service.pat();
        }
    }

    /// What the program said, or critical when it has not been heard of for a TTL and had to be.
    pub fn status(&self) -> CheckStatus {
        self.0.shared().map_or(CheckStatus::Critical, |service| service.status())
    }

    /// Changes what is registered; nothing is sent when it is the same. Its id stays. Returns at
    /// once.
    pub fn update(&self, definition: &ServiceDefinition) -> Result<()> {
        self.0.shared()?.update(definition)
    }

    /// Registers it anew with this token, and uses it from then on; `None` for the client's. An
    /// agent keeps the token of a registration and syncs with it, so the service would vanish once
    /// an old one ends. Returns at once.
    pub fn set_token(&self, token: Option<&str>) {
        if let Ok(service) = self.0.shared() {
            service.set_token(token);
        }
    }

    /// Puts it into maintenance, or ends that. The reason is for people. An agent that loses the
    /// service gets it back in maintenance. `Status::NotFound` when it is not registered.
    pub fn maintenance(&self, enable: bool, reason: &str) -> Result<S::Output<()>> {
        let reason = reason.to_string();
        self.0.run(move |service, client| async move {
            service.maintain(enable, &reason, &client).await
        })
    }

    /// The id that it is registered by.
    pub fn id(&self) -> &str {
        self.0.glance().id()
    }

    /// The id of the TTL check that the library reports on.
    pub fn check_id(&self) -> String {
        self.0.glance().check_id()
    }

    /// Whether the agent is known to have it, as of the last exchange.
    pub fn is_registered(&self) -> bool {
        self.0.shared().is_ok_and(|service| service.is_registered())
    }

    /// How often it was written to an agent: 1 after the start, and more each time it was lost or
    /// changed.
    pub fn registrations(&self) -> u64 {
        self.0.shared().map_or(0, |service| service.registrations())
    }

    /// How it is getting on: `stopped`, `registering`, `registered`, `leaving` or `closed`. Never
    /// blocks.
    pub fn stats(&self) -> Stats {
        self.0.stats(Shared::stats)
    }

    /// As dropping it, while calls on other threads still use it.
    pub(crate) fn abandon(&self) {
        self.0.abandon();
    }
}
