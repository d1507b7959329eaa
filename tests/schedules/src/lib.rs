//! core's cache and keeper, compiled from their own files with other locks, tasks and time below
//! them: those of shuttle, which decides at each of them which thread goes on. So a test runs under
//! thousands of schedules that a machine would hardly ever take, and a schedule that fails can be
//! repeated.
//!
//! The channels are tokio's own, and so is what [`Notify`](sync::Notify) does. Their inner steps are
//! not interleaved; tokio tests those with loom.

// core's files bring their own tests and examples, which need tokio; clippy would compile them here too, and
// `cargo test --doc` runs examples in spite of `doctest = false`.
#![cfg(not(any(test, doctest)))]
#![allow(
    clippy::exhaustive_structs,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::unwrap_used,
    missing_docs,
    missing_debug_implementations,
    dead_code,
    reason = "what core does not use here, and what only tests do"
)]

// The files of core name tokio; here this crate is what they find.
extern crate self as tokio;

#[path = "../../../crates/core/src/cache/mod.rs"]
pub mod cache;
mod clock;
pub mod runtime;
pub mod support;
pub mod sync;
pub mod task;
pub mod time;

pub use real_tokio::select;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};
pub use vouchsafe_core::{BoxFuture, Clock, Error, ErrorKind, Sent, SystemClock, observe};

/// Runs a test under this many schedules of two kinds: in half of them threads take turns at random, in
/// the others one thread goes on until it waits, and is held up at two random places. One that
/// fails is printed, with how to repeat it.
///
/// The schedules are the same at each run. With `VOUCHSAFE_SCHEDULES=100`, they are 100 times as many,
/// and new ones.
pub fn check(schedules: usize, test: impl Fn() + Clone + Send + Sync + 'static) {
    let mut config = Config::new();
    // The clock is a static, and set back at the end of a run on purpose.
    config.silence_warnings = true;
    let times = vouchsafe_core::env::var("VOUCHSAFE_SCHEDULES").expect("it is text");
    let (random, held_up) = match times {
        Some(times) => {
            let times: usize = times.parse().expect("VOUCHSAFE_SCHEDULES is a number");
            let half = schedules / 2 * times;
            (RandomScheduler::new(half), PctScheduler::new(3, half))
        }
        None => (
            RandomScheduler::new_from_seed(SEED, schedules / 2),
            PctScheduler::new_from_seed(SEED, 3, schedules / 2),
        ),
    };
    Runner::new(random, config.clone()).run(test.clone());
    Runner::new(held_up, config).run(test);
}

const SEED: u64 = 1;
