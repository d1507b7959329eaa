//! Memberships: each action from each state, by each kind of person.

use serde_json::{Value, json};
use vouchsafe_astakos::mock::{Seed, Server};

use super::ask::Asking;

/// A cloud with one project of alice, where bob has a membership in some state.
fn world(join: &str, leave: &str, bob: Option<&str>, project: &str) -> Server {
    let user = |uuid: &str, is_admin: bool| {
        json!({
            "uuid": uuid,
            "username": format!("{uuid}@example.org"),
            "token": format!("token-of-{uuid}"),
            "project_admin": is_admin,
        })
    };
    let members: Vec<Value> = bob
        .map(|state| json!({"user": "bob", "state": state}))
        .into_iter()
        .collect();
    let seed = json!({
        "users": [user("alice", false), user("bob", false), user("carol", true), user("dora", false)],
        "resources": [{"name": "vm", "service": "s"}],
        "projects": [{
            "uuid": "p", "name": "p.example.org", "owner": "alice", "state": project,
            "join_policy": join, "leave_policy": leave, "max_members": 1, "members": members,
        }],
    });
    let seed = Seed::parse(&seed.to_string()).unwrap();
    Server::builder().seed(seed).start().unwrap()
}

/// The membership of bob: its id and state, as an operator sees it.
fn of_bob(server: &Server) -> Option<(u64, String)> {
    let (_, all) = Asking::user(server, "carol").get("projects/memberships?project=p");
    let of_bob = all.as_array()?.iter().find(|m| m["user"] == "bob")?;
    Some((of_bob["id"].as_u64()?, of_bob["state"].as_str()?.to_owned()))
}

const STATES: [&str; 7] = [
    "requested",
    "accepted",
    "leave_requested",
    "suspended",
    "rejected",
    "cancelled",
    "removed",
];

#[test]
fn an_action_is_possible_from_its_states_and_for_its_people() {
    let requested = ["requested"];
    let inside = ["accepted", "leave_requested", "suspended"];
    let (owners, members) = (["alice", "carol"], ["bob", "carol"]);
    for (action, from, to, callers) in [
        ("accept", &requested[..], "accepted", owners),
        ("reject", &requested, "rejected", owners),
        ("cancel", &requested, "cancelled", members),
        ("leave", &inside, "removed", members),
        ("remove", &inside, "removed", owners),
    ] {
        for state in STATES {
            for asking in ["alice", "bob", "carol", "dora"] {
                let server = world("moderated", "auto", Some(state), "active");
                let (id, _) = of_bob(&server).unwrap();
                let path = format!("projects/memberships/{id}");
                let person = Asking::user(&server, asking);
                let (_, seen) = person.get(&path);
                let allowed = seen["allowed_actions"].as_array();
                let is_allowed = allowed.is_some_and(|all| all.contains(&json!(action)));
                let (status, _) = person.post(&format!("{path}/action"), &json!({action: ""}));
                let (_, after) = of_bob(&server).unwrap();
                let (expected, state_after) =
                    match (from.contains(&state), callers.contains(&asking)) {
                        (false, _) => (409, state),
                        (true, false) => (403, state),
                        (true, true) => (200, to),
                    };
                assert_eq!(
                    (status, after.as_str()),
                    (expected, state_after),
                    "{action} {state} {asking}"
                );
                assert_eq!(is_allowed, expected == 200, "{action} {state} {asking}");
            }
        }
    }
}

#[test]
fn policies_and_room_decide_how_one_comes_in() {
    let join = json!({"join": {"project": "p"}});
    for (policy, state, project, expected) in [
        ("auto", None, "active", (200, Some("accepted"))),
        ("moderated", None, "active", (200, Some("requested"))),
        ("closed", None, "active", (409, None)),
        ("auto", None, "suspended", (200, Some("accepted"))),
        ("auto", None, "terminated", (409, None)),
        (
            "auto",
            Some("requested"),
            "active",
            (409, Some("requested")),
        ),
        (
            "auto",
            Some("suspended"),
            "active",
            (409, Some("suspended")),
        ),
        ("auto", Some("removed"), "active", (200, Some("accepted"))),
        (
            "moderated",
            Some("rejected"),
            "active",
            (200, Some("requested")),
        ),
    ] {
        let server = world(policy, "auto", state, project);
        let id = of_bob(&server).map(|(id, _)| id);
        let (status, joined) = Asking::user(&server, "bob").post("projects/memberships", &join);
        let after = of_bob(&server);
        let seen = (status, after.as_ref().map(|(_, state)| state.as_str()));
        assert_eq!(seen, expected, "{policy} {state:?} {project}");
        if let (Some(id), 200) = (id, status) {
            assert_eq!(joined["id"], id, "one membership for each user and project");
        }
    }
    // Without room a user has to wait, even if everyone may join.
    let server = world("auto", "auto", Some("accepted"), "active");
    let dora = Asking::user(&server, "dora");
    let (_, joined) = dora.post("projects/memberships", &join);
    let path = format!("projects/memberships/{}", joined["id"]);
    assert_eq!(dora.get(&path).1["state"], "requested");
    let accept = (format!("{path}/action"), json!({"accept": ""}));
    assert_eq!(
        Asking::user(&server, "alice").post(&accept.0, &accept.1).0,
        409
    );
}

#[test]
fn enrolling_is_for_owners_and_says_no_in_order() {
    let server = world("moderated", "auto", None, "active");
    let enroll = |asking: &str, project: &str, user: &str| {
        let email = format!("{user}@example.org");
        let body = json!({"enroll": {"project": project, "user": email}});
        Asking::user(&server, asking)
            .post("projects/memberships", &body)
            .0
    };
    assert_eq!(enroll("dora", "p", "unknown"), 409);
    assert_eq!(enroll("dora", "none", "bob"), 409);
    assert_eq!(enroll("dora", "p", "bob"), 403);
    assert_eq!(enroll("alice", "p", "bob"), 200);
    assert_eq!(of_bob(&server).unwrap().1, "accepted");
    assert_eq!(enroll("alice", "p", "dora"), 409, "full");
    assert_eq!(
        enroll("carol", "bob", "dora"),
        409,
        "a system project is closed"
    );
}

#[test]
fn leaving_may_have_to_be_asked_for_and_takes_the_default_project_along() {
    for (policy, expected) in [("moderated", "leave_requested"), ("auto", "removed")] {
        let server = world("auto", policy, Some("accepted"), "active");
        let bob = Asking::user(&server, "bob");
        let choose = json!({"project_id": "p"});
        assert_eq!(bob.post("myaccount/default_project", &choose).0, 200);
        let (id, _) = of_bob(&server).unwrap();
        let leave = bob.post(
            &format!("projects/memberships/{id}/action"),
            &json!({"leave": ""}),
        );
        assert_eq!(
            (leave.0, of_bob(&server).unwrap().1.as_str()),
            (200, expected)
        );
        let users = &server.snapshot()["users"];
        let chosen = if expected == "removed" { "bob" } else { "p" };
        assert_eq!(users[1]["default_project"], chosen);
    }
    let server = world("auto", "closed", Some("accepted"), "active");
    let (id, _) = of_bob(&server).unwrap();
    let path = format!("projects/memberships/{id}/action");
    assert_eq!(
        Asking::user(&server, "bob")
            .post(&path, &json!({"leave": ""}))
            .0,
        409
    );
}

#[test]
fn only_members_of_active_projects_may_choose_them() {
    for (state, project, expected) in [
        (Some("accepted"), "active", 200),
        (Some("leave_requested"), "active", 200),
        (Some("requested"), "active", 403),
        (Some("removed"), "active", 403),
        (Some("accepted"), "suspended", 403),
        (None, "active", 404),
    ] {
        let server = world("auto", "auto", state, project);
        let bob = Asking::user(&server, "bob");
        let choose = |id: Value| {
            bob.post("myaccount/default_project", &json!({"project_id": id}))
                .0
        };
        assert_eq!(choose(json!("p")), expected, "{state:?} {project}");
        assert_eq!(choose(json!("none")), 404);
        assert_eq!(choose(Value::Null), 403);
    }
}
