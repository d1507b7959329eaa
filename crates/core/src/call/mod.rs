//! The life of a call: what an operation is, what a caller may set, and the one loop that sends.

mod operation;
mod request;

pub use operation::{Operation, Repeat, StatusRule};
pub use request::Call;
