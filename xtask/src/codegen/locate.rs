//! Finds the line of a key in YAML text. The parser does not keep lines, so the text is read a
//! second time by its indentation. The text is known to be valid, so a wrong guess only costs a
//! line number.

use std::collections::HashMap;

/// The lines of all keys and list items in block style.
pub(crate) struct Lines(HashMap<Vec<String>, usize>);

struct Open {
    indent: usize,
    is_item: bool,
    depth: usize,
}

impl Lines {
    /// Reads the keys of a text.
    pub(crate) fn of(text: &str) -> Self {
        let mut lines = HashMap::new();
        let mut items: HashMap<Vec<String>, usize> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        let mut path: Vec<String> = Vec::new();
        // Lines that are indented deeper belong to a scalar that began above.
        let mut scalar: Option<usize> = None;
        let mut flow = 0;
        for (number, line) in text.lines().enumerate() {
            let mut rest = line.trim_start();
            let mut indent = line.len() - rest.len();
            if rest.is_empty() || rest.starts_with('#') {
                continue;
            }
            if flow > 0 {
                flow += brackets(rest);
                continue;
            }
            if scalar.is_some_and(|around| indent > around) {
                continue;
            }
            scalar = None;
            loop {
                let is_item = rest == "-" || rest.starts_with("- ");
                let key = if is_item { None } else { split_key(rest) };
                if !is_item && key.is_none() {
                    flow += brackets(rest).max(0);
                    break;
                }
                // A list may have the same indentation as its key.
                while open.last().is_some_and(|top| {
                    top.indent > indent || (top.indent == indent && (top.is_item || !is_item))
                }) {
                    open.pop();
                }
                path.truncate(open.last().map_or(0, |top| top.depth));
                let (name, value) = match key {
                    Some((key, value)) => (key, value),
                    None => {
                        let index = items.entry(path.clone()).or_default();
                        *index += 1;
                        ((*index - 1).to_string(), rest[1..].trim_start())
                    }
                };
                path.push(name);
                lines.entry(path.clone()).or_insert(number + 1);
                open.push(Open {
                    indent,
                    is_item,
                    depth: path.len(),
                });
                if is_item && !value.is_empty() {
                    indent += rest.len() - value.len();
                    rest = value;
                    continue;
                }
                if value.starts_with(['{', '[']) {
                    flow = brackets(value).max(0);
                } else if !value.is_empty() && !value.starts_with('#') {
                    scalar = Some(indent);
                }
                break;
            }
        }
        Self(lines)
    }

    /// Returns the line of a path, or of its nearest ancestor that has one.
    pub(crate) fn line(&self, path: &[String]) -> usize {
        (0..=path.len())
            .rev()
            .find_map(|end| self.0.get(&path[..end]).copied())
            .unwrap_or(1)
    }
}

fn split_key(text: &str) -> Option<(String, &str)> {
    let (key, rest) = match text.chars().next()? {
        quote @ ('"' | '\'') => {
            let end = text[1..].find(quote)? + 1;
            (&text[1..end], &text[end + 1..])
        }
        '{' | '[' => return None,
        _ => {
            let end = text
                .match_indices(':')
                .map(|(at, _)| at)
                .find(|at| matches!(text.as_bytes().get(at + 1), None | Some(b' ')))?;
            (&text[..end], &text[end..])
        }
    };
    let value = rest.strip_prefix(':')?;
    Some((key.to_owned(), value.trim_start()))
}

/// Returns how many more brackets open than close, outside of quotes.
fn brackets(text: &str) -> i32 {
    let mut depth = 0;
    let mut quoted = None;
    for letter in text.chars() {
        match (quoted, letter) {
            (Some(quote), _) if quote == letter => quoted = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quoted = Some(letter),
            (None, '{' | '[') => depth += 1,
            (None, '}' | ']') => depth -= 1,
            (None, '#') if depth == 0 => break,
            (None, _) => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str, path: &[&str]) -> usize {
        let path: Vec<String> = path.iter().map(|&key| key.to_owned()).collect();
        Lines::of(text).line(&path)
    }

    #[test]
    fn keys_are_found_past_scalars_flows_lists_and_comments() {
        let text = "\
a: >-
  not: a key
  - nor this
'/p/{x}':
  # a comment
  get:
    parameters:
      - name: one
        in: path
      - {name: two,
         in: query}
    tags:
    - t
    last: {deep: {inner: 1}}
z:
";
        assert_eq!(line(text, &["a"]), 1);
        assert_eq!(line(text, &["/p/{x}", "get"]), 6);
        assert_eq!(line(text, &["/p/{x}", "get", "parameters", "0", "in"]), 9);
        assert_eq!(line(text, &["/p/{x}", "get", "parameters", "1", "in"]), 10);
        assert_eq!(line(text, &["/p/{x}", "get", "tags", "0"]), 13);
        assert_eq!(line(text, &["/p/{x}", "get", "last", "deep", "inner"]), 14);
        assert_eq!(line(text, &["z"]), 15);
        assert_eq!(line(text, &["a", "not"]), 1);
    }
}
