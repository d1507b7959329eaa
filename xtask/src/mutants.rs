//! `cargo xtask mutants`: breaks the code in small ways, and looks for changes that no test notices.

use std::fs;

use crate::workspace;

/// Files that are broken together, and the tests that have to notice.
struct Group {
    name: &'static str,
    package: &'static str,
    files: &'static str,
    tests: &'static [&'static str],
}

const GROUPS: [Group; 8] = [
    Group {
        name: "call",
        package: "vouchsafe-core",
        files: "crates/core/src/call/{backoff,budget,limit,operation,pipeline,progress,retry}.rs",
        tests: &["--lib", "--test", "pipeline", "--", "--skip", "store::"],
    },
    Group {
        name: "auth",
        package: "vouchsafe-core",
        files: "crates/core/src/auth/**/*.rs",
        tests: &[
            "--lib", "--test", "oauth", "--test", "pipeline", "--", "--skip", "store::",
        ],
    },
    Group {
        name: "cache",
        package: "vouchsafe-core",
        files: "crates/core/src/cache/*.rs",
        tests: &["--lib", "--test", "cache", "--", "--skip", "store::"],
    },
    Group {
        name: "store",
        package: "vouchsafe-core",
        files: "crates/core/src/store/*.rs",
        tests: &["--lib", "store::"],
    },
    Group {
        name: "refresh",
        package: "vouchsafe-cloud-credentials",
        files: "crates/cloud-credentials/src/refresh/*.rs",
        tests: &[
            "--package",
            "vouchsafe-model",
            "--lib",
            "--test",
            "credentials",
        ],
    },
    Group {
        name: "check",
        package: "vouchsafe-ticket",
        files: "crates/ticket/src/engine/{check,checked,message,status,text}.rs",
        tests: &["--lib", "--test", "fuzz_smoke", "--test", "rw"],
    },
    Group {
        name: "codecs",
        package: "vouchsafe-ticket",
        files: "crates/ticket/src/engine/{base64url,container,wire,cache/*,rw/*}.rs",
        tests: &["--lib", "--test", "fuzz_smoke", "--test", "rw"],
    },
    Group {
        name: "acl",
        package: "vouchsafe-wazo-auth",
        files: "crates/wazo-auth/src/acl/*.rs",
        tests: &["--lib", "--test", "acl"],
    },
];

/// Runs the groups of these names, or all. Fails if a change of a group is not noticed.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let usage = || {
        let names = GROUPS.map(|group| group.name).join(" ");
        format!("usage: cargo xtask mutants [GROUP...], of: {names}")
    };
    let is_known = |name: &&str| GROUPS.iter().any(|group| group.name == *name);
    if !arguments.iter().all(is_known) {
        return Err(usage());
    }
    // The program creates only the folder of the group itself.
    fs::create_dir_all("target/mutants").map_err(|cause| format!("target/mutants: {cause}"))?;
    let mut missed = Vec::new();
    for group in GROUPS {
        if arguments.is_empty() || arguments.contains(&group.name) {
            let output = format!("target/mutants/{}", group.name);
            // The tests are known to pass without a change.
            let settings = ["mutants", "--baseline", "skip", "--timeout", "120"];
            let status = workspace::cargo()
                .args(settings)
                .args(["--package", group.package, "--file", group.files])
                .args(["--output", &output, "--"])
                .args(group.tests)
                .status()
                .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
            match status.code() {
                Some(0) => {}
                // Changes that no test notices, or that make tests run for too long.
                Some(2 | 3) => missed.push(group.name),
                _ => return Err(format!("cargo-mutants failed at {}: {status}", group.name)),
            }
        }
    }
    match missed.is_empty() {
        true => Ok(()),
        false => Err(format!("not all changes are noticed: {}", missed.join(" "))),
    }
}
