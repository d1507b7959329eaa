//! Adds lines for a new service to existing files. The place of each line is found by the text
//! around it; a file without that text is an error, so nothing is guessed.

use std::path::Path;

use super::facts::Facts;

/// A changed file: its path from the root, the old text and the new one.
pub(super) struct Edit {
    pub(super) file: &'static str,
    pub(super) old: String,
    pub(super) new: String,
}

/// Returns every change of a file, in memory.
pub(super) fn all(root: &Path, facts: &Facts) -> Result<Vec<Edit>, String> {
    let mut edits = Vec::new();
    for (file, change) in CHANGES {
        let path = root.join(file);
        let old = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let mut text = Text {
            file,
            text: old.clone(),
        };
        change(&mut text, facts)?;
        let new = text.text;
        edits.push(Edit { file, old, new });
    }
    Ok(edits)
}

type Change = fn(&mut Text, &Facts) -> Result<(), String>;

/// The files that name the services, and their new lines.
const CHANGES: &[(&str, Change)] = &[
    ("Cargo.toml", workspace),
    ("crates/vouchsafe/Cargo.toml", umbrella),
    ("crates/vouchsafe/src/lib.rs", re_export),
    ("crates/vouchsafe/README.md", umbrella_page),
    ("crates/cli/src/services/mod.rs", program),
    ("tests/src/vectors/mod.rs", vectors),
    ("tests/tests/every/described.rs", by_name),
    ("tests/tests/every/faces.rs", faces),
    ("README.md", front_page),
    ("docs/architecture.md", map),
    ("CHANGELOG.md", changes),
];

fn workspace(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let name = &facts.name;
    let line = format!(
        "vouchsafe-{name} = {{ path = \"crates/{name}\", version = \"=0.1.0\", default-features = false }}"
    );
    text.among("vouchsafe-", &line)
}

fn umbrella(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let name = &facts.name;
    text.append("full = [", &format!("\"{name}\""), "]")?;
    for feature in [
        "tls-ring",
        "tls-aws-lc",
        "roots-platform",
        "roots-bundled",
        "mock",
    ] {
        let begin = format!("{feature} = [");
        text.append(&begin, &format!("\"vouchsafe-{name}?/{feature}\""), "]")?;
    }
    let feature = format!("## {}.\n{name} = [\"dep:vouchsafe-{name}\"]", facts.title);
    text.before("## rustls with ring.", &feature)?;
    let dependency = format!(
        "vouchsafe-{name} = {{ workspace = true, optional = true, features = [\"client\"] }}"
    );
    text.among("vouchsafe-", &dependency)
}

fn re_export(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, module) = (&facts.name, &facts.module);
    let lines = format!(
        "#[cfg(feature = \"{name}\")]\n#[cfg_attr(docsrs, doc(cfg(feature = \"{name}\")))]\n\
         pub use vouchsafe_{module} as {module};"
    );
    text.after_last("pub use vouchsafe_", &lines)
}

fn umbrella_page(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let row = format!("| `{}` | {} | no |", facts.name, facts.title);
    text.before("| `full` |", &row)
}

fn program(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let module = &facts.module;
    text.among("mod ", &format!("mod {module};"))?;
    let service = format!("&{module}::{}", facts.pascal);
    text.append("pub(crate) const SERVICES: ", &service, "];")
}

fn vectors(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, module) = (&facts.name, &facts.module);
    text.among("mod ", &format!("mod {module};"))?;
    text.append("pub const SERVICES: ", &format!("\"{name}\""), "];")?;
    let arm = format!("            \"{name}\" => {module}::run(&folder, &mut report).await?,");
    text.before(
        "            other => return Err(Error::UnknownService",
        &arm,
    )
}

fn by_name(text: &mut Text, facts: &Facts) -> Result<(), String> {
    text.among("    service ", &format!("    service {};", facts.module))
}

fn faces(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, module) = (&facts.name, &facts.module);
    let line = format!(
        "    service \"{name}\": vouchsafe::{module}::mock::Server, \
         |server| async move {{ server.client().unwrap(); }};"
    );
    text.among("    service \"", &line)
}

fn front_page(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, title) = (&facts.name, &facts.title);
    let row =
        format!("| [`vouchsafe-{name}`](crates/{name}) | {title}: a client and an emulator |");
    text.before("| [`vouchsafe-core`](crates/core) |", &row)?;
    let row = format!("| `{name}` | {title} | no |");
    text.before("| `tls-ring`, `tls-aws-lc` |", &row)?;
    let link = format!("[{name}](docs/{name}.md) ·");
    text.after_last("Services in depth: ", &link)
}

fn map(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, module, title) = (&facts.name, &facts.module, &facts.title);
    text.after_last("  umb --> ", &format!("  umb --> {module}[{name}]"))?;
    text.before("  subgraph core", &format!("  {module} --> core"))?;
    let row = format!("| `crates/{name}` | {title}: client, emulator | core |");
    text.before("| `crates/vouchsafe` |", &row)
}

fn changes(text: &mut Text, facts: &Facts) -> Result<(), String> {
    let (name, title) = (&facts.name, &facts.title);
    let line = format!("- `vouchsafe-{name}`: {title}, a client and an emulator.");
    // Of several sections of the name, the newest.
    text.before("- `vouchsafe`: the umbrella crate.", &line)
}

/// A text to insert lines into.
struct Text {
    file: &'static str,
    text: String,
}

impl Text {
    /// Inserts lines before the first line with this beginning.
    fn before(&mut self, begin: &str, lines: &str) -> Result<(), String> {
        let at = self.find(begin)?;
        self.text.insert_str(at, &format!("{lines}\n"));
        Ok(())
    }

    /// Inserts lines after the last line with this beginning.
    fn after_last(&mut self, begin: &str, lines: &str) -> Result<(), String> {
        self.find(begin)?;
        let at = self
            .starts()
            .rfind(|at| self.text[*at..].starts_with(begin));
        let at = self.end_of(at.unwrap_or_default());
        self.text.insert_str(at, &format!("{lines}\n"));
        Ok(())
    }

    /// Inserts a line among those with this beginning, in alphabetical order.
    fn among(&mut self, begin: &str, line: &str) -> Result<(), String> {
        let first = self.find(begin)?;
        let mut at = first;
        for start in self.starts().filter(|start| *start >= first) {
            let known = self.text[start..self.end_of(start)].trim_end();
            // A module with its body here is not part of a list.
            let is_alike = known.starts_with(begin) && !known.ends_with('{');
            if is_alike && known < line {
                at = self.end_of(start);
            }
        }
        self.text.insert_str(at, &format!("{line}\n"));
        Ok(())
    }

    /// Appends an item to the list with this beginning, which ends with `end`.
    fn append(&mut self, begin: &str, item: &str, end: &str) -> Result<(), String> {
        let start = self.find(begin)?;
        let open = start + begin.len();
        let Some(close) = self.text[open..].find(end) else {
            return Err(format!("{}: the list `{begin}` has no end", self.file));
        };
        let before = self.text[..open + close].trim_end();
        let comma = match before.chars().last() {
            Some('[') => "",
            Some(',') => " ",
            _ => ", ",
        };
        let at = before.len();
        self.text.insert_str(at, &format!("{comma}{item}"));
        Ok(())
    }

    fn find(&self, begin: &str) -> Result<usize, String> {
        let mut starts = self.starts();
        let found = starts.find(|at| self.text[*at..].starts_with(begin));
        found.ok_or_else(|| {
            format!(
                "{}: no line begins with `{begin}`, so there is no place for the new service; \
                 change xtask/src/new_service/edit.rs together with the file",
                self.file
            )
        })
    }

    /// Returns the positions at which lines begin.
    fn starts(&self) -> impl DoubleEndedIterator<Item = usize> {
        let breaks = self.text.match_indices('\n').map(|(at, _)| at + 1);
        let mut starts: Vec<usize> = std::iter::once(0).chain(breaks).collect();
        starts.retain(|at| *at < self.text.len());
        starts.into_iter()
    }

    /// Returns the position of the line after the one at `start`.
    fn end_of(&self, start: usize) -> usize {
        self.text[start..]
            .find('\n')
            .map_or(self.text.len(), |length| start + length + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text {
            file: "file",
            text: text.to_owned(),
        }
    }

    #[test]
    fn every_file_that_names_the_services_has_a_place_for_another() {
        let facts = Facts::example();
        for edit in all(&crate::workspace::root(), &facts).unwrap() {
            let (file, name) = (edit.file, &facts.name);
            assert!(!edit.old.contains(name.as_str()), "{file}");
            assert!(
                edit.new.contains(name.as_str()) || edit.new.contains(&facts.module),
                "{file}"
            );
        }
    }

    #[test]
    fn lines_go_where_they_belong() {
        let mut one = text("x-a\nx-c\nother\n");
        one.among("x-", "x-b").unwrap();
        one.among("x-", "x-0").unwrap();
        one.after_last("x-", "y").unwrap();
        one.before("other", "z").unwrap();
        let mut modules = text("mod a;\nmod c;\n\nmod tests {\n");
        modules.among("mod ", "mod z;").unwrap();
        assert_eq!(modules.text, "mod a;\nmod c;\nmod z;\n\nmod tests {\n");
        assert_eq!(one.text, "x-0\nx-a\nx-b\nx-c\ny\nz\nother\n");
        let told = one.before("nothing", "z").unwrap_err();
        assert!(
            told.starts_with("file: no line begins with `nothing`"),
            "{told}"
        );
    }

    #[test]
    fn an_item_goes_to_the_end_of_its_list() {
        let mut one = text("a = [\"x\"]\nb: &[T] =\n    &[\n        one,\n    ];\nc = []\n");
        one.append("a = [", "\"y\"", "]").unwrap();
        one.append("b: ", "two", "];").unwrap();
        one.append("c = [", "z", "]").unwrap();
        let expected = "a = [\"x\", \"y\"]\nb: &[T] =\n    &[\n        one, two\n    ];\nc = [z]\n";
        assert_eq!(one.text, expected);
        assert!(one.append("d = [", "z", "]").is_err());
    }
}
