//! Builds with each cargo feature alone, none and all, and checks dependency trees.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::workspace::{self, Target};

/// Checks that every crate builds with each feature alone, with none and with all, and that
/// features pull in only the crates that they should.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask features".to_owned());
    }
    let packages = packages(&cargo(&["metadata", "--no-deps", "--format-version", "1"])?)?;
    for package in &packages {
        for choice in package.choices() {
            eprintln!("{} with {}", package.name, choice.join(" "));
            let check = ["check", "--quiet", "--package", &package.name];
            cargo(&[&check[..], &choice[..]].concat())?;
        }
        for (example, features) in package.examples() {
            eprintln!("{} with what example {example} requires", package.name);
            let check = ["check", "--quiet", "--package", &package.name];
            let chosen = ["--example", example, "--features", &features];
            cargo(&[check, chosen].concat())?;
        }
    }
    let known = ABSENT.iter().map(|(package, features, crates)| Absence {
        package: (*package).to_owned(),
        features,
        crates,
    });
    for absence in known.chain(packages.iter().flat_map(Package::absences)) {
        absence.check()?;
    }
    for package in packages.iter().filter(|package| package.is_service()) {
        package.check_size()?;
    }
    eprintln!(
        "features: each builds alone, and no dependency tree has a crate that it must not have, or too many"
    );
    Ok(())
}

/// Returns the crates that are published and have features.
fn packages(metadata: &str) -> Result<Vec<Package>, String> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let mut metadata: Metadata =
        serde_json::from_str(metadata).map_err(|fault| format!("cargo metadata: {fault}"))?;
    metadata.packages.retain(|package| {
        package.publish.as_ref().is_none_or(|to| !to.is_empty()) && !package.features.is_empty()
    });
    Ok(metadata.packages)
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// `None` for everywhere.
    publish: Option<Vec<String>>,
    features: BTreeMap<String, Vec<String>>,
    dependencies: Vec<Dependency>,
    #[serde(default)]
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

impl Package {
    /// Returns the arguments for each choice of features that must build.
    fn choices(&self) -> Vec<Vec<&str>> {
        let alone = self
            .features
            .iter()
            .filter(|(name, _)| *name != "default" && !self.is_passed_on(name))
            .map(|(name, _)| vec!["--no-default-features", "--features", name.as_str()]);
        std::iter::once(vec!["--no-default-features"])
            .chain(alone)
            .chain(std::iter::once(vec!["--all-features"]))
            .collect()
    }

    /// Returns the examples that require features, with these.
    fn examples(&self) -> impl Iterator<Item = (&str, String)> {
        let examples = self.targets.iter().filter(|target| target.is("example"));
        let examples = examples.filter(|target| !target.required_features.is_empty());
        examples.map(|target| (target.name.as_str(), target.required_features.join(",")))
    }

    /// Returns whether a feature only enables the one of the same name in other crates, where it is
    /// checked.
    fn is_passed_on(&self, name: &str) -> bool {
        let other = format!("/{name}");
        let enabled = &self.features[name];
        let is_only_that = enabled
            .iter()
            .all(|value| value.ends_with(&other) || self.features.contains_key(value));
        is_only_that && enabled.iter().any(|value| value.ends_with(&other)) && name != "client"
    }

    fn is_service(&self) -> bool {
        self.features.contains_key("client")
            && self.dependencies.iter().any(|other| other.name == CORE)
    }

    /// Checks how many crates a program compiles for a client, on Linux.
    fn check_size(&self) -> Result<(), String> {
        let most = MOST.iter().find(|(name, _)| *name == self.name);
        let most = most.map_or(MOST_OF_OTHERS, |(_, most)| *most);
        let features = ["--no-default-features", "--features", SIZED];
        let target = ["--target", "x86_64-unknown-linux-gnu"];
        let chosen = ["--package", &self.name];
        let edges = ["tree", "--prefix", "none", "--edges", "normal,build"];
        let tree = cargo(&[&edges[..], &chosen, &features, &target].concat())?;
        let count = crates(&tree);
        eprintln!(
            "{} with features {SIZED:?}: {count} crates of {most}",
            self.name
        );
        match count <= most {
            true => Ok(()),
            false => Err(format!(
                "{} with features {SIZED:?} takes {count} crates, more than {most}; \
                 `cargo tree` shows them",
                self.name
            )),
        }
    }

    /// Returns the crates that must not be in the tree of any service.
    fn absences(&self) -> Vec<Absence> {
        let all = SERVICES.iter().filter(|(features, _)| {
            self.is_service()
                && features
                    .split(',')
                    .all(|feature| self.features.contains_key(feature))
        });
        all.map(|(features, crates)| Absence {
            package: self.name.clone(),
            features,
            crates,
        })
        .collect()
    }
}

struct Absence {
    package: String,
    features: &'static str,
    crates: &'static [&'static str],
}

impl Absence {
    fn check(&self) -> Result<(), String> {
        let arguments = ["tree", "--edges", "normal", "--prefix", "none", "--package"];
        let chosen = [
            &self.package,
            "--no-default-features",
            "--features",
            self.features,
        ];
        let tree = cargo(&[&arguments[..], &chosen[..]].concat())?;
        for name in self.crates {
            if tree
                .lines()
                .any(|line| line.split(' ').next() == Some(name))
            {
                return Err(format!(
                    "{} with features {:?} pulls in {name}; `cargo tree -i {name}` shows the way",
                    self.package, self.features,
                ));
            }
        }
        Ok(())
    }
}

/// Counts the versions of crates in the output of `cargo tree`, our own among them.
fn crates(tree: &str) -> usize {
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        words
            .next()
            .filter(|name| !name.is_empty())
            .zip(words.next())
    });
    crates.collect::<BTreeSet<_>>().len()
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let output = workspace::cargo()
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

const CORE: &str = "vouchsafe-core";

/// Features of services, and the crates that must not be in their tree.
const SERVICES: &[(&str, &[&str])] = &[
    // A TLS provider is the application's choice: rustls features unify over a whole build.
    ("client,roots-platform", &["ring", "aws-lc-rs"]),
    // The server side needs no client, and layers need no axum.
    ("server", &["hyper", "rustls", "axum-core", "axum"]),
    ("axum", &["hyper", "axum", "tower"]),
];

/// What a usual client needs, for which crates are counted.
const SIZED: &str = "client,tls-ring,roots-platform";

/// How many crates a client takes. A dependency that adds some raises a number here, on purpose.
const MOST: &[(&str, usize)] = &[
    ("vouchsafe-astakos", 74),
    ("vouchsafe-cloud-credentials", 76),
    ("vouchsafe-ticket", 74),
    ("vouchsafe-userinfo", 73),
    ("vouchsafe-wazo-auth", 71),
];
/// How many the client of a new service may take.
const MOST_OF_OTHERS: usize = 76;

/// Packages and features, and the crates that must not be in their tree of normal dependencies.
const ABSENT: &[(&str, &str, &[&str])] = &[
    // Without `client`, core builds without sockets and HTTP.
    (CORE, "", &["hyper", "hyper-util", "rustls", "mio"]),
    // Neither a TLS provider nor what other features are for.
    (
        CORE,
        "client,roots-platform",
        &[
            "ring",
            "aws-lc-rs",
            "h2",
            "ipnet",
            "flate2",
            "zstd",
            "metrics",
            "tower-layer",
        ],
    ),
    (CORE, "tls-ring", &["aws-lc-rs"]),
    (CORE, "tls-aws-lc", &["ring"]),
    // The SDK's connections are core's.
    (
        "vouchsafe-store-aws",
        "dynamodb,kms,secrets-manager,tls-ring",
        &["aws-lc-rs", "aws-smithy-http-client", "hyper-rustls"],
    ),
    // Checking tickets needs neither sockets nor HTTP.
    (
        "vouchsafe-ticket",
        "",
        &["hyper", "rustls", "mio", "http-body", "tower-service"],
    ),
    // The crates for users do not depend on test or automation crates.
    (
        "vouchsafe",
        "full,roots-platform,tls-ring",
        &[
            "rcgen",
            "reqwest",
            "clap",
            "proptest",
            "metrics",
            "opentelemetry",
            "tower",
            "tower-layer",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_of_a_published_crate_is_tried_once() {
        let metadata = r#"{"packages": [
            {"name": "one", "publish": null, "dependencies": [{"name": "vouchsafe-core"}],
             "features": {"default": ["client"], "client": ["vouchsafe-core/client"],
                "tls-ring": ["client", "vouchsafe-core/tls-ring"], "server": ["dep:tower-layer"],
                "axum": ["server", "dep:axum-core"], "flag": []}},
            {"name": "plain", "publish": null, "dependencies": [], "features": {}},
            {"name": "own", "publish": [], "dependencies": [], "features": {"mock": []}}]}"#;
        let packages = packages(metadata).unwrap();
        let names: Vec<_> = packages.iter().map(|package| &package.name).collect();
        assert_eq!(names, ["one"]);
        let choices: Vec<_> = packages[0].choices();
        let last: Vec<_> = choices
            .iter()
            .map(|choice| choice.last().copied())
            .collect();
        let wanted = [
            "--no-default-features",
            "axum",
            "client",
            "flag",
            "server",
            "--all-features",
        ];
        assert_eq!(last, wanted.map(Some));
        let absent: Vec<_> = packages[0].absences().iter().map(|a| a.features).collect();
        assert_eq!(absent, ["server", "axum"], "there is no `roots-platform`");
    }

    #[test]
    fn each_version_of_a_crate_counts_once() {
        let tree = "one v1.0.0 (/path)\ntwo v1.0.0\ntwo v1.0.0 (*)\ntwo v2.0.0 (proc-macro)\n\n";
        assert_eq!(crates(tree), 3);
    }

    #[test]
    fn every_crate_of_this_workspace_with_features_is_found() {
        let found = cargo(&["metadata", "--no-deps", "--format-version", "1"]).unwrap();
        let found = packages(&found).unwrap();
        for name in ["vouchsafe", "vouchsafe-core", "vouchsafe-ticket"] {
            assert!(found.iter().any(|package| package.name == name), "{name}");
        }
    }
}
