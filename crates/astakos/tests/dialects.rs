//! Servers of each generation: what they understand is sent, and what they lack is refused before.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test")]

use serde_json::json;
use vouchsafe_astakos::mock::{CommissionState, Seed, Server};
use vouchsafe_astakos::{
    ApplicationAction, Client, CommissionRequest, DefaultProject, Dialect, ErrorKind, Holder,
    MembershipAction, ProjectAction, ProjectId, ProjectMode, ProjectSpec, ProjectState, TokenGrant,
};
use vouchsafe_core::Secret;

const ALL: [Dialect; 3] = [Dialect::V014, Dialect::V015, Dialect::V016];

fn server(dialect: Dialect) -> Server {
    Server::builder().dialect(dialect).start().unwrap()
}

fn user(server: &Server, name: &str) -> Client {
    let token = server.user_token(&format!("{name}@example.org")).unwrap();
    server.client(token)
}

fn service(server: &Server) -> Client {
    server.client(server.service_token("cyclades").unwrap())
}

/// The same client, without a named generation.
fn unnamed(server: &Server, token: Secret) -> Client {
    Client::builder()
        .auth_url(server.auth_url())
        .transport(server.host().transport())
        .token(token)
        .build()
        .unwrap()
}

fn spec(name: &str) -> ProjectSpec {
    let mut spec = ProjectSpec::default();
    spec.name = Some(name.to_owned());
    spec.end_date = Some("2999-01-01T00:00:00+00:00".to_owned());
    spec
}

fn ids(projects: &[vouchsafe_astakos::Project]) -> Vec<String> {
    projects
        .iter()
        .map(|project| project.id.to_string())
        .collect()
}

#[tokio::test]
async fn each_generation_is_found_out() {
    for dialect in ALL {
        let server = server(dialect);
        let client = service(&server);
        assert_eq!(client.dialect(), dialect);
        assert_eq!(client.discover_dialect().await.unwrap(), dialect);
    }
    let seed = r#"{"users": [], "components": [], "settings": {"dialect": "0.15"}}"#;
    let of_seed = Server::builder().seed(Seed::parse(seed).unwrap()).start();
    assert_eq!(of_seed.unwrap().client("t").dialect(), Dialect::V015);
    let seed = r#"{"users": [], "components": [], "settings": {"dialect": "1.0"}}"#;
    let of_seed = Server::builder().seed(Seed::parse(seed).unwrap()).start();
    assert_eq!(of_seed.unwrap_err().kind(), ErrorKind::BadValue);
}

#[tokio::test]
async fn what_a_generation_lacks_is_refused_before_anything_is_sent() {
    let grant = TokenGrant::authorization_code("c");
    let prefixed = CommissionRequest::one("u", [("p", "cyclades.vm", 1)]);
    let secret = Secret::from("s");
    for dialect in ALL {
        let server = server(dialect);
        let client = service(&server);
        let has_projects = dialect >= Dialect::V015;
        let is_current = dialect == Dialect::V016;
        let approve = ApplicationAction::Approve;
        let lacks = |error: vouchsafe_astakos::Error| error.kind() == ErrorKind::Unsupported;
        let modes = client.projects().mode(ProjectMode::Member);
        let chosen = client.service_quotas().projects(["p"]);
        for (what, is_there, error) in [
            (
                "projects",
                has_projects,
                client.projects().send().await.err(),
            ),
            ("modes", is_current, modes.send().await.err()),
            ("project", has_projects, client.project(7).await.err()),
            (
                "create",
                has_projects,
                client.create_project(&spec("a.example.org")).await.err(),
            ),
            (
                "modify",
                has_projects,
                client.modify_project(7, &spec("a.example.org")).await.err(),
            ),
            (
                "act",
                has_projects,
                client
                    .project_action(7, ProjectAction::Suspend, "")
                    .await
                    .err(),
            ),
            (
                "decide",
                has_projects,
                client.application_action(7, 9, approve, "").await.err(),
            ),
            (
                "members",
                has_projects,
                client.memberships().send().await.err(),
            ),
            ("member", has_projects, client.membership(1).await.err()),
            (
                "act on member",
                has_projects,
                client
                    .membership_action(1, &MembershipAction::Leave, "")
                    .await
                    .err(),
            ),
            ("join", has_projects, client.join_project(7).await.err()),
            (
                "enroll",
                has_projects,
                client.enroll_member(7, "a@example.org").await.err(),
            ),
            (
                "applications",
                dialect == Dialect::V015,
                client.legacy_applications(None).await.err(),
            ),
            (
                "application",
                dialect == Dialect::V015,
                client.legacy_application(1).await.err(),
            ),
            (
                "quotas of projects",
                is_current,
                client.service_project_quotas().send().await.err(),
            ),
            ("choice", is_current, chosen.send().await.err()),
            ("walk", is_current, chosen.walk().await.err()),
            (
                "default",
                is_current,
                client
                    .set_default_project(&DefaultProject::new("p"))
                    .await
                    .err(),
            ),
            (
                "oauth2",
                has_projects,
                client.oauth2_token("a", &secret, &grant).await.err(),
            ),
            (
                "validate",
                has_projects,
                client.validate_token(&secret).send().await.err(),
            ),
            ("holders", is_current, client.issue(&prefixed).await.err()),
        ] {
            let told = error.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(
                error.is_some_and(lacks),
                !is_there,
                "{dialect} {what}: {told}"
            );
            if !is_there {
                assert!(
                    told.contains(&format!("servers of {dialect} do not have")),
                    "{told}"
                );
            }
        }
        // Whatever was sent, the server knew the path.
        for entry in server.journal().entries() {
            assert!(entry.operation.is_some(), "{dialect}: {}", entry.path);
        }
    }
}

#[tokio::test]
async fn commissions_are_issued_as_each_generation_knows_holders() {
    for dialect in ALL {
        let server = server(dialect);
        let client = service(&server);
        let alice = Server::alice();
        let request = match dialect {
            Dialect::V016 => CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]),
            _ => CommissionRequest::one_legacy(&alice, "system", [("cyclades.vm", 1)]),
        };
        let serial = client.issue(&request).await.unwrap();
        client.accept(serial).await.unwrap();
        assert_eq!(server.commissions()[0].state, CommissionState::Accepted);
        let quotas = user(&server, "alice").quotas().await.unwrap();
        let source = match dialect {
            Dialect::V016 => alice.as_str(),
            _ => "system",
        };
        assert_eq!(
            quotas.get(source, "cyclades.vm").unwrap().usage,
            1,
            "{dialect}"
        );
        let all = client
            .service_quotas()
            .users([&alice])
            .send()
            .await
            .unwrap();
        assert_eq!(all[&alice].get(source, "cyclades.vm").unwrap().usage, 1);
        // The text of another generation finds no holding.
        let other = match dialect {
            Dialect::V016 => {
                json!([{"holder": alice, "source": "system", "resource": "cyclades.vm", "quantity": 1}])
            }
            _ => json!([{"holder": format!("user:{alice}"), "source": format!("project:{alice}"),
                         "resource": "cyclades.vm", "quantity": 1}]),
        };
        let error = client
            .issue_raw(&json!({"provisions": other}))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.missing_holding().is_some());
    }
}

#[tokio::test]
async fn projects_of_0_15_are_filtered_in_the_body() {
    let server = server(Dialect::V015);
    let alice = user(&server, "alice");
    let second = alice
        .create_project(&spec("second.example.org"))
        .await
        .unwrap();
    assert_eq!(second.id, ProjectId::from(2));
    let all = alice.projects().send().await.unwrap();
    assert_eq!(ids(&all), ["1", "2"]);
    let named = alice.projects().name("lab.example.org").send().await;
    assert_eq!(ids(&named.unwrap()), ["1"]);
    let pending = ProjectState::from("pending".to_owned());
    let pending = alice.projects().state(pending).send().await;
    assert_eq!(ids(&pending.unwrap()), ["2"]);
    let owned = alice.projects().owner(Server::bob()).send().await;
    assert!(owned.unwrap().is_empty());

    let of_second = alice.legacy_applications(Some(&"2".into())).await.unwrap();
    assert_eq!(of_second.len(), 1);
    assert_eq!(of_second[0].project, Some(ProjectId::from(2)));
    assert!(alice.legacy_applications(None).await.unwrap().len() > 1);
    // A text that is a number is one; any other is refused before it is sent.
    let members = alice.memberships().project("1").send().await.unwrap();
    assert_eq!(members.len(), 2);
    let none = alice.memberships().project(2).send().await.unwrap();
    assert!(none.is_empty());
    let lab = alice.memberships().project("lab").send().await;
    let error = lab.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadValue);
}

#[tokio::test]
async fn a_client_without_a_dialect_finds_it_out_before_it_trusts_a_filtered_list() {
    let server = server(Dialect::V015);
    let alice = user(&server, "alice");
    alice
        .create_project(&spec("second.example.org"))
        .await
        .unwrap();
    let token = server.user_token("alice@example.org").unwrap();
    let client = unnamed(&server, token.clone());
    let second = client.projects().name("second.example.org").send().await;
    assert_eq!(ids(&second.unwrap()), ["2"]);
    assert_eq!(client.dialect(), Dialect::V015);
    // A client that named another generation gets an error.
    let client = Client::builder()
        .auth_url(server.auth_url())
        .transport(server.host().transport())
        .dialect(Dialect::V016)
        .token(token)
        .build()
        .unwrap();
    let second = client.projects().name("second.example.org").send().await;
    let error = second.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);

    // So it is with projects chosen for quotas.
    for dialect in [Dialect::V015, Dialect::V014] {
        let server = self::server(dialect);
        let client = unnamed(&server, server.service_token("cyclades").unwrap());
        let chosen = client.service_quotas().projects(["p"]);
        let error = chosen.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let mut walk = chosen.walk().await.unwrap();
        assert_eq!(
            walk.next().await.unwrap_err().kind(),
            ErrorKind::Unsupported
        );
        assert!(walk.next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_project_of_0_15_from_its_application_to_its_end() {
    let server = server(Dialect::V015);
    let (alice, bob, carol) = (
        user(&server, "alice"),
        user(&server, "bob"),
        user(&server, "carol"),
    );
    let mut wish = spec("new.example.org");
    wish.resources = Some(
        serde_json::from_value(json!({
            "cyclades.vm": {"member_capacity": 5, "project_capacity": 9}}))
        .unwrap(),
    );
    let applied = alice.create_project(&wish).await.unwrap();
    let shown = alice.project(&applied.id).await.unwrap();
    assert_eq!(shown.pending_application, Some(applied.application));
    assert_eq!(shown.state, Some(ProjectState::from("pending".to_owned())));
    assert!(shown.last_application.is_none());
    let approve = ApplicationAction::Approve;
    let refused = alice
        .application_action(&applied.id, applied.application, approve, "")
        .await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Forbidden);
    carol
        .application_action(&applied.id, applied.application, approve, "good")
        .await
        .unwrap();
    let shown = alice.project(&applied.id).await.unwrap();
    assert_eq!(shown.state, Some(ProjectState::Active));
    assert_eq!(shown.application, Some(applied.application));
    assert_eq!(shown.pending_application, None);

    // What a member gets is added to what there is of `system`, and goes again.
    let bare = Holder::Bare;
    let limit = || {
        let holding = server.holding(
            &bare(Server::bob()),
            Some(&bare("system".into())),
            "cyclades.vm",
        );
        holding.unwrap().limit
    };
    let before = limit();
    let membership = bob.join_project(&applied.id).await.unwrap();
    assert_eq!(limit(), before);
    alice
        .membership_action(membership, &MembershipAction::Accept, "")
        .await
        .unwrap();
    assert_eq!(limit(), before + 5);
    carol
        .project_action(&applied.id, ProjectAction::Suspend, "late")
        .await
        .unwrap();
    assert_eq!(limit(), before);
    carol
        .project_action(&applied.id, ProjectAction::Unsuspend, "")
        .await
        .unwrap();
    bob.membership_action(membership, &MembershipAction::Leave, "")
        .await
        .unwrap();
    assert_eq!(limit(), before);

    let mut change = ProjectSpec::default();
    change.description = Some("more".to_owned());
    let changed = alice.modify_project(&applied.id, &change).await.unwrap();
    let shown = carol.project(&applied.id).await.unwrap();
    assert_eq!(shown.pending_application, Some(changed.application));
    assert_eq!(shown.application, Some(applied.application));
    let read = alice.legacy_application(changed.application).await.unwrap();
    assert_eq!(read.project, Some(applied.id.clone()));
    let deny = ApplicationAction::Deny;
    carol
        .application_action(&applied.id, changed.application, deny, "no")
        .await
        .unwrap();
    assert_eq!(
        carol
            .project(&applied.id)
            .await
            .unwrap()
            .pending_application,
        None
    );
}
