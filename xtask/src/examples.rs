//! `cargo xtask examples`: runs every example of every crate.

use std::process::Command;

use crate::workspace::{self, Package};

/// Runs each example of a published crate with the features that it requires, or else with all;
/// fails if one of them does.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("usage: cargo xtask examples".to_owned());
    }
    let examples = examples(workspace::packages()?);
    if examples.is_empty() {
        return Err("no examples were found".to_owned());
    }
    for example in &examples {
        let Example {
            package,
            name,
            features,
        } = example;
        eprintln!("example {package}/{name}");
        let features = features.join(",");
        let features: &[&str] = match features.is_empty() {
            true => &["--all-features"],
            false => &["--features", &features],
        };
        let status = cargo(&["run", "--quiet", "--package", package, "--example", name])
            .args(features)
            .status()
            .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
        if !status.success() {
            return Err(format!("example {package}/{name} failed"));
        }
    }
    eprintln!("examples: {} ran", examples.len());
    Ok(())
}

/// An example, and the features that it requires.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Example {
    package: String,
    name: String,
    features: Vec<String>,
}

/// Returns all examples, sorted.
fn examples(packages: Vec<Package>) -> Vec<Example> {
    let mut examples = Vec::new();
    for package in packages {
        let targets = package.targets.into_iter();
        for target in targets.filter(|target| target.is("example")) {
            examples.push(Example {
                package: package.name.clone(),
                name: target.name,
                features: target.required_features,
            });
        }
    }
    examples.sort();
    examples
}

fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(arguments).current_dir(workspace::root());
    cargo
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_example_is_found_with_the_features_that_it_requires() {
        let metadata = r#"{"packages": [
            {"name": "two", "targets": [
                {"name": "two", "kind": ["lib"]},
                {"name": "script", "kind": ["example"], "required-features": ["mock", "blocking"]}]},
            {"name": "one", "targets": [{"name": "quickstart", "kind": ["example"]}]}]}"#;
        let found = examples(workspace::read(metadata.as_bytes()).unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|example| {
                (
                    &*example.package,
                    &*example.name,
                    example.features.join(","),
                )
            })
            .collect();
        let none = String::new();
        let wanted = [
            ("one", "quickstart", none),
            ("two", "script", "mock,blocking".to_owned()),
        ];
        assert_eq!(found, wanted);
    }
}
