//! The command line that writes credentials, which the program accepts as it is.

use serde_json::{Map, Value};

use super::constructor::VARIABLES;
use super::line::{Line, Print};
use super::machine::{Machine, Order};
use super::{Case, Run};
use crate::vectors::report::Judgement;

/// Returns whether a command line only sets properties, if any, and then writes.
pub(super) fn is_one(line: &Line) -> bool {
    let Some((last, before)) = line.deeds.split_last() else {
        return false;
    };
    let writes = last.name == "write_credentials" && last.set.is_none();
    writes && last.args.is_empty() && before.iter().all(|deed| deed.set.is_some())
}

/// Runs it. Secrets are refused as arguments, so they are given in a file; so is what sets properties, which
/// are arguments of the constructor, too.
pub(super) async fn judge(
    machine: &Machine,
    run: &Run,
    case: &Case,
    line: &Line,
    judgement: &mut Judgement,
) -> Result<(), String> {
    let setters = || line.deeds.iter().filter(|deed| deed.set.is_some());
    let before = machine.there();
    let is_given = |name: &str| setters().any(|deed| deed.name == name);
    if setters().next().is_some()
        && !is_given("access_token")
        && before
            .as_ref()
            .is_some_and(|text| text.contains("\"access_token\": \""))
    {
        judgement.waive("cli: a stored token does not outlive a change of its client (D23)");
        return Ok(());
    }
    let mut order = Order {
        arguments: vec!["credentials".to_owned()],
        input: run.stdin.clone(),
        ..Order::default()
    };
    let mut literal = order.arguments.clone();
    let mut secrets = Vec::new();
    let mut words = run.args.iter().map(|word| machine.replaced(word));
    while let Some(word) = words.next() {
        literal.push(word.clone());
        match word.as_str() {
            "--write" | "-p" => {}
            "-s" | "-m" | "-J" | "--debug" => literal.extend(words.next()),
            "--R0" => {
                let mut given = words.next().unwrap_or_default();
                literal.push(given.clone());
                if let Ok(Value::Object(members)) = serde_json::from_str(&given) {
                    let found = secrets_of(&members);
                    if !found.is_empty() {
                        given = format!("r0-{}.json", order.arguments.len());
                        machine.write(&given, &Value::Object(members).to_string())?;
                        secrets.extend(found);
                    }
                }
                order.arguments.extend(["--R0".to_owned(), given]);
            }
            _ => order.arguments.push(word),
        }
    }
    if !secrets.is_empty() {
        let refused = Order {
            arguments: literal,
            input: run.stdin.clone(),
            ..Order::default()
        };
        let refused = machine.run(&refused).await?;
        refused.compare_failure(true, judgement);
        refused.compare_hidden(secrets.iter().map(String::as_str), judgement);
        machine.compare_unchanged(before.as_ref(), judgement);
    }
    let set: Map<String, Value> = setters()
        .filter_map(|deed| Some((deed.name.clone(), deed.set.clone()?)))
        .collect();
    if !set.is_empty() {
        let name = "properties.json";
        machine.write(name, &Value::Object(set).to_string())?;
        let more = ["--R0", name].map(str::to_owned);
        order.arguments.extend(more);
    }
    order.arguments.push("--write".to_owned());
    let is_without = is_without_values(machine, line);
    let ran = machine.run(&order).await?;
    if is_without && !machine.is_damaged {
        judgement.waive("cli: where there are no values, none are written");
        machine.compare_unchanged(before.as_ref(), judgement);
        return Ok(());
    }
    let has_failed = run.outcome.exit_code != 0 || machine.is_damaged;
    ran.compare_failure(has_failed, judgement);
    if has_failed {
        // Why it failed is said in words of Python.
        judgement.compare("standard output", &"", &ran.out.as_str());
        machine.compare_unchanged(before.as_ref(), judgement);
        return Ok(());
    }
    let is_python = line
        .deeds
        .iter()
        .any(|deed| deed.print == Print::Python || deed.is_selected);
    if !is_python && !line.prints_class {
        judgement.compare("standard output", &run.outcome.stdout, &Some(ran.out));
    }
    if !line.is_debugged && case.policy == "match" {
        let is_setter = |told: &&str| told.starts_with("Credentials.") && told.contains(" = ");
        let told = run.outcome.stderr.as_deref().unwrap_or_default();
        let told = told.split_inclusive('\n').filter(|line| !is_setter(line));
        judgement.compare("standard error", &told.collect::<String>(), &ran.err);
    }
    if let Some(after) = &run.store_after {
        machine.compare_file(before.as_ref(), after, judgement);
    }
    Ok(())
}

/// Returns whether there is nothing to write, neither given nor in the environment or the file.
fn is_without_values(machine: &Machine, line: &Line) -> bool {
    let given = line.of_class('C');
    let member = |name: &str| given.and_then(|given| given.get(name)?.as_str());
    let is_there = |name: &str| member(name).is_some_and(|value| !value.is_empty());
    let is_set = |name: &str| {
        line.deeds
            .iter()
            .any(|deed| deed.set.is_some() && deed.name == name)
    };
    let unprefixed = ["CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"];
    let is_variable = |name: &&str| machine.variable(name).is_some();
    let profile = member("profile").filter(|name| !name.is_empty());
    VARIABLES
        .iter()
        .all(|(name, variable)| !is_there(name) && !is_set(name) && !is_variable(variable))
        && !unprefixed.iter().all(is_variable)
        && machine.document(profile.unwrap_or("default")).is_none()
}

fn secrets_of(members: &Map<String, Value>) -> Vec<String> {
    let names = [
        "access_token",
        "auth",
        "client_secret",
        "cookies",
        "developer_token",
        "refresh_token",
    ];
    let values = names.iter().filter_map(|name| members.get(*name));
    let values = values.filter(|value| !value.is_null());
    let texts = values.map(|value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    });
    texts.collect()
}
