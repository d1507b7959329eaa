//! Checks names in Rust, in URLs and in headers.

use super::super::names;
use super::super::source::{Cursor, scalar};
use super::Lint;

impl<'s> Lint<'_, 's> {
    /// Checks that something has a name in Rust: its own if it is valid, or `x-rust-name`.
    pub(super) fn rust_name(&mut self, place: &Cursor<'s>, own: Option<&str>) {
        if let Some(name) = place.get("x-rust-name") {
            let text = scalar(name.value());
            // A keyword or a single underscore is not an `Ident` either.
            if !text.is_ascii() || syn::parse_str::<syn::Ident>(&text).is_err() {
                self.fault(
                    &name,
                    format!("`{text}` is not a name in Rust"),
                    "letters, digits and `_`, a letter first",
                );
            }
        } else if let Some(own) = own
            && !own.contains(|letter: char| letter.is_ascii_alphanumeric())
        {
            self.fault(
                place,
                format!("\"{own}\" gives no name in Rust"),
                "an `x-rust-name` beside it",
            );
        }
    }

    /// Checks that values that look like secrets say whether they are: a forgotten `x-sensitive`
    /// would show them in logs. `schema` may have the extension instead of the place itself.
    pub(super) fn secret(&mut self, place: &Cursor<'s>, name: &str, schema: &Cursor<'s>) {
        // A broken reference has been reported with its place.
        let Ok(resolved) = schema.resolve() else {
            return;
        };
        let last = names::snake(name);
        let last = last.rsplit('_').next().unwrap_or_default();
        let looks = ["password", "secret", "token"].contains(&last)
            || resolved.text("format").as_deref() == Some("password");
        let says = [place, &resolved]
            .iter()
            .any(|place| place.has("x-sensitive"));
        if looks && !says && resolved.texts("type").contains(&"string".to_owned()) {
            self.fault(
                place,
                format!("`{name}` may be a secret"),
                "`x-sensitive: true` beside its type, or `x-sensitive: false` if it is not secret",
            );
        }
    }

    /// Checks that the parameters of an operation have different names in Rust too.
    pub(super) fn arguments(
        &mut self,
        parameters: &[Cursor<'s>],
        entry: Option<(Cursor<'s>, Cursor<'s>)>,
    ) {
        let mut seen: Vec<(String, String)> = Vec::new();
        let named = |usual| move |part: Cursor<'s>| (part, usual);
        let (key, value) = entry.unzip();
        let entry = key
            .map(named("key"))
            .into_iter()
            .chain(value.map(named("value")));
        let parameters = parameters.iter().cloned().map(|parameter| (parameter, ""));
        for (parameter, usual) in parameters.chain(entry) {
            let name = parameter.text("name").unwrap_or_else(|| usual.to_owned());
            let rust = parameter
                .text("x-rust-name")
                .unwrap_or_else(|| name.clone());
            let rust = names::snake(&rust);
            if let Some((_, other)) = seen.iter().find(|(known, _)| *known == rust) {
                self.fault(
                    &parameter,
                    format!("parameters `{other}` and `{name}` are both `{rust}` in Rust"),
                    "an `x-rust-name` at one of them",
                );
            }
            seen.push((rust, name));
        }
    }
}

/// Returns whether a header can have this name.
pub(super) fn is_header(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

/// Returns whether a text is a path template: text outside of braces is sent unchanged.
pub(super) fn is_template(path: &str) -> bool {
    let mut inside = false;
    path.starts_with('/')
        && path.chars().all(|letter| match letter {
            '{' | '}' => {
                let opens = letter == '{';
                let fits = opens != inside;
                inside = opens;
                fits
            }
            _ => inside || letter.is_ascii_alphanumeric() || "/-._~!$&'()*+,;=:@".contains(letter),
        })
        && !inside
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_hold_what_a_path_may_hold() {
        for good in ["/", "/a/b.json", "/users/{user id}/x:{y}", "/v2.0/~{a}"] {
            assert!(is_template(good), "{good}");
        }
        for bad in [
            "", "a", "/a?b", "/a#b", "/a b", "/ä", "/{a", "/a}", "/{a{b}}", "/}{", "/%41",
        ] {
            assert!(!is_template(bad), "{bad}");
        }
    }
}
