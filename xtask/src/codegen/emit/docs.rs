//! `docs/api/<id>.md`: the reference page of a description.

use std::fmt::Write as _;

use super::super::limits::Limits;
use super::super::model::{
    Answer, Api, Audience, Body, DefaultValue, Field, Operation, Place, Presence, Shape, Type,
    TypeDef,
};
use super::{MARK, sentence};

pub(super) fn page(api: &Api) -> String {
    let mut page = Page(String::new());
    page.line(&format!("<!-- {MARK}{}; do not edit. -->", api.file));
    page.paragraph(&format!("# {}", api.title));
    page.paragraph(api.description.as_deref().unwrap_or_default());
    page.paragraph(&format!(
        "Version {} of the description. A client's base URL ends in `{}`.",
        api.version,
        if api.base.is_empty() { "/" } else { &api.base },
    ));
    page.paragraph("## Operations");
    page.line("");
    page.line("| operation | request | what it does | may be repeated |");
    page.line("| --- | --- | --- | --- |");
    for operation in &api.operations {
        page.line(&format!(
            "| [`{0}.{1}`](#{2}) | `{3} {4}` | {5} | {6} |",
            api.id,
            operation.id,
            operation.id.to_ascii_lowercase(),
            operation.method,
            operation.path,
            operation.summary,
            if operation.is_safe {
                "yes"
            } else {
                "only if unsent"
            },
        ));
    }
    for operation in &api.operations {
        page.operation(api, operation);
    }
    page.paragraph("## Types");
    for def in &api.types {
        page.definition(def);
    }
    page.0
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.line("");
            self.line(text);
        }
    }

    fn operation(&mut self, api: &Api, operation: &Operation) {
        self.paragraph(&format!("### {}", operation.id));
        self.paragraph(&format!(
            "`{}.{}`: `{} {}`",
            api.id, operation.id, operation.method, operation.path
        ));
        self.paragraph(&sentence(&operation.summary));
        self.paragraph(operation.description.as_deref().unwrap_or_default());
        self.paragraph(&operation.notes.join(" "));
        if operation.audience == Audience::Emulator {
            self.paragraph("Served by the emulator; clients do not use it.");
        }
        let params = || operation.params.iter().chain(&operation.options);
        if params().next().is_some() {
            self.line("");
            self.line("| parameter | in | required | meaning |");
            self.line("| --- | --- | --- | --- |");
        }
        for param in params() {
            let place = match param.place {
                Place::Path => "path",
                Place::Query => "query",
                Place::Header => "header",
                Place::Key => "body, its one key",
                Place::Entry => "body, the value of the key",
            };
            let note = match (&param.ty, param.place) {
                (Type::Secret, Place::Path) => " Secret: logs show the template.",
                (Type::Secret, _) => " Secret.",
                _ => "",
            };
            let meaning = format!(
                "{}{note}",
                meaning(param.description.as_deref(), &param.limits)
            );
            self.line(&format!(
                "| `{}` | {place} | {} | {} |",
                param.name,
                if param.required { "yes" } else { "no" },
                meaning.trim_start(),
            ));
        }
        match &operation.body {
            Some(Body::Json { ty, required }) => self.paragraph(&format!(
                "Body: {} as JSON{}.",
                link(ty),
                if *required { "" } else { ", or none" }
            )),
            Some(Body::Form { ty, required }) => self.paragraph(&format!(
                "Body: {} as a form{}.",
                link(ty),
                if *required { "" } else { ", or none" }
            )),
            Some(Body::Other(media)) => {
                self.paragraph(&format!("Body: `{}`.", media.join("` or `")));
            }
            None => {}
        }
        self.line("");
        self.line("| answer | holds | meaning |");
        self.line("| --- | --- | --- |");
        for answer in &operation.answers {
            self.line(&format!(
                "| {} | {} | {} |",
                answer.status,
                holds(answer),
                cell(Some(&answer.description)),
            ));
        }
        for rule in &operation.status_rules {
            let code = rule
                .code
                .as_ref()
                .map(|code| format!(" with code `{code}`"));
            self.paragraph(&format!(
                "{}{} is reported as `ErrorKind::{}`.",
                rule.status,
                code.unwrap_or_default(),
                rule.kind
            ));
        }
        for answer in operation
            .answers
            .iter()
            .filter(|answer| answer.status.starts_with('2'))
        {
            if let Some(example) = &answer.example {
                self.paragraph(&format!("```json\n{example}\n```"));
            }
        }
    }

    fn definition(&mut self, def: &TypeDef) {
        self.paragraph(&format!("### {}", def.name));
        self.paragraph(&def.description.as_deref().map(sentence).unwrap_or_default());
        match &def.shape {
            Shape::Struct { fields, rest } => {
                self.line("");
                self.line("| key | type | when absent | meaning |");
                self.line("| --- | --- | --- | --- |");
                for field in fields {
                    let ty = field.ty.clone().split_null();
                    self.line(&format!(
                        "| `{}` | {}{} | {} | {} |",
                        field.name,
                        link(&ty.0),
                        if field.presence == Presence::RequiredOrNull {
                            " or null"
                        } else {
                            ""
                        },
                        absent(field),
                        meaning(field.description.as_deref(), &field.limits),
                    ));
                }
                if let Some(rest) = rest {
                    self.line(&format!("| any other | {} | | |", link(rest)));
                }
            }
            Shape::Words { words, closed } => {
                let all: Vec<_> = words
                    .iter()
                    .map(|word| format!("`{}`", word.text))
                    .collect();
                let more = if *closed {
                    ""
                } else {
                    "; newer servers may send others"
                };
                self.paragraph(&format!("One of {}{more}.", all.join(", ")));
                let told = words.iter().filter_map(|word| {
                    let text = sentence(word.description.as_deref()?);
                    Some(format!("- `{}`: {text}", word.text))
                });
                self.paragraph(&told.collect::<Vec<_>>().join("\n"));
            }
            Shape::Id { limits } => {
                self.paragraph(&format!("A text. {}", limits.sentence()));
            }
            Shape::Union(variants) => {
                let variants: Vec<_> = variants.iter().map(|(_, ty)| link(ty)).collect();
                self.paragraph(&format!("Either {}.", variants.join(", or ")));
            }
        }
    }
}

fn holds(answer: &Answer) -> String {
    let mut text = match (&answer.ty, &answer.media) {
        (Some(ty), _) => link(ty),
        (None, Some(media)) => format!("`{media}`"),
        (None, None) => String::new(),
    };
    for (index, header) in answer.headers.iter().enumerate() {
        let comma = if index > 0 || !text.is_empty() {
            ", "
        } else {
            ""
        };
        let _ = write!(text, "{comma}header `{header}`");
    }
    text
}

fn absent(field: &Field) -> String {
    match &field.presence {
        Presence::Required | Presence::RequiredOrNull | Presence::Constant(_) => {
            "refused".to_owned()
        }
        Presence::Optional => "none".to_owned(),
        Presence::SentNull => "none, sent as null".to_owned(),
        Presence::Empty => match field.ty {
            Type::Boolean => "false".to_owned(),
            ref of if of.is_integer() => "0".to_owned(),
            _ => "empty".to_owned(),
        },
        Presence::Default(value) => match value {
            DefaultValue::True => "true".to_owned(),
            DefaultValue::Integer(number) => number.to_string(),
            DefaultValue::Number(text) | DefaultValue::Text(text) => format!("`{text}`"),
            DefaultValue::Word(variant) => format!("`{variant}`"),
        },
    }
}

fn link(ty: &Type) -> String {
    match ty {
        Type::Text => "text".to_owned(),
        Type::Secret => "secret text".to_owned(),
        Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => "integer".to_owned(),
        Type::Number => "number".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Json => "anything".to_owned(),
        Type::List(inner) => format!("list of {}", link(inner)),
        Type::Map(inner) => format!("map to {}", link(inner)),
        Type::Optional(inner) => format!("{} or null", link(inner)),
        Type::Boxed(inner) => link(inner),
        Type::Hand(path) | Type::Shown(path) => {
            format!("`{}`", path.rsplit("::").next().unwrap_or_default())
        }
        Type::Named(name) => format!("[{name}](#{})", name.to_ascii_lowercase()),
    }
}

/// Writes the meaning and the limits of a value.
fn meaning(text: Option<&str>, limits: &Limits) -> String {
    let own = cell(text);
    let limits = limits.sentence();
    match (own.is_empty(), limits.is_empty()) {
        (_, true) => own,
        (true, false) => cell(Some(&limits)),
        (false, false) => format!("{} {}", sentence(&own), cell(Some(&limits))),
    }
}

fn cell(text: Option<&str>) -> String {
    text.unwrap_or_default().replace('|', "\\|")
}
