//! Every operation, driven to success: against the emulators of all generations of servers, in
//! process and over TCP and TLS.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{Method, StatusCode, Uri};
use serde_json::json;
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{
    ApplicationAction, Client, CommissionRequest, DefaultProject, Dialect, Feedback,
    MembershipAction, ProjectAction, ProjectId, ProjectSpec, TokenGrant,
};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::CertificateAuthority;
use vouchsafe_core::transport::{HttpTransport, Request, Transport};

/// Returns the ids of the operations that were answered with success.
pub(crate) async fn run() -> BTreeSet<String> {
    let mut driven = BTreeSet::new();

    let server = Server::new();
    drive(&server, server.host().transport(), &server.auth_url()).await;
    collect(&server, &mut driven);

    // A transport that verifies, as users have it.
    let server = Server::new();
    let authority = CertificateAuthority::new().unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let serving = server.serve_tls(any, &authority).await.unwrap();
    let builder = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap();
    let transport = Arc::new(builder.only_roots().build().unwrap());
    let url = format!("{}{}", serving.url(), server.identity_path());
    drive(&server, transport, &url).await;
    collect(&server, &mut driven);

    let old = Server::builder().dialect(Dialect::V014).start().unwrap();
    let token = old.user_token("alice@example.org").unwrap();
    let info = old.client(token).user_info().await.unwrap();
    assert_eq!(info.uuid, Server::alice());
    collect(&old, &mut driven);

    drive_015(&mut driven).await;
    driven
}

fn collect(server: &Server, driven: &mut BTreeSet<String>) {
    let entries = server.journal().entries();
    let good = entries.iter().filter(|entry| {
        entry
            .status
            .is_some_and(|status| (200..300).contains(&status))
    });
    driven.extend(good.filter_map(|entry| entry.operation).map(str::to_owned));
}

async fn drive(server: &Server, transport: Arc<dyn Transport>, auth_url: &str) {
    let user = |whose: &str| server.user_token(&format!("{whose}@example.org")).unwrap();
    let client = Client::builder()
        .transport(Arc::clone(&transport))
        .auth_url(auth_url)
        .token(user("alice"))
        .build()
        .unwrap();
    let service = client.with_token(server.service_token("cyclades").unwrap());
    identity(server, &client, &*transport, auth_url).await;
    let (bob, carol) = (
        client.with_token(user("bob")),
        client.with_token(user("carol")),
    );

    let alice = Server::alice();
    assert_eq!(client.username(&alice).await.unwrap(), "alice@example.org");
    assert_eq!(
        service.service_uuid("alice@example.org").await.unwrap(),
        alice
    );
    assert!(!client.services().await.unwrap().is_empty());
    assert!(
        client
            .resources()
            .await
            .unwrap()
            .contains_key("cyclades.vm")
    );
    let feedback = Feedback::new("it works", "");
    client.send_feedback(&feedback).await.unwrap();
    let chosen = DefaultProject::new(Server::project());
    client.set_default_project(&chosen).await.unwrap();

    let quotas = client.quotas().await.unwrap();
    assert!(quotas.room(&alice, "cyclades.vm").is_some());
    assert!(
        service
            .service_quotas()
            .send()
            .await
            .unwrap()
            .contains_key(&alice)
    );
    let of_projects = service.service_project_quotas().send().await.unwrap();
    assert!(of_projects.contains_key(&Server::project()));

    let request = CommissionRequest::one(&alice, [(&alice, "cyclades.vm", 1)]).name("one");
    let serial = service.issue(&request).await.unwrap();
    assert_eq!(service.pending_commissions().await.unwrap(), [serial]);
    assert_eq!(service.commission(serial).await.unwrap().name, "one");
    service.accept(serial).await.unwrap();
    let resolution = service.resolve(&[], &[serial]).await.unwrap();
    assert_eq!(resolution.failed[0].0, serial);

    projects(&client, &bob, &carol).await;
}

async fn identity(server: &Server, client: &Client, transport: &dyn Transport, auth_url: &str) {
    let access = client.authenticate(None).await.unwrap();
    assert_eq!(access.user.unwrap().id, Server::alice());
    let address = "https://app.example.com/back";
    let code = server.authorize("app", "s3cr3t", address, &Server::alice());
    let grant = TokenGrant::authorization_code(code).redirect_uri(address);
    let secret = Secret::from("s3cr3t");
    let token = client.oauth2_token("app", &secret, &grant).await.unwrap();
    let access = client.validate_token(&token.access_token).send().await;
    assert_eq!(access.unwrap().user.unwrap().id, Server::alice());
    // No client asks for it.
    let uri: Uri = auth_url.parse().unwrap();
    let version = transport
        .send(Request::new(Method::GET, uri))
        .await
        .unwrap();
    assert_eq!(version.status, StatusCode::OK);
}

async fn projects(alice: &Client, bob: &Client, carol: &Client) {
    let spec: ProjectSpec = serde_json::from_value(json!({
        "name": "choir.example.org",
        "end_date": "2998-01-01T00:00:00+00:00",
    }))
    .unwrap();
    let applied = alice.create_project(&spec).await.unwrap();
    let id = applied.id;
    let approve = ApplicationAction::Approve;
    carol
        .application_action(&id, applied.application, approve, "well")
        .await
        .unwrap();
    let listed = alice.projects().send().await.unwrap();
    assert!(listed.iter().any(|project| project.id == id));
    assert_eq!(alice.project(&id).await.unwrap().id, id);
    let mut change = ProjectSpec::default();
    change.description = Some("We sing".to_owned());
    assert_eq!(alice.modify_project(&id, &change).await.unwrap().id, id);
    let membership = bob.join_project(&id).await.unwrap();
    assert_eq!(bob.membership(membership).await.unwrap().id, membership);
    let accept = MembershipAction::Accept;
    alice
        .membership_action(membership, &accept, "welcome")
        .await
        .unwrap();
    let members = alice.memberships().project(&id).send().await.unwrap();
    assert!(members.iter().any(|member| member.id == membership));
    let suspend = ProjectAction::Suspend;
    carol.project_action(&id, suspend, "a rest").await.unwrap();
}

/// Drives what only servers of 0.15 have.
async fn drive_015(driven: &mut BTreeSet<String>) {
    let server = Server::builder().dialect(Dialect::V015).start().unwrap();
    let client = |name: &str| {
        let token = server.user_token(&format!("{name}@example.org")).unwrap();
        server.client(token)
    };
    let (alice, carol) = (client("alice"), client("carol"));
    let id = ProjectId::from(1);
    let mut change = ProjectSpec::default();
    change.description = Some("new".to_owned());
    let applied = alice.modify_project(&id, &change).await.unwrap();
    let listed = alice.legacy_applications(Some(&id)).await.unwrap();
    assert_eq!(listed.last().unwrap().id, applied.application);
    let read = alice.legacy_application(applied.application).await.unwrap();
    assert_eq!(read.description.as_deref(), Some("new"));
    let approve = ApplicationAction::Approve;
    carol
        .application_action(&id, applied.application, approve, "well")
        .await
        .unwrap();
    collect(&server, driven);
}
