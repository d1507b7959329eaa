//! `cargo xtask semver`: the public APIs, compared with those of an earlier commit.
//!
//! Both are documented by the same rustdoc, so that no text of an API has to be kept, and whatever form
//! its JSON has is the same on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::{rustdoc, workspace};

/// Compares these packages, or all that are published, with what they were in a commit. Fails if
/// something is gone or changed while the version says that nothing is.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let [baseline, packages @ ..] = arguments else {
        return Err("usage: cargo xtask semver REVISION [PACKAGE...]".to_owned());
    };
    let root = workspace::root();
    let names: Vec<String> = match packages {
        [] => rustdoc::published()?,
        chosen => chosen.iter().map(|name| (*name).to_owned()).collect(),
    };
    let before = root.join("target/semver");
    check_out(&root, baseline, &before)?;
    rustdoc::document(&before, packages)?;
    rustdoc::document(&root, packages)?;
    let mut breaking = Vec::new();
    for name in &names {
        let (old, new) = (rustdoc::read(&before, name)?, rustdoc::read(&root, name)?);
        let unknown = || rustdoc::unknown(name);
        let lines = compare(
            &api(&old).ok_or_else(unknown)?,
            &api(&new).ok_or_else(unknown)?,
        );
        for line in &lines {
            eprintln!("{name}: {line}");
        }
        let is_breaking = lines.iter().any(|line| !line.starts_with("new"));
        let versions = [&old, &new].map(|json| series(json["crate_version"].as_str()));
        if is_breaking && versions[0] == versions[1] {
            breaking.push(format!("{name} breaks the API of version {}", versions[0]));
        }
    }
    match breaking.is_empty() {
        true => Ok(()),
        false => Err(breaking.join("\n")),
    }
}

/// Puts the files of a commit into a folder.
fn check_out(root: &Path, revision: &str, folder: &Path) -> Result<(), String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .args(arguments)
            .output()
            .map_err(|cause| format!("git cannot be started: {cause}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    };
    let (from, to) = (root.to_string_lossy(), folder.to_string_lossy());
    let commit = git(&[
        &from,
        "rev-parse",
        "--verify",
        &format!("{revision}^{{commit}}"),
    ])?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|cause| format!("{to}: {cause}"))?;
    }
    git(&[
        &from,
        "clone",
        "--quiet",
        "--shared",
        "--no-checkout",
        ".",
        &to,
    ])?;
    git(&[&to, "checkout", "--quiet", "--detach", &commit]).map(drop)
}

/// Returns the part of a version that a breaking change raises.
fn series(version: Option<&str>) -> String {
    let mut parts = version.unwrap_or_default().split('.');
    let (major, minor) = (parts.next(), parts.next());
    match (major, minor) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (major, _) => major.unwrap_or_default().to_owned(),
    }
}

/// The items of an API by their paths, each with its forms: what kind it is, and its signature.
type Api = BTreeMap<String, BTreeSet<String>>;

fn compare(old: &Api, new: &Api) -> Vec<String> {
    let mut lines = Vec::new();
    for (path, forms) in old {
        match new.get(path) {
            None => lines.push(format!("gone: {path}")),
            Some(now) if now != forms => {
                let text = |forms: &BTreeSet<String>| -> String {
                    forms.iter().map(|form| format!("\n    {form}")).collect()
                };
                let (was, is) = (text(&(forms - now)), text(&(now - forms)));
                lines.push(format!("changed: {path}\n  was:{was}\n  is:{is}"));
            }
            Some(_) => {}
        }
    }
    let added = new.keys().filter(|path| !old.contains_key(*path));
    lines.extend(added.map(|path| format!("new: {path}")));
    lines
}

/// Reads the API of a crate. `None` if the JSON has another form.
fn api(json: &Value) -> Option<Api> {
    let mut walk = Walk {
        index: json.get("index")?,
        paths: json.get("paths")?,
        crates: json.get("external_crates")?,
        within: Vec::new(),
        found: Api::new(),
    };
    for item in ids(walk.index[json.get("root")?.to_string()]["inner"]["module"].get("items")?) {
        walk.item("", &item);
    }
    Some(walk.found)
}

/// A walk through the items of a crate that can be named.
struct Walk<'a> {
    index: &'a Value,
    paths: &'a Value,
    crates: &'a Value,
    /// The items on the way, since a module can export one that it is in.
    within: Vec<String>,
    found: Api,
}

impl Walk<'_> {
    fn item(&mut self, parent: &str, id: &str) {
        let Some(item) = self.index.get(id) else {
            return;
        };
        let name = item["name"].as_str().unwrap_or_default();
        self.named(&format!("{parent}::{name}"), parent, id, item);
    }

    fn named(&mut self, path: &str, parent: &str, id: &str, item: &Value) {
        if self.within.iter().any(|outer| outer == id) {
            return;
        }
        let Some((kind, inner)) = item["inner"]
            .as_object()
            .and_then(|inner| inner.iter().next())
        else {
            return;
        };
        self.within.push(id.to_owned());
        match kind.as_str() {
            "use" => self.exported(parent, inner),
            "impl" => self.implementation(parent, inner),
            _ => {
                let mut form = self.form(inner, is_open(item, inner));
                if kind == "trait" {
                    form["required"] = self.required(inner);
                }
                self.add(path, &json!({ kind: form }));
                for key in [
                    "/items",
                    "/variants",
                    "/kind/plain/fields",
                    "/kind/struct/fields",
                    "/kind/tuple",
                    "/impls",
                ] {
                    for child in inner.pointer(key).map(ids).unwrap_or_default() {
                        self.item(path, &child);
                    }
                }
            }
        }
        self.within.pop();
    }

    fn add(&mut self, path: &str, form: &Value) {
        let forms = self.found.entry(path.to_owned()).or_default();
        forms.insert(form.to_string());
    }

    /// What is exported again is as if it were here.
    fn exported(&mut self, parent: &str, inner: &Value) {
        let (id, name) = (inner["id"].to_string(), inner["name"].as_str());
        let path = format!("{parent}::{}", name.unwrap_or_default());
        match (self.index.get(&id), inner["is_glob"] == true) {
            (Some(target), true) => {
                let target = &target["inner"];
                let inside = [&target["module"]["items"], &target["enum"]["variants"]];
                for child in inside.into_iter().flat_map(ids) {
                    self.item(parent, &child);
                }
            }
            (Some(target), false) => self.named(&path, parent, &id, target),
            (None, _) => self.add(&path, &json!({"use": inner["source"]})),
        }
    }

    /// Traits of a type, with their types and constants, and the type's own functions. What is implemented
    /// for every type is not this crate's.
    fn implementation(&mut self, parent: &str, inner: &Value) {
        let Some(name) = inner["trait"]["path"].as_str() else {
            for child in ids(&inner["items"]) {
                self.item(parent, &child);
            }
            return;
        };
        // These two are the compiler's, and cannot be named by users.
        let is_hidden = ["Freeze", "UnsafeUnpin"].contains(&name);
        if is_hidden || inner["is_negative"] == true || !inner["blanket_impl"].is_null() {
            return;
        }
        let path = format!("{parent} as {}", name.rsplit("::").next().unwrap_or(name));
        let mut form = self.form(inner, true);
        form["for"] = Value::Null;
        self.add(&path, &form);
        for child in ids(&inner["items"]) {
            if self.index[&child]["inner"]["function"].is_null() {
                self.item(&path, &child);
            }
        }
    }

    /// The items that implementations of a trait must have.
    fn required(&self, inner: &Value) -> Value {
        let items = ids(&inner["items"]).into_iter().map(|id| &self.index[id]);
        let required = items.filter(|item| {
            let inner = &item["inner"];
            let defaults = [
                &inner["function"]["has_body"],
                &inner["assoc_type"]["type"],
                &inner["assoc_const"]["value"],
            ];
            defaults
                .iter()
                .all(|default| default.is_null() || **default == false)
        });
        required.map(|item| item["name"].clone()).collect()
    }

    /// Returns what users can rely on: types by their names, without those of arguments, values, and,
    /// of what is open, how many more it has.
    fn form(&self, value: &Value, is_open: bool) -> Value {
        match value {
            Value::Object(fields) if fields.contains_key("id") && fields.contains_key("path") => {
                json!([self.name(fields), self.form(&value["args"], is_open)])
            }
            Value::Object(fields) => {
                let is_dropped = |key: &str| match key {
                    "items"
                    | "impls"
                    | "implementations"
                    | "provided_trait_methods"
                    | "expr"
                    | "value" => true,
                    "fields" | "variants" => is_open,
                    _ => false,
                };
                let kept = fields.iter().filter(|(key, _)| !is_dropped(key));
                let kept = kept.map(|(key, value)| (key.clone(), self.form(value, is_open)));
                kept.collect()
            }
            Value::Array(values) => match &values[..] {
                // An argument.
                [Value::String(_), kind @ Value::Object(_)] => self.form(kind, is_open),
                values => values
                    .iter()
                    .map(|value| self.form(value, is_open))
                    .collect(),
            },
            // The id of a field or variant.
            Value::Number(_) => Value::Bool(true),
            other => other.clone(),
        }
    }

    /// The name of a type: of ours without its modules, which may be private.
    fn name(&self, fields: &serde_json::Map<String, Value>) -> Value {
        let known = &self.paths[fields["id"].to_string()];
        let words = known["path"].as_array();
        let krate = &self.crates[known["crate_id"].to_string()]["name"];
        let is_ours = krate
            .as_str()
            .is_none_or(|name| name.starts_with("vouchsafe"));
        match words {
            Some(words) if !is_ours => words.iter().cloned().collect(),
            Some(words) => words.last().cloned().unwrap_or_default(),
            None => fields["path"].clone(),
        }
    }
}

/// Returns whether an item can get more fields or variants without breaking its users.
fn is_open(item: &Value, inner: &Value) -> bool {
    let attributes = item["attrs"].as_array();
    let is_marked = attributes.is_some_and(|all| all.contains(&json!("non_exhaustive")));
    let kind = &inner["kind"];
    let has_private = [&kind["plain"], &kind["struct"]];
    is_marked
        || has_private
            .iter()
            .any(|fields| fields["has_stripped_fields"] == true)
}

fn ids(list: &Value) -> Vec<String> {
    let list = list.as_array().into_iter().flatten();
    list.filter(|id| id.is_number())
        .map(Value::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The API of a crate with this text, as rustdoc describes it.
    fn described(text: &str) -> Api {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("lib.rs"), text).unwrap();
        let status = Command::new("rustdoc")
            .args([
                "lib.rs",
                "--edition=2024",
                "--crate-type=lib",
                "--out-dir=.",
            ])
            .args([
                "-Zunstable-options",
                "--output-format=json",
                "--crate-name=it",
            ])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(&folder)
            .status();
        assert!(status.unwrap().success());
        let json = fs::read_to_string(folder.path().join("it.json")).unwrap();
        api(&serde_json::from_str(&json).unwrap()).unwrap()
    }

    /// The first lines of what differs, without the forms.
    fn differences(old: &str, new: &str) -> Vec<String> {
        let lines = compare(&described(old), &described(new));
        let first = |line: String| line.lines().next().unwrap_or_default().to_owned();
        lines.into_iter().map(first).collect()
    }

    #[test]
    fn what_users_cannot_see_is_no_difference() {
        let old = "mod a { pub struct S { n: u8 } impl S { pub fn f(&self, x: u8) -> u8 { x } } }
            pub use a::S; pub const N: u8 = 1; pub fn f() -> S { panic!() }";
        let new = "mod b { /// Text.
            pub struct S { x: u16 } impl S { pub fn f(&self, y: u8) -> u8 { y + 1 } fn own() {} } }
            pub use b::*; pub const N: u8 = 2; pub fn f() -> S { loop {} }";
        assert_eq!(differences(old, new), [""; 0]);
    }

    #[test]
    fn what_is_gone_or_changed_is_told_from_what_is_new() {
        let old = "#[derive(Clone)] pub struct S { pub n: u8 } pub fn f(x: u8) {} pub mod m { pub struct Gone; }
            #[non_exhaustive] pub enum Open { A } pub enum Closed { A } pub use std::sync::Arc as Shared;
            pub trait T { fn a(); } pub fn g<X: Send>(x: X) {}";
        let new = "pub struct S { pub n: u8, p: *const u8 } pub fn f(x: &u8) {} pub mod m {}
            #[non_exhaustive] pub enum Open { A, B } pub enum Closed { A, B } pub use std::rc::Rc as Shared;
            pub trait T { fn a(); fn b() {} fn c(); } pub fn g<X: Send + Sync>(x: X) {}";
        let wanted = [
            "changed: ::Closed",
            "changed: ::S",
            "gone: ::S as Clone",
            "gone: ::S as Send",
            "gone: ::S as Sync",
            "changed: ::Shared",
            "changed: ::T",
            "changed: ::f",
            "changed: ::g",
            "gone: ::m::Gone",
            "new: ::Closed::B",
            "new: ::Open::B",
            "new: ::T::b",
            "new: ::T::c",
        ];
        let mut found = differences(old, new);
        found.retain(|line| !line.starts_with("gone: ::m::Gone as"));
        found.retain(|line| {
            !line.ends_with(" as UnwindSafe") && !line.ends_with(" as RefUnwindSafe")
        });
        assert_eq!(found, wanted);
    }

    #[test]
    fn modules_that_export_each_other_come_to_an_end() {
        let api = described(
            "pub mod a { pub use super::b; pub struct A; } pub mod b { pub use super::a; }",
        );
        assert!(api.contains_key("::a::A") && api.contains_key("::b::a::A"));
    }

    #[test]
    fn before_1_0_a_breaking_change_raises_the_minor_number() {
        let versions = ["0.1.0", "0.1.9", "0.2.0", "1.2.0", "1.3.0"].map(|v| series(Some(v)));
        assert_eq!(versions, ["0.1", "0.1", "0.2", "1", "1"]);
    }
}
