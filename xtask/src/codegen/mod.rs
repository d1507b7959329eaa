//! `cargo xtask codegen`: descriptions to code, reference pages and tests.
//!
//! A description passes through four stages: `source` (text and tree), `lint` (mistakes), `read`
//! and `schema` (the model), `emit` (the output).

mod emit;
mod limits;
mod lint;
mod locate;
mod model;
pub(crate) mod names;
mod page;
mod read;
mod schema;
mod source;
mod uses;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use emit::MARK;
pub(crate) use emit::{Output, quickstart, without_example};
pub(crate) use model::Api;
pub(crate) use source::{Cursor, Mistake, Source};

/// Runs the command.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let check = match arguments {
        [] => false,
        ["--check"] => true,
        _ => return Err("usage: cargo xtask codegen [--check]".to_owned()),
    };
    let root = crate::workspace::root();
    let mut changed = Vec::new();
    // The tests compile the output for a description that uses everything.
    for place in [Path::new(""), Path::new(TRIAL)] {
        let more = generate(&root.join(place), check)?;
        changed.extend(
            more.iter()
                .map(|line| format!("  {}", place.join(line).display())),
        );
    }
    if check && !changed.is_empty() {
        return Err(format!(
            "differs from what the descriptions say:\n{}\nrun `cargo xtask codegen` and commit \
             the result",
            changed.join("\n")
        ));
    }
    for line in changed {
        eprintln!("{line}");
    }
    Ok(())
}

/// Writes, or with `check` only compares, everything generated under `root`. Returns a line for
/// each file that was out of date.
pub(crate) fn generate(root: &Path, check: bool) -> Result<Vec<String>, String> {
    let broken = |error: io::Error| format!("codegen: {error}");
    let mut outputs = Vec::new();
    for service in sorted(&root.join("crates")).map_err(broken)? {
        let files: Vec<_> = sorted(&service.join("api"))
            .unwrap_or_default()
            .into_iter()
            .filter(|file| file.to_string_lossy().ends_with(SUFFIX))
            .collect();
        if !files.is_empty() {
            outputs.extend(describe(root, &service, &files)?);
        }
    }
    let mut changed = Vec::new();
    let mut kept = BTreeSet::new();
    for output in outputs {
        let file = root.join(&output.path);
        if kept.contains(&file) {
            return Err(format!(
                "{}: two descriptions make this file; give one of them another file name",
                output.path.display()
            ));
        }
        if !put(&file, &output.text, check).map_err(broken)? {
            changed.push(output.path.display().to_string());
        }
        kept.insert(file);
    }
    for stale in marked(root).map_err(broken)? {
        if !kept.contains(&stale) {
            if !check {
                fs::remove_file(&stale).map_err(broken)?;
            }
            let path = stale.strip_prefix(root).unwrap_or(&stale);
            changed.push(format!("{} (nothing makes it any more)", path.display()));
        }
    }
    Ok(changed)
}

/// Creates the files of one service.
fn describe(root: &Path, service: &Path, files: &[PathBuf]) -> Result<Vec<Output>, String> {
    let relative = |path: &Path| {
        let path = path.strip_prefix(root).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    };
    let krate = relative(service);
    let mut apis = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        match load(&relative(file), &text) {
            Ok(api) => apis.push(api),
            Err(more) => mistakes.extend(more.iter().map(ToString::to_string)),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes.join("\n"));
    }
    let suite = fs::read_to_string(service.join(CONTRACT));
    outputs(&krate, &apis, suite.is_ok_and(|text| !has_mark(&text)))
}

/// Returns the exports of a crate from the modules that are generated for a description.
pub(crate) fn exports(api: &Api) -> Vec<&'static str> {
    let mut methods = api.operations.iter().filter(|one| one.has_method());
    // Methods of the client itself need no name.
    let has_names = methods.any(|one| one.group.is_some() || !one.is_plain());
    let has_types = api.types.iter().any(|def| def.is_public && def.is_used);
    let parts = [
        (has_names, "api::*"),
        (true, "described::OPERATIONS"),
        (has_types, "wire::*"),
    ];
    let wanted = parts.into_iter().filter(|(is_wanted, _)| *is_wanted);
    wanted.map(|(_, part)| part).collect()
}

/// Returns the operations of a description.
pub(crate) fn operations<'s>(root: &Cursor<'s>) -> Vec<Cursor<'s>> {
    let paths = root.get("paths").map(|paths| paths.entries());
    let items = paths.unwrap_or_default().into_iter();
    let of = |(_, item): (String, Cursor<'s>)| model::METHODS.map(|method| item.get(method));
    items.flat_map(of).flatten().collect()
}

/// Returns the example of an operation's successful answer.
pub(crate) fn answer_example<'s>(operation: &Cursor<'s>) -> Option<Cursor<'s>> {
    let responses = operation.get("responses")?.entries();
    let mut all = responses.into_iter();
    let (_, response) = all.find(|(status, _)| status.starts_with('2'))?;
    let (_, content) = read::media(&response.resolve().ok()?)?;
    schema::example(&content).ok()?
}

/// Creates the files of one service in memory, including a contract suite unless a hand-written one
/// exists.
pub(crate) fn outputs(krate: &str, apis: &[Api], has_suite: bool) -> Result<Vec<Output>, String> {
    let odd = |error: syn::Error| format!("{krate}: the generated code does not parse: {error}");
    let mut outputs = Vec::new();
    for api in apis {
        outputs.extend(emit::api(krate, api).map_err(odd)?);
    }
    outputs.push(emit::service(krate, apis).map_err(odd)?);
    let suite = match has_suite {
        true => None,
        false => emit::contract(krate, apis).transpose().map_err(odd)?,
    };
    let is_covered = has_suite || suite.is_some();
    outputs.extend(suite);
    if is_covered {
        outputs.push(emit::coverage(krate, apis).map_err(odd)?);
    }
    Ok(outputs)
}

/// Reads one description; `name` is its path as shown in messages.
pub(crate) fn load(name: &str, text: &str) -> Result<Api, Vec<Mistake>> {
    let one = |mistake| vec![mistake];
    let source = Source::parse(name, text).map_err(one)?;
    let mistakes = lint::check(&source);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let id = name
        .rsplit('/')
        .next()
        .unwrap_or(name)
        .trim_end_matches(SUFFIX);
    read::api(&source, id).map_err(one)
}

/// Writes a file if its text has changed; returns whether it was the same.
fn put(file: &Path, text: &str, check: bool) -> io::Result<bool> {
    let same = fs::read_to_string(file).is_ok_and(|old| old == text);
    if !same && !check {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text)?;
    }
    Ok(same)
}

/// Finds the files with the mark of this command.
fn marked(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("docs/api")];
    for service in sorted(&root.join("crates"))? {
        folders.push(service.join("src/generated"));
        folders.push(service.join("tests"));
    }
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in sorted(&folder).unwrap_or_default() {
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path).is_ok_and(|text| has_mark(&text)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns whether a file is one of those that this command writes.
fn has_mark(text: &str) -> bool {
    text.lines().next().is_some_and(|line| line.contains(MARK))
}

fn sorted(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    Ok(paths)
}

/// A small workspace with one service.
const TRIAL: &str = "xtask/tests/right";

/// The suite that drives every operation, in a service's folder.
const CONTRACT: &str = "tests/contract/mod.rs";

const SUFFIX: &str = ".openapi.yaml";
