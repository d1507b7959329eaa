//! Operations and parameters.

use super::super::model::Audience;
use super::super::names;
use super::super::read;
use super::super::schema::are_words;
use super::super::source::{Cursor, scalar};
use super::{Lint, keys, name};

impl<'s> Lint<'_, 's> {
    pub(super) fn operation(
        &mut self,
        path: &str,
        item: &Cursor<'s>,
        operation: &Cursor<'s>,
        method: &str,
    ) {
        self.keys(&keys::OPERATION, operation);
        let what = format!("{} {path}", method.to_ascii_uppercase());
        let id = operation.text("operationId").unwrap_or_default();
        let is_camel = id.starts_with(|first: char| first.is_ascii_lowercase())
            && id.chars().all(|letter| letter.is_ascii_alphanumeric());
        if !is_camel {
            let place = operation
                .get("operationId")
                .unwrap_or_else(|| operation.clone());
            self.fault(
                &place,
                format!("{what} has no operationId in camelCase"),
                "`operationId: <verbNoun>`, such as `getUserInfo`",
            );
        }
        if operation.text("summary").is_none_or(|text| text.is_empty()) {
            self.fault(
                operation,
                format!("{what} has no summary"),
                "`summary: <what it does, in one line>`",
            );
        }
        self.repeat(operation, method, &what);
        for (key, instead) in [
            ("x-dialect", "the servers that have it, such as `\"0.16+\"`"),
            ("x-required-access", "the access that a token must have"),
        ] {
            if let Some(text) = operation.get(key)
                && text.value().as_str().is_none_or(|text| text.is_empty())
            {
                self.fault(&text, format!("`{key}` is not a text"), instead);
            }
        }
        if let Some(audience) = operation.get("x-audience")
            && scalar(audience.value()) != "emulator"
        {
            self.fault(
                &audience,
                format!("there is no audience `{}`", scalar(audience.value())),
                "`x-audience: emulator`, or nothing for an operation of the client",
            );
        }
        if let Some(limit) = operation.get("x-response-limit")
            && read::bytes(&limit).is_none()
        {
            self.fault(
                &limit,
                format!("`{}` is not a size", scalar(limit.value())),
                "a number of bytes, or such as `64 KiB` or `8 MiB`",
            );
        }
        let name = operation
            .text("x-method")
            .or_else(|| operation.text("x-rust-name"));
        let rust = names::snake(&name.unwrap_or_else(|| id.clone()));
        if operation.texts("x-doc-alias").contains(&rust) {
            let place = operation
                .get("x-doc-alias")
                .unwrap_or_else(|| operation.clone());
            self.fault(
                &place,
                format!("`{rust}` is the name it has anyway"),
                "the name that older clients use, if it is another",
            );
        }
        let base = self.root.text("x-base").unwrap_or_default();
        if read::audience(operation) == Audience::Client && !path.starts_with(&base) {
            self.fault(
                operation,
                format!("{path} is not under `x-base`, so no client can reach it"),
                format!("a path that begins with {base}, or `x-audience: emulator`"),
            );
        }
        self.by_hand(operation);
        if let Some(method) = operation.get("x-method") {
            let text = scalar(method.value());
            if syn::parse_str::<syn::Ident>(&text).is_err() || text != names::snake(&text) {
                self.fault(
                    &method,
                    format!("`{text}` is not a valid method name"),
                    "a name in snake_case, such as `list` or `add_user`",
                );
            }
        }
        let whole = |key: &str| !operation.has(key);
        if let Some(empty) = operation.get("x-empty")
            && !(empty.value().is_bool() && whole("x-answer") && whole("x-page"))
        {
            self.fault(
                &empty,
                "`x-empty` is not a boolean, or is combined with `x-answer` or `x-page`",
                "`x-empty: true`, where an answer without a body is an empty list or map",
            );
        }
        if let Some(absent) = operation.get("x-absent") {
            let (status, _) = read::status_and_code(&scalar(absent.value()));
            let is_refusal = (400..500).contains(&status)
                && operation
                    .get("responses")
                    .is_some_and(|all| all.has(&status.to_string()));
            if !(is_refusal && whole("x-page")) {
                self.fault(
                    &absent,
                    "`x-absent` does not name a refusal of the operation, or is combined with `x-page`",
                    "the status of one of its refusals, such as `404`, or `404+not_found` with a code",
                );
            }
        }
        self.example_arguments(item, operation);
        if let Some(check) = operation.get("x-check") {
            let path = scalar(check.value());
            if !super::schema::is_path(&path) {
                self.fault(
                    &check,
                    format!("`x-check: {path}` is not the path of a function"),
                    "such as `crate::check_answer`",
                );
            }
            if operation.has("x-absent") {
                self.fault(
                    &check,
                    "`x-check` beside `x-absent`",
                    "one of them: what is absent fits any request",
                );
            }
        }
        if let Some(page) = operation.get("x-page") {
            self.keys(&keys::PAGE, &page);
        }
        self.rust_name(operation, None);
        self.names(operation);
        self.errors(operation);
        self.kinds(operation);
        self.parameters(path, item, operation);
        if let Some(body) = operation.get("requestBody") {
            self.body(&body);
        }
        self.responses(operation, &what);
    }

    fn repeat(&mut self, operation: &Cursor<'s>, method: &str, what: &str) {
        let instead = "`x-repeat: safe` if doubling it is harmless, else `x-repeat: once`";
        match operation.get("x-repeat") {
            Some(repeat) if !["safe", "once"].contains(&scalar(repeat.value()).as_str()) => {
                let what = format!(
                    "`{}` does not say whether to repeat",
                    scalar(repeat.value())
                );
                self.fault(&repeat, what, instead);
            }
            None if !["get", "head", "options"].contains(&method) => {
                self.fault(
                    operation,
                    format!("{what} may or may not be repeated"),
                    instead,
                );
            }
            _ => {}
        }
    }

    /// Checks that each argument of the example is one of the operation's, and an expression.
    fn example_arguments(&mut self, item: &Cursor<'s>, operation: &Cursor<'s>) {
        let given = operation.get("x-arguments").map(|all| all.entries());
        let all = read::parameters(item, operation).unwrap_or_default();
        for (name, value) in given.unwrap_or_default() {
            let is_argument = match name.as_str() {
                "body" => operation.has("requestBody"),
                name => all.iter().any(|parameter| {
                    parameter.text("name").as_deref() == Some(name)
                        && !parameter.flag("x-call-option")
                }),
            };
            let text = scalar(value.value());
            if !is_argument || syn::parse_str::<syn::Expr>(&text).is_err() {
                self.fault(
                    &value,
                    format!(
                        "`{name}: {text}` is not an argument of the operation and an expression"
                    ),
                    "such as `user_uuid: \"&user.uuid\"`, with the name of a parameter or `body`",
                );
            }
        }
    }

    /// Checks that tags and security schemes are declared.
    fn names(&mut self, operation: &Cursor<'s>) {
        let tags: Vec<_> = self
            .root
            .get("tags")
            .map(|tags| tags.items())
            .unwrap_or_default();
        for tag in operation
            .get("tags")
            .map(|tags| tags.items())
            .unwrap_or_default()
        {
            let name = scalar(tag.value());
            if !tags
                .iter()
                .any(|known| known.text("name").as_ref() == Some(&name))
            {
                self.fault(
                    &tag,
                    format!("tag `{name}` is not declared"),
                    format!("`- name: {name}` under `tags` of the description"),
                );
            }
        }
        let schemes = self
            .root
            .get("components")
            .and_then(|all| all.get("securitySchemes"));
        let wanted = operation
            .get("security")
            .or_else(|| self.root.get("security"));
        for choice in wanted.map(|list| list.items()).unwrap_or_default() {
            for (name, place) in choice.entries() {
                if !schemes.as_ref().is_some_and(|schemes| schemes.has(&name)) {
                    self.fault(
                        &place,
                        format!("security scheme `{name}` is not declared"),
                        format!("`{name}:` under `components.securitySchemes`"),
                    );
                }
            }
        }
    }

    fn parameters(&mut self, path: &str, item: &Cursor<'s>, operation: &Cursor<'s>) {
        for place in [item, operation] {
            let mut seen = Vec::new();
            for parameter in place
                .get("parameters")
                .map(|p| p.items())
                .unwrap_or_default()
            {
                self.parameter(&parameter);
                let Ok(resolved) = parameter.resolve() else {
                    continue;
                };
                let id = (resolved.text("name"), resolved.text("in"));
                if seen.contains(&id) {
                    let name = id.0.clone().unwrap_or_default();
                    self.fault(
                        &parameter,
                        format!("parameter `{name}` is declared twice"),
                        "it once",
                    );
                }
                seen.push(id);
            }
        }
        // A broken reference has been reported with its place.
        let Ok(all) = read::parameters(item, operation) else {
            return;
        };
        let body = operation.get("requestBody");
        let entry = body.and_then(|body| read::entry(&body));
        self.arguments(&all, entry);
        let in_path: Vec<_> = all
            .iter()
            .filter(|p| p.text("in").as_deref() == Some("path"))
            .collect();
        let mut wanted = Vec::new();
        for piece in path.split('{').skip(1) {
            wanted.push(piece.split('}').next().unwrap_or_default());
        }
        for name in &wanted {
            let count = wanted.iter().filter(|other| other == &name).count();
            let known = in_path
                .iter()
                .any(|p| p.text("name").as_deref() == Some(name));
            if count > 1 {
                self.fault(
                    item,
                    format!("{path} has {{{name}}} twice"),
                    "another name for one",
                );
            }
            if !known {
                self.fault(
                    operation,
                    format!("{{{name}}} of {path} is not declared"),
                    format!(
                        "`- {{name: {name}, in: path, required: true, schema: {{type: string}}}}` \
                         under `parameters`"
                    ),
                );
            }
        }
        for parameter in in_path {
            let name = parameter.text("name").unwrap_or_default();
            if !wanted.contains(&name.as_str()) {
                self.fault(
                    parameter,
                    format!("path parameter `{name}` is not in {path}"),
                    format!("`{{{name}}}` in the path, or no such parameter"),
                );
            }
        }
    }

    pub(super) fn parameter(&mut self, parameter: &Cursor<'s>) {
        if self.reference(parameter, "parameters") {
            return;
        }
        self.keys(&keys::PARAMETER, parameter);
        let name = parameter.text("name").unwrap_or_default();
        let place = parameter.text("in").unwrap_or_default();
        if name.is_empty() {
            self.fault(parameter, "a parameter without a name", "`name: <name>`");
        } else {
            self.rust_name(parameter, Some(&name));
        }
        match place.as_str() {
            "path" if !parameter.flag("required") => self.fault(
                parameter,
                format!("path parameter `{name}` is not required"),
                "`required: true`: a path has all its segments",
            ),
            "path" | "query" => {}
            "header" => {
                let kept = [
                    "authorization",
                    "accept",
                    "content-type",
                    "content-length",
                    "host",
                ];
                if kept.contains(&name.to_ascii_lowercase().as_str()) {
                    self.fault(
                        parameter,
                        format!("header `{name}` is not for callers to set"),
                        "a scheme under `security` for credentials, `content` for types",
                    );
                }
                if !name::is_header(&name) {
                    self.fault(
                        parameter,
                        format!("`{name}` is not a valid header name"),
                        "letters, digits, `-` and `_`",
                    );
                }
            }
            _ => self.fault(
                parameter,
                format!("parameter `{name}` has the unknown place `{place}`"),
                "`in: path`, `in: query` or `in: header`",
            ),
        }
        if read::is_secret(parameter) && place == "query" {
            self.fault(
                parameter,
                format!("a secret cannot go into the {place} as parameter `{name}`"),
                "a scheme under `security`, which puts credentials on requests",
            );
        }
        if let Some(option) = parameter.get("x-call-option")
            && (option.value().as_bool() != Some(true)
                || place != "header"
                || parameter.flag("required")
                || read::is_secret(parameter))
        {
            self.fault(
                &option,
                format!("`{name}` cannot be among the options of a call"),
                "`x-call-option: true` at an optional header that is no secret",
            );
        }
        if let Some(refused) = parameter.get("x-refuse")
            && refused.value().as_str().is_none_or(|text| text.is_empty())
        {
            self.fault(
                &refused,
                "`x-refuse` is not a text of characters",
                "such as `\"/\"`",
            );
        }
        if let Some(empty) = parameter.get("allowEmptyValue") {
            let schema = parameter
                .get("schema")
                .and_then(|schema| schema.resolve().ok());
            let is_list = schema.is_some_and(|schema| schema.has("items"));
            let is_joined = parameter.has("explode") && !parameter.flag("explode");
            let is_query = place == "query" && !parameter.flag("required");
            if empty.value().as_bool() != Some(true) || !(is_list && is_joined && is_query) {
                self.fault(
                    &empty,
                    format!("`allowEmptyValue` of `{name}`, which has no empty value of its own"),
                    "`allowEmptyValue: true` at an optional list in the query with `explode: false`",
                );
            }
        }
        if let Some(style) = parameter.get("style") {
            let usual = if place == "query" { "form" } else { "simple" };
            if scalar(style.value()) != usual {
                self.fault(
                    &style,
                    format!(
                        "style `{}` is not written by the generator",
                        scalar(style.value())
                    ),
                    format!("`style: {usual}`, or nothing"),
                );
            }
        }
        match parameter.get("schema") {
            Some(schema) => {
                self.secret(parameter, &name, &schema);
                self.schema(&schema);
                let object = schema.resolve().is_ok_and(|schema| {
                    schema.has("properties") || schema.texts("type").contains(&"object".to_owned())
                });
                if object {
                    self.fault(
                        &schema,
                        format!("parameter `{name}` is an object"),
                        "one parameter for each of its properties",
                    );
                } else if schema
                    .resolve()
                    .is_ok_and(|schema| is_choice(&schema) && !schema.has("x-rust-type"))
                {
                    self.fault(
                        &schema,
                        format!("parameter `{name}` may be of several types"),
                        "one type: `string` can hold the text of any of them",
                    );
                }
            }
            None => self.fault(
                parameter,
                format!("parameter `{name}` has no schema"),
                "`schema: {type: string}` or another one",
            ),
        }
    }
}

/// Returns whether a value, or an item of a list, is of one of several types.
fn is_choice(schema: &Cursor<'_>) -> bool {
    let items = schema.get("items").and_then(|items| items.resolve().ok());
    let null = |choice: &Cursor<'_>| choice.text("type").as_deref() == Some("null");
    let several = |key: &str| {
        let choices = schema.get(key).filter(|list| !are_words(list));
        let choices = choices.map(|list| list.items());
        let mut choices = choices.unwrap_or_default();
        choices.retain(|choice| !null(choice));
        choices.len() > 1
    };
    let mut types = schema.texts("type");
    types.retain(|word| word != "null");
    types.len() > 1 || several("oneOf") || several("anyOf") || items.is_some_and(|i| is_choice(&i))
}
