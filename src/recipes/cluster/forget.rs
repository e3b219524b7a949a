//! Deletes the keys of members that died and did not come back, so that none stays at Consul for ever.
//!
//! A key is deleted as it was seen last: who comes back at the same moment keeps it. What fails is
//! tried again when the roster names the key again.

use super::shared::Shared;
use crate::client::Client;
use crate::error::{Error, Result};
use crate::observe::log::{self, Level};
use crate::runtime::{Task, TaskId};
use std::sync::Arc;
use std::time::{Duration, Instant};

const AREA: &str = "cluster";

/// The longest time that one deletion is given.
const PATIENCE: Duration = Duration::from_secs(5);

impl Shared {
    /// Deletes the keys of these members, each unless it was written after this index.
    pub(super) fn forget(&self, dead: Vec<(String, u64)>) {
        let Some(cluster) = self.me.upgrade() else { return };
        let task: Arc<dyn Task> = Arc::new(Forgetting { cluster, dead });
        let _ = self.client.upkeep().lane.schedule(TaskId::new(), &task, self.now());
    }

    fn delete_dead(&self, id: &str, index: u64) -> Result<bool> {
        let key = format!("{}{id}", self.place.nodes_prefix);
        let client: Client = self.client.until(Instant::now() + PATIENCE);
        Ok(client.kv().delete_cas(&key, index, &self.options)?.value)
    }
}

struct Forgetting {
    cluster: Arc<Shared>,
    dead: Vec<(String, u64)>,
}

impl Task for Forgetting {
    fn step(&self) -> Option<Duration> {
        for (id, index) in &self.dead {
            match self.cluster.delete_dead(id, *index) {
                Ok(true) => log::add(Level::Info, AREA, || format!("{id} did not come back")),
                Ok(false) => {}
                Err(error) => log::failed(AREA, 1, || format!("the key of {id}: {error}")),
            }
        }
        None
    }

    fn failed(&self, _: Error) -> Option<Duration> {
        None
    }
}
