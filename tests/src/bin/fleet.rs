//! `cargo xtask fleet` and `cargo xtask bench credentials`: processes that share credentials.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use vouchsafe_test_stores::Ground;
use vouchsafe_tests::fleet;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            // If even this cannot be written, the exit code still tells.
            let _ = writeln!(std::io::stderr(), "fleet: {why}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str =
    "expected: table [STORE...] | machines | faults [--runs N] [--from N] [--kills N] [STORE...]";

async fn run() -> Result<bool, String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let own = std::env::current_exe().map_err(|cause| cause.to_string())?;
    match arguments.as_slice() {
        ["member"] => fleet::member().await.map(|()| true),
        [target, "table", stores @ ..] => {
            let only: Result<Vec<_>, _> = stores.iter().map(|name| Ground::named(name)).collect();
            let table = fleet::table(&own, &Path::new(target).join("interop"), &only?).await?;
            print(&table)?;
            Ok(table.is_good())
        }
        [_, "machines"] => {
            let proof = fleet::machines(&own).await?;
            print(&proof)?;
            Ok(proof.is_good())
        }
        [_, "faults", rest @ ..] => faults(&own, rest).await,
        _ => Err(USAGE.to_owned()),
    }
}

async fn faults(own: &Path, arguments: &[&str]) -> Result<bool, String> {
    let (mut runs, mut first, mut kills, mut grounds) = (1000, 0, 40, Vec::new());
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        let mut number = || {
            let number = rest.next().and_then(|text| text.parse().ok());
            number.ok_or_else(|| format!("{argument} wants a number"))
        };
        match argument {
            "--runs" => runs = number()?,
            "--from" => first = number()?,
            "--kills" => kills = number()?,
            name => grounds.push(Ground::named(name)?),
        }
    }
    if grounds.is_empty() {
        grounds = Ground::ALL.into();
    }
    let kills = usize::try_from(kills).map_err(|_| USAGE)?;
    let mut is_good = true;
    for ground in grounds {
        let made = tokio::task::block_in_place(|| fleet::faults(ground, runs, first))?;
        print(&made)?;
        let killed = fleet::kills(own, ground, kills).await?;
        print(&killed)?;
        is_good = is_good && made.is_good() && killed.is_good();
    }
    Ok(is_good)
}

fn print(what: &impl std::fmt::Display) -> Result<(), String> {
    write!(std::io::stdout(), "{what}").map_err(|cause| cause.to_string())
}
