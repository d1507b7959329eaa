//! Compares Vouchsafe with other clients and caches. `cargo xtask bench` runs it.
//!
//! Compared cases are interleaved in one process; the server is a separate process.
//! The prefix `as-` marks processes of this program that it starts itself.

use std::process::ExitCode;

use vouchsafe_bench::{
    astakos, client, core, counted, credentials, instructions, measure, server, ticket, userinfo,
    wazo_auth,
};
use vouchsafe_bench_report::row::Row;
use vouchsafe_bench_report::table;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let flag = |name: &str| rest.iter().any(|argument| argument == name);
    let value = |name: &str| {
        let at = rest.iter().position(|argument| argument == name)?;
        rest.get(at + 1).cloned()
    };
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing was installed before");
    let size = if flag("--quick") {
        measure::Size::Quick
    } else {
        measure::Size::Full
    };
    let group = |counts: fn(_) -> Vec<Row>, times: fn(_) -> Vec<Row>| {
        let mut rows = Vec::new();
        if !flag("--no-instructions") {
            rows.extend(counts(size));
        }
        if !flag("--no-times") {
            rows.extend(times(size));
        }
        finish(&rows, value("--out").as_deref())
    };
    match command.as_str() {
        "core" => group(instructions::run, core::run),
        "userinfo" => group(counted::userinfo, userinfo::run),
        "astakos" => group(counted::astakos, astakos::run),
        "wazo-auth" => group(counted::wazo_auth, wazo_auth::run),
        "credentials" => group(counted::credentials, credentials::run),
        "ticket" => group(ticket::instructions, ticket::run),
        "as-caller" => {
            let count = value("--count").and_then(|text| text.parse().ok());
            counted::run_alone(
                &value("--case").expect("--case"),
                &value("--place").expect("--place"),
                count.expect("--count"),
            );
            ExitCode::SUCCESS
        }
        "as-astakos" => {
            let crowd = value("--crowd").and_then(|text| text.parse().ok());
            astakos::server::run(crowd.unwrap_or(0))
        }
        "as-checker" => {
            let number = |name: &str| value(name).and_then(|text| text.parse().ok());
            ticket::counts::run_alone(
                &value("--fixtures").expect("--fixtures"),
                number("--at").expect("--at"),
                number("--user") == Some(1),
                &value("--case").expect("--case"),
                number("--count").expect("--count"),
            )
        }
        "as-authority" => {
            ticket::counts::write(&value("--fixtures").expect("--fixtures"));
            ExitCode::SUCCESS
        }
        "as-server" => server::run(),
        "as-client" => {
            let count = value("--count").and_then(|text| text.parse().ok());
            client::run_alone(
                &value("--client").expect("--client"),
                &value("--url").expect("--url"),
                value("--ca").as_deref(),
                count.expect("--count"),
            );
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "usage: vouchsafe-bench astakos|core|credentials|ticket|userinfo|wazo-auth [--quick] [--out FILE]"
            );
            ExitCode::FAILURE
        }
    }
}

/// Writes the rows to the file, or prints them.
fn finish(rows: &[Row], file: Option<&str>) -> ExitCode {
    let Some(file) = file else {
        print!("{}", table::plain(rows));
        return ExitCode::SUCCESS;
    };
    let text = serde_json::to_string_pretty(rows).expect("rows are plain");
    match std::fs::write(file, text + "\n") {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("{file} cannot be written: {cause}");
            ExitCode::FAILURE
        }
    }
}
