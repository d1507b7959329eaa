//! Every operation, driven to success: against the emulators of the current server and of 0.14,
//! in process and over TCP and TLS. What only 0.15 has, which is not emulated, is asked of a
//! script that wants it as 0.15 took it.

use std::collections::BTreeSet;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode, Uri};
use serde_json::{Value, json};
use vouchsafe_astakos::mock::Server;
use vouchsafe_astakos::{
    ApplicationAction, Client, CommissionRequest, Dialect, MembershipAction, ProjectAction,
    ProjectFilter, ProjectId, ProjectSpec, TokenGrant,
};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::{CertificateAuthority, Handler, Host};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};

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
    let info = old.client(token).user_info(false).await.unwrap();
    assert_eq!(info.uuid, Server::alice());
    collect(&old, &mut driven);

    driven.extend(drive_015().await);
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
    client.send_feedback("it works", "").await.unwrap();
    client.set_default_project(Server::project()).await.unwrap();

    let quotas = client.quotas().await.unwrap();
    assert!(quotas.room(&alice, "cyclades.vm").is_some());
    assert!(
        service
            .service_quotas(None, None)
            .await
            .unwrap()
            .contains_key(&alice)
    );
    let of_projects = service.service_project_quotas(None).await.unwrap();
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
    let access = client.validate_token(&token.access_token, None).await;
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
    let listed = alice.projects(&ProjectFilter::new()).await.unwrap();
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
    let members = alice.memberships(Some(&id)).await.unwrap();
    assert!(members.iter().any(|member| member.id == membership));
    let suspend = ProjectAction::Suspend;
    carol.project_action(&id, suspend, "a rest").await.unwrap();
}

/// What only 0.15 has. It answers no more than what it was asked in the right way.
#[derive(Debug)]
struct Script015;

impl Script015 {
    fn operation_of(method: &Method, path: &str) -> Option<&'static str> {
        let path = path.strip_prefix("/astakos/account/v1.0/projects/")?;
        match (method.as_str(), path) {
            ("POST", "7") => Some("account.legacyModifyProject"),
            ("GET", "apps") => Some("account.legacyApplications"),
            ("GET", "apps/9") => Some("account.legacyApplication"),
            ("POST", "apps/9/action") => Some("account.legacyApplicationAction"),
            _ => None,
        }
    }
}

impl Handler for Script015 {
    fn handle(&self, request: &Request) -> Response {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let operation = Self::operation_of(&request.method, request.uri.path());
        let (status, answer) = match operation {
            _ if request.headers.get("x-auth-token") != Some(&HeaderValue::from_static("t")) => {
                (401, json!({"unauthorized": {"code": 401, "message": "no"}}))
            }
            Some("account.legacyModifyProject") if body == json!({"description": "new"}) => {
                (201, json!({"id": 7, "application": 9}))
            }
            Some("account.legacyApplications") if body == json!({"project": 7}) => {
                (200, json!([{"id": 9, "state": "pending"}]))
            }
            Some("account.legacyApplication") if body.is_null() => (200, json!({"id": 9})),
            Some("account.legacyApplicationAction") if body == json!({"approve": "well"}) => {
                (200, Value::Null)
            }
            _ => (400, json!({"badRequest": {"code": 400, "message": "no"}})),
        };
        let mut response = Response::new(StatusCode::from_u16(status).unwrap());
        if !answer.is_null() {
            response.body = answer.to_string().into();
        }
        response
    }

    fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static str> {
        Self::operation_of(method, uri.path())
    }
}

async fn drive_015() -> BTreeSet<String> {
    let host = Host::new(Arc::new(Script015));
    let client = Client::builder()
        .transport(host.transport())
        .base_url("https://accounts.example.org/astakos")
        .dialect(Dialect::V015)
        .token("t")
        .build()
        .unwrap();
    let id = ProjectId::from(7);
    let mut change = ProjectSpec::default();
    change.description = Some("new".to_owned());
    assert_eq!(
        client
            .modify_project(&id, &change)
            .await
            .unwrap()
            .application,
        9
    );
    let listed = client.legacy_applications(Some(&id)).await.unwrap();
    assert_eq!(listed[0].id, 9);
    assert_eq!(client.legacy_application(9).await.unwrap().id, 9);
    let approve = ApplicationAction::Approve;
    client
        .application_action(&id, 9, approve, "well")
        .await
        .unwrap();
    host.journal()
        .entries()
        .iter()
        .filter(|entry| {
            entry
                .status
                .is_some_and(|status| (200..300).contains(&status))
        })
        .filter_map(|entry| entry.operation)
        .map(str::to_owned)
        .collect()
}
