//! What can be held with a session, whatever it is: the way to it, the renewal, the watch over it,
//! its loss and the way back. A lock and a semaphore say only what stands at Consul.

mod acquire;
mod claim;
mod disown;
mod expiry;
mod handle;
mod listening;
mod monitor;
mod own_session;
mod reason;
mod refusal;
mod release;
mod resource;
mod session;
mod shared;
mod waiting;

pub(super) use claim::Claim;
pub(super) use handle::Handle;
pub use reason::LostReason;
pub(super) use refusal::refusal;
pub(super) use resource::{Chance, GivenBack, Resource, Sight, Taken};
pub(super) use session::{SessionSource, check_window};
pub(super) use shared::Shared;
