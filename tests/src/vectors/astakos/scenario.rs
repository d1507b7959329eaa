//! Runs scenarios: steps in order against one emulator that begins with the fixture.

use std::fs;
use std::path::Path;

use http::{HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};
use vouchsafe::astakos::mock::{Seed, Server};
use vouchsafe::core::transport::{Request, Response};

use super::answers::Known;
use crate::vectors::Report;
use crate::vectors::emulator::on_the_wire;
use crate::vectors::report::Judgement;
use crate::vectors::schema::unknown_key;

/// Judges the scenario of a file.
pub(super) fn run(folder: &Path, file: &Value, report: &mut Report) {
    let id = file["id"].as_str().unwrap_or_default();
    let mut judgement = Judgement::default();
    if let Err(why) = judge(folder, file, &mut judgement) {
        judgement.differ(why);
    }
    report.add(&format!("scenario/{id}"), judgement);
}

fn judge(folder: &Path, file: &Value, judgement: &mut Judgement) -> Result<(), String> {
    if let Some(key) = unknown_key(file, &["schema", "id", "about", "fixture", "steps"]) {
        return Err(format!("unknown key {key:?} of a scenario"));
    }
    let fixture = file["fixture"].as_str().unwrap_or_default();
    let fixture = fs::read_to_string(folder.join(fixture))
        .map_err(|cause| format!("the fixture {fixture}: {cause}"))?;
    let seed = Seed::parse(&fixture).map_err(|fault| fault.to_string())?;
    let server = Server::builder().seed(seed).start();
    let mut run = Run {
        server: server.map_err(|fault| fault.to_string())?,
        known: Known::default(),
    };
    let fixture: Value = serde_json::from_str(&fixture).map_err(|cause| cause.to_string())?;
    run.know(&fixture);
    let steps = file["steps"].as_array().ok_or("there are no steps")?;
    for (number, step) in steps.iter().enumerate() {
        check_keys(step)?;
        let title = step["title"].as_str().unwrap_or_default();
        judgement.at(format!("step {number} {title:?}"));
        judgement.judged();
        for difference in run.step(step)? {
            judgement.differ(difference);
        }
    }
    Ok(())
}

/// Refuses a step that says what is not known here.
fn check_keys(step: &Value) -> Result<(), String> {
    let request = [
        "method",
        "target",
        "headers",
        "json",
        "text",
        "text_latin1",
        "secure",
        "no_content_length",
    ];
    let response = ["status", "headers", "json", "text", "text_omitted", "empty"];
    let unknown = unknown_key(step, &["title", "request", "response", "bind", "note"])
        .or_else(|| unknown_key(&step["request"], &request))
        .or_else(|| unknown_key(&step["response"], &response));
    match unknown {
        Some(key) => Err(format!("unknown key {key:?} in a step")),
        None => Ok(()),
    }
}

/// A running scenario.
struct Run {
    server: Server,
    known: Known,
}

impl Run {
    fn know(&mut self, fixture: &Value) {
        let origins = [
            ("origin", format!("http://{HOST}")),
            ("secure_origin", format!("https://{HOST}")),
            ("host_encoded", HOST.replace(':', "%3A")),
        ];
        for (name, value) in origins {
            self.known.bound.insert(name.to_owned(), value.into());
        }
        let projects = fixture["projects"].as_array().into_iter().flatten();
        let undescribed = projects.filter(|project| project.get("description").is_none());
        let ids = undescribed.filter_map(|project| project["uuid"].as_str());
        self.known.described_nowhere = ids.map(str::to_owned).collect();
    }

    /// Runs a step, and returns the differences.
    fn step(&mut self, step: &Value) -> Result<Vec<String>, String> {
        let expected = &step["response"];
        let asked = &step["request"];
        let got = self.server.handle(&self.request(asked)?);
        let body = serde_json::from_slice::<Value>(&got.body);
        if let Some(binds) = step["bind"].as_object() {
            let body = body
                .as_ref()
                .map_err(|_| "nothing to bind, as the answer is no JSON");
            for (name, pointer) in binds {
                let pointer = pointer.as_str().unwrap_or_default();
                let value = body?.pointer(pointer).cloned();
                let value = value.ok_or_else(|| format!("nothing at {pointer} to bind {name}"))?;
                self.known.bound.insert(name.clone(), value);
            }
        }
        let mut found = Vec::new();
        let status = u64::from(got.status.as_u16());
        let expected_status = expected["status"].as_u64().unwrap_or_default();
        // What the server does not guard against, an emulator may refuse, and the page that the
        // server then shows is not part of the protocol.
        let is_page = expected.get("text_omitted").is_some();
        if expected_status == 500 && (status == 400 || status == 500 && is_page) {
            return Ok(found);
        }
        if self.blames_another(asked, expected, &got, body.as_ref().ok()) {
            return Ok(found);
        }
        if status != expected_status {
            found.push(format!("status: expected {expected_status}, got {status}"));
        }
        found.extend(headers(expected, &got));
        if let Some(wanted) = expected.get("json") {
            let wanted = self.known.filled(wanted);
            match &body {
                Ok(body) => {
                    let wanted = without_leftovers(made_anew(wanted, body, asked));
                    found.extend(self.known.differences(&wanted, body));
                }
                Err(_) => found.push(format!("body: expected {wanted}, got no JSON")),
            }
        } else if let Some(wanted) = expected["text"].as_str() {
            let wanted = self.known.filled_text(wanted);
            found.extend(self.texts(&wanted, &String::from_utf8_lossy(&got.body)));
        } else if expected["empty"] == true && !got.body.is_empty() {
            found.push("body: expected none".to_owned());
        } else if expected["empty"] != true && expected.get("text_omitted").is_none() {
            return Err("the step expects nothing that is known".to_owned());
        }
        Ok(found)
    }

    fn request(&self, asked: &Value) -> Result<Request, String> {
        let method = asked["method"].as_str().unwrap_or_default();
        let method = Method::from_bytes(method.as_bytes()).map_err(|fault| fault.to_string())?;
        let is_secure = asked["secure"] == true;
        let scheme = if is_secure { "https" } else { "http" };
        let target = self
            .known
            .filled_text(asked["target"].as_str().unwrap_or_default());
        let uri: Uri = format!("{scheme}://{HOST}{}", on_the_wire(&target))
            .parse()
            .map_err(|fault| format!("{target}: {fault}"))?;
        let mut request = Request::new(method, uri);
        let mut add = |name: &str, value: &str| {
            let name = HeaderName::try_from(name).map_err(|fault| fault.to_string())?;
            let value =
                HeaderValue::from_bytes(value.as_bytes()).map_err(|fault| fault.to_string())?;
            request.headers.append(name, value);
            Ok::<_, String>(())
        };
        add("host", HOST)?;
        for header in asked["headers"].as_array().into_iter().flatten() {
            let [name, value] = [&header[0], &header[1]].map(|v| v.as_str().unwrap_or_default());
            add(name, &self.known.filled_text(value))?;
        }
        let body = if let Some(json) = asked.get("json") {
            self.known.filled(json).to_string().into_bytes()
        } else if let Some(latin1) = asked["text_latin1"].as_str() {
            let bytes = latin1.chars().map(|c| u8::try_from(u32::from(c)));
            bytes
                .collect::<Result<_, _>>()
                .map_err(|_| "a character beyond latin-1".to_owned())?
        } else {
            let text = asked["text"].as_str().unwrap_or_default();
            self.known.filled_text(text).into_bytes()
        };
        if !body.is_empty() && asked["no_content_length"] != true {
            add("content-length", &body.len().to_string())?;
        }
        request.body = body.into();
        Ok(request)
    }

    /// Whether a commission was refused for another of its provisions than the recorded one, as
    /// the server may when several fail. The recorded one must fail as recorded when it is alone.
    fn blames_another(
        &self,
        asked: &Value,
        expected: &Value,
        got: &Response,
        body: Option<&Value>,
    ) -> bool {
        let recorded = &self.known.filled(&expected["json"]);
        let (Some(one), Some(other)) = (blamed(recorded), body.and_then(blamed)) else {
            return false;
        };
        let is_other = one != other && got.status.is_client_error();
        let asked = &self.known.filled(asked);
        let is_asked = asked["json"]["provisions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|each| has_names_of(each, other)));
        if !is_other || !is_asked {
            return false;
        }
        let mut alone = asked.clone();
        alone["json"]["provisions"] = json!([one]);
        let Ok(request) = self.request(&alone) else {
            return false;
        };
        let again = self.server.handle(&request);
        let Ok(body) = serde_json::from_slice::<Value>(&again.body) else {
            return false;
        };
        let recorded = without_leftovers(recorded.clone());
        u64::from(again.status.as_u16()) == expected["status"].as_u64().unwrap_or_default()
            && self.known.differences(&recorded, &body).is_empty()
    }

    /// Compares texts: XML without its words for people, a call of a script by its argument.
    fn texts(&self, expected: &str, got: &str) -> Vec<String> {
        if let (Some((name, one)), Some((other_name, other))) = (script(expected), script(got)) {
            if name != other_name {
                return vec![format!("body: expected a call of {name}, got {other_name}")];
            }
            return self.known.differences(&one, &other);
        }
        let plain = |text: &str| {
            let text = without_element(text, "message");
            without_element(&text, "details")
        };
        if plain(expected) == plain(got) {
            Vec::new()
        } else {
            vec![format!("body: expected {expected:?}, got {got:?}")]
        }
    }
}

/// Where the emulator is asked.
const HOST: &str = "127.0.0.1:8000";

fn headers(expected: &Value, got: &Response) -> Vec<String> {
    let mut found = Vec::new();
    for header in expected["headers"].as_array().into_iter().flatten() {
        let [name, value] = [&header[0], &header[1]].map(|v| v.as_str().unwrap_or_default());
        let other = got.headers.get(name).and_then(|value| value.to_str().ok());
        let same = match name {
            "allow" => listed(value) == listed(other.unwrap_or_default()),
            "content-type" => other.is_some_and(|other| other.eq_ignore_ascii_case(value)),
            // Where to is compared by the steps that follow.
            "location" => other.is_some(),
            // The protocol speaks of no other.
            _ => true,
        };
        if !same {
            found.push(format!("{name}: expected {value:?}, got {other:?}"));
        }
    }
    found
}

fn listed(allow: &str) -> Vec<&str> {
    let mut methods: Vec<_> = allow.split(',').map(str::trim).collect();
    methods.sort_unstable();
    methods
}

/// The provision that a fault of a commission is about.
fn blamed(body: &Value) -> Option<&Value> {
    let (_, fault) = body.as_object()?.iter().next()?;
    fault.get("data")?.get("provision")
}

fn has_names_of(one: &Value, other: &Value) -> bool {
    ["holder", "source", "resource"]
        .iter()
        .all(|name| one[name] == other[name])
}

/// Takes the ids that a server generates from its answer, where the scenario does not bind them:
/// they need only be of the same kind.
fn made_anew(mut expected: Value, got: &Value, asked: &Value) -> Value {
    let is_commission = asked["json"].get("provisions").is_some();
    let name = if is_commission { "serial" } else { "id" };
    let is_made = expected.get("serial").is_some() || expected.get("application").is_some();
    if asked["method"] != "GET" && is_made {
        let (one, other) = (&expected[name], &got[name]);
        if (one.is_u64() && other.is_u64()) || (one.is_string() && other.is_string()) {
            expected[name] = other.clone();
        }
    }
    expected
}

/// Takes out of a missing holding's fault what an earlier fault left in it.
fn without_leftovers(mut expected: Value) -> Value {
    if let Some(data) = expected.pointer_mut("/itemNotFound/data")
        && let Some(data) = data.as_object_mut()
    {
        data.remove("limit");
        data.remove("usage");
    }
    expected
}

/// Reads `name(JSON)`.
fn script(text: &str) -> Option<(&str, Value)> {
    let (name, argument) = text.strip_suffix(')')?.split_once('(')?;
    Some((name, serde_json::from_str(argument).ok()?))
}

fn without_element(text: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    match (text.find(&open), text.find(&close)) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{}", &text[..from + open.len()], &text[to..])
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_says_something_unknown_is_refused() {
        let step = json!({"request": {"method": "GET"}, "response": {"status": 200}});
        assert_eq!(check_keys(&step), Ok(()));
        for (place, key) in [("request", "cookies"), ("response", "trailers")] {
            let mut step = step.clone();
            step[place][key] = json!([]);
            assert!(check_keys(&step).is_err(), "{key}");
        }
    }
}
