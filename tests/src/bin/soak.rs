//! `cargo xtask soak`: everything at once, for minutes.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use vouchsafe_tests::soak;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // If even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "soak: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut minutes = 10.0;
    let mut seed = fastrand::u64(..);
    for option in arguments.chunks(2) {
        let wrong = || {
            format!(
                "expected: [--minutes N] [--seed S]; found {}",
                option.join(" ")
            )
        };
        let [name, value] = option else {
            return Err(wrong());
        };
        match name.as_str() {
            "--minutes" => minutes = value.parse().map_err(|_| wrong())?,
            "--seed" => seed = value.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
    }
    let time = Duration::try_from_secs_f64(minutes * 60.0).map_err(|cause| cause.to_string())?;
    print(&format!("seed {seed}\n"))?;
    let report = soak::run(time, seed).await?;
    print(&report)?;
    Ok(report.is_good())
}

fn print(what: &impl std::fmt::Display) -> Result<(), String> {
    write!(std::io::stdout(), "{what}").map_err(|cause| cause.to_string())
}
