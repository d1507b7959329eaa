//! Reads the operations of a description that the linter has accepted. Types are in `schema.rs`.

use std::collections::BTreeMap;

use super::limits::Limits;
use super::model::{
    Answer, Api, Audience, Body, ByHand, METHODS, Operation, Param, Place, Reply, StatusRule, Type,
};
use super::names;
use super::schema::Types;
use super::source::{Cursor, Mistake, Source, scalar};

/// Reads a description.
pub(crate) fn api(source: &Source, id: &str) -> Result<Api, Mistake> {
    let root = source.root();
    let info = root.get("info");
    let base = root.text("x-base").unwrap_or_default();
    let mut types = Types::new(&root);
    let mut operations = Vec::new();
    for (path, item) in root
        .get("paths")
        .map(|paths| paths.entries())
        .unwrap_or_default()
    {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                operations.push(
                    Reader {
                        root: &root,
                        item: &item,
                        base: &base,
                        path: &path,
                    }
                    .operation(&operation, method, &mut types)?,
                );
            }
        }
    }
    let client = root
        .text("x-client")
        .unwrap_or_else(|| "crate::Client".to_owned());
    let emulator = root.text("x-emulator").as_deref() == Some("examples");
    let types = types.finish(&operations)?;
    let examples = root.get("x-examples");
    let examples = examples.as_ref();
    super::page::resolve(&root, &types, &mut operations)?;
    Ok(Api {
        client,
        groups: groups(&root),
        credential: root.text("x-credential"),
        emulator,
        setup: setup(examples),
        values: expressions(examples.and_then(|examples| examples.get("values"))),
        by_name: emulator || root.flag("x-by-name"),
        id: id.to_owned(),
        file: source.name.clone(),
        title: info
            .as_ref()
            .and_then(|info| info.text("title"))
            .unwrap_or_default(),
        version: info
            .as_ref()
            .and_then(|info| info.text("version"))
            .unwrap_or_default(),
        description: info.as_ref().and_then(|info| info.text("description")),
        status_rules: status_rules(&[&root]),
        repeat_rules: repeat_rules(&root),
        base,
        types,
        operations,
    })
}

/// Reads the lines with which each example begins.
fn setup(examples: Option<&Cursor<'_>>) -> Vec<String> {
    examples
        .map(|examples| examples.texts("setup"))
        .unwrap_or_default()
}

/// Reads expressions by what they are for.
fn expressions(all: Option<Cursor<'_>>) -> BTreeMap<String, String> {
    let entries = all.map(|all| all.entries()).unwrap_or_default();
    let entries = entries.into_iter();
    entries
        .map(|(name, value)| (name, scalar(value.value())))
        .collect()
}

struct Reader<'r, 's> {
    root: &'r Cursor<'s>,
    item: &'r Cursor<'s>,
    base: &'r str,
    path: &'r str,
}

impl<'s> Reader<'_, 's> {
    fn operation(
        &self,
        operation: &Cursor<'s>,
        method: &str,
        types: &mut Types<'s>,
    ) -> Result<Operation, Mistake> {
        let id = operation.text("operationId").unwrap_or_default();
        let audience = audience(operation);
        let target = match (audience, self.path.strip_prefix(self.base)) {
            (Audience::Client, Some(target)) => target,
            _ => self.path,
        };
        let pascal = names::pascal(&id);
        let params = self.params(operation, &pascal, audience, types)?;
        let (options, params) = params.into_iter().partition(|(is_option, _)| *is_option);
        let bare =
            |params: Vec<(bool, Param)>| params.into_iter().map(|(_, param)| param).collect();
        let (options, params) = (bare(options), bare(params));
        Ok(Operation {
            rust: names::snake(&operation.text("x-rust-name").unwrap_or_else(|| id.clone())),
            method: method.to_ascii_uppercase(),
            path: self.path.to_owned(),
            target: target.to_owned(),
            audience,
            by_hand: by_hand(operation, self.root),
            method_name: names::snake(
                &operation
                    .text("x-method")
                    .unwrap_or_else(|| operation.text("x-rust-name").unwrap_or_else(|| id.clone())),
            ),
            group: self
                .root
                .flag("x-groups")
                .then(|| operation.texts("tags").first().cloned())
                .flatten(),
            is_open: is_open(operation, self.root),
            part: operation.text("x-answer"),
            reply: Reply::Nothing,
            absent: operation.text("x-absent").map(|key| status_and_code(&key)),
            check: operation.text("x-check"),
            setup: operation.texts("x-setup"),
            arguments: expressions(operation.get("x-arguments")),
            page: None,
            is_safe: is_safe(operation, method),
            response_limit: operation
                .get("x-response-limit")
                .and_then(|limit| bytes(&limit)),
            status_rules: status_rules(&[operation, self.root]),
            kinds: kinds(&[self.root, operation]),
            params,
            options,
            body: body(operation, &pascal, types)?,
            answers: answers(operation, &pascal, types)?,
            summary: operation.text("summary").unwrap_or_default(),
            description: operation.text("description"),
            notes: notes(self.item, operation),
            aliases: operation.texts("x-doc-alias"),
            dialect: operation.text("x-dialect"),
            id,
        })
    }

    fn params(
        &self,
        operation: &Cursor<'s>,
        pascal: &str,
        audience: Audience,
        types: &mut Types<'s>,
    ) -> Result<Vec<(bool, Param)>, Mistake> {
        let mut params: Vec<(bool, Param)> = Vec::new();
        for cursor in parameters(self.item, operation)? {
            let name = cursor.text("name").unwrap_or_default();
            let rust = cursor.text("x-rust-name").unwrap_or_else(|| name.clone());
            let place = match cursor.text("in").as_deref() {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                _ => Place::Header,
            };
            // No call function is written for the emulator's own operations, so their enums would
            // be unused.
            let schema = cursor
                .get("schema")
                .filter(|_| audience == Audience::Client);
            let ty = match &schema {
                _ if is_secret(&cursor) => Type::Secret,
                Some(schema) => types.of(schema, &format!("{pascal}{}", names::pascal(&rust)))?,
                None => Type::Text,
            };
            let ty = match ty.split_null().0 {
                Type::Hand(path) if !is_text(schema.as_ref()) => Type::Shown(path),
                ty => ty,
            };
            let param = Param {
                rust: argument(&rust),
                place,
                required: cursor.flag("required"),
                ty,
                explode: cursor.get("explode").is_none() || cursor.flag("explode"),
                description: cursor.text("description"),
                limits: cursor
                    .get("schema")
                    .map(|schema| Limits::of(&schema))
                    .unwrap_or_default(),
                refused: cursor.text("x-refuse"),
                sends_empty: cursor.flag("allowEmptyValue"),
                example: example(&cursor),
                name,
            };
            params.push((cursor.flag("x-call-option"), param));
        }
        // The order of the path is the order of the arguments.
        params.sort_by_key(|(_, param)| match param.place {
            Place::Path => self.path.find(&format!("{{{}}}", param.name)),
            _ => Some(usize::MAX),
        });
        let body = operation.get("requestBody");
        if let Some((key, value)) = body.and_then(|body| entry(&body)) {
            let key = argument_of(&key, "key", Place::Key, pascal, types)?;
            let value = argument_of(&value, "value", Place::Entry, pascal, types)?;
            params.extend([(false, key), (false, value)]);
        }
        Ok(params)
    }
}

/// Returns the schemas of key and value, if a body is an object with exactly one entry.
pub(crate) fn entry<'s>(body: &Cursor<'s>) -> Option<(Cursor<'s>, Cursor<'s>)> {
    let (name, content) = media(&body.resolve().ok()?)?;
    let schema = content.get("schema")?.resolve().ok()?;
    let both = (
        schema.get("propertyNames")?,
        schema.get("additionalProperties")?,
    );
    is_json(&name).then_some(both)
}

/// Reads an argument that is a part of the body.
fn argument_of<'s>(
    schema: &Cursor<'s>,
    usual: &str,
    place: Place,
    pascal: &str,
    types: &mut Types<'s>,
) -> Result<Param, Mistake> {
    let name = schema
        .text("x-rust-name")
        .unwrap_or_else(|| usual.to_owned());
    let ty = types.unnamed(schema, &format!("{pascal}{}", names::pascal(&name)))?;
    let resolved = schema.resolve()?;
    let description = schema.text("description");
    Ok(Param {
        rust: argument(&name),
        place,
        required: true,
        ty,
        explode: false,
        description: description.or_else(|| resolved.text("description")),
        limits: Limits::of(schema),
        refused: None,
        sends_empty: false,
        example: resolved
            .get("example")
            .map(|example| scalar(example.value())),
        name,
    })
}

/// Returns whether a parameter is marked as secret, itself or by its schema.
pub(crate) fn is_secret(parameter: &Cursor<'_>) -> bool {
    let schema = parameter
        .get("schema")
        .and_then(|schema| schema.resolve().ok());
    parameter.flag("x-sensitive") || schema.is_some_and(|schema| schema.flag("x-sensitive"))
}

/// Returns the example of a parameter, or of its schema.
fn example(parameter: &Cursor<'_>) -> Option<String> {
    let schema = parameter
        .get("schema")
        .and_then(|schema| schema.resolve().ok());
    let own = parameter.get("example");
    let found = own.or_else(|| schema.and_then(|schema| schema.get("example")))?;
    Some(scalar(found.value()))
}

/// Reads `x-errors`, the most specific place first. Rules with a code come before rules without,
/// since the first match counts.
fn status_rules(places: &[&Cursor<'_>]) -> Vec<StatusRule> {
    let mut rules: Vec<StatusRule> = Vec::new();
    for place in places {
        for (key, kind) in place
            .get("x-errors")
            .map(|e| e.entries())
            .unwrap_or_default()
        {
            let (status, code) = status_and_code(&key);
            if !rules
                .iter()
                .any(|rule| rule.status == status && rule.code == code)
            {
                rules.push(StatusRule {
                    status,
                    code,
                    kind: scalar(kind.value()),
                });
            }
        }
    }
    rules.sort_by_key(|rule| rule.code.is_none());
    rules
}

/// Returns the names of the kinds of error in the service's crate, by status. Later places
/// replace what earlier ones say.
fn kinds(places: &[&Cursor<'_>]) -> BTreeMap<u16, String> {
    let all = places.iter().filter_map(|place| place.get("x-kinds"));
    let all = all.flat_map(|kinds| kinds.entries());
    all.filter_map(|(status, kind)| Some((status.parse().ok()?, scalar(kind.value()))))
        .collect()
}

/// Returns the name of an argument; names that call functions use themselves get an underscore.
fn argument(name: &str) -> String {
    let name = names::snake(name);
    match name.as_str() {
        "answer" | "body" | "call" | "credential" | "form" | "operations" | "params" | "target"
        | "value" | "wire" => {
            format!("{name}_")
        }
        _ => name,
    }
}

/// Returns the parameters of an operation: its own and those of its path that it does not
/// replace.
pub(crate) fn parameters<'s>(
    item: &Cursor<'s>,
    operation: &Cursor<'s>,
) -> Result<Vec<Cursor<'s>>, Mistake> {
    let mut all: Vec<Cursor<'s>> = Vec::new();
    for place in [operation, item] {
        for cursor in place
            .get("parameters")
            .map(|list| list.items())
            .unwrap_or_default()
        {
            let cursor = cursor.resolve()?;
            let same = |other: &Cursor<'s>| {
                other.text("name") == cursor.text("name") && other.text("in") == cursor.text("in")
            };
            if !all.iter().any(same) {
                all.push(cursor);
            }
        }
    }
    Ok(all)
}

/// Writes additional facts about an operation: the servers that have it, and the access that it
/// needs.
fn notes(item: &Cursor<'_>, operation: &Cursor<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(servers) = item.get("servers") {
        let urls: Vec<_> = servers
            .items()
            .iter()
            .filter_map(|server| server.text("url"))
            .map(|url| format!("`{url}`"))
            .collect();
        notes.push(format!("Served at {}.", urls.join(" or ")));
    }
    if let Some(dialect) = operation.text("x-dialect") {
        notes.push(format!("Not all servers have it: {dialect}."));
    }
    if let Some(access) = operation.text("x-required-access") {
        notes.push(format!("Needs the access `{access}`."));
    }
    notes
}

/// Returns whether a hand-written type is only for texts.
fn is_text(schema: Option<&Cursor<'_>>) -> bool {
    let schema = schema.and_then(|schema| schema.resolve().ok());
    schema.is_none_or(|schema| {
        let words = schema.texts("type");
        words.iter().all(|word| word == "string" || word == "null")
    })
}

/// Reads `x-repeat-after`.
fn repeat_rules(root: &Cursor<'_>) -> Vec<(u16, Option<String>)> {
    let keys = root.get("x-repeat-after").map(|keys| keys.items());
    keys.unwrap_or_default()
        .iter()
        .map(|key| status_and_code(&scalar(key.value())))
        .collect()
}

/// Returns the audience of an operation.
pub(crate) fn audience(operation: &Cursor<'_>) -> Audience {
    match operation.text("x-audience").as_deref() {
        Some("emulator") => Audience::Emulator,
        _ => Audience::Client,
    }
}

/// Splits a key of `x-errors`, `x-absent`, or an item of `x-repeat-after`: `403` or `403+code`.
pub(crate) fn status_and_code(key: &str) -> (u16, Option<String>) {
    let (status, code) = match key.split_once('+') {
        Some((status, code)) => (status, Some(code.to_owned())),
        None => (key, None),
    };
    (status.parse().unwrap_or(0), code)
}

/// Reads a size: a number of bytes, or `4 MiB`, `64 KiB`.
pub(crate) fn bytes(limit: &Cursor<'_>) -> Option<u64> {
    let text = scalar(limit.value());
    let (number, unit) = match text.split_once(' ') {
        Some((number, "KiB")) => (number, 1 << 10),
        Some((number, "MiB")) => (number, 1 << 20),
        Some(_) => return None,
        None => (text.as_str(), 1),
    };
    number
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .filter(|&bytes| bytes > 0)
}

/// Returns the content of a media type, JSON before a form before others, and its name.
pub(crate) fn media<'s>(place: &Cursor<'s>) -> Option<(String, Cursor<'s>)> {
    let all = place.get("content")?.entries();
    let json = all.iter().find(|(name, _)| is_json(name));
    let best = json.or_else(|| all.iter().find(|(name, _)| name == FORM));
    best.or_else(|| all.first()).cloned()
}

/// The media type of forms that have fields and no files.
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Returns whether an answer is JSON, by its media type or because its schema is not a text. Some
/// servers use one media type for all answers.
pub(crate) fn is_json_answer(media: &str, content: &Cursor<'_>) -> bool {
    let schema = content
        .get("schema")
        .and_then(|schema| schema.resolve().ok());
    is_json(media)
        || schema.is_some_and(|schema| {
            let words = schema.texts("type");
            let is_whole = words.iter().any(|word| word == "object" || word == "array");
            let parts = ["properties", "items", "oneOf", "anyOf", "allOf"];
            is_whole || parts.iter().any(|key| schema.has(key))
        })
}

/// Returns whether a media type is JSON.
pub(crate) fn is_json(media: &str) -> bool {
    media == "application/json" || media.ends_with("+json")
}

/// Returns how much of an operation is written by hand, by the operation or else the description.
pub(crate) fn by_hand(operation: &Cursor<'_>, root: &Cursor<'_>) -> ByHand {
    let word = [operation, root]
        .iter()
        .find_map(|place| place.get("x-hand").map(|word| scalar(word.value())));
    match word.as_deref() {
        Some("true") => ByHand::Method,
        Some("call") => ByHand::Call,
        _ => ByHand::Nothing,
    }
}

/// Returns the tags' texts about the operations that they group.
fn groups(root: &Cursor<'_>) -> BTreeMap<String, String> {
    let tags = root.get("tags").map(|tags| tags.items());
    tags.unwrap_or_default()
        .iter()
        .filter_map(|tag| Some((tag.text("name")?, tag.text("description")?)))
        .collect()
}

/// Returns whether the client adds no credential to an operation: it takes none, or one that is not
/// the client's.
fn is_open(operation: &Cursor<'_>, root: &Cursor<'_>) -> bool {
    let schemes = |place: &Cursor<'_>| -> Option<Vec<String>> {
        let choices = place.get("security")?.items();
        let names = choices.iter().flat_map(|choice| choice.entries());
        Some(names.map(|(name, _)| name).collect())
    };
    let all = schemes(root);
    let usual = all.clone().unwrap_or_default();
    schemes(operation).or(all).is_some_and(|own| {
        own.is_empty() || !usual.is_empty() && !own.iter().any(|name| usual.contains(name))
    })
}

fn is_safe(operation: &Cursor<'_>, method: &str) -> bool {
    match operation.text("x-repeat").as_deref() {
        Some(word) => word == "safe",
        None => matches!(method, "get" | "head" | "options"),
    }
}

fn body<'s>(
    operation: &Cursor<'s>,
    pascal: &str,
    types: &mut Types<'s>,
) -> Result<Option<Body>, Mistake> {
    let Some(body) = operation.get("requestBody") else {
        return Ok(None);
    };
    let body = body.resolve()?;
    let required = body.flag("required");
    match media(&body) {
        // Key and value are among the arguments.
        Some(_) if entry(&body).is_some() => Ok(None),
        Some((name, content)) if is_json(&name) => {
            let ty = match content.get("schema") {
                Some(schema) => types.of(&schema, &format!("{pascal}Request"))?,
                None => Type::Json,
            };
            Ok(Some(Body::Json { ty, required }))
        }
        Some((name, content))
            if name == FORM
                && let Some(schema) = content.get("schema") =>
        {
            let ty = types.of(&schema, &format!("{pascal}Request"))?;
            Ok(Some(Body::Form { ty, required }))
        }
        Some(_) => {
            let all = body
                .get("content")
                .map(|content| content.entries())
                .unwrap_or_default();
            Ok(Some(Body::Other(
                all.into_iter().map(|(name, _)| name).collect(),
            )))
        }
        None => Ok(None),
    }
}

fn answers<'s>(
    operation: &Cursor<'s>,
    pascal: &str,
    types: &mut Types<'s>,
) -> Result<Vec<Answer>, Mistake> {
    let mut answers = Vec::new();
    for (status, answer) in operation
        .get("responses")
        .map(|r| r.entries())
        .unwrap_or_default()
    {
        // The types of a shared answer are named after it, so that they are written once.
        let shared = answer
            .text("$ref")
            .and_then(|to| to.rsplit('/').next().map(names::pascal));
        let answer = answer.resolve()?;
        let media = media(&answer);
        let mut ty = None;
        let mut example = None;
        let json = media
            .as_ref()
            .filter(|(name, content)| is_json_answer(name, content));
        if let Some((_, content)) = json {
            if let Some(schema) = content.get("schema") {
                let hint = match (&shared, status.starts_with('2')) {
                    (Some(shared), _) => format!("{shared}Answer"),
                    (None, true) => format!("{pascal}Answer"),
                    (None, false) => format!("{pascal}Answer{status}"),
                };
                ty = Some(types.of(&schema, &hint)?);
            }
            example = super::schema::example(content)?
                .map(|value| serde_json::to_string_pretty(value.value()).unwrap_or_default());
        }
        answers.push(Answer {
            status,
            description: answer.text("description").unwrap_or_default(),
            media: media.map(|(name, _)| name),
            ty,
            example,
            headers: answer
                .get("headers")
                .map(|headers| {
                    headers
                        .entries()
                        .into_iter()
                        .map(|(name, _)| name)
                        .collect()
                })
                .unwrap_or_default(),
        });
    }
    Ok(answers)
}
