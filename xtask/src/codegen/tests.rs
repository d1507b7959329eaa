//! Tests the generator on wrong descriptions and small workspaces.

use super::*;

/// Each file lists its mistakes at its top: `# <line>: <message>`.
#[test]
fn every_wrong_description_is_refused_with_line_and_remedy() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut failures = Vec::new();
    let files = sorted(&folder).unwrap();
    assert!(
        files.len() > 30,
        "the folder of wrong descriptions is there"
    );
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let expected: Vec<String> = text
            .lines()
            .map_while(|line| line.strip_prefix("# "))
            .map(|line| format!("{name}:{line}"))
            .collect();
        assert!(!expected.is_empty(), "{name} says what is wrong with it");
        let found: Vec<String> = match load(&name, &text) {
            Ok(_) => Vec::new(),
            Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
        };
        if found != expected {
            failures.push(format!(
                "expected\n  {}\nfound\n  {}",
                expected.join("\n  "),
                found.join("\n  ")
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[test]
fn the_description_with_everything_gives_what_is_committed() {
    let root = crate::workspace::root().join(TRIAL);
    let changed = generate(&root, true).unwrap();
    assert!(changed.is_empty(), "run `cargo xtask codegen`: {changed:?}");
}

#[test]
fn missing_edited_and_stale_files_are_found_and_rewritten() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let write = |path: &str, text: &str| {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("crates/one/api/small.openapi.yaml", SMALL);
    let wire = "crates/one/src/generated/small/wire.rs";

    assert!(generate(root, true).unwrap().contains(&wire.to_owned()));
    assert!(!root.join(wire).exists(), "--check writes nothing");
    assert!(generate(root, false).unwrap().contains(&wire.to_owned()));
    assert!(generate(root, true).unwrap().is_empty());

    let text = fs::read_to_string(root.join(wire)).unwrap();
    write(wire, &text.replace("Text", "Test"));
    write(
        "crates/one/src/generated/small/by_hand.rs",
        "//! Kept: it carries no mark.\n",
    );
    write(
        "docs/api/gone.md",
        &format!("<!-- {MARK}a description that was. -->\n"),
    );
    let found = [
        "crates/one/src/generated/small/wire.rs",
        "docs/api/gone.md (nothing makes it any more)",
    ];
    assert_eq!(generate(root, true).unwrap(), found);
    assert!(
        root.join("docs/api/gone.md").exists(),
        "--check removes nothing"
    );
    assert_eq!(generate(root, false).unwrap(), found);
    assert_eq!(fs::read_to_string(root.join(wire)).unwrap(), text);
    assert!(!root.join("docs/api/gone.md").exists());
    assert!(
        root.join("crates/one/src/generated/small/by_hand.rs")
            .exists()
    );
}

#[test]
fn two_descriptions_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for service in ["one", "two"] {
        let api = root.join("crates").join(service).join("api");
        fs::create_dir_all(&api).unwrap();
        fs::write(api.join("small.openapi.yaml"), SMALL).unwrap();
    }
    let message = generate(root, true).unwrap_err();
    assert!(message.starts_with("docs/api/small.md: two"), "{message}");
}

#[test]
fn the_coverage_test_waits_for_a_contract_suite() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let contract = root.join("crates/one/tests/contract/mod.rs");
    let coverage = root.join("crates/one/tests/generated_coverage.rs");
    fs::create_dir_all(root.join("crates/one/api")).unwrap();
    fs::write(root.join("crates/one/api/small.openapi.yaml"), SMALL).unwrap();

    generate(root, false).unwrap();
    assert!(!coverage.exists());

    fs::create_dir_all(contract.parent().unwrap()).unwrap();
    fs::write(&contract, "").unwrap();
    generate(root, false).unwrap();
    assert!(
        fs::read_to_string(&coverage)
            .unwrap()
            .contains("\"small.sayHello\"")
    );

    fs::remove_file(&contract).unwrap();
    generate(root, false).unwrap();
    assert!(
        !coverage.exists(),
        "a test without its suite would not compile"
    );
}

#[test]
fn examples_run_where_the_emulator_answers_with_examples() {
    let api_of = |more: &str| {
        let text = SMALL.replace("\npaths:", &format!("\n{more}\npaths:"));
        let api = load("small.openapi.yaml", &text).unwrap();
        let outputs = emit::api("crates/one-two", &api).unwrap();
        let is_api = |output: &&Output| output.path.ends_with("api.rs");
        outputs.iter().find(is_api).unwrap().text.clone()
    };
    let plain = api_of("");
    assert!(plain.contains("/// ```no_run\n"));
    assert!(plain.contains("client: vouchsafe_one_two::Client"));
    assert!(plain.contains("/// let answer = client.say_hello().await?;\n"));
    let run = api_of("x-emulator: examples");
    assert!(run.contains("/// ```\n") && !run.contains("no_run"));
    assert!(run.contains("/// let server = vouchsafe_one_two::mock::Server::new();\n"));
    let set_up =
        api_of("x-examples:\n  setup: [let client = crate::mock::Server::new().client();]");
    assert!(set_up.contains("/// ```\n") && !set_up.contains("no_run"));
    assert!(
        set_up.contains("/// # let client = vouchsafe_one_two::mock::Server::new().client();\n")
    );
    let with_credential = api_of("x-emulator: examples\nx-credential: crate::Token");
    assert!(with_credential.contains("credential: vouchsafe_one_two::Token"));
    assert!(with_credential.contains("no_run"));
}

#[test]
fn examples_make_what_they_need_and_use_it() {
    let text = SMALL
        .replace(
            "\npaths:",
            "\nx-examples: {setup: [let client = 1;]}\npaths:",
        )
        .replace(
            "summary: Say hello",
            "summary: Say hello
      x-setup: let user = crate::user();
      x-arguments: {name: '&user.name', polite: crate::POLITE}
      parameters:
        - {name: name, in: query, required: true, schema: {type: string}}
        - {name: polite, in: query, schema: {type: boolean}}",
        );
    let api = load("small.openapi.yaml", &text).unwrap();
    let outputs = emit::api("crates/one-two", &api).unwrap();
    let is_api = |output: &&Output| output.path.ends_with("api.rs");
    let text = &outputs.iter().find(is_api).unwrap().text;
    let call = "client.say_hello(&user.name).polite(vouchsafe_one_two::POLITE).send().await?;";
    assert!(
        text.contains("/// # let client = 1;\n    /// # let user = vouchsafe_one_two::user();\n")
            && text.contains(&format!("/// let answer = {call}\n")),
        "{text}"
    );
}

const SMALL: &str = "
openapi: 3.1.0
info: {title: Small, version: '1'}
paths:
  /hello:
    get:
      operationId: sayHello
      summary: Say hello
      responses:
        '200':
          description: Said
          content:
            application/json:
              schema: {oneOf: [{type: string}, {type: integer}]}
              example: hello
";
