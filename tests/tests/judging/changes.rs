//! Changes of a right case, each of which makes it wrong: so nothing of a case goes unjudged.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Writes the cases of a folder to another, each once for each change.
pub(crate) fn write(from: &Path, to: &Path) -> usize {
    write_each(from, to, changed)
}

/// Writes the cases of command line tools in the same way.
pub(crate) fn write_runs(from: &Path, to: &Path) -> usize {
    write_each(from, to, changed_run)
}

fn write_each(from: &Path, to: &Path, change: fn(&Value) -> Vec<Value>) -> usize {
    fs::create_dir_all(to).unwrap();
    let mut written = 0;
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        let cases = file["cases"].as_array().unwrap();
        let changed: Vec<_> = cases.iter().flat_map(change).collect();
        written += changed.len();
        file["cases"] = changed.into();
        fs::write(to.join(entry.file_name()), file.to_string()).unwrap();
    }
    written
}

/// Returns a case with each change, which its id names.
fn changed(case: &Value) -> Vec<Value> {
    let mut all = Changed {
        case,
        all: Vec::new(),
    };
    all.put("/policy", json!("odd"));
    all.put("/class", json!("odd"));
    all.more("");
    all.more("/setup");
    for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
        let at = |member: &str| format!("/steps/{number}{member}");
        all.put(&at("/do"), json!("odd"));
        all.more(&at(""));
        all.more(&at("/args"));
        all.more(&at("/outcome"));
        let raised = json!({
            "class": "PartialCredentialsError", "library_error": true, "bases": [],
            "message": "Missing: odd", "message_portable": true,
        });
        match step["outcome"].get("ok") {
            Some(_) => {
                all.put(&at("/outcome/ok"), json!({"odd": 1}));
                all.put(&at("/outcome"), json!({ "err": raised }));
            }
            None => all.put(&at("/outcome"), json!({"ok": null})),
        }
        for (member, value) in [
            ("status", json!(299)),
            ("body", json!("odd")),
            ("url", json!("http://127.0.0.1:$PORT/odd")),
            ("history", json!(7)),
        ] {
            let place = format!("/outcome/ok/response/{member}");
            if step.pointer(&place).is_some() {
                all.put(&at(&place), value);
            }
        }
        if let Some(items) = step.get("yielded_before_error") {
            let more = items.as_array().unwrap().iter().chain([items]).cloned();
            all.put(&at("/yielded_before_error"), more.collect());
        }
        // The other steps write no file.
        if step["do"] == "refresh" {
            let text = step["store_after"]["text"].as_str().unwrap();
            all.put(&at("/store_after/text"), json!(format!("{text} ")));
        }
        let exchanges = step["exchanges"].as_array().unwrap();
        for (number, exchange) in exchanges.iter().enumerate() {
            let at = |member: &str| at(&format!("/exchanges/{number}{member}"));
            all.more(&at("/request"));
            all.more(&at("/response"));
            all.put(&at("/request/method"), json!("PATCH"));
            let target = exchange["request"]["target"].as_str().unwrap();
            all.put(&at("/request/target"), json!(format!("{target}?odd=1")));
            all.put(&at("/request/body"), json!(r#"{"odd": 1}"#));
            let odd = json!([["Authorization", "Bearer odd"], ["Accept", "odd"]]);
            all.put(&at("/request/headers"), odd);
        }
        if let Some(first) = exchanges.first() {
            let twice = exchanges.iter().chain([first]).cloned().collect();
            all.put(&at("/exchanges"), Value::Array(twice));
        }
    }
    all.all
}

/// Returns a case of a command line tool with each change.
fn changed_run(case: &Value) -> Vec<Value> {
    let mut all = Changed {
        case,
        all: Vec::new(),
    };
    all.put("/policy", json!("odd"));
    all.put("/class", json!("odd"));
    all.more("");
    all.more("/setup");
    let at = |member: &str| format!("/steps/0{member}");
    let step = &case["steps"][0];
    all.more(&at(""));
    all.more(&at("/outcome"));
    all.put(&at("/do"), json!("odd"));
    all.put(&at("/program"), json!("odd.py"));
    let code = step["outcome"]["exit_code"].as_i64().unwrap();
    all.put(&at("/outcome/exit_code"), json!(1 - code));
    let revokes = step["args"].to_string().contains("revoke");
    let text = step["store_after"]["text"].as_str().unwrap();
    let text = match revokes {
        // The file is compared by its values.
        true => text.replace("own-client", "odd"),
        false => format!("{text} "),
    };
    all.put(&at("/store_after/text"), json!(text));
    if step["outcome"]["stdout"]
        .as_str()
        .is_some_and(|text| !text.is_empty())
    {
        all.put(&at("/outcome/stdout"), json!("{\"odd\": 1}\n"));
        all.put(&at("/outcome/stdout"), json!(""));
    }
    let exchanges = step["exchanges"].as_array().unwrap();
    for (number, exchange) in exchanges.iter().enumerate() {
        let at = |member: &str| at(&format!("/exchanges/{number}{member}"));
        all.more(&at("/request"));
        all.more(&at("/response"));
        all.put(&at("/request/method"), json!("PATCH"));
        let target = exchange["request"]["target"].as_str().unwrap();
        all.put(&at("/request/target"), json!(format!("{target}?odd=1")));
        all.put(&at("/request/body"), json!(r#"{"odd": 1}"#));
        let odd = json!([["Authorization", "Bearer odd"], ["Accept", "odd"]]);
        all.put(&at("/request/headers"), odd);
    }
    if let Some(first) = exchanges.first() {
        let twice = exchanges.iter().chain([first]).cloned().collect();
        all.put(&at("/exchanges"), Value::Array(twice));
    }
    all.all
}

struct Changed<'c> {
    case: &'c Value,
    all: Vec<Value>,
}

impl Changed<'_> {
    fn put(&mut self, place: &str, value: Value) {
        let mut case = self.case.clone();
        *case.pointer_mut(place).unwrap() = value;
        self.add(case, place);
    }

    /// Adds a member that the schema does not have.
    fn more(&mut self, place: &str) {
        let mut case = self.case.clone();
        case.pointer_mut(place).unwrap()["odd"] = json!(1);
        self.add(case, &format!("{place}/odd"));
    }

    fn add(&mut self, mut case: Value, place: &str) {
        let id = case["id"].as_str().unwrap();
        // Twice at one place: as another value, and as an error.
        let id = format!("{id} {place} {}", self.all.len());
        case["id"] = id.into();
        self.all.push(case);
    }
}
