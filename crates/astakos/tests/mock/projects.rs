//! Projects: applications, operators' actions, and the limits that follow.

use serde_json::{Value, json};
use vouchsafe_astakos::Holder;
use vouchsafe_astakos::mock::Server;

use super::ask::Asking;

const VM: &str = "cyclades.vm";

fn spec(name: &str) -> Value {
    json!({
        "name": name,
        "end_date": "2990-01-01T00:00:00+00:00",
        "join_policy": "auto",
        "max_members": "2",
        "resources": {VM: {"member_capacity": 1, "project_capacity": 3}},
    })
}

/// Applies as a user, and returns the project and the application.
fn apply(asking: &Asking<'_>, body: &Value) -> (String, u64) {
    let (status, made) = asking.post("projects", body);
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    (id, made["application"].as_u64().unwrap())
}

fn act(asking: &Asking<'_>, project: &str, action: &str, application: u64) -> u16 {
    let body = json!({action: {"app_id": application, "reason": "why not"}});
    asking.post(&format!("projects/{project}/action"), &body).0
}

fn limits(server: &Server, user: &str, project: &str) -> (Option<i64>, Option<i64>) {
    let source = Holder::Project(project.to_owned());
    let holder = Holder::User(user.to_owned());
    let of_user = server.holding(&holder, Some(&source), VM);
    let of_project = server.holding(&source, None, VM);
    (of_user.map(|h| h.limit), of_project.map(|h| h.limit))
}

#[test]
fn limits_follow_the_project_and_its_members_and_usage_stays() {
    let server = Server::new();
    let [alice, carol] = ["alice", "carol"].map(|name| Asking::user(&server, name));
    let cyclades = Asking::component(&server, "cyclades");
    let bob = Server::bob();
    let (project, application) = apply(&alice, &spec("new.example.org"));
    let seen = || limits(&server, &bob, &project);
    assert_eq!(seen(), (None, None), "nothing before it is approved");
    assert_eq!(act(&carol, &project, "approve", application), 200);
    assert_eq!(seen(), (None, Some(3)));

    let join = json!({"join": {"project": project}});
    let (status, joined) = Asking::user(&server, "bob").post("projects/memberships", &join);
    assert_eq!((status, seen()), (200, (Some(1), Some(3))));

    let both = json!({"auto_accept": true, "provisions": [
        {"holder": format!("user:{bob}"), "source": format!("project:{project}"), "resource": VM, "quantity": 1},
        {"holder": format!("project:{project}"), "source": null, "resource": VM, "quantity": 1},
    ]});
    assert_eq!(cyclades.post("commissions", &both).0, 201);
    for (action, expected) in [
        ("suspend", (Some(0), Some(0))),
        ("unsuspend", (Some(1), Some(3))),
        ("terminate", (Some(0), Some(0))),
        ("reinstate", (Some(1), Some(3))),
    ] {
        let path = format!("projects/{project}/action");
        let body = json!({action: {"reason": ""}});
        assert_eq!(alice.post(&path, &body).0, 403, "{action} is for operators");
        assert_eq!(carol.post(&path, &body).0, 200, "{action}");
        assert_eq!(carol.post(&path, &body).0, 409, "{action} twice");
        assert_eq!(seen(), expected, "{action}");
    }
    let path = format!("projects/memberships/{}/action", joined["id"]);
    assert_eq!(alice.post(&path, &json!({"remove": ""})).0, 200);
    assert_eq!(seen(), (Some(0), Some(3)));
    let (_, quotas) = cyclades.get(&format!("service_quotas?user={bob}&project={project}"));
    let of_vm = &quotas[&bob][&project][VM];
    assert_eq!((&of_vm["usage"], &of_vm["limit"]), (&json!(1), &json!(0)));
    assert_eq!(of_vm["project_usage"], 1);
}

#[test]
fn a_change_keeps_what_it_does_not_name_and_replaces_one_that_waits() {
    let server = Server::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| Asking::user(&server, name));
    let path = format!("projects/{}", Server::project());
    assert_eq!(bob.put(&path, &json!({})).0, 403);
    assert_eq!(alice.put("projects/none", &json!({})).0, 404);
    let (_, first) = alice.put(&path, &json!({"description": "old"}));
    let change =
        json!({"max_members": 3, "resources": {VM: {"member_capacity": 2, "project_capacity": 2}}});
    let (status, second) = alice.put(&path, &change);
    assert_eq!(status, 201);
    let id = |made: &Value| made["application"].as_u64().unwrap();
    assert_eq!(act(&carol, &Server::project(), "approve", id(&first)), 409);
    let (_, waiting) = alice.get(&path);
    let application = &waiting["last_application"];
    assert_eq!(application["state"], "pending");
    assert_eq!(application["name"], Value::Null);
    assert_eq!(act(&carol, &Server::project(), "approve", id(&second)), 200);
    let (_, project) = alice.get(&path);
    assert_eq!(project["description"], "Machines of the lab");
    assert_eq!(project["max_members"], 3);
    assert_eq!(project["resources"]["cyclades.cpu"]["project_capacity"], 12);
    assert_eq!(
        limits(&server, &Server::bob(), &Server::project()),
        (Some(2), Some(2))
    );
    assert!(
        bob.get(&path).1.get("last_application").is_none(),
        "not for members"
    );
}

#[test]
fn applications_that_wait_are_counted_until_they_are_decided() {
    let server = Server::new();
    let [bob, carol] = ["bob", "carol"].map(|name| Asking::user(&server, name));
    let project = Holder::Project(Server::bob());
    let holder = Holder::User(Server::bob());
    let waiting = || {
        let of_user = server.holding(&holder, Some(&project), "astakos.pending_app");
        let of_project = server.holding(&project, None, "astakos.pending_app");
        (of_user.unwrap().usage(), of_project.unwrap().usage())
    };
    let made: Vec<_> = ["a", "b", "c"]
        .map(|name| apply(&bob, &spec(&format!("{name}.example.org"))))
        .into();
    assert_eq!(waiting(), (3, 3));
    assert_eq!(bob.post("projects", &spec("d.example.org")).0, 409);
    for ((project, application), action) in made.iter().zip(["approve", "deny", "cancel"]) {
        assert_eq!(act(&carol, project, action, *application), 200, "{action}");
    }
    assert_eq!(waiting(), (0, 0));
    let state = |project: &str| carol.get(&format!("projects/{project}")).1["state"].clone();
    let states: Vec<_> = made.iter().map(|(project, _)| state(project)).collect();
    assert_eq!(states, ["active", "uninitialized", "deleted"]);
    let (denied, application) = &made[1];
    assert_eq!(act(&bob, denied, "cancel", *application), 409);
    assert_eq!(act(&bob, denied, "dismiss", *application), 200);
    assert_eq!(state(denied), "deleted");
    let (_, deleted) = bob.get("projects?state=deleted");
    assert_eq!(
        deleted.as_array().map(Vec::len),
        Some(2),
        "their owner sees them"
    );
    let serials: Vec<u64> = server
        .commissions()
        .iter()
        .map(|c| c.serial.get())
        .collect();
    assert_eq!(
        serials.len(),
        6,
        "the service's own commissions use serials"
    );
    for _ in 0..5 {
        apply(&carol, &spec("many.example.org"));
    }
}

#[test]
fn two_live_projects_never_have_one_name() {
    let server = Server::new();
    let [bob, carol] = ["bob", "carol"].map(|name| Asking::user(&server, name));
    let (project, application) = apply(&bob, &spec("lab.example.org"));
    assert_eq!(act(&carol, &project, "approve", application), 409);
    let lab = format!("projects/{}/action", Server::project());
    assert_eq!(carol.post(&lab, &json!({"terminate": {}})).0, 200);
    assert_eq!(act(&carol, &project, "approve", application), 200);
    assert_eq!(carol.post(&lab, &json!({"reinstate": {}})).0, 409);
}

#[test]
fn a_project_is_visible_depending_on_the_users_relation_to_it() {
    let server = Server::new();
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| Asking::user(&server, name));
    let mut private = spec("private.example.org");
    private["private"] = true.into();
    let (project, application) = apply(&alice, &private);
    act(&carol, &project, "approve", application);
    let path = format!("projects/{project}");
    assert_eq!(
        [alice.get(&path).0, bob.get(&path).0, carol.get(&path).0],
        [200, 403, 200]
    );
    let listed = |asking: &Asking<'_>, query: &str| {
        let (status, list) = asking.get(&format!("projects{query}"));
        (status, list.as_array().map(Vec::len).unwrap_or_default())
    };
    assert_eq!(
        listed(&alice, ""),
        (200, 3),
        "system project, lab, and the private one"
    );
    assert_eq!(listed(&alice, "?mode=member"), (200, 2));
    assert_eq!(listed(&bob, "?mode=active"), (200, 1));
    assert_eq!(listed(&carol, "?mode=active"), (200, 5));
    assert_eq!(
        listed(&bob, "?name=lab.example.org&state=suspended"),
        (200, 0)
    );
    assert_eq!(listed(&bob, "?mode=all").0, 400);
    assert_eq!(listed(&bob, "?state=odd").0, 400);
}

#[test]
fn a_new_project_must_be_described_well() {
    let server = Server::new();
    let bob = Asking::user(&server, "bob");
    for (field, value) in [
        ("name", json!("two words")),
        ("name", json!(format!("{}.org", "a".repeat(90)))),
        ("name", Value::Null),
        ("owner", json!("unknown")),
        ("join_policy", json!("open")),
        ("leave_policy", Value::Null),
        ("end_date", json!("2990-01-01")),
        ("end_date", json!("2001-01-01T00:00:00+00:00")),
        ("start_date", json!("soon")),
        ("max_members", json!("many")),
        ("private", json!(1)),
        ("homepage", json!("h".repeat(256))),
        ("comments", json!("c".repeat(4097))),
        ("resources", json!([])),
        (
            "resources",
            json!({"nothing": {"member_capacity": 1, "project_capacity": 1}}),
        ),
        (
            "resources",
            json!({"cyclades.total_cpu": {"member_capacity": 1, "project_capacity": 1}}),
        ),
        (
            "resources",
            json!({VM: {"member_capacity": 2, "project_capacity": 1}}),
        ),
        ("resources", json!({VM: {"member_capacity": 1}})),
        (
            "resources",
            json!({VM: {"member_capacity": -1, "project_capacity": 1}}),
        ),
    ] {
        let mut body = spec("good.example.org");
        body[field] = value;
        assert_eq!(bob.post("projects", &body).0, 400, "{body}");
    }
    for missing in ["name", "end_date"] {
        let mut body = spec("good.example.org");
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(bob.post("projects", &body).0, 400, "{missing}");
    }
    apply(&bob, &spec("good.example.org"));
}
