//! `cargo xtask schemathesis`: runs the description of a service against its emulator.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use vouchsafe_tests::schemathesis::{self, Options};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(code) => code,
        Err(why) => {
            // If even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "schemathesis: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<ExitCode, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, service, seconds, seed] = arguments.as_slice() else {
        return Err("expected: TARGET SERVICE SECONDS SEED".to_owned());
    };
    let number = |text: &String| {
        let number = text.parse::<u64>();
        number.map_err(|_| format!("{text:?} is not a whole number"))
    };
    let options = Options::new(service, number(seconds)?, number(seed)?);
    let report = schemathesis::run(Path::new(target), &options).await?;
    writeln!(std::io::stdout(), "{report}").map_err(|cause| cause.to_string())?;
    Ok(match report.is_good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
