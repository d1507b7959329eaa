//! Checks of tickets compared with the same checks on other big numbers, and decisions by roles.

pub mod case;
pub mod counts;
pub mod fixture;
mod floor;
mod peers;
mod roles;
mod times;

use self::fixture::{Fixture, SIZES};
use crate::goals::Goals;
use crate::measure::Size;
use crate::table::Row;

pub fn run(size: Size, with_instructions: bool) -> (Vec<Row>, Goals) {
    if cfg!(not(feature = "openssl")) {
        eprintln!("SKIPPED: OpenSSL; its headers (libssl-dev) or pkg-config are not here");
    }
    let fixtures = SIZES.map(Fixture::new);
    let mut goals = Goals::default();
    let mut rows = times::run(&fixtures, size, &mut goals);
    rows.extend(roles::run(size, &mut goals));

    let path = std::env::temp_dir().join(format!("vouchsafe-bench-{}.json", std::process::id()));
    let text = serde_json::to_string(&fixtures).expect("fixtures are plain");
    std::fs::write(&path, text).expect("a temporary file");
    rows.extend(counts::allocations(&path, &mut goals));
    if with_instructions {
        rows.extend(counts::instructions(&path, &SIZES, size));
    }
    let _ = std::fs::remove_file(path);
    (rows, goals)
}
