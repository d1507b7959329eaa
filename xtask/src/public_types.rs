//! `cargo xtask public-types`: the types of other crates in public APIs, compared with the table of
//! them in `docs/public-types.md`.
//!
//! What is public is what rustdoc documents.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::{rustdoc, workspace};

/// Compares the public APIs of these packages, or of all that are published, with the table.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    let root = workspace::root();
    let names: Vec<String> = match arguments {
        [] => rustdoc::published()?,
        chosen => chosen.iter().map(|name| (*name).to_owned()).collect(),
    };
    rustdoc::document(&root, arguments)?;
    let mut found = Table::new();
    for name in &names {
        let json = rustdoc::read(&root, name)?;
        add(name, &json, &mut found).ok_or_else(|| rustdoc::unknown(name))?;
    }
    let text = fs::read_to_string(root.join(TABLE)).map_err(|cause| format!("{TABLE}: {cause}"))?;
    let mut known = read(&text)?;
    known.retain(|(package, ..)| names.contains(package));
    let rows = |from: &Table, without: &Table| -> String {
        let rows = from.difference(without);
        rows.map(|(package, krate, name)| format!("\n  {package}: {krate}::{name}"))
            .collect()
    };
    let (new, gone) = (rows(&found, &known), rows(&known, &found));
    if new.is_empty() && gone.is_empty() {
        eprintln!(
            "public-types: {} types of other crates in {} public APIs, all in {TABLE}",
            found.len(),
            names.len()
        );
        return Ok(());
    }
    Err(format!(
        "{TABLE} differs from the public APIs\npublic, but not in the table:{new}\nin the table, but \
         not public:{gone}"
    ))
}

/// A package of ours, a crate of others, and a type or trait of it.
type Table = BTreeSet<(String, String, String)>;

/// Adds what a crate's public API has of others. `None` if the JSON has another form.
fn add(package: &str, json: &Value, found: &mut Table) -> Option<()> {
    let (paths, crates) = (json.get("paths")?, json.get("external_crates")?);
    for item in json.get("index")?.as_object()?.values() {
        let inner = item.get("inner")?;
        // Of another crate, or of no code of ours.
        let is_ours = item.get("crate_id")? == 0
            && inner.get("impl").is_none_or(|of| {
                of.get("is_synthetic") == Some(&Value::Bool(false))
                    && of.get("blanket_impl").is_none_or(Value::is_null)
            });
        if is_ours {
            walk(inner, &mut |id| {
                let Some(path) = paths.get(id) else { return };
                let krate = path.get("crate_id").map(Value::to_string);
                let krate = krate.and_then(|id| crates.get(&id)?.get("name")?.as_str());
                let words = path.get("path").and_then(Value::as_array);
                let words: Vec<_> = words
                    .into_iter()
                    .flatten()
                    .flat_map(Value::as_str)
                    .collect();
                let (Some(krate), Some(name)) = (krate, words.last()) else {
                    return;
                };
                let is_standard = ["alloc", "core", "std"].contains(&krate);
                let is_hidden = words.contains(&"__private");
                if !is_standard && !is_hidden && !krate.starts_with("vouchsafe") {
                    found.insert((package.to_owned(), krate.to_owned(), (*name).to_owned()));
                }
            });
        }
    }
    Some(())
}

/// Calls a function with the id of everything that is named below a value. A type has a `path`, and
/// what is exported again a `source`.
fn walk(value: &Value, named: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            let name = fields.get("path").or_else(|| fields.get("source"));
            if let (Some(Value::Number(id)), Some(_)) = (fields.get("id"), name) {
                named(&id.to_string());
            }
            fields.values().for_each(|value| walk(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| walk(value, named)),
        _ => {}
    }
}

/// Reads the table: a crate, its types, the packages whose APIs have them, and the reason.
fn read(text: &str) -> Result<Table, String> {
    let mut table = Table::new();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [krate, types, packages, why] = cells[..] else {
            return Err(format!("{TABLE}: not four cells: {row}"));
        };
        if why.is_empty() {
            return Err(format!("{TABLE}: no reason: {row}"));
        }
        let words = |cell: &str| -> Vec<String> {
            let words = cell.split(',').map(|word| word.trim().trim_matches('`'));
            words.map(str::to_owned).collect()
        };
        let krate = words(krate).concat();
        for package in words(packages) {
            for name in words(types) {
                let row = (format!("vouchsafe-{package}"), krate.clone(), name.clone());
                if !table.insert(row) {
                    return Err(format!("{TABLE}: {name} of {package} is there twice"));
                }
            }
        }
    }
    Ok(table)
}

const TABLE: &str = "docs/public-types.md";

#[cfg(test)]
mod tests {
    use super::*;

    fn row(package: &str, krate: &str, name: &str) -> (String, String, String) {
        (package.to_owned(), krate.to_owned(), name.to_owned())
    }

    #[test]
    fn what_signatures_name_of_other_crates_is_found_and_nothing_else() {
        let json = serde_json::json!({
            "external_crates": {"1": {"name": "core"}, "2": {"name": "http"}, "3": {"name": "vouchsafe_core"}},
            "paths": {
                "10": {"crate_id": 1, "path": ["core", "fmt", "Debug"]},
                "20": {"crate_id": 2, "path": ["http", "uri", "Uri"]},
                "21": {"crate_id": 2, "path": ["http", "method", "Method"]},
                "22": {"crate_id": 2, "path": ["http", "version", "Version"]},
                "30": {"crate_id": 3, "path": ["vouchsafe_core", "Secret"]}},
            "index": {
                "1": {"crate_id": 0, "inner": {"function": {"sig": {"inputs": [["uri",
                    {"resolved_path": {"path": "Option", "id": 10, "args": {"types": [
                        {"resolved_path": {"path": "Uri", "id": 20}}]}}}]],
                    "output": {"resolved_path": {"path": "Secret", "id": 30}}}}}},
                "3": {"crate_id": 0, "inner": {"use": {"source": "http::Version", "name": "Version", "id": 22}}},
                "2": {"crate_id": 0, "inner": {"impl": {"is_synthetic": false, "blanket_impl": {"generic": "T"},
                    "trait": {"path": "Method", "id": 21}}}}}});
        let mut found = Table::new();
        add("vouchsafe-x", &json, &mut found).unwrap();
        let (uri, version) = (
            row("vouchsafe-x", "http", "Uri"),
            row("vouchsafe-x", "http", "Version"),
        );
        assert_eq!(found, [uri, version].into());
    }

    #[test]
    fn the_table_is_read_by_rows_with_a_reason() {
        let text = "| crate | types | of | why |\n| --- | --- | --- | --- |\n| `http` | `Uri`, `Method` | `core`, `ticket` | x |";
        let table = read(text).unwrap();
        assert_eq!(table.len(), 4);
        assert!(table.contains(&row("vouchsafe-ticket", "http", "Uri")));
        assert!(read("| `http` | `Uri` | `core` | |").is_err());
    }
}
