//! `cargo xtask new-service NAME --from FILE`: a complete crate, and its lines in the files that
//! name the services.

mod check;
mod edit;
mod facts;

use std::fs;
use std::path::{Path, PathBuf};

use check::Tests;
use edit::Edit;
use facts::Facts;

use crate::codegen;
use crate::workspace;

/// Runs the command.
pub(crate) fn run(arguments: &[&str]) -> Result<(), String> {
    match arguments {
        ["--check"] => check::run(Tests::Some),
        ["--check", "--whole"] => check::run(Tests::All),
        [name, "--from", file] | ["--from", file, name] => {
            let root = workspace::root();
            let plan = Plan::new(&root, name, Path::new(file))?;
            plan.carry_out(&root)?;
            eprintln!(
                "created crates/{name} from {file}, and changed {} files\nnext: `cargo xtask \
                 test`, then docs/protocols/{name}.md: what the description cannot say",
                plan.edits.len()
            );
            Ok(())
        }
        _ => Err(
            "usage: cargo xtask new-service NAME --from FILE.openapi.yaml\n       cargo xtask \
             new-service --check [--whole]"
                .to_owned(),
        ),
    }
}

/// All files, before any is written.
struct Plan {
    name: String,
    /// New files, by their paths from the root.
    files: Vec<(PathBuf, String)>,
    edits: Vec<Edit>,
}

impl Plan {
    /// Makes a plan. Refuses an unusable name or description.
    fn new(root: &Path, name: &str, file: &Path) -> Result<Self, String> {
        check_name(root, name)?;
        let text =
            fs::read_to_string(file).map_err(|cause| format!("{}: {cause}", file.display()))?;
        let shown = file.display().to_string();
        let (facts, outputs) = read(name, &shown, &text)?;
        let krate = PathBuf::from("crates").join(name);
        let cli = PathBuf::from("crates/cli/src/services").join(&facts.module);
        let mut files = vec![(krate.join(format!("api/{name}.openapi.yaml")), text)];
        for (path, template) in CRATE {
            files.push((krate.join(facts.fill(path)), facts.fill(template)));
        }
        for (path, template) in PROGRAM {
            files.push((cli.join(path), facts.fill(template)));
        }
        let suite = PathBuf::from("tests/src/vectors").join(&facts.module);
        for (path, template) in [
            (suite.join("mod.rs"), VECTORS),
            (PathBuf::from("docs").join(format!("{name}.md")), PAGE),
            (
                PathBuf::from("docs/protocols").join(format!("{name}.md")),
                PROTOCOL,
            ),
        ] {
            files.push((path, facts.fill(template)));
        }
        files.extend(outputs.into_iter().map(|output| (output.path, output.text)));
        if let Some((path, _)) = files.iter().find(|(path, _)| root.join(path).exists()) {
            return Err(format!(
                "{} is there already; choose another name, or remove what an earlier try left",
                path.display()
            ));
        }
        let edits = edit::all(root, &facts)?;
        Ok(Self {
            name: name.to_owned(),
            files,
            edits,
        })
    }

    /// Writes everything; if that fails, removes it again.
    fn carry_out(&self, root: &Path) -> Result<(), String> {
        let written = self.write(root).and_then(|()| self.format(root));
        if written.is_err() {
            self.undo(root);
        }
        written
    }

    fn write(&self, root: &Path) -> Result<(), String> {
        let edits = self
            .edits
            .iter()
            .map(|edit| (Path::new(edit.file), &edit.new));
        let files = self.files.iter().map(|(path, text)| (path.as_path(), text));
        for (path, text) in files.chain(edits) {
            let target = root.join(path);
            let folder = target.parent().map_or(Ok(()), fs::create_dir_all);
            folder
                .and_then(|()| fs::write(&target, text))
                .map_err(|cause| format!("{}: {cause}", target.display()))?;
        }
        Ok(())
    }

    /// Formats the sources in the style of the workspace.
    fn format(&self, root: &Path) -> Result<(), String> {
        let name = format!("vouchsafe-{}", self.name);
        let status = workspace::cargo()
            .args(["fmt", "-p", &name, "-p", "vouchsafe"])
            .args(["-p", "vouchsafe-cli", "-p", "vouchsafe-tests"])
            .current_dir(root)
            .status()
            .map_err(|cause| format!("cargo cannot be started: {cause}"))?;
        match status.success() {
            true => Ok(()),
            false => Err("cargo fmt failed; nothing was kept".to_owned()),
        }
    }

    /// Restores everything. Files that cannot be removed are left, since the first fault matters
    /// more.
    fn undo(&self, root: &Path) {
        for edit in &self.edits {
            let _ = fs::write(root.join(edit.file), &edit.old);
        }
        for (path, _) in &self.files {
            let _ = fs::remove_file(root.join(path));
            let mut folder = path.parent();
            // Only folders that are now empty are removed.
            while let Some(path) = folder
                && fs::remove_dir(root.join(path)).is_ok()
            {
                folder = path.parent();
            }
        }
    }
}

/// Reads a description, and makes what is generated from it.
fn read(name: &str, shown: &str, text: &str) -> Result<(Facts, Vec<codegen::Output>), String> {
    let lines = |mistakes: Vec<codegen::Mistake>| {
        let mut lines: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        if mistakes
            .iter()
            .any(|mistake| mistake.instead.contains("x-hand"))
        {
            lines.push(BY_HAND.to_owned());
        }
        lines.join("\n")
    };
    // Read first for the messages, which name the given file.
    let source = codegen::Source::parse(shown, text).map_err(|mistake| mistake.to_string())?;
    let api = codegen::load(shown, text).map_err(lines)?;
    let facts = Facts::of(name, &source, &api).map_err(lines)?;
    let place = format!("crates/{name}/api/{name}.openapi.yaml");
    let api = codegen::load(&place, text).map_err(lines)?;
    let outputs = codegen::outputs(&format!("crates/{name}"), &[api], false)?;
    Ok((facts, outputs))
}

fn check_name(root: &Path, name: &str) -> Result<(), String> {
    let mut words = name.split('-');
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    let module = name.replace('-', "_");
    let is_good = name.starts_with(|first: char| first.is_ascii_lowercase())
        && words.all(is_word)
        && syn::parse_str::<syn::Ident>(&module).is_ok();
    if !is_good {
        return Err(format!(
            "no service can be called `{name}`; give it a name in lower case, such as \
             `guest-house`"
        ));
    }
    let umbrella = fs::read_to_string(root.join("crates/vouchsafe/Cargo.toml")).unwrap_or_default();
    let is_feature = umbrella
        .lines()
        .any(|line| line.starts_with(&format!("{name} = [")));
    let taken = [
        format!("crates/{name}"),
        format!("docs/{name}.md"),
        format!("docs/api/{name}.md"),
    ];
    if is_feature || TAKEN.contains(&name) || taken.iter().any(|path| root.join(path).exists()) {
        return Err(format!("the name `{name}` is taken; choose another one"));
    }
    check_word(root, name)
}

/// Refuses a word that the shared files of the program use; their test would take it for the
/// service.
fn check_word(root: &Path, name: &str) -> Result<(), String> {
    let folder = root.join("crates/cli/src");
    let files = fs::read_dir(&folder).into_iter().flatten().flatten();
    for path in files
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
    {
        if fs::read_to_string(&path).is_ok_and(|text| text.contains(name)) {
            return Err(format!(
                "the name `{name}` is taken as a word in {}; choose another one",
                path.strip_prefix(root).unwrap_or(&path).display()
            ));
        }
    }
    Ok(())
}

const BY_HAND: &str = "\
`x-hand` is for code that is there already: leave such an operation out for now, and add it with the \
method that is written for it";

/// Names that the program, the umbrella or the tests use for something else.
const TAKEN: &[&str] = &[
    "compare",
    "demo",
    "described",
    "discovery",
    "emulator",
    "fuzz",
    "help",
    "report",
    "schema",
    "serve",
    "tests",
    "tirole",
    "tvm-api",
    "tvmtool",
    "upstream",
    "xtask",
];

/// The files of the crate.
const CRATE: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("templates/crate/Cargo.toml")),
    ("README.md", include_str!("templates/crate/README.md")),
    ("LICENSE", include_str!("../../../LICENSE")),
    ("src/lib.rs", include_str!("templates/crate/lib.rs")),
    ("src/error.rs", include_str!("templates/crate/error.rs")),
    (
        "src/client/mod.rs",
        include_str!("templates/crate/client/mod.rs"),
    ),
    (
        "src/client/builder.rs",
        include_str!("templates/crate/client/builder.rs"),
    ),
    (
        "src/mock/mod.rs",
        include_str!("templates/crate/mock/mod.rs"),
    ),
    (
        "src/mock/seed.rs",
        include_str!("templates/crate/mock/seed.rs"),
    ),
    (
        "src/mock/state.rs",
        include_str!("templates/crate/mock/state.rs"),
    ),
    (
        "tests/client.rs",
        include_str!("templates/crate/client_test.rs"),
    ),
    (
        // Programs of all crates come to one folder.
        "examples/{{MODULE}}_quickstart.rs",
        include_str!("templates/crate/quickstart.rs"),
    ),
];

/// The files of the program.
const PROGRAM: &[(&str, &str)] = &[
    ("mod.rs", include_str!("templates/cli/mod.rs")),
    ("commands.rs", include_str!("templates/cli/commands.rs")),
    ("demo.rs", include_str!("templates/cli/demo.rs")),
    ("emulator.rs", include_str!("templates/cli/emulator.rs")),
    ("failure.rs", include_str!("templates/cli/failure.rs")),
];

const VECTORS: &str = include_str!("templates/vectors.rs");
const PAGE: &str = include_str!("templates/page.md");
const PROTOCOL: &str = include_str!("templates/protocol.md");

#[cfg(test)]
mod tests;
