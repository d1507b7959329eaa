//! Every operation of tvm-api, tirole and tvmtool, driven to success: in process, over TCP, over
//! TLS.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use vouchsafe_core::Secret;
use vouchsafe_core::mock::CertificateAuthority;
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_ticket::mock::Server;
use vouchsafe_ticket::{BlackboxEnv, Client, ServiceSecret, TvmId, Uid};

const OWN: TvmId = TvmId::new(42);
const PEER: TvmId = TvmId::new(43);
const UID: Uid = Uid::new(1_120_000_000_000_001);
const SLUG: &str = "shop";
const ROLES: &str = r#"{"revision":"r1","born_date":1,
    "tvm":{"43":{"/role/read/":[{"scope":"/"}]}},
    "user":{"1120000000000001":{"/role/write/":[{}]}}}"#;

/// Returns the ids of the operations that were answered with success.
pub(crate) async fn run() -> BTreeSet<String> {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut driven = BTreeSet::new();

    let world = World::new();
    let transport = world.server.host().transport();
    world.services(&transport, "https://tvm.example").await;
    world.tool(&transport, 1).await;
    world.collect(&mut driven);

    let world = World::new();
    let serving = world.server.host().serve(any).await.unwrap();
    let transport: Arc<dyn Transport> = Arc::new(HttpTransport::builder().build().unwrap());
    world.services(&transport, &serving.url()).await;
    world.tool(&transport, serving.address().port()).await;
    world.collect(&mut driven);

    // tvmtool is asked on its own machine, without TLS.
    let world = World::new();
    let authority = CertificateAuthority::new().unwrap();
    let host = world.server.host();
    let serving = host.serve_tls(any, &authority).await.unwrap();
    let builder = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())
        .unwrap();
    let transport: Arc<dyn Transport> = Arc::new(builder.only_roots().build().unwrap());
    world.services(&transport, &serving.url()).await;
    world.collect(&mut driven);

    driven
}

struct World {
    server: Server,
    secret: ServiceSecret,
}

impl World {
    fn new() -> Self {
        let server = Server::new();
        let secret = server.add_service(OWN, "shop");
        server.add_service(PEER, "peer");
        server.add_tool_destination(OWN, "peer", PEER);
        server.set_slug(OWN, Some(SLUG));
        server.set_roles(SLUG, ROLES);
        Self { server, secret }
    }

    fn collect(&self, driven: &mut BTreeSet<String>) {
        self.server.journal().assert_no_surprises();
        let good = self.server.journal().entries().into_iter().filter(|entry| {
            entry
                .status
                .is_some_and(|status| (200..300).contains(&status))
        });
        driven.extend(good.filter_map(|entry| entry.operation).map(str::to_owned));
    }

    /// tvm-api and tirole.
    async fn services(&self, transport: &Arc<dyn Transport>, base: &str) {
        let folder = tempfile::tempdir().unwrap();
        let client = Client::tvm_api(OWN)
            .secret(self.secret.clone())
            .alias("peer", PEER)
            .check_service_tickets()
            .check_user_tickets(BlackboxEnv::Test)
            .roles(SLUG)
            .without_default_uid_check()
            .disk_cache(folder.path())
            .tvm_url(base)
            .tirole_url(base)
            .transport(Arc::clone(transport))
            .connect()
            .await
            .unwrap();
        self.use_client(&client);
        client.stop();

        let ts = "1700000000";
        let sign = self.secret.sign_params(ts, "43", "");
        let sign = sign.expose();
        let form =
            format!("grant_type=client_credentials&src=42&dst=43&ts={ts}&sign={sign}&scopes=");
        let mut request = request(Method::POST, base, "/2/ticket/", &[]);
        request.body = form.into();
        let answer = json_of(&transport.send(request).await.unwrap(), 200);
        assert!(
            answer["43"]["ticket"]
                .as_str()
                .unwrap()
                .starts_with("3:serv:")
        );
    }

    async fn tool(&self, transport: &Arc<dyn Transport>, port: u16) {
        let client = Client::tvmtool("shop")
            .auth_token(self.server.tool_token())
            .host("127.0.0.1")
            .port(port)
            .without_default_uid_check()
            .transport(Arc::clone(transport))
            .connect()
            .await
            .unwrap();
        self.use_client(&client);
        client.stop();
        self.other_clients(transport, &format!("http://127.0.0.1:{port}"))
            .await;
    }

    /// What both kinds of client do with what they fetched.
    fn use_client(&self, client: &Client) {
        let ticket = client.service_ticket("peer").unwrap();
        assert!(ticket.expose().starts_with("3:serv:"));
        let (service, user) = self.tickets();
        let service = client.check_service_ticket(service.expose()).unwrap();
        let user = client.check_user_ticket(user.expose()).unwrap();
        assert_eq!((service.src(), user.default_uid()), (PEER, UID));
        let roles = client.roles().unwrap();
        assert_eq!(roles.revision(), "r1");
        assert!(roles.of_service(&service).has("/role/read/"));
    }

    fn tickets(&self) -> (Secret, Secret) {
        let service = self.server.mint_service(PEER, OWN).unwrap();
        let user = self.server.mint_user(BlackboxEnv::Test, &[UID]).unwrap();
        (service, user)
    }

    /// What only other clients of tvmtool ask.
    async fn other_clients(&self, transport: &Arc<dyn Transport>, base: &str) {
        let token = self.server.tool_token();
        let (service, user) = self.tickets();
        let authorization = ("authorization", token.expose());
        let service = ("x-ya-service-ticket", service.expose());
        let user = ("x-ya-user-ticket", user.expose());
        let ask = async |target: &str, headers: &[(&'static str, &str)]| {
            let mut headers = headers.to_vec();
            headers.push(authorization);
            let request = request(Method::GET, base, target, &headers);
            transport.send(request).await.unwrap()
        };

        let answer = json_of(&ask("/tvm/checksrv?dst=shop", &[service]).await, 200);
        assert_eq!(
            (&answer["src"], &answer["dst"], &answer["issuer_uid"]),
            (&json!(43), &json!(42), &Value::Null)
        );
        let answer = json_of(&ask("/tvm/checksrv?dst=peer", &[service]).await, 403);
        assert_eq!(
            answer["error"],
            json!("Wrong ticket dst, expected 43, got 42")
        );
        let answer = json_of(&ask("/tvm/checkusr", &[user]).await, 200);
        assert_eq!(answer["uids"], json!([UID.get()]));
        let answer = json_of(&ask("/v2/tickets?self=shop&dsts=peer", &[]).await, 200);
        assert_eq!(answer["peer"]["tvm_id"], json!(43));
        let target = "/v2/check?self=shop&required_service_roles=/role/read/";
        let answer = json_of(&ask(target, &[service, user]).await, 200);
        assert_eq!(answer["service"]["src"], json!(43));
        assert_eq!(answer["user"]["uids"], json!([UID.get().to_string()]));

        let known = ("if-none-match", "\"r1\"");
        let answer = ask("/v2/roles?self=shop", &[known]).await;
        assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
        let bare = request(Method::GET, base, "/tvm/keys", &[]);
        let answer = transport.send(bare).await.unwrap();
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
}

fn request(method: Method, base: &str, target: &str, headers: &[(&'static str, &str)]) -> Request {
    let mut request = Request::new(method, format!("{base}{target}").parse().unwrap());
    request.headers = headers
        .iter()
        .map(|&(name, value)| {
            let value = HeaderValue::from_str(value).unwrap();
            (HeaderName::from_static(name), value)
        })
        .collect();
    request
}

fn json_of(answer: &Response, status: u16) -> Value {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    serde_json::from_slice(&answer.body).unwrap()
}
