//! core's `Task` on the runtime of this crate, its keeper, and how both learn whether a runtime is driven.

#[path = "../../../crates/core/src/task/driven.rs"]
mod driven;
#[path = "../../../crates/core/src/task/keeper/mod.rs"]
mod keeper;
#[path = "../../../crates/core/src/task/pulse.rs"]
pub(crate) mod pulse;

pub use self::keeper::{Ended, Keeper};
use crate::runtime::{Handle, Job};

#[must_use = "dropping the task ends it"]
pub struct Task(std::sync::Arc<Job>);

impl Task {
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(future: F) -> Self {
        let here = Handle::try_current().expect("a task is spawned within a runtime");
        Self(here.spawn(Box::pin(future)))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
