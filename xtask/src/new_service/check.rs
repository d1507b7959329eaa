//! `cargo xtask new-service --check`: runs the command on a small description in a copy of the
//! workspace, and builds and tests the result.

use std::path::Path;
use std::time::Duration;

use super::Plan;
use crate::codegen;
use crate::test::has_nextest;
use crate::workspace;

/// Which tests run in the copy.
pub(super) enum Tests {
    /// Those that a new service can break.
    Some,
    /// `cargo xtask test`, as `docs/contributing.md` says.
    All,
}

/// Makes the copy, adds a service to it, and runs the checks that a service must pass.
pub(super) fn run(tests: Tests) -> Result<(), String> {
    let begun = now();
    let root = workspace::root();
    // One place for all runs, in the folder that is ignored, so that builds are used again.
    let copy = root.join("target/new-service");
    workspace::copy(&copy)?;
    let description = root.join(DESCRIPTION);
    Plan::new(&copy, NAME, &description)?.carry_out(&copy)?;
    let stale = codegen::generate(&copy, true)?;
    if !stale.is_empty() {
        return Err(format!(
            "codegen would write different files: {}",
            stale.join(", ")
        ));
    }
    let again = Plan::new(&copy, NAME, &description);
    if !again.is_err_and(|told| told.contains("is taken")) {
        return Err("a second service of the same name is not refused".to_owned());
    }
    let (target, faults) = match tests {
        // The faults of the other services are tried where the workspace itself is tested.
        Tests::Some => (root.join("target"), ("VOUCHSAFE_FAULTS_OF", NAME)),
        // Builds the copy's own xtask, which must not replace the one that is running. The operations
        // of a new service are new rows of the page.
        Tests::All => (
            root.join("target/new-service-build"),
            ("VOUCHSAFE_FAULTS", "write"),
        ),
    };
    let cargo = |line: &str| cargo(&copy, &target, faults, line);
    // As CI builds the workspace itself, so that only what the service changes is compiled again.
    let all = "--workspace --all-features";
    let tests = match tests {
        Tests::Some => {
            let targets = "--lib --bin vouchsafe --test client --test generated_coverage \
                           --test citations --test every";
            let whole = format!("package(=vouchsafe-{NAME})+package(=vouchsafe)");
            // Those of the clients that are written by hand say nothing about this one.
            let of_all = "package(=vouchsafe-tests)-test(/is_shown_by_the_client_of_/)";
            let chosen = format!("{whole}+({of_all})+package(=vouchsafe-cli)");
            let run = match has_nextest() {
                true => format!("nextest run {all} {targets} -E {chosen}"),
                // Those of the other services, too.
                false => format!("test {all} {targets}"),
            };
            let demo = format!("run --quiet --all-features --bin vouchsafe -- demo {NAME}");
            vec![run, format!("test {all} --doc {NAME}"), demo]
        }
        Tests::All => vec!["xtask test".to_owned()],
    };
    cargo("fmt --all --check")?;
    cargo(&format!("clippy {all} --all-targets -- -D warnings"))?;
    for line in tests {
        cargo(&line)?;
    }
    cargo(&format!("doc {all} --no-deps"))?;
    eprintln!(
        "new-service: created, built and tested in {} s",
        now().saturating_sub(begun).as_secs()
    );
    Ok(())
}

fn cargo(copy: &Path, target: &Path, faults: (&str, &str), line: &str) -> Result<(), String> {
    eprintln!("cargo {line}");
    let begun = now();
    let status = workspace::cargo()
        .args(line.split_whitespace())
        .current_dir(copy)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTDOCFLAGS", "-D warnings")
        .env(faults.0, faults.1)
        .status()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    eprintln!("  {} s", now().saturating_sub(begun).as_secs());
    match status.success() {
        true => Ok(()),
        false => Err(format!("failed in {}: cargo {line}", copy.display())),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "shown to a person, and no test pauses it"
)]
fn now() -> Duration {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default()
}

// Not the name that the tests of this module try, which are among those that run in the copy.
const NAME: &str = "small-hotel";
const DESCRIPTION: &str = "xtask/tests/new_service/guest-house.openapi.yaml";
