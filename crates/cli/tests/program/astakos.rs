//! `vouchsafe astakos` against a served emulator.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Played, Run, program, run};

struct World(Played);

impl World {
    fn new() -> Self {
        let arguments = ["serve", "--service", "astakos=0", "--until-stdin-closes"];
        Self(Played::start(&mut program(&arguments)))
    }

    fn token(&self, whose: &str) -> &str {
        self.0.ready["tokens"]["astakos"][whose].as_str().unwrap()
    }

    fn command(&self, whose: &str, arguments: &[&str]) -> Command {
        let mut command = program(&[&["astakos"], arguments].concat());
        let url = &self.0.ready["services"]["astakos"]["identity"];
        command
            .env("ASTAKOS_AUTH_URL", url.as_str().unwrap())
            .env("ASTAKOS_TOKEN", self.token(whose));
        command
    }

    /// Asks, and makes sure that no token is shown.
    fn ask(&self, whose: &str, arguments: &[&str]) -> Run {
        let run = run(&mut self.command(whose, arguments));
        let shown = format!("{}{}", run.out, run.err);
        assert!(!shown.contains(self.token(whose)), "{shown}");
        run
    }

    fn json(&self, whose: &str, arguments: &[&str]) -> Value {
        self.ask(whose, &[arguments, &["--json"]].concat())
            .good()
            .json()
    }

    fn alice(&self) -> String {
        let info = self.json("alice", &["login-info"]);
        info["user"]["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn login_and_users() {
    let world = World::new();
    let people = world.ask("alice", &["login-info"]).good().out;
    assert!(
        people.contains("Alice") && people.contains("astakos_account"),
        "{people}"
    );
    let info = world.json("alice", &["login-info"]);
    assert!(info["catalog"].as_array().unwrap().len() > 2);
    let alice = world.alice();
    let names = world.ask("alice", &["users", "names", &alice, "nobody", "--json"]);
    assert_eq!(names.json(), json!({alice.as_str(): "alice@example.org"}));
    assert_eq!(names.code, 1);
    assert_eq!(names.error()["message"], "not found: nobody");
    let names = world.ask(
        "alice",
        &["users", "uuids", "a@example.org", "bob@example.org"],
    );
    assert_eq!(
        (names.code, names.err.trim()),
        (1, "error: not found: a@example.org")
    );
    assert!(names.out.contains("bob@example.org"), "{names:?}");
    world
        .ask("alice", &["users", "uuids", "a@example.org"])
        .bad(1);
    let uuids = world.json(
        "cyclades",
        &["users", "uuids", "--service", "Alice@example.org"],
    );
    assert_eq!(uuids, json!({"Alice@example.org": alice}));
    let all = world.ask("cyclades", &["users", "all"]).good().out;
    assert!(
        all.starts_with("UUID") && all.contains("bob@example.org"),
        "{all}"
    );
}

/// A served emulator of a generation, for a user and a service with tokens.
fn of_generation(dialect: &str) -> (Played, impl Fn(&str, &[&str]) -> Run) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.json");
    let user = |uuid: &str, is_admin: bool| {
        json!({"uuid": uuid, "username": format!("{uuid}@example.org"), "token": format!("{uuid}-token"),
               "project_admin": is_admin})
    };
    let project =
        |name: &str| json!({"uuid": name, "name": name, "owner": "alice", "resources": {}});
    let seed = json!({
        "users": [user("alice", false), user("carol", true)],
        "components": [{"name": "cyclades", "token": "cyclades-token", "services": ["cyclades_compute"]}],
        "resources": [{"name": "cyclades.vm", "service": "cyclades_compute", "system_project_default": 4}],
        "projects": [project("one.example.org"), project("two.example.org")],
        "settings": {"dialect": dialect},
    });
    std::fs::write(&path, seed.to_string()).unwrap();
    let seed = path.to_str().unwrap();
    let arguments = [
        "serve",
        "--service",
        "astakos=0",
        "--seed",
        seed,
        "--until-stdin-closes",
    ];
    let played = Played::start(&mut program(&arguments));
    let service = played.ready["services"]["astakos"].clone();
    let is_old = dialect == "0.14";
    let ask = move |whose: &str, arguments: &[&str]| {
        let mut command = program(&[&["astakos"], arguments].concat());
        command.env("ASTAKOS_TOKEN", format!("{whose}-token"));
        let text = |key: &str| service[key].as_str().unwrap().to_owned();
        match is_old {
            true => command.args(["--base-url", &text("base")]),
            false => command.env("ASTAKOS_AUTH_URL", text("identity")),
        };
        run(&mut command)
    };
    (played, ask)
}

#[test]
fn the_generation_is_found_out_where_it_matters() {
    for (dialect, source, holder) in [
        ("0.14", "system", "alice"),
        ("0.15", "system", "alice"),
        ("0.16", "alice", "user:alice"),
    ] {
        let (_played, ask) = of_generation(dialect);
        let entry = format!("{source}:cyclades.vm:1");
        let issue = ["commissions", "issue", "--user", "alice", &entry];
        let serial = ask("cyclades", &issue).good().out.trim().to_owned();
        let shown = ask("cyclades", &["commissions", "show", &serial, "--json"])
            .good()
            .json();
        assert_eq!(shown["provisions"][0]["holder"], holder, "{dialect}");
        let chosen = ask("cyclades", &["quotas", "--service", "--project", "alice"]);
        let by_project = ask("cyclades", &["quotas", "--service", "--by-project"]);
        let is_current = dialect == "0.16";
        for run in [chosen, by_project] {
            assert_eq!(run.code == 0, is_current, "{run:?}");
            assert!(
                is_current
                    || run
                        .err
                        .contains(&format!("servers of {dialect} do not have"))
            );
        }
    }
}

#[test]
fn projects_of_a_server_of_0_15_are_filtered_and_decided_about() {
    let (_played, ask) = of_generation("0.15");
    let list = ["projects", "list", "--name", "two.example.org", "--json"];
    let found = ask("alice", &list).good().json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["id"], 2);
    // The generation may be named instead.
    let named = [&list[..], &["--dialect", "0.15"]].concat();
    assert_eq!(ask("alice", &named).good().json(), found);
    ask("alice", &["projects", "list", "--mode", "member"]).bad(2);
    ask("alice", &["projects", "join", "2"]).good();
    let members = ask(
        "alice",
        &["projects", "memberships", "--project", "2", "--json"],
    );
    assert_eq!(members.good().json()[0]["project"], 2);
    let none = ask(
        "alice",
        &["projects", "memberships", "--project", "1", "--json"],
    );
    assert_eq!(none.good().json(), json!([]));
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.json");
    std::fs::write(&spec, r#"{"description": "We sing"}"#).unwrap();
    ask(
        "alice",
        &["projects", "modify", "2", spec.to_str().unwrap()],
    )
    .good();
    let shown = ask("alice", &["projects", "show", "2"]).good().out;
    assert!(shown.contains("pending application"), "{shown}");
    ask("carol", &["projects", "action", "2", "approve"]).good();
    let shown = ask("alice", &["projects", "show", "2"]).good().out;
    assert!(
        shown.contains("We sing") && !shown.contains("pending"),
        "{shown}"
    );
}

#[test]
fn quotas_of_oneself_of_all_and_of_projects() {
    let world = World::new();
    let alice = world.alice();
    let own = world.json("alice", &["quotas"]);
    assert_eq!(own[&alice]["cyclades.vm"]["limit"], 2);
    let people = world.ask("alice", &["quotas"]).good().out;
    assert!(
        people.starts_with("PROJECT") && people.contains("cyclades.vm"),
        "{people}"
    );
    let all = world.json("cyclades", &["quotas", "--service"]);
    assert!(all.as_object().unwrap().len() >= 3);
    let one = world.json("cyclades", &["quotas", "--service", "--user", &alice]);
    assert_eq!(
        one.as_object().unwrap().keys().collect::<Vec<_>>(),
        [&alice]
    );
    let projects = world.json("cyclades", &["quotas", "--service", "--by-project"]);
    assert!(projects[&alice]["cyclades.vm"]["project_limit"].is_i64());
    let resources = world.ask("alice", &["resources"]).good().out;
    let mut without = world.command("alice", &["resources"]);
    let without = run(without.env_remove("ASTAKOS_TOKEN")).good();
    assert_eq!(without.out, resources);
    assert!(resources.contains("pithos.diskspace") && resources.contains("bytes"));
    let error = world.ask("alice", &["quotas", "--user", &alice]);
    assert_eq!(error.code, 2, "{error:?}");
}

#[test]
fn a_commission_from_issue_to_accept() {
    let world = World::new();
    let alice = world.alice();
    let entry = format!("{alice}:cyclades.vm:1");
    let issue = [
        "commissions",
        "issue",
        "--user",
        &alice,
        "--name",
        "by hand",
        &entry,
    ];
    let first = world.ask("cyclades", &issue).good().out.trim().to_owned();
    let second = world.json("cyclades", &issue)["serial"].to_string();
    let listed = world.ask("cyclades", &["commissions", "list"]).good().out;
    assert!(
        listed.contains("by hand") && listed.contains(&first),
        "{listed}"
    );
    let short = world.json("cyclades", &["commissions", "list", "--short"]);
    assert_eq!(short.as_array().unwrap().len(), 2);
    let shown = world
        .ask("cyclades", &["commissions", "show", &first])
        .good()
        .out;
    assert!(
        shown.contains(&format!("+1 cyclades.vm for user:{alice}")),
        "{shown}"
    );

    // There are two machines for her.
    let third = world.ask("cyclades", &issue).bad(1);
    assert!(
        third.err.contains("Virtual Machine: the limit"),
        "{third:?}"
    );
    let error = world
        .ask("cyclades", &[&issue[..], &["--json"]].concat())
        .bad(1)
        .error();
    assert_eq!(
        (&error["kind"], &error["status"]),
        (&json!("quota_limit"), &json!(413))
    );

    let accepted = world.json("cyclades", &["commissions", "accept", &first]);
    assert_eq!(accepted["accepted"][0].to_string(), first);
    let rejected = world
        .ask("cyclades", &["commissions", "reject", &second])
        .good()
        .out;
    assert!(rejected.contains("rejected"), "{rejected}");
    let gone = world
        .ask("cyclades", &["commissions", "accept", &first])
        .bad(1);
    assert!(gone.err.contains(&format!("failed: {first}")), "{gone:?}");
    let own = world.json("alice", &["quotas"]);
    assert_eq!(own[&alice]["cyclades.vm"]["usage"], 1);
    let released = format!("{alice}:cyclades.vm:-1");
    let release = [
        "commissions",
        "issue",
        "--user",
        &alice,
        "--accept",
        &released,
    ];
    world.ask("cyclades", &release).good();
    let own = world.json("alice", &["quotas"]);
    assert_eq!(own[&alice]["cyclades.vm"]["usage"], 0);
}

#[test]
fn a_project_from_application_to_members() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("spec.json");
    let path = spec.to_str().unwrap();
    let text = json!({"name": "choir.example.org", "end_date": "2998-01-01T00:00:00+00:00"});
    std::fs::write(&spec, text.to_string()).unwrap();
    let id = world
        .ask("alice", &["projects", "create", path])
        .good()
        .out
        .trim()
        .to_owned();
    let early = world.ask("bob", &["projects", "join", &id]).bad(1);
    assert!(early.err.contains("HTTP 409"), "{early:?}");
    let refused = world
        .ask("alice", &["projects", "action", &id, "approve"])
        .bad(1);
    assert!(
        refused.err.contains("only the owner or an administrator"),
        "{refused:?}"
    );
    world
        .ask(
            "carol",
            &["projects", "action", &id, "approve", "--reason", "well"],
        )
        .good();
    let shown = world.ask("alice", &["projects", "show", &id]).good().out;
    assert!(
        shown.contains("choir.example.org") && shown.contains("active"),
        "{shown}"
    );
    let member = world
        .ask("bob", &["projects", "join", &id])
        .good()
        .out
        .trim()
        .to_owned();
    world
        .ask("alice", &["projects", "member", &member, "accept"])
        .good();
    let members = world.json("alice", &["projects", "memberships", "--project", &id]);
    assert_eq!(members[0]["state"], "accepted");
    world.ask("bob", &["projects", "default", &id]).good();
    world
        .ask("alice", &["projects", "enroll", &id, "carol@example.org"])
        .good();
    std::fs::write(&spec, r#"{"description": "We sing"}"#).unwrap();
    assert_eq!(
        world.json("alice", &["projects", "modify", &id, path])["id"],
        id.as_str()
    );
    world
        .ask("carol", &["projects", "action", &id, "suspend"])
        .good();
    let listed = world.json("alice", &["projects", "list", "--state", "suspended"]);
    assert_eq!(listed[0]["id"], id.as_str());
    let confused = ["projects", "action", &id, "suspend", "--application", "1"];
    world.ask("carol", &confused).bad(2);
    std::fs::write(&spec, "planted").unwrap();
    let broken = world.ask("alice", &["projects", "create", path]).bad(2);
    assert!(!broken.err.contains("planted"), "{broken:?}");
}

#[test]
fn feedback_is_sent() {
    let world = World::new();
    assert_eq!(
        world.json("alice", &["feedback", "it works"]),
        json!({"done": "sent"})
    );
}

#[test]
fn a_missing_or_wrong_argument_is_an_error_with_a_remedy() {
    let world = World::new();
    let none = run(&mut program(&["astakos", "quotas"])).bad(2);
    assert!(none.err.contains("ASTAKOS_TOKEN is not set"), "{none:?}");
    let nowhere = run(program(&["astakos", "quotas"]).env("ASTAKOS_TOKEN", "t")).bad(2);
    assert!(nowhere.err.contains("give --auth-url"), "{nowhere:?}");
    let mut unknown = world.command("alice", &["quotas"]);
    let unknown = run(unknown.env("ASTAKOS_TOKEN", "nobody's")).bad(1);
    assert!(unknown.err.contains("unknown or expired"), "{unknown:?}");
    let service = world.ask("alice", &["commissions", "list"]).bad(1);
    assert!(
        service.err.contains("a user where a service's is needed"),
        "{service:?}"
    );
    let url = world.0.ready["services"]["astakos"]["url"]
        .as_str()
        .unwrap();
    let wrong = format!("{url}/nowhere");
    let elsewhere = world.ask("alice", &["quotas", "--auth-url", &wrong]);
    assert_eq!(elsewhere.code, 1, "{elsewhere:?}");
    let both = world.ask("alice", &["quotas", "--auth-url", url, "--base-url", url]);
    assert_eq!(both.code, 2, "{both:?}");
    world.ask("alice", &["quotas", "--detect"]).good();
}
