//! The life of a call: the description of an operation, the caller's options, and the loop that
//! sends.

mod answer;
mod backoff;
mod budget;
mod coding;
mod context;
pub mod described;
mod form;
mod headers;
mod limit;
pub mod limits;
mod objects;
mod operation;
mod options;
pub mod page;
mod pipeline;
mod progress;
mod quoted;
mod receive;
mod request;
mod retry;
mod secrets;
mod tell;

pub use answer::Answer;
pub use backoff::{Backoff, Jitter};
pub use budget::Budget;
pub use form::Form;
pub(crate) use form::form_encoded;
pub(crate) use limit::Authorities;
pub use operation::{Operation, Repeat, RepeatRule, StatusRule};
pub use options::{CallOptions, Timeouts};
pub use pipeline::Fault;
pub(crate) use pipeline::{Pipeline, PlainHttp};
pub use receive::AnswerStream;
pub(crate) use receive::{Pieces, Whole};
pub use request::Call;
pub use retry::Retry;
pub use secrets::without_secrets;
