//! Finds the mistakes in a description. Every message names the line and what to write instead.

mod body;
mod example;
mod form;
mod keys;
mod name;
mod operation;
mod schema;

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use super::read;
use super::source::{Cursor, Mistake, Source};
use keys::Keys;

/// Returns all mistakes, in the order of the file.
pub(crate) fn check(source: &Source) -> Vec<Mistake> {
    let root = source.root();
    let mut lint = Lint {
        root: &root,
        mistakes: Vec::new(),
        targets: BTreeSet::new(),
    };
    lint.description();
    let mut mistakes = lint.mistakes;
    mistakes.sort();
    mistakes.dedup();
    mistakes
}

struct Lint<'r, 's> {
    root: &'r Cursor<'s>,
    mistakes: Vec<Mistake>,
    /// The targets of references.
    targets: BTreeSet<String>,
}

impl<'s> Lint<'_, 's> {
    fn description(&mut self) {
        let root = self.root;
        self.keys(&keys::ROOT, root);
        if !root
            .text("openapi")
            .is_some_and(|version| version.starts_with("3.1."))
        {
            let place = root.get("openapi").unwrap_or_else(|| root.clone());
            self.fault(&place, "not OpenAPI 3.1", "`openapi: 3.1.0`");
        }
        match root.get("info") {
            Some(info) => {
                self.keys(&keys::INFO, &info);
                for key in ["title", "version"] {
                    if info.text(key).is_none_or(|text| text.is_empty()) {
                        self.fault(
                            &info,
                            format!("`info` without a {key}"),
                            format!("`{key}: \"<text>\"`"),
                        );
                    }
                }
            }
            None => self.fault(root, "no `info`", "`info: {title: <name>, version: \"1\"}`"),
        }
        if let Some(base) = root.get("x-base") {
            let text = root.text("x-base").unwrap_or_default();
            let is_path = text.is_empty() || (text.starts_with('/') && !text.ends_with('/'));
            if !is_path || !base.value().is_string() {
                self.fault(
                    &base,
                    "`x-base` is not the path a client's base URL ends in",
                    "\"\" or a path like `/api/v1`, without a slash at its end",
                );
            }
        }
        self.by_hand(root);
        self.client();
        self.examples();
        self.quotes(root);
        self.errors(root);
        self.kinds(root);
        self.repeats();
        self.paths();
        self.components();
    }

    /// Checks that all keys are text.
    fn quotes(&mut self, place: &Cursor<'s>) {
        for odd in place.odd_keys() {
            let key = odd.key().to_owned();
            self.fault(
                &odd,
                format!("the key {key} is not text"),
                format!("`\"{key}\"`"),
            );
        }
        for (_, child) in place.entries() {
            self.quotes(&child);
        }
        for child in place.items() {
            self.quotes(&child);
        }
    }

    /// Checks the keys about the client that gets the methods.
    fn client(&mut self) {
        let root = self.root;
        for key in ["x-client", "x-credential"] {
            if let Some(path) = root.get(key) {
                self.path_of_a_type(&path, key);
            }
        }
        if let Some(groups) = root.get("x-groups").filter(|flag| !flag.value().is_bool()) {
            self.fault(
                &groups,
                "`x-groups` is not a boolean",
                "`x-groups: true`, and a tag at each operation",
            );
        }
        if let Some(flag) = root.get("x-by-name").filter(|flag| !flag.value().is_bool()) {
            self.fault(
                &flag,
                "`x-by-name` is neither yes nor no",
                "`x-by-name: true`, if operations are to be called by name",
            );
        }
        if let Some(emulator) = root.get("x-emulator")
            && super::source::scalar(emulator.value()) != "examples"
        {
            self.fault(
                &emulator,
                "`x-emulator` does not say what the emulator answers",
                "`x-emulator: examples`, if it answers each operation with its example",
            );
        }
    }

    /// Checks how examples are written.
    fn examples(&mut self) {
        let Some(examples) = self.root.get("x-examples") else {
            return;
        };
        self.keys(&keys::EXAMPLES, &examples);
        let setup = examples.texts("setup");
        if !setup.iter().any(|line| line.starts_with("let client = ")) {
            self.fault(
                &examples,
                "the lines of `setup` make no client",
                "`setup: [\"let client = crate::mock::Server::new().client();\"]`",
            );
        }
        let values = examples.get("values");
        for (path, value) in values.map(|values| values.entries()).unwrap_or_default() {
            let text = super::source::scalar(value.value());
            if !schema::is_path(&path) || syn::parse_str::<syn::Expr>(&text).is_err() {
                self.fault(
                    &value,
                    format!("`{path}: {text}` is not the path of a type and an expression"),
                    "such as `crate::Name: '\"ada\".parse()?'`",
                );
            }
        }
    }

    /// Checks the path of a hand-written type.
    fn path_of_a_type(&mut self, place: &Cursor<'s>, key: &str) {
        let text = super::source::scalar(place.value());
        if !schema::is_path(&text) {
            self.fault(
                place,
                format!("`{key}: {text}` is not the path of a type"),
                "such as `crate::Client`",
            );
        }
    }

    /// Checks `x-hand`, of the whole description or of one operation.
    pub(super) fn by_hand(&mut self, place: &Cursor<'s>) {
        if let Some(word) = place.get("x-hand") {
            let text = super::source::scalar(word.value());
            if !["true", "false", "call"].contains(&text.as_str()) {
                self.fault(
                    &word,
                    format!("`x-hand: {text}` does not say what is written by hand"),
                    "`true` for the method, `call` for the call too, or `false`",
                );
            }
        }
    }

    fn paths(&mut self) {
        let Some(paths) = self.root.get("paths") else {
            return self.fault(
                self.root,
                "no `paths`",
                "`paths:` with at least one operation",
            );
        };
        let mut ids: BTreeMap<String, usize> = BTreeMap::new();
        for (path, item) in paths.entries() {
            if !name::is_template(&path) {
                self.fault(
                    &item,
                    format!("\"{path}\" is not a path template"),
                    "`/` and segments, such as `/users/{username}`",
                );
                continue;
            }
            self.keys(&keys::PATH, &item);
            let mut used = false;
            for method in super::model::METHODS {
                let Some(operation) = item.get(method) else {
                    continue;
                };
                used = true;
                self.operation(&path, &item, &operation, method);
                let Some(id) = operation.text("operationId") else {
                    continue;
                };
                let name = names::screaming(&operation.text("x-rust-name").unwrap_or(id.clone()));
                if let Some(line) = ids.get(&name) {
                    self.fault(
                        &operation.get("operationId").unwrap_or(operation.clone()),
                        format!("operationId `{id}` is already used on line {line}"),
                        "an id that differs from the others by more than case",
                    );
                }
                ids.entry(name).or_insert(operation.line());
            }
            if !used {
                self.fault(
                    &item,
                    format!("path {path} has no operation"),
                    "`get:` or another method",
                );
            }
        }
    }

    fn components(&mut self) {
        let Some(components) = self.root.get("components") else {
            return;
        };
        self.keys(&keys::COMPONENTS, &components);
        for (section, all) in components.entries() {
            for (_, part) in all.entries() {
                match section.as_str() {
                    "schemas" => self.schema(&part),
                    "parameters" => self.parameter(&part),
                    "requestBodies" => self.body(&part),
                    "responses" => self.response(&part, "200"),
                    "headers" => self.header(&part),
                    _ => {}
                }
            }
        }
        // Checked last, when every reference has been visited.
        for (section, all) in components.entries() {
            for (name, part) in all.entries() {
                let target = format!("#/components/{section}/{name}");
                if section != "securitySchemes" && !self.targets.contains(&target) {
                    self.fault(
                        &part,
                        format!("nothing refers to {target}"),
                        format!("`$ref: \"{target}\"` where it belongs, or leave it out"),
                    );
                }
            }
        }
    }

    /// Checks `x-kinds`, of the whole description or of one operation.
    fn kinds(&mut self, place: &Cursor<'s>) {
        let kinds = place.get("x-kinds").map(|kinds| kinds.entries());
        for (status, kind) in kinds.unwrap_or_default() {
            let name = super::source::scalar(kind.value());
            let is_status = status.parse::<u16>().is_ok_and(|s| (400..600).contains(&s));
            if !is_status || syn::parse_str::<syn::Ident>(&name).is_err() {
                self.fault(
                    &kind,
                    format!("`{status}: {name}` does not say what a refusal is called"),
                    "a status and a kind of the crate's `ErrorKind`, such as `\"401\": Unauthorized`",
                );
            }
        }
    }

    /// Checks `x-errors`, of the whole description or of one operation.
    fn errors(&mut self, place: &Cursor<'s>) {
        for (key, kind) in place
            .get("x-errors")
            .map(|e| e.entries())
            .unwrap_or_default()
        {
            self.refusal(&kind, &key);
            let word = super::source::scalar(kind.value());
            if !KINDS.contains(&word.as_str()) {
                self.fault(
                    &kind,
                    format!("there is no ErrorKind::{word} for a status"),
                    format!("one of {}", keys::quoted(&KINDS)),
                );
            }
        }
    }

    /// Checks `x-repeat-after`.
    fn repeats(&mut self) {
        let Some(list) = self.root.get("x-repeat-after") else {
            return;
        };
        let items = list.items();
        if items.is_empty() {
            self.fault(
                &list,
                "`x-repeat-after` is not a list of statuses",
                "such as `[429, 502, 503]`, or nothing for what is usual",
            );
        }
        for item in items {
            self.refusal(&item, &super::source::scalar(item.value()));
        }
    }

    /// Checks that a key names a refusal: a status, or a status and a code.
    fn refusal(&mut self, place: &Cursor<'s>, key: &str) {
        let (status, code) = read::status_and_code(key);
        if !(400..=599).contains(&status) || code.is_some_and(|code| code.is_empty()) {
            self.fault(
                place,
                format!("`{key}` is not a status of a refusal"),
                "`<400 to 599>` or `<status>+<code>`, such as `409+name_taken`",
            );
        }
    }

    /// Checks a reference, its target and its neighbours. Returns whether this is a reference.
    fn reference(&mut self, place: &Cursor<'s>, section: &str) -> bool {
        let Some(target) = place.text("$ref") else {
            return false;
        };
        let beside = if section == "schemas" {
            &keys::SCHEMA_REFERENCE
        } else {
            &keys::REFERENCE
        };
        self.keys(beside, place);
        let at = place.get("$ref").unwrap_or_else(|| place.clone());
        match place.follow(&target) {
            Err(mistake) => self.mistakes.push(Mistake {
                line: at.line(),
                ..mistake
            }),
            Ok(_) if !target.starts_with(&format!("#/components/{section}/")) => {
                self.fault(
                    &at,
                    format!("$ref \"{target}\" refers to something of another kind"),
                    format!("\"#/components/{section}/<name>\""),
                );
            }
            Ok(found) => {
                if let Err(mistake) = found.resolve() {
                    self.mistakes.push(mistake);
                }
            }
        }
        self.targets.insert(target);
        true
    }

    fn keys(&mut self, keys: &Keys, place: &Cursor<'s>) {
        self.mistakes.extend(keys.check(place));
    }

    fn fault(&mut self, place: &Cursor<'_>, what: impl Into<String>, instead: impl Into<String>) {
        self.mistakes.push(place.mistake(what, instead));
    }
}

/// The kinds of error that an answer can have.
const KINDS: [&str; 8] = [
    "Config",
    "Conflict",
    "Credential",
    "Forbidden",
    "Invalid",
    "NotFound",
    "Status",
    "Throttled",
];
