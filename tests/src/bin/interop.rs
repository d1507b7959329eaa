//! `cargo xtask interop`: drives clients in other languages against `vouchsafe serve`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let target = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target".to_owned());
    let report = vouchsafe_tests::interop::run(Path::new(&target)).await;
    let written = writeln!(std::io::stdout(), "{report}");
    if report.failed == 0 && written.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
