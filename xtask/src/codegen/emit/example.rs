//! Examples in the documentation of generated methods.

use super::super::model::{Api, Body, Field, Operation, Presence, Reply, Shape, Type};
use super::super::names;

/// Writes the lines of an example; none if an argument has no value that could be shown.
pub(super) fn of(krate: &str, api: &Api, operation: &Operation) -> Vec<String> {
    let name = krate.rsplit('/').next().unwrap_or(krate).replace('-', "_");
    let krate = format!("vouchsafe_{name}");
    let writer = Writer { api, krate: &krate };
    let Some(body) = writer.body(operation) else {
        return Vec::new();
    };
    let client = api.client.replacen("crate", &krate, 1);
    let credential = api.credential.as_ref().map(|of| {
        let of = of.replacen("crate", &krate, 1);
        format!(", credential: {of}")
    });
    let mut lines = vec![" # Examples".to_owned(), String::new()];
    // A credential is for the reader to have.
    match api.emulator && credential.is_none() {
        true => {
            lines.push(" ```".to_owned());
            lines.push(" # #[tokio::main(flavor = \"current_thread\")]".to_owned());
            lines.push(format!(" # async fn main() -> {krate}::Result<()> {{"));
            lines.push(format!(" let server = {krate}::mock::Server::new();"));
            lines.push(" let client = server.client()?;".to_owned());
        }
        false => {
            lines.push(" ```no_run".to_owned());
            let more = credential.unwrap_or_default();
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

struct Writer<'a> {
    api: &'a Api,
    krate: &'a str,
}

impl Writer<'_> {
    fn body(&self, operation: &Operation) -> Option<Vec<String>> {
        let mut arguments = Vec::new();
        if self.api.credential.is_some() {
            arguments.push("credential".to_owned());
        }
        let is_kept = !operation.is_plain();
        for param in operation.params.iter().filter(|param| param.required) {
            let example = param.example.as_deref();
            arguments.push(self.argument(&param.ty, example, is_kept, 0)?);
        }
        if let Some(Body::Json { ty, required: true } | Body::Form { ty, required: true }) =
            &operation.body
        {
            arguments.push(self.argument(ty, None, is_kept, 0)?);
        }
        let group = operation
            .group
            .as_ref()
            .map(|group| format!("{}().", names::snake(group)));
        let call = format!(
            "client.{}{}({})",
            group.unwrap_or_default(),
            operation.method_name,
            arguments.join(", ")
        );
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

    fn argument(
        &self,
        of: &Type,
        example: Option<&str>,
        is_kept: bool,
        depth: usize,
    ) -> Option<String> {
        if depth > 4 {
            return None;
        }
        let text = example.unwrap_or("example");
        Some(match of {
            Type::Text => format!("{text:?}"),
            Type::Secret if is_kept => format!("{text:?}"),
            Type::Secret => format!("&{text:?}.into()"),
            of if of.is_integer() => example.unwrap_or("1").to_owned(),
            Type::Number => example.unwrap_or("1.0").to_owned(),
            Type::Boolean => example.unwrap_or("true").to_owned(),
            Type::List(item) => {
                let value = self.argument(item, example, true, depth + 1)?;
                let value = value.trim_start_matches('&');
                match (is_kept, &**item) {
                    (true, _) => format!("[{value}]"),
                    (false, Type::Text | Type::Secret) => format!("&[{value}.into()]"),
                    (false, _) => format!("&[{value}]"),
                }
            }
            Type::Map(_) => "&Default::default()".to_owned(),
            Type::Named(name) => self.named(name, example, is_kept, depth)?,
            Type::Shown(_) => format!("{:?}", example?),
            Type::Hand(_) | Type::Json | Type::Optional(_) | Type::Boxed(_) => return None,
            Type::Integer | Type::Integer32 | Type::Unsigned | Type::Unsigned32 => return None,
        })
    }

    fn named(
        &self,
        name: &str,
        example: Option<&str>,
        is_kept: bool,
        depth: usize,
    ) -> Option<String> {
        let def = self.api.definition(name)?;
        if def.model.is_some() {
            return None;
        }
        Some(match &def.shape {
            Shape::Id { limits } => {
                let usual = match limits.format.as_deref() {
                    Some("uuid") => "6f9619ff-8b86-d011-b42d-00cf4fc964ff",
                    _ => "example",
                };
                format!("&{:?}.parse()?", example.unwrap_or(usual))
            }
            Shape::Words { words, .. } => {
                let (_, variant) = words.first()?;
                match is_kept {
                    true => format!("{}::{name}::{variant}", self.krate),
                    false => format!("&{}::{name}::{variant}", self.krate),
                }
            }
            Shape::Struct { fields, .. } => {
                let mut arguments = Vec::new();
                for field in fields.iter().filter(|field| is_required(field)) {
                    let value =
                        self.argument(&field.ty, field.example.as_deref(), true, depth + 1)?;
                    arguments.push(value);
                }
                // Only an argument itself is borrowed; what is in it is owned.
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
