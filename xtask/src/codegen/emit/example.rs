//! Examples in the documentation of generated methods.

use std::collections::BTreeMap;

use super::super::limits::Limits;
use super::super::model::{Api, Body, Field, Operation, Presence, Reply, Shape, Type};
use super::super::names;
use super::sample;

/// Writes the lines of an example; none if there is no value to show for an argument.
pub(super) fn of(krate: &str, api: &Api, operation: &Operation) -> Vec<String> {
    let krate = crate_name(krate);
    let writer = Writer { api, krate: &krate };
    let own = |text: &str| text.replace("crate::", &format!("{krate}::"));
    let given = operation.arguments.iter();
    let given = given.map(|(name, value)| (name.clone(), own(value)));
    let Some(body) = writer.body(operation, &given.collect()) else {
        return Vec::new();
    };
    let credential = api.credential.as_deref();
    let mut lines = vec![" # Examples".to_owned(), String::new()];
    // The reader supplies the credential.
    let shown: &[&str] = match api.emulator && credential.is_none() {
        true => &[
            "let server = crate::mock::Server::new();",
            "let client = server.client()?;",
        ],
        false => &[],
    };
    let has_client = !shown.is_empty() || !api.setup.is_empty();
    lines.push(match has_client {
        true => " ```".to_owned(),
        false => " ```no_run".to_owned(),
    });
    match has_client {
        true => {
            lines.push(" # #[tokio::main(flavor = \"current_thread\")]".to_owned());
            // Values of hand-written types have errors of their own.
            let result = match api.setup.is_empty() {
                true => format!("{krate}::Result<()>"),
                false => "Result<(), Box<dyn std::error::Error>>".to_owned(),
            };
            lines.push(format!(" # async fn main() -> {result} {{"));
            let setup = api.setup.iter().chain(&operation.setup);
            lines.extend(setup.map(|line| format!(" # {}", own(line))));
            lines.extend(shown.iter().map(|line| format!(" {}", own(line))));
        }
        false => {
            let client = own(&api.client);
            let more = credential.map(|of| format!(", credential: {}", own(of)));
            let more = more.unwrap_or_default();
            lines.push(format!(
                " # async fn example(client: {client}{more}) -> {krate}::Result<()> {{"
            ));
        }
    }
    lines.extend(body.into_iter().map(|line| format!(" {line}")));
    lines.push(" # Ok(())".to_owned());
    lines.push(" # }".to_owned());
    lines.push(" ```".to_owned());
    lines
}

/// Writes the call of an operation's method, without sending it; `None` if there is no value to
/// show for an argument. An emulator of examples answers any arguments, so the description's need not
/// be given.
pub(super) fn call(krate: &str, api: &Api, operation: &Operation) -> Option<String> {
    let krate = crate_name(krate);
    Writer { api, krate: &krate }.call(operation, &BTreeMap::new())
}

/// Writes the lines of a first example: a simple call and its answer.
pub(crate) fn quickstart(krate: &str, api: &Api) -> Option<Vec<String>> {
    let krate = crate_name(krate);
    let writer = Writer { api, krate: &krate };
    let mut all: Vec<(&Operation, String)> = Vec::new();
    for operation in api.operations.iter().filter(|one| one.has_method()) {
        all.push((operation, writer.call(operation, &BTreeMap::new())?));
    }
    // The shortest that reads something.
    all.sort_by_key(|(operation, call)| {
        let is_read = operation.method == "GET" && !matches!(operation.reply, Reply::Nothing);
        (!is_read, call.len())
    });
    let (operation, call) = all.first()?;
    let send = if operation.is_plain() { "" } else { ".send()" };
    Some(match operation.reply {
        Reply::Nothing => vec![format!("{call}{send}.await?;")],
        _ => vec![
            format!("let answer = {call}{send}.await?;"),
            "println!(\"{answer:?}\");".to_owned(),
        ],
    })
}

/// Returns the name that code uses for the crate in a folder.
pub(super) fn crate_name(krate: &str) -> String {
    let name = krate.rsplit('/').next().unwrap_or(krate).replace('-', "_");
    format!("vouchsafe_{name}")
}

struct Writer<'a> {
    api: &'a Api,
    krate: &'a str,
}

impl Writer<'_> {
    /// Writes a call with the given arguments, by name; the others are the description's examples.
    fn call(&self, operation: &Operation, given: &BTreeMap<String, String>) -> Option<String> {
        let mut arguments = Vec::new();
        if self.api.credential.is_some() {
            arguments.push("credential".to_owned());
        }
        let is_kept = !operation.is_plain();
        for param in operation.params.iter().filter(|param| param.required) {
            let example = param.example.as_deref();
            let given = given.get(&param.name).cloned();
            arguments.push(
                given.or_else(|| self.argument(&param.ty, &param.limits, example, is_kept, 0))?,
            );
        }
        if let Some(Body::Json { ty, required: true } | Body::Form { ty, required: true }) =
            &operation.body
        {
            let none = Limits::default();
            let given = given.get("body").cloned();
            let written = given.or_else(|| self.argument(ty, &none, None, is_kept, 0));
            arguments.push(written.or_else(|| self.read(ty))?);
        }
        let optional = operation.params.iter().filter(|param| !param.required);
        let setters = optional.filter_map(|param| {
            let value = given.get(&param.name)?;
            Some(format!(".{}({value})", param.rust))
        });
        let group = operation
            .group
            .as_ref()
            .map(|group| format!("{}().", names::snake(group)));
        Some(format!(
            "client.{}{}({}){}",
            group.unwrap_or_default(),
            operation.method_name,
            arguments.join(", "),
            setters.collect::<String>()
        ))
    }

    fn body(&self, operation: &Operation, given: &BTreeMap<String, String>) -> Option<Vec<String>> {
        let call = self.call(operation, given)?;
        let answer = match operation.reply {
            Reply::Nothing => "",
            _ => "let answer = ",
        };
        if operation.page.is_some() {
            return Some(vec![
                format!("let mut items = {call}.items();"),
                "while let Some(item) = items.next().await? {".to_owned(),
                "    println!(\"{item:?}\");".to_owned(),
                "}".to_owned(),
            ]);
        }
        let send = match operation.is_plain() {
            true => "",
            false => ".send()",
        };
        let mut lines = vec![format!("{answer}{call}{send}.await?;")];
        if !answer.is_empty() {
            lines.push("# let _ = answer;".to_owned());
        }
        Some(lines)
    }

    /// Writes a body without a constructor: a choice of several types, or any JSON.
    fn read(&self, of: &Type) -> Option<String> {
        if !self.api.emulator {
            return None;
        }
        let value = sample::of(self.api, of, &Limits::default(), None)?;
        // Methods take a list as a slice, which cannot be read.
        let list = match of {
            Type::List(_) => "::<Vec<_>>",
            _ => "",
        };
        Some(format!(
            "&serde_json::from_str{list}({:?}).expect(\"it is JSON\")",
            value.to_string()
        ))
    }

    fn argument(
        &self,
        of: &Type,
        limits: &Limits,
        example: Option<&str>,
        is_kept: bool,
        depth: usize,
    ) -> Option<String> {
        if depth > 4 {
            return None;
        }
        Some(match of {
            Type::Text => format!("{:?}", sample::text(limits, example)),
            Type::Secret if is_kept => format!("{:?}", sample::text(limits, example)),
            Type::Secret => format!("&{:?}.into()", sample::text(limits, example)),
            of if of.is_integer() => sample::integer(limits, example),
            Type::Number => sample::number(limits, example),
            Type::Boolean => example.unwrap_or("true").to_owned(),
            Type::List(item) => {
                let of_item = limits.items.as_deref().cloned().unwrap_or_default();
                let value = self.argument(item, &of_item, example, true, depth + 1)?;
                let value = value.trim_start_matches('&');
                let value = match (is_kept, &**item) {
                    (false, Type::Text | Type::Secret) => format!("{value}.into()"),
                    _ => value.to_owned(),
                };
                let mark = if is_kept { "" } else { "&" };
                format!("{mark}[{}]", vec![value; sample::count(limits)].join(", "))
            }
            Type::Map(_) => "&Default::default()".to_owned(),
            Type::Named(name) => self.named(name, example, is_kept, depth)?,
            Type::Shown(path) => match example.map(|text| (text, text.parse::<i64>())) {
                Some((_, Ok(number))) => number.to_string(),
                Some((text, Err(_))) => format!("{text:?}"),
                // It is converted, so it is not borrowed.
                None => self.value(path, depth + 1)?,
            },
            Type::Hand(path) => self.value(path, depth)?,
            Type::Json | Type::Optional(_) | Type::Boxed(_) => return None,
            Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => return None,
        })
    }

    /// Writes the description's value of a hand-written type.
    fn value(&self, path: &str, depth: usize) -> Option<String> {
        let value = self.api.values.get(path)?;
        let value = value.replace("crate::", &format!("{}::", self.krate));
        // Only an argument itself is borrowed.
        let mark = if depth == 0 { "&" } else { "" };
        Some(format!("{mark}{value}"))
    }

    fn named(
        &self,
        name: &str,
        example: Option<&str>,
        is_kept: bool,
        depth: usize,
    ) -> Option<String> {
        let def = self.api.definition(name)?;
        if let Some(path) = &def.model {
            return self.value(path, depth);
        }
        Some(match &def.shape {
            Shape::Id { limits } => match self.api.values.get(&format!("crate::{name}")) {
                Some(value) => format!("&{value}"),
                None => format!("&{:?}.parse()?", sample::text(limits, example)),
            },
            Shape::Words { words, .. } => {
                let variant = &words.first()?.variant;
                match is_kept {
                    true => format!("{}::{name}::{variant}", self.krate),
                    false => format!("&{}::{name}::{variant}", self.krate),
                }
            }
            Shape::Struct { fields, .. } => {
                let mut arguments = Vec::new();
                for field in fields.iter().filter(|field| is_required(field)) {
                    let example = field.example.as_deref();
                    arguments.push(match field.presence {
                        Presence::RequiredOrNull => "None".to_owned(),
                        _ => self.argument(&field.ty, &field.limits, example, true, depth + 1)?,
                    });
                }
                // Only the argument itself is borrowed; its parts are owned.
                let mark = if depth == 0 { "&" } else { "" };
                format!(
                    "{mark}{}::{name}::new({})",
                    self.krate,
                    arguments.join(", ")
                )
            }
            Shape::Union(_) => return None,
        })
    }
}

fn is_required(field: &Field) -> bool {
    matches!(
        field.presence,
        Presence::Required | Presence::RequiredOrNull
    )
}
