//! Types for the numbers and texts of the protocol.

mod actions;
mod commission;
mod dialect;
mod fault;
mod holder;
mod limit;
mod project_id;
mod quota;
mod serial;

pub use actions::ProjectAction;
pub use commission::{Committed, Provision, Resolution, Unresolved};
pub use dialect::Dialect;
pub use fault::Fault;
pub use holder::Holder;
pub use limit::{Limit, LimitError, MaxMembers};
pub use project_id::ProjectId;
pub use quota::{ProjectQuota, Quota, UserQuotas};
pub use serial::{Serial, SerialError};
