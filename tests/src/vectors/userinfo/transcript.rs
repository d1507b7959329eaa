//! Runs the transcript of the Python mock against the emulator, which behaves like the server and
//! not like that mock: where the two differ (protocol sections 10 and 12), the server's answer
//! is expected.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Uri};
use serde_json::{Value, json};
use vouchsafe::core::Clock;
use vouchsafe::core::timestamp;
use vouchsafe::core::transport::{Request, Response};
use vouchsafe::userinfo::mock::{Action, Seed, Server, User};
use vouchsafe::userinfo::{BotUsername, Scope, Token, Username};

use crate::vectors::compare::{Comparison, is_token};
use crate::vectors::report::Judgement;
use crate::vectors::schema::{Table, unknown_key};

/// Judges the rows in order, as one run.
pub(super) fn judge(table: &Table, judgement: &mut Judgement) {
    let mut world = match World::start(table) {
        Ok(world) => world,
        Err(why) => return judgement.differ(format!("no server: {why}")),
    };
    for (number, (step, result)) in table.rows.iter().enumerate() {
        judgement.at(format!(
            "row {number} {}",
            step["title"].as_str().unwrap_or_default()
        ));
        let known = [
            "title", "note", "action", "method", "path", "token", "scheme", "body",
        ];
        if let Some(key) = unknown_key(step, &known)
            .or_else(|| unknown_key(result, &["status", "body", "unchecked", "exception"]))
        {
            judgement.differ(format!("unknown key {key:?}"));
            continue;
        }
        match step.get("action") {
            // What the mock refuses to be set up with, it does not have.
            Some(_) if result.get("exception").is_some() => judgement.waive(REFUSED_BY_MOCK),
            Some(action) => {
                if let Err(why) = world.act(action) {
                    judgement.differ(why);
                }
            }
            None => world.step(step, result, judgement),
        }
    }
}

/// What the mock knows and the server cannot store.
const FOLLOWS: &str = "the mock made a token that the server refuses to make, so there is none \
                       to present";

const REFUSED_BY_MOCK: &str = "the mock refuses to be set up so";

struct World {
    server: Server,
    tokens: BTreeMap<&'static str, Token>,
    /// The token made last, if the server made it.
    new: Option<Token>,
    /// Users of the directory, with what was set for them.
    users: BTreeMap<String, Value>,
    groups: BTreeMap<String, (i64, BTreeSet<String>)>,
}

impl World {
    fn start(table: &Table) -> Result<Self, String> {
        let system: BTreeSet<&str> = table
            .rows
            .iter()
            .filter_map(|(step, _)| step.pointer("/action/set_groups/system")?.as_array())
            .flatten()
            .filter_map(|group| group["name"].as_str())
            .collect();
        let seed = json!({
            "base_hostname": "mock.example.com",
            "configs": {"mock": {
                "directory": true,
                "add_user_group": false,
                "system_groups": system,
                "known_scopes": KNOWN_SCOPES,
                "quota": null,
            }},
            "directory": {"users": [], "groups": []},
            "tokens": [],
        });
        let seed = Seed::parse(&seed.to_string(), "mock").map_err(|fault| fault.to_string())?;
        let server = Server::from_seed(&seed);
        let make = |username: &str, scopes: &[&str]| {
            server.create_token(username).scopes(scopes.iter().copied())
        };
        // As the notes of the recorded transcript tell them.
        let tokens = [
            ("user", make("someuser", &[]).issue()),
            (
                "admin",
                make("admin", &["admin:userinfo", "admin:token"]).issue(),
            ),
            ("userinfo", make("reader", &["admin:userinfo"]).issue()),
            (
                "expired",
                make("someuser", &[]).expires_in(Duration::ZERO).issue(),
            ),
            (
                "expired_admin",
                make("admin", &["admin:userinfo"])
                    .expires_in(Duration::ZERO)
                    .issue(),
            ),
        ];
        Ok(Self {
            server,
            tokens: tokens.into(),
            new: None,
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
        })
    }

    fn act(&mut self, action: &Value) -> Result<(), String> {
        let unknown = || format!("unknown action {action}");
        if action.as_object().is_none_or(|members| members.len() != 1) {
            return Err(unknown());
        }
        let name = || action.as_object()?.values().next()?.get(0)?.as_str();
        if let Some([_, info]) = action
            .get("set_user_info")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            self.set_user(name().ok_or_else(unknown)?, info);
        } else if let Some(groups) = action.get("set_groups") {
            let lists = groups
                .as_object()
                .into_iter()
                .flat_map(|lists| lists.values());
            for group in lists.filter_map(Value::as_array).flatten() {
                self.set_group(group, None);
            }
        } else if let Some([_, actions]) = action
            .get("fail_on")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
        {
            let one = std::slice::from_ref(actions);
            let actions = actions.as_array().map_or(one, Vec::as_slice);
            let actions = actions
                .iter()
                .map(|action| match action.as_str() {
                    Some("create_token") => Ok(Action::CreateToken),
                    Some("list_groups") => Ok(Action::ListGroups),
                    Some("list_users") => Ok(Action::ListUsers),
                    Some("user_info") => Ok(Action::UserInfo),
                    _ => Err(unknown()),
                })
                .collect::<Result<Vec<_>, _>>()?;
            self.server.fail_on(name().ok_or_else(unknown)?, actions);
        } else {
            return Err(unknown());
        }
        Ok(())
    }

    fn set_user(&mut self, name: &str, info: &Value) {
        self.server.remove_user(name);
        self.users.remove(name);
        for (_, members) in self.groups.values_mut() {
            members.remove(name);
        }
        if info.is_null() {
            return;
        }
        self.users.insert(name.to_owned(), info.clone());
        let mut user = User::new(name);
        if let Some(full) = info["name"].as_str() {
            user = user.name(full);
        }
        if let Some(email) = info["email"].as_str() {
            user = user.email(email);
        }
        if let Some(uid) = info["uid"].as_i64() {
            user = user.uid(uid);
        }
        if let Some(gid) = info["gid"].as_i64() {
            user = user.gid(gid);
        }
        self.server.add_user(user);
        for group in info["groups"].as_array().into_iter().flatten() {
            self.set_group(group, Some(name));
        }
    }

    fn set_group(&mut self, group: &Value, member: Option<&str>) {
        let name = group["name"].as_str().unwrap_or_default();
        let id = group["id"].as_i64().unwrap_or_default();
        let entry = self.groups.entry(name.to_owned()).or_default();
        entry.0 = id;
        entry.1.extend(member.map(str::to_owned));
        self.server.add_group(name, id, &entry.1);
    }

    fn step(&mut self, step: &Value, result: &Value, judgement: &mut Judgement) {
        let credential = match step["token"].as_str() {
            None => None,
            Some("new") => match &self.new {
                Some(token) => Some(token.secret().expose().to_owned()),
                None => return judgement.waive(FOLLOWS),
            },
            Some(name) => Some(match self.tokens.get(name) {
                Some(token) => token.secret().expose().to_owned(),
                None => name.to_owned(),
            }),
        };
        let response = match request(step, credential.as_deref()) {
            Ok(request) => self.server.handle(&request),
            Err(why) => return judgement.differ(format!("the request cannot be formed: {why}")),
        };
        let body: Value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        if is_creation(step) {
            let made = body["token"]
                .as_str()
                .and_then(|text| Token::parse(text).ok());
            self.new = made;
        }
        if result["unchecked"] == true {
            return;
        }
        judgement.judged();
        let due = self.due(step, result);
        if i64::from(response.status.as_u16()) != due {
            judgement.differ(format!("status: expected {due}, got {}", shown(&response)));
        } else if let Some(expected) = self.due_body(step, result) {
            let by = Comparison::default()
                .unordered(&["body.user".to_owned(), "body.system".to_owned()]);
            let body = without_quota(&body);
            for difference in by.differences(&without_quota(&expected), &body, "body") {
                judgement.differ(difference);
            }
        } else if is_creation(step) && due == 201 && !body["token"].as_str().is_some_and(is_token) {
            judgement.differ("body.token: not a token");
        }
    }

    /// Returns the status with which the server answers.
    fn due(&self, step: &Value, result: &Value) -> i64 {
        let recorded = result["status"].as_i64().unwrap_or_default();
        let name = step["token"].as_str();
        match name {
            None => return 401,
            Some("expired" | "expired_admin") => return 401,
            Some(name) if name != "new" && !self.tokens.contains_key(name) => return 401,
            Some(_) => {}
        }
        if is_creation(step) {
            let body = &step["body"];
            return match (recorded, self.would_refuse(body)) {
                // A fault of the mock itself: a body that lacks what it needs.
                (0, _) => 422,
                (200..300, Some(status)) => status,
                (200..300, None) => 201,
                (422, Some(status)) => status,
                (recorded, _) => recorded,
            };
        }
        let path = step["path"].as_str().unwrap_or_default();
        let asked = path.strip_prefix("/users/");
        if asked.is_some_and(|asked| Username::parse(asked).is_err()) {
            return 422;
        }
        match recorded {
            // For the server, a user who was never set is only a name; lists may be empty.
            404 => 200,
            // One's own name needs no scope, and one's own information needs none by any scheme.
            403 if path == "/user-info" => 200,
            403 if name == Some("user") && asked == Some("someuser") => 200,
            recorded => recorded,
        }
    }

    /// Returns how the server refuses to make a token that the mock makes, if it does.
    fn would_refuse(&self, body: &Value) -> Option<i64> {
        let username = body["username"].as_str().unwrap_or_default();
        if BotUsername::parse(username).is_err() {
            let is_user = Username::parse(username).is_ok();
            return Some(if is_user { 403 } else { 422 });
        }
        let mut scopes = body["scopes"].as_array().into_iter().flatten();
        let is_unknown = |scope: &Value| {
            let scope = scope.as_str().unwrap_or_default();
            Scope::parse(scope).is_err() || !KNOWN_SCOPES.contains(&scope)
        };
        let expires = body["expires"].as_str().and_then(timestamp::parse);
        let soonest = self.server.clock().now() + Duration::from_secs(300);
        (scopes.any(is_unknown) || expires.is_some_and(|at| at < soonest)).then_some(422)
    }

    /// Returns the body with which the server answers, quotas apart: those it works out from
    /// rules, and no rule can be set per user.
    fn due_body(&self, step: &Value, result: &Value) -> Option<Value> {
        let recorded = result.get("body").filter(|_| !is_creation(step))?;
        let path = step["path"].as_str().unwrap_or_default();
        if path == "/users" {
            // Only the directory counts, not tokens; sorted by name.
            return Some(self.users.values().cloned().collect());
        }
        if path == "/groups" {
            let list = |name: &str| recorded[name].as_array().cloned().unwrap_or_default();
            let mut groups = BTreeMap::from([("user", list("user")), ("system", list("system"))]);
            for (name, (id, _)) in &self.groups {
                let group = json!({"name": name, "id": id});
                if !groups.values().any(|list| list.contains(&group)) {
                    groups.entry("user").or_default().push(group);
                }
            }
            groups.retain(|_, list| !list.is_empty());
            return Some(json!(groups));
        }
        if let Some(name) = path.strip_prefix("/users/") {
            // What a token says of its user is not known by the user's name.
            let by_name = json!({"username": name});
            return Some(self.users.get(name).cloned().unwrap_or(by_name));
        }
        Some(recorded.clone())
    }
}

fn request(step: &Value, credential: Option<&str>) -> Result<Request, String> {
    let text = |name: &str| step[name].as_str().unwrap_or_default();
    let method = Method::from_bytes(text("method").as_bytes()).map_err(|e| e.to_string())?;
    let uri: Uri = format!("https://mock.example.com/auth/api/v1{}", text("path"))
        .parse()
        .map_err(|e: http::uri::InvalidUri| e.to_string())?;
    let mut request = Request::new(method, uri);
    if let Some(credential) = credential {
        let scheme = text("scheme");
        let credential = if scheme.eq_ignore_ascii_case("basic") {
            STANDARD.encode(format!("{credential}:x-oauth-basic"))
        } else {
            credential.to_owned()
        };
        let value = HeaderValue::from_str(&format!("{scheme} {credential}"));
        request
            .headers
            .insert(AUTHORIZATION, value.map_err(|e| e.to_string())?);
    }
    if !step["body"].is_null() {
        let json = HeaderValue::from_static("application/json");
        request.headers.insert(CONTENT_TYPE, json);
        request.body = step["body"].to_string().into();
    }
    Ok(request)
}

fn is_creation(step: &Value) -> bool {
    step["method"] == "POST" && step["path"] == "/tokens"
}

fn shown(response: &Response) -> String {
    format!(
        "{}: {}",
        response.status.as_u16(),
        String::from_utf8_lossy(&response.body)
    )
}

/// Leaves out quotas, and lists that are empty: the routes by name leave those out.
fn without_quota(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .filter(|(name, value)| *name != "quota" && **value != json!([]))
            .map(|(name, value)| (name.clone(), without_quota(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_quota).collect(),
        other => other.clone(),
    }
}

const KNOWN_SCOPES: &[&str] = &["admin:token", "admin:userinfo", "read:all", "user:token"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_and_actions_that_are_not_known_fail() {
        let get = |more: Value| {
            let mut step = json!({"method": "GET", "path": "/user-info", "token": "user",
                                  "scheme": "Bearer", "body": null});
            step.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            step
        };
        for (row, differs) in [
            (json!([get(json!({})), {"status": 404}]), false),
            (json!([get(json!({"cookie": "x"})), {"status": 404}]), true),
            (
                json!([get(json!({})), {"status": 404, "headers": {}}]),
                true,
            ),
            (json!([{"action": {"forget": ["someuser"]}}, null]), true),
            (
                json!([{"action": {"set_groups": {}, "fail_on": ["u", []]}}, null]),
                true,
            ),
            (
                json!([{"action": {"set_user_info": ["a", {"username": "b"}]}}, {"exception": "ValueError"}]),
                false,
            ),
        ] {
            let table = Table {
                rows: serde_json::from_value(json!([row])).unwrap(),
                ..Table::default()
            };
            let mut judgement = Judgement::default();
            judge(&table, &mut judgement);
            assert_eq!(
                judgement.differences().is_empty(),
                !differs,
                "{row}: {judgement:?}"
            );
        }
    }
}
