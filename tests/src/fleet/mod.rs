//! Fleets: processes that share credentials through one store, and an authorization server that
//! counts what it is asked.
//!
//! | part | holds |
//! | --- | --- |
//! | `record` | the credentials that are shared |
//! | `issuer` | the authorization server |
//! | `member`, `process` | one process, from inside and from outside |
//! | `scene` | one burst of calls with a dead token |
//! | `hinted` | one process that waits for the refresh of another |
//! | `table` | bursts on every store, beside those of `pancloud` |
//! | `faults`, `trouble` | seeded runs with trouble in the middle of a refresh |
//! | `kills` | processes that are killed in the middle of a refresh |
//! | `machines`, `network` | bursts on several machines, with a suspended holder of the lease |

use std::fmt;

mod faults;
mod hinted;
mod issuer;
mod kills;
mod machines;
mod member;
mod network;
mod process;
mod record;
mod scene;
mod steps;
mod table;
mod trouble;

pub use self::faults::faults;
pub use self::hinted::hinted;
pub use self::kills::kills;
pub use self::machines::machines;
pub use self::member::run as member;
pub use self::scene::four_processes;
pub use self::table::{Table, table};

/// What was tried, line by line, and whether all of it held.
#[derive(Clone, Debug)]
pub struct Proof {
    lines: Vec<String>,
    is_good: bool,
}

impl Proof {
    fn new() -> Self {
        Self {
            lines: Vec::new(),
            is_good: true,
        }
    }

    fn note(&mut self, line: String) {
        self.lines.push(line);
    }

    fn fail(&mut self, line: String) {
        self.lines.push(line);
        self.is_good = false;
    }

    /// Returns whether everything was tried, and held.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.is_good
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
