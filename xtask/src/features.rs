//! Each cargo feature alone, none, and what must not be in a dependency tree.

use std::process::Command;

use crate::workspace;

/// Checks that every crate builds with each feature alone and with none, and that features pull
/// in no more than they say.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask features".to_owned());
    }
    for (package, features) in ALONE {
        for feature in std::iter::once(&"").chain(*features) {
            eprintln!(
                "{package} with {}",
                if feature.is_empty() {
                    "no feature"
                } else {
                    feature
                }
            );
            let arguments = [
                "check",
                "--quiet",
                "--package",
                package,
                "--no-default-features",
            ];
            cargo(&[&arguments[..], &["--features", feature]].concat())?;
        }
    }
    for absence in ABSENT {
        let arguments = ["tree", "--edges", "normal", "--prefix", "none", "--package"];
        let chosen = [
            absence.package,
            "--no-default-features",
            "--features",
            absence.features,
        ];
        let tree = cargo(&[&arguments[..], &chosen[..]].concat())?;
        for name in absence.crates {
            if tree
                .lines()
                .any(|line| line.split(' ').next() == Some(name))
            {
                return Err(format!(
                    "{} with features {:?} pulls in {name}; `cargo tree -i {name}` shows the way",
                    absence.package, absence.features,
                ));
            }
        }
    }
    eprintln!("features: every one builds alone, and none pulls in what it must not");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(workspace::root())
        .output()
        .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "cargo {} failed:\n{}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    ))
}

/// Packages and the features that must build alone. What only passes on is not tried again.
const ALONE: &[(&str, &[&str])] = &[
    (
        "vouchsafe-core",
        &[
            "client",
            "tls-ring",
            "tls-aws-lc",
            "roots-platform",
            "roots-bundled",
            "mock",
            "server",
        ],
    ),
    ("vouchsafe-astakos", &["client", "mock"]),
    (
        "vouchsafe-ticket",
        &["client", "gzip", "brotli", "zstd", "server", "axum", "mock"],
    ),
    ("vouchsafe-userinfo", &["client", "server", "axum", "mock"]),
    (
        "vouchsafe",
        &["astakos", "ticket", "userinfo", "full,server,axum,mock"],
    ),
];

struct Absence {
    package: &'static str,
    features: &'static str,
    crates: &'static [&'static str],
}

/// What must not be in the tree of normal dependencies.
const ABSENT: &[Absence] = &[
    // Without `client`, core builds without sockets and HTTP.
    Absence {
        package: "vouchsafe-core",
        features: "",
        crates: &["hyper", "hyper-util", "rustls", "mio"],
    },
    // A TLS provider is the application's choice: rustls features unify over a whole build.
    Absence {
        package: "vouchsafe-core",
        features: "client,roots-platform",
        crates: &["ring", "aws-lc-rs"],
    },
    Absence {
        package: "vouchsafe-userinfo",
        features: "client,roots-platform",
        crates: &["ring", "aws-lc-rs"],
    },
    Absence {
        package: "vouchsafe-core",
        features: "tls-ring",
        crates: &["aws-lc-rs"],
    },
    Absence {
        package: "vouchsafe-core",
        features: "tls-aws-lc",
        crates: &["ring"],
    },
    // The server side needs no client, and layers need no axum.
    Absence {
        package: "vouchsafe-userinfo",
        features: "server",
        crates: &["hyper", "rustls", "axum-core", "axum"],
    },
    Absence {
        package: "vouchsafe-userinfo",
        features: "axum",
        crates: &["hyper", "axum", "tower"],
    },
    // Checking tickets takes neither sockets nor HTTP.
    Absence {
        package: "vouchsafe-ticket",
        features: "",
        crates: &["hyper", "rustls", "mio", "http-body", "tower-service"],
    },
    Absence {
        package: "vouchsafe-ticket",
        features: "server",
        crates: &["hyper", "rustls", "axum-core", "axum"],
    },
    Absence {
        package: "vouchsafe-ticket",
        features: "axum",
        crates: &["hyper", "axum", "tower"],
    },
    // What users take is free of test and automation crates.
    Absence {
        package: "vouchsafe",
        features: "full,roots-platform,tls-ring",
        crates: &["rcgen", "oas3", "reqwest", "clap", "proptest"],
    },
];
