//! Tests refusals of the command, which leave nothing behind. `cargo xtask new-service --check`
//! builds its output.

use std::collections::BTreeMap;

use super::*;

const GOOD: &str = include_str!("../../tests/new_service/guest-house.openapi.yaml");

/// Returns the fault of the description with `old` replaced.
fn lacking(old: &str, new: &str) -> String {
    assert!(GOOD.contains(old), "{old}");
    match read("guest-house", "house.yaml", &GOOD.replacen(old, new, 1)) {
        Ok(_) => String::new(),
        Err(told) => told,
    }
}

#[test]
fn gaps_in_a_description_are_reported_with_line_and_remedy() {
    assert_eq!(lacking("title: Guest house", "title: House"), "");
    for (old, new, told) in [
        (
            "x-emulator: examples\n",
            "",
            "house.yaml:1: the description does not say how the emulator answers; write instead: `x-emulator: examples`",
        ),
        (
            "security:\n  - token: []",
            "security: []",
            ": a new client presents one token",
        ),
        (
            "in: header, name: X-Auth",
            "in: query, name: x",
            "a new client cannot present `token`",
        ),
        (
            "title: Guest house",
            "title: \"A [house]\"",
            "the title has quotes, brackets or line breaks",
        ),
        (
            "filtered: 2",
            "filtered: 3",
            "the example of a list is not the whole list",
        ),
        (
            "next: null",
            "next: more",
            "the example of a list is not the whole list",
        ),
        (
            "x-method: get\n",
            "x-method: get\n      x-hand: true\n",
            "`x-hand` is for a crate that is there already",
        ),
        (
            "    Guest:\n",
            "    Guest:\n      x-rust-name: Client\n",
            "every service's crate has another type called Client",
        ),
        (
            "    Guest:\n",
            "    Guest:\n      x-model: crate::Person\n",
            "`x-model` is for a crate that is there already",
        ),
        (
            "application/x-www-form-urlencoded:",
            "multipart/form-data:",
            "leave such an operation out for now",
        ),
        ("security: []", "security: [{basic: []}]", "is not declared"),
        (
            "name: status",
            "name: builder",
            "tag `status` is not declared",
        ),
        ("type: integer, minimum: 1, d", "type: intger, d", "intger"),
    ] {
        let found = lacking(old, new);
        assert!(found.contains(told), "expected {told}\nfound {found}");
        let is_placed = |line: &str| line.starts_with("house.yaml:") || line == BY_HAND;
        assert!(found.lines().all(is_placed), "{found}");
    }
}

#[test]
fn a_method_that_every_client_has_is_refused_as_a_group() {
    let text = GOOD.replace("[status]", "[builder]");
    let text = text.replace("name: status", "name: builder");
    let told = read("guest-house", "house.yaml", &text).err().unwrap();
    assert!(
        told.contains("every client has another method `builder`"),
        "{told}"
    );
}

#[test]
fn bad_and_taken_names_are_refused() {
    let root = workspace::root();
    for name in [
        "",
        "Guest",
        "guest_house",
        "-a",
        "a--b",
        "a-",
        "1a",
        "a/b",
        "../a",
        "type",
    ] {
        let told = check_name(&root, name).unwrap_err();
        assert!(
            told.starts_with("no service can be called"),
            "{name}: {told}"
        );
    }
    for name in [
        "userinfo",
        "core",
        "security",
        "account",
        "mock",
        "demo",
        "discovery",
    ] {
        let told = check_name(&root, name).unwrap_err();
        assert!(told.contains("is taken"), "{name}: {told}");
    }
    assert_eq!(check_name(&root, "guest-house"), Ok(()));
}

/// Copies the changed files into a folder that is not a workspace.
fn little_copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = workspace::root();
    for edit in edit::all(&root, &Facts::example()).unwrap() {
        let target = folder.path().join(edit.file);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::write(target, edit.old).unwrap();
    }
    folder
}

fn tree(root: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let text = fs::read_to_string(&path).unwrap();
                    found.insert(path, text);
                }
            }
        }
    }
    found
}

#[test]
fn a_refused_description_and_a_failure_half_way_leave_everything_as_it_was() {
    let folder = little_copy();
    let root = folder.path();
    let before = tree(root);
    let file = root.join("crates/bad.openapi.yaml");

    fs::write(&file, GOOD.replace("x-emulator: examples\n", "")).unwrap();
    let told = Plan::new(root, "guest-house", &file).err().unwrap();
    assert!(told.contains("x-emulator"), "{told}");

    fs::write(&file, GOOD).unwrap();
    let plan = Plan::new(root, "guest-house", &file).unwrap();
    fs::remove_file(&file).unwrap();
    // A missing line means that a file was changed since.
    let manifest = root.join("README.md");
    fs::write(&manifest, "# Another\n").unwrap();
    let told = edit::all(root, &Facts::example()).err().unwrap();
    assert!(told.starts_with("README.md: no line begins with"), "{told}");
    fs::write(&manifest, &before[&manifest]).unwrap();

    // It is not a workspace that cargo could format.
    let told = plan.carry_out(root).unwrap_err();
    assert!(told.contains("cargo fmt failed"), "{told}");
    assert_eq!(tree(root), before);
    assert!(!root.join("crates/guest-house").exists());
    assert!(!root.join("docs/protocols").exists());
}

#[test]
fn no_file_that_is_there_is_overwritten() {
    let folder = little_copy();
    let root = folder.path();
    let file = root.join("good.openapi.yaml");
    fs::write(&file, GOOD).unwrap();
    let page = root.join("docs/protocols/guest-house.md");
    fs::create_dir_all(page.parent().unwrap()).unwrap();
    fs::write(&page, "mine").unwrap();
    let told = Plan::new(root, "guest-house", &file).err().unwrap();
    assert!(
        told.contains("docs/protocols/guest-house.md is there already"),
        "{told}"
    );
}

#[test]
fn every_place_of_a_template_is_filled() {
    let (facts, _) = read("guest-house", "house.yaml", GOOD).unwrap();
    let others = [("vectors", VECTORS), ("page", PAGE), ("protocol", PROTOCOL)];
    for (path, template) in CRATE.iter().chain(PROGRAM).chain(&others) {
        let text = facts.fill(template);
        assert!(
            !text.contains("{{") && !text.contains("}}"),
            "{path}: {text}"
        );
    }
}
