//! `cargo xtask vectors [SERVICE]`: runs the vectors below the folder that the environment names.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use vouchsafe_tests::vectors;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(answer) = vectors::answer_probe(&arguments).await {
        return match answer {
            Ok(line) => say(&line, ExitCode::SUCCESS),
            Err(line) => complain(&line),
        };
    }
    let folder = match vouchsafe::core::env::var(vectors::VARIABLE) {
        Ok(Some(folder)) => folder,
        Ok(None) => {
            return complain(&format!(
                "{0} is not set. Set it to the folder of vectors, which holds one folder per \
                 service:\n    {0}=DIR cargo xtask vectors [SERVICE]",
                vectors::VARIABLE
            ));
        }
        Err(fault) => return complain(&fault.to_string()),
    };
    let [service] = match arguments.as_slice() {
        [] => [None],
        [service] => [Some(service.as_str())],
        _ => return complain("at most one argument: the service"),
    };
    let probe = std::env::current_exe().ok();
    match vectors::run(Path::new(&folder), service, probe).await {
        Ok(report) => {
            let code = if report.failures().is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            };
            say(&report.to_string(), code)
        }
        Err(fault) => complain(&fault.to_string()),
    }
}

fn say(text: &str, code: ExitCode) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => code,
        Err(_) => ExitCode::FAILURE,
    }
}

fn complain(text: &str) -> ExitCode {
    // If even this cannot be written, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "vectors: {text}");
    ExitCode::from(2)
}
