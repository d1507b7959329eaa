//! `cargo xtask interop [SERVICE]`: drives clients in other languages against the emulators.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use vouchsafe_test_servers::may_skip;
use vouchsafe_tests::{interop, vectors};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(why) => {
            // If even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "interop: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let target = arguments.first().map_or("target", String::as_str);
    let service = arguments.get(1).map(String::as_str);
    let folder = vouchsafe::core::env::var(vectors::VARIABLE).map_err(|fault| fault.to_string())?;
    let folder = folder.map(PathBuf::from);
    let report = interop::run(Path::new(target), service, folder).await?;
    writeln!(std::io::stdout(), "{report}").map_err(|cause| cause.to_string())?;
    Ok(match report.is_good(may_skip()) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
