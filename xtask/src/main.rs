//! Automation of this workspace: `cargo xtask`.

mod bench;
mod codegen;
mod examples;
mod features;
mod fleet;
mod interop;
mod minimal_versions;
mod mutants;
mod new_service;
mod package;
mod program;
mod public_types;
mod rustdoc;
mod schemathesis;
mod semver;
mod soak;
mod test;
mod vectors;
mod workspace;

use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if asks_for_help(&arguments) {
        // If even this cannot be written, it is not read.
        let _ = writeln!(std::io::stdout(), "{USAGE}");
        return ExitCode::SUCCESS;
    }
    let result = match arguments.as_slice() {
        ["bench", rest @ ..] => bench::run(rest),
        ["codegen", rest @ ..] => codegen::run(rest),
        ["examples", rest @ ..] => examples::run(rest),
        ["features", rest @ ..] => features::run(rest),
        ["fleet", rest @ ..] => fleet::run(rest),
        ["interop", rest @ ..] => interop::run(rest),
        ["minimal-versions", rest @ ..] => minimal_versions::run(rest),
        ["mutants", rest @ ..] => mutants::run(rest),
        ["new-service", rest @ ..] => new_service::run(rest),
        ["package", rest @ ..] => package::run(rest),
        ["public-types", rest @ ..] => public_types::run(rest),
        ["schemathesis", rest @ ..] => schemathesis::run(rest),
        ["semver", rest @ ..] => semver::run(rest),
        ["soak", rest @ ..] => soak::run(rest),
        ["test", rest @ ..] => test::run(rest),
        ["vectors", rest @ ..] => vectors::run(rest),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

/// Returns whether help is asked for, with any command. What is behind `--` is another program's.
fn asks_for_help(arguments: &[&str]) -> bool {
    let mut own = arguments.iter().take_while(|argument| **argument != "--");
    own.any(|argument| ["--help", "-h"].contains(argument))
}

const USAGE: &str = "\
usage: cargo xtask <command>

  bench [--quick] [--times N] [GROUP...]
                      measure beside other clients and caches, and what a dependency costs (group `build`)
  codegen [--check]   write (or compare) what crates/*/api/*.openapi.yaml describe
  examples            run the examples of every crate
  features            build every feature alone, and check what each pulls in
  fleet table [STORE...]
                      let processes meet a dead token, on every store, beside pancloud
  fleet machines      the same on machines whose clocks differ, with a suspended process
  fleet faults [--runs N] [--from N] [--kills N] [STORE...]
                      trouble in the middle of refreshes; 1,000 runs and 40 kills for each store
  interop [SERVICE]   drive clients in other languages against the emulators
  minimal-versions    check every published crate with the oldest dependencies that it accepts
  mutants [GROUP...]  break the code in small ways, and list what no test notices (cargo-mutants)
  new-service NAME --from FILE.openapi.yaml
                      make the crate of a service, and its lines everywhere else
  new-service --check [--whole]
                      make one in a copy of the workspace, and run its tests, or all, there
  package [ARGUMENTS] package every published crate, and check each from its package
  public-types [PACKAGE...]
                      compare types of other crates in public APIs with docs/public-types.md
  schemathesis SERVICE [--seconds N] [--seed S]
                      run the description of a service against its emulator
  semver REVISION [PACKAGE...]
                      compare public APIs with those of a commit, such as the last release
  soak [--minutes N] [--seed S]
                      let everything run with faults and restarts; ten minutes and a random seed
  test [ARGUMENTS]    run all tests, documentation included
  vectors [SERVICE]   run the recorded vectors below VOUCHSAFE_VECTORS";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_asked_for_before_or_after_a_command() {
        assert!(asks_for_help(&["--help"]));
        assert!(asks_for_help(&["schemathesis", "--help"]));
        assert!(asks_for_help(&["fleet", "faults", "-h"]));
        assert!(!asks_for_help(&["schemathesis", "astakos"]));
        assert!(!asks_for_help(&["test", "--", "--help"]));
    }
}
