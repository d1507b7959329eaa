//! The values for the templates, from the name and the description, and the requirements on a
//! description.

use std::collections::BTreeMap;

use crate::codegen::{self, Api, Cursor, Mistake, Source, names};

/// The names of a new service, and how to call it.
pub(super) struct Facts {
    /// As in the name of its crate: `guest-house`.
    pub(super) name: String,
    /// As a module: `guest_house`.
    pub(super) module: String,
    /// As a type: `GuestHouse`.
    pub(super) pascal: String,
    /// The title of the description.
    pub(super) title: String,
    /// The path that a client's base URL ends in.
    base: String,
    credential: Credential,
    /// The lines of an example.
    example: Vec<String>,
    /// The crate's exports of generated code.
    exports: Vec<&'static str>,
}

/// The scheme that puts the token on a request.
enum Credential {
    Bearer,
    Header(String),
}

impl Facts {
    /// Reads the facts of a description that the linter has accepted. Each missing fact is an error
    /// with its place.
    pub(super) fn of(name: &str, source: &Source, api: &Api) -> Result<Self, Vec<Mistake>> {
        let root = source.root();
        let krate = format!("crates/{name}");
        let mut lint = Lint {
            root: &root,
            mistakes: Vec::new(),
        };
        let credential = lint.check(&krate, api);
        let title = api.title.trim().trim_end_matches('.').to_owned();
        match credential {
            Some(credential) if lint.mistakes.is_empty() => Ok(Self {
                name: name.to_owned(),
                module: names::snake(name),
                pascal: names::pascal(name),
                title,
                base: api.base.clone(),
                credential,
                example: codegen::quickstart(&krate, api).unwrap_or_default(),
                exports: codegen::exports(api),
            }),
            _ => {
                lint.mistakes.sort();
                lint.mistakes.dedup();
                Err(lint.mistakes)
            }
        }
    }

    /// Fills in a template.
    pub(super) fn fill(&self, template: &str) -> String {
        let (uses, scheme, header, credential) = match &self.credential {
            Credential::Bearer => (
                "{Authorize, Bearer, TokenSource}",
                "Bearer".to_owned(),
                "authorization".to_owned(),
                "The token is sent as `Authorization: Bearer TOKEN`.".to_owned(),
            ),
            Credential::Header(name) => (
                "{Authorize, HeaderToken, TokenSource}",
                format!("HeaderToken::new(http::HeaderName::from_static({name:?}))"),
                name.clone(),
                format!("The token is sent alone, in the header `{name}`."),
            ),
        };
        let ending = if self.base.is_empty() {
            "/"
        } else {
            &self.base
        };
        let about = format!("Calls the operations of {}", self.title);
        let values = BTreeMap::from([
            ("NAME", self.name.clone()),
            ("MODULE", self.module.clone()),
            ("PASCAL", self.pascal.clone()),
            ("SCREAMING", names::screaming(&self.name)),
            ("TITLE", self.title.clone()),
            ("BASE", self.base.clone()),
            ("ENDING", ending.to_owned()),
            ("AUTH_USE", uses.to_owned()),
            ("SCHEME", scheme),
            ("HEADER", header),
            ("CREDENTIAL", credential),
            ("ABOUT", format!("{about:?}")),
            ("EXPORTS", self.exports.join(", ")),
            ("EXAMPLE", self.example.join("\n")),
        ]);
        let mut text = template.to_owned();
        for (key, value) in values {
            text = text.replace(&format!("{{{{{key}}}}}"), &value);
        }
        text
    }

    #[cfg(test)]
    pub(super) fn example() -> Self {
        Self {
            name: "guest-house".to_owned(),
            module: "guest_house".to_owned(),
            pascal: "GuestHouse".to_owned(),
            title: "Guest house".to_owned(),
            base: "/api/guests".to_owned(),
            credential: Credential::Bearer,
            example: Vec::new(),
            exports: vec!["wire::*"],
        }
    }
}

struct Lint<'r, 's> {
    root: &'r Cursor<'s>,
    mistakes: Vec<Mistake>,
}

impl<'s> Lint<'_, 's> {
    fn check(&mut self, krate: &str, api: &Api) -> Option<Credential> {
        let root = self.root;
        if root.text("x-emulator").as_deref() != Some("examples") {
            self.fault(
                root,
                "the description does not say how the emulator answers",
                "`x-emulator: examples`",
            );
        }
        if api
            .title
            .contains(['"', '\\', '<', '>', '[', ']', '`', '|', '\n'])
        {
            let place = root.get("info").unwrap_or_else(|| root.clone());
            self.fault(
                &place,
                "the title has quotes, brackets or line breaks",
                "a name without them",
            );
        }
        self.by_hand(root);
        self.types();
        let credential = self.credential();
        for operation in codegen::operations(root) {
            self.security(&operation);
            self.method(&operation);
            self.page(&operation);
        }
        if self.mistakes.is_empty() {
            for id in codegen::without_example(krate, api) {
                let place = codegen::operations(root)
                    .into_iter()
                    .find(|operation| operation.text("operationId").as_deref() == Some(&id));
                self.fault(
                    &place.unwrap_or_else(|| root.clone()),
                    format!("no values are known to call {id} with"),
                    "`example:` beside its parameters, or a body that is an object",
                );
            }
        }
        credential
    }

    /// Refuses keys that only make sense with existing code.
    fn by_hand(&mut self, place: &Cursor<'s>) {
        for (key, child) in place.entries() {
            if BY_HAND.contains(&key.as_str()) {
                self.fault(
                    &child,
                    format!("`{key}` is for a crate that is there already"),
                    "nothing now; add it together with what is written by hand",
                );
            }
            self.by_hand(&child);
        }
        for child in place.items() {
            self.by_hand(&child);
        }
    }

    /// Refuses types with the names of those that every service's crate has.
    fn types(&mut self) {
        let schemas = self
            .root
            .get("components")
            .and_then(|all| all.get("schemas"));
        for (key, schema) in schemas.map(|all| all.entries()).unwrap_or_default() {
            let name = names::pascal(&schema.text("x-rust-name").unwrap_or(key));
            if TAKEN.contains(&name.as_str()) {
                self.fault(
                    &schema,
                    format!("every service's crate has another type called {name}"),
                    "an `x-rust-name` of another name",
                );
            }
        }
    }

    fn credential(&mut self) -> Option<Credential> {
        let root = self.root;
        let instead = "one scheme for all, such as `security: [{token: []}]`, and under \
                       `components.securitySchemes` `token: {type: http, scheme: bearer}` or \
                       `token: {type: apiKey, in: header, name: X-Auth-Token}`";
        let choices = root
            .get("security")
            .map(|all| all.items())
            .unwrap_or_default();
        let mut names = choices.iter().flat_map(|choice| choice.entries());
        let (Some((name, place)), None) = (names.next(), names.next()) else {
            let place = root.get("security").unwrap_or_else(|| root.clone());
            self.fault(&place, "a new client presents one token", instead);
            return None;
        };
        let scheme = root
            .get("components")
            .and_then(|all| all.get("securitySchemes"))
            .and_then(|all| all.get(&name))
            .unwrap_or(place);
        let word = |key: &str| scheme.text(key).unwrap_or_default().to_ascii_lowercase();
        match (
            word("type").as_str(),
            word("scheme").as_str(),
            word("in").as_str(),
        ) {
            ("http", "bearer", _) | ("oauth2" | "openidconnect", ..) => Some(Credential::Bearer),
            ("apikey", _, "header") if !word("name").is_empty() => {
                Some(Credential::Header(word("name")))
            }
            _ => {
                let what = format!("a new client cannot present `{name}`");
                self.fault(&scheme, what, instead);
                None
            }
        }
    }

    fn security(&mut self, operation: &Cursor<'s>) {
        let schemes = |place: &Cursor<'s>| {
            let choices = place.get("security").map(|all| all.items());
            let choices = choices.unwrap_or_default();
            let names = choices.iter().flat_map(|choice| choice.entries());
            names.map(|(name, _)| name).collect::<Vec<_>>()
        };
        let own = schemes(operation);
        if !own.is_empty() && own != schemes(self.root) {
            let place = operation
                .get("security")
                .unwrap_or_else(|| operation.clone());
            self.fault(
                &place,
                "the operation has its own credential, but a new client presents one token",
                "`security: []` if it can do without one; else leave the operation out, and add it \
                 when the crate is there",
            );
        }
    }

    fn method(&mut self, operation: &Cursor<'s>) {
        let id = operation.text("operationId").unwrap_or_default();
        let is_grouped = self.root.flag("x-groups");
        let (name, place, instead) = match (is_grouped, operation.texts("tags").first()) {
            (true, Some(tag)) => {
                let place = operation.get("tags").unwrap_or_else(|| operation.clone());
                (names::snake(tag), place, "a tag of another name")
            }
            _ => {
                let own = operation
                    .text("x-method")
                    .or_else(|| operation.text("x-rust-name"));
                let name = names::snake(&own.unwrap_or(id));
                (name, operation.clone(), "an `x-method` of another name")
            }
        };
        if METHODS.contains(&name.as_str()) {
            let what = format!("every client has another method `{name}`");
            self.fault(&place, what, instead);
        }
    }

    /// Checks that the example of a list is the whole list, since the emulator answers every
    /// request for a page with it.
    fn page(&mut self, operation: &Cursor<'s>) {
        let Some(page) = operation.get("x-page") else {
            return;
        };
        let Some(example) = codegen::answer_example(operation) else {
            return;
        };
        let part = |key: &str| {
            let name = page.text(key)?;
            example.get(&name).map(|value| value.value().clone())
        };
        let items = part("items").and_then(|items| items.as_sequence().map(Vec::len));
        let total = part("total").and_then(|total| total.as_u64());
        let is_whole = total.is_none() || total == items.map(|items| items as u64);
        let is_last = part("next")
            .is_none_or(|next| next.is_null() || next.as_str().is_some_and(str::is_empty));
        let size = page.get("size").and_then(|size| size.value().as_u64());
        let is_short = total.is_some() || items.unwrap_or(0) as u64 + 1 < size.unwrap_or(100);
        if !(is_whole && is_last && is_short) {
            self.fault(
                &example,
                "the example of a list is not the whole list",
                "as many items as its total, and no next page",
            );
        }
    }

    fn fault(&mut self, place: &Cursor<'_>, what: impl Into<String>, instead: impl Into<String>) {
        self.mistakes.push(place.mistake(what, instead));
    }
}

const BY_HAND: &[&str] = &[
    "x-audience",
    "x-client",
    "x-credential",
    "x-hand",
    "x-kinds",
    "x-model",
    "x-rust-type",
];

/// The types that the template of a crate exports.
const TAKEN: &[&str] = &[
    "Budget",
    "CallOptions",
    "Client",
    "ClientBuilder",
    "Clock",
    "Error",
    "ErrorKind",
    "Observer",
    "Result",
    "Retry",
    "Secret",
    "Sent",
    "SystemClock",
    "Timeouts",
    "TokenSource",
    "Transport",
];

/// The methods that the template of a client has, and those of the traits that it derives.
const METHODS: &[&str] = &[
    "builder",
    "call",
    "clone",
    "from_env",
    "with_options",
    "with_token",
    "with_token_source",
];
