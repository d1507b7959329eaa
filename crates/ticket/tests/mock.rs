//! What the emulators refuse and say, asked in process as a program in another language asks.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use vouchsafe_core::Clock as _;
use vouchsafe_core::transport::{Request, Response};
use vouchsafe_ticket::mock::Server;
use vouchsafe_ticket::{
    BlackboxEnv, ServiceSecret, ServiceTicketDraft, TIROLE_TVM_ID, TicketStatus, TvmId, Uid,
    UserTicketDraft,
};

const OWN: TvmId = TvmId::new(42);
const PEER: TvmId = TvmId::new(43);
const UID: Uid = Uid::new(1);
const CONFIG: &str = r#"{"BbEnvType":3,"clients":{
    "main":{"self_tvm_id":42,"secret":"c2VjcmV0LW9mLW1haW4","roles_for_idm_slug":"shop",
        "dsts":{"peer":{"dst_id":43},"again":{"dst_id":43},"me":{"dst_id":42}}},
    "peer":{"self_tvm_id":43,"secret":"c2VjcmV0LW9mLXBlZXI"}}}"#;
const ROLES: &str = r#"{"revision":"r1","born_date":1,"tvm":{"43":{"read":[],"write":[]}}}"#;

fn server() -> Server {
    let server = Server::from_tool_config(CONFIG).unwrap();
    server.set_roles("shop", ROLES);
    server
}

async fn send(server: &Server, mut request: Request, headers: &[(&'static str, &str)]) -> Response {
    for &(name, value) in headers {
        let value = HeaderValue::from_str(value).unwrap();
        let _old = request.headers.insert(HeaderName::from_static(name), value);
    }
    server.host().transport().send(request).await.unwrap()
}

/// Asks tvmtool with its token.
async fn ask(server: &Server, target: &str, headers: &[(&'static str, &str)]) -> Response {
    let token = server.tool_token();
    let mut headers = headers.to_vec();
    headers.push(("authorization", token.expose()));
    send(server, to(Method::GET, target), &headers).await
}

fn to(method: Method, target: &str) -> Request {
    Request::new(method, format!("http://emulator{target}").parse().unwrap())
}

fn text(answer: &Response) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

fn json_of(answer: &Response) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

/// Asks tvm-api for tickets with a form, as the service 42.
async fn form(server: &Server, grant: &str, src: &str, dst: &str, signed_dst: &str) -> Response {
    let secret = ServiceSecret::parse(&server.service_secret(OWN).unwrap()).unwrap();
    let sign = secret.sign_params("1700000000", signed_dst, "");
    let mut request = to(Method::POST, "/2/ticket");
    request.body = format!(
        "grant_type={grant}&src={src}&dst={dst}&ts=1700000000&sign={}",
        sign.expose()
    )
    .into();
    send(server, request, &[]).await
}

const GRANT: &str = "client_credentials";

#[tokio::test]
async fn tvm_api_answers_for_each_destination_separately() {
    let server = server();
    server.refuse_destination(OWN, Some("Dst is sleeping"));
    let answer = form(&server, GRANT, "42", "42,43,44", "42,43,44").await;
    assert_eq!(answer.status, 200);
    let answer = json_of(&answer);
    assert_eq!(answer["42"], json!({"error": "Dst is sleeping"}));
    assert_eq!(answer["44"], json!({"error": "Dst is not found"}));
    let ticket = answer["43"]["ticket"].as_str().unwrap();
    let headers = [("x-ya-service-ticket", ticket)];
    let checked = ask(&server, "/tvm/checksrv?dst=43", &headers).await;
    assert_eq!(json_of(&checked)["src"], json!(42));
}

#[tokio::test]
async fn tvm_api_refuses_what_is_not_signed_or_not_known() {
    let server = server();
    for (grant, src, dst, signed, why) in [
        ("sshkey", "42", "43", "43", "grant_type"),
        (GRANT, "41", "43", "43", "src"),
        (GRANT, "x", "43", "43", "src"),
        (GRANT, "43", "43", "43", "sign"),
        (GRANT, "42", "43", "42", "sign"),
        (GRANT, "42", "a", "a", "dst"),
    ] {
        let answer = form(&server, grant, src, dst, signed).await;
        assert_eq!(answer.status, 400, "{grant} {src} {dst} {signed}");
        assert!(text(&answer).contains(why), "{}", text(&answer));
    }
}

#[tokio::test]
async fn a_service_of_two_names_asks_with_the_secret_of_either() {
    let server = Server::new();
    for secret in [
        server.add_service(OWN, "main"),
        server.add_service(OWN, "spare"),
    ] {
        let sign = secret.sign_params("1", "42", "");
        let mut request = to(Method::POST, "/2/ticket");
        let sign = sign.expose();
        request.body =
            format!("grant_type=client_credentials&src=42&dst=42&ts=1&sign={sign}").into();
        assert_eq!(send(&server, request, &[]).await.status, 200);
    }
}

#[tokio::test]
async fn tirole_wants_a_ticket_for_itself_and_a_system_it_knows() {
    let server = server();
    let good = server.mint_service(OWN, TIROLE_TVM_ID).unwrap();
    let astray = server.mint_service(OWN, PEER).unwrap();
    let target = "/v1/get_actual_roles?system_slug=shop";
    let get = async |target: &str, ticket: &str, known: &str| {
        let headers = [("x-ya-service-ticket", ticket), ("if-none-match", known)];
        send(&server, to(Method::GET, target), &headers).await
    };
    let answer = get(target, good.expose(), "\"r0\"").await;
    assert_eq!((answer.status.as_u16(), text(&answer)), (200, ROLES));
    assert_eq!(get(target, good.expose(), "\"r1\"").await.status, 304);
    assert_eq!(get(target, astray.expose(), "").await.status, 401);
    assert_eq!(
        get("/v1/get_actual_roles", good.expose(), "").await.status,
        400
    );
    let elsewhere = "/v1/get_actual_roles?system_slug=other";
    assert_eq!(get(elsewhere, good.expose(), "").await.status, 404);
    let bare = send(&server, to(Method::GET, target), &[]).await;
    assert_eq!(bare.status, 401);
}

#[tokio::test]
async fn tvmtool_wants_its_token_everywhere_but_at_the_ping() {
    let server = server();
    for target in [
        "/tvm/keys",
        "/tvm/tickets?src=main&dsts=peer",
        "/tvm/checksrv?dst=main",
        "/tvm/checkusr",
        "/tvm/private_api/__meta__",
        "/v2/tickets?self=main&dsts=peer",
        "/v2/check?self=main",
        "/v2/roles?self=main",
    ] {
        for headers in [&[][..], &[("authorization", "OAuth x")]] {
            let answer = send(&server, to(Method::GET, target), headers).await;
            assert_eq!(answer.status, 401, "{target}");
        }
    }
    server.set_tool_ping(206, "tickets are old");
    let ping = send(&server, to(Method::GET, "/tvm/ping"), &[]).await;
    assert_eq!(
        (ping.status.as_u16(), text(&ping)),
        (206, "tickets are old")
    );
    assert!(ping.headers.contains_key("server"));
}

#[tokio::test]
async fn meta_tells_what_the_configuration_file_says() {
    let meta = json_of(&ask(&server(), "/tvm/private_api/__meta__", &[]).await);
    assert_eq!(meta["bb_env"], json!("TestYaTeam"));
    let main = &meta["tenants"][0];
    assert_eq!(main["self"], json!({"alias": "main", "client_id": 42}));
    assert_eq!(main["idm_slug"], json!("shop"));
    assert_eq!(main["dsts"].as_array().unwrap().len(), 3);
    assert!(meta["tenants"][1].get("idm_slug").is_none());
}

#[tokio::test]
async fn tickets_are_named_as_they_were_asked_for() {
    let server = server();
    let answer = ask(&server, "/tvm/tickets?src=42&dsts=peer,43,again,me", &[]).await;
    assert!(answer.headers.contains_key("x-ya-tvmtool-data-birthtime"));
    let answer = json_of(&answer);
    for (name, id) in [("peer", 43), ("43", 43), ("again", 43), ("me", 42)] {
        assert_eq!(answer[name]["tvm_id"], json!(id), "{name}");
    }
}

#[tokio::test]
async fn an_unknown_destination_is_refused_in_the_words_of_its_version() {
    let server = server();
    let v1 = "can't find in config destination tvmid for src = 42, dstparam = ";
    let strconv = ask(&server, "/tvm/tickets?src=main&dsts=peer,not_exists", &[]).await;
    let by_number = ask(&server, "/tvm/tickets?src=42&dsts=123", &[]).await;
    assert_eq!(
        (strconv.status.as_u16(), by_number.status.as_u16()),
        (400, 400)
    );
    assert_eq!(text(&strconv), format!("{v1}not_exists (strconv)"));
    assert_eq!(text(&by_number), format!("{v1}123 (by number)"));
    let v2 = ask(&server, "/v2/tickets?self=main&dsts=not_exists", &[]).await;
    assert_eq!(v2.status, 400);
    let why = "can't find in config destination tvmid for src = main, dstparam = not_exists";
    assert_eq!(json_of(&v2)["error"], json!(why));
}

#[tokio::test]
async fn the_source_may_be_left_out_where_there_is_one_only() {
    let answer = ask(&server(), "/tvm/tickets?dsts=peer", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), text(&answer)),
        (400, "missing parameter 'src'")
    );
    let lonely = Server::new();
    let _secret = lonely.add_service(OWN, "main");
    lonely.add_tool_destination(OWN, "peer", PEER);
    let answer = ask(&lonely, "/tvm/tickets?dsts=peer", &[]).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_bad_service_ticket_is_refused_with_its_reason() {
    let server = server();
    let astray = server.mint_service(OWN, PEER).unwrap();
    let late = ServiceTicketDraft::new(PEER, OWN).expiration_time(1);
    let late = server.sign_service(&late).unwrap();
    let user = server.mint_user(BlackboxEnv::TestYateam, &[UID]).unwrap();
    for (ticket, why) in [
        (astray.expose(), "Wrong ticket dst, expected 42, got 43"),
        (late.expose(), "Expired ticket"),
        ("3:serv", "invalid ticket format"),
        (user.expose(), "wrong ticket type, service is expected"),
    ] {
        let headers = [("x-ya-service-ticket", ticket)];
        let answer = ask(&server, "/tvm/checksrv?dst=main", &headers).await;
        assert_eq!(answer.status, 403);
        let answer = json_of(&answer);
        assert_eq!(answer["error"], json!(why));
        assert!(answer["debug_string"].is_string());
        let logged = answer["logging_string"].as_str().unwrap();
        assert!(logged.len() < ticket.len() || !ticket.starts_with("3:serv:"));
    }
}

#[tokio::test]
async fn a_user_ticket_is_checked_in_the_environment_asked_for() {
    let server = server();
    let draft = UserTicketDraft::new(BlackboxEnv::Test, UID).scope("bb:a");
    let ticket = server.sign_user(&draft).unwrap();
    let headers = [("x-ya-user-ticket", ticket.expose())];
    let own = ask(&server, "/tvm/checkusr", &headers).await;
    assert_eq!(own.status, 403);
    assert_eq!(
        json_of(&own)["error"],
        json!("Invalid BlackBox environment")
    );
    let other = ask(&server, "/tvm/checkusr?override_env=Test", &headers).await;
    let other = json_of(&other);
    assert_eq!((&other["uids"], &other["env"]), (&json!([1]), &json!(1)));
    assert_eq!(other["scopes"], json!(["bb:a"]));
    for env in ["Prod", "test", "Nowhere"] {
        let target = format!("/tvm/checkusr?override_env={env}");
        assert_eq!(ask(&server, &target, &headers).await.status, 400, "{env}");
    }
}

#[tokio::test]
async fn required_roles_are_all_wanted_unless_one_is_said_to_do() {
    let server = server();
    let ticket = server.mint_service(PEER, OWN).unwrap();
    let headers = [("x-ya-service-ticket", ticket.expose())];
    for (options, status) in [
        ("", 200),
        ("&required_service_roles=read,write", 200),
        ("&required_service_roles=read,admin", 403),
        (
            "&required_service_roles=read,admin&service_roles_op=or",
            200,
        ),
        (
            "&required_service_roles=admin,root&service_roles_op=or",
            403,
        ),
        ("&required_service_roles=read&service_roles_op=xor", 400),
        ("&required_user_roles=read", 400),
        ("&required_user_scopes=bb:a", 400),
    ] {
        let target = format!("/v2/check?self=main&show_roles=no{options}");
        let answer = ask(&server, &target, &headers).await;
        assert_eq!(answer.status, status, "{options}: {}", text(&answer));
        if status == 403 {
            assert_eq!(json_of(&answer)["error"], json!("invalid service ticket"));
        }
    }
    let shown = ask(&server, "/v2/check?self=main&show_roles=yes", &headers).await;
    assert_eq!(
        json_of(&shown)["service"]["roles"],
        json!({"read": [], "write": []})
    );
    let hidden = ask(&server, "/v2/check?self=main&show_roles=no", &headers).await;
    assert!(json_of(&hidden)["service"].get("roles").is_none());
}

#[tokio::test]
async fn required_scopes_are_looked_for_in_the_user_ticket() {
    let server = server();
    let draft = UserTicketDraft::new(BlackboxEnv::TestYateam, UID)
        .scope("bb:a")
        .scope("bb:b");
    let ticket = server.sign_user(&draft).unwrap();
    let headers = [("x-ya-user-ticket", ticket.expose())];
    for (options, status) in [
        ("required_user_scopes=bb:a,bb:b", 200),
        ("required_user_scopes=bb:a,bb:c", 403),
        ("required_user_scopes=bb:a,bb:c&user_scopes_op=or", 200),
        ("required_user_roles=read", 403),
    ] {
        let target = format!("/v2/check?self=main&{options}");
        let answer = ask(&server, &target, &headers).await;
        assert_eq!(answer.status, status, "{options}: {}", text(&answer));
        assert_eq!(json_of(&answer)["user"]["uids"], json!(["1"]));
    }
}

#[tokio::test]
async fn tickets_expire_as_the_clock_is_turned() {
    let server = server();
    server.set_ticket_lifetime(60);
    let ticket = server.mint_service(PEER, OWN).unwrap();
    let headers = [("x-ya-service-ticket", ticket.expose())];
    let target = "/tvm/checksrv?dst=main";
    assert_eq!(ask(&server, target, &headers).await.status, 200);
    server.clock().advance(Duration::from_secs(61));
    assert_eq!(ask(&server, target, &headers).await.status, 403);
    server.set_ticket_lifetime(i64::MAX);
    assert!(server.mint_service(PEER, OWN).is_ok());
}

#[tokio::test]
async fn old_tickets_are_good_after_a_rotation_until_old_keys_are_dropped() {
    let server = server();
    let ticket = server.mint_service(PEER, OWN).unwrap();
    let headers = [("x-ya-service-ticket", ticket.expose())];
    let target = "/tvm/checksrv?dst=main";
    let before = server.keys_text();
    server.rotate_keys();
    assert_ne!(server.keys_text(), before);
    assert_eq!(ask(&server, target, &headers).await.status, 200);
    server.drop_old_keys();
    let answer = ask(&server, target, &headers).await;
    assert_eq!(answer.status, 403);
    let why = json_of(&answer)["error"].as_str().unwrap().to_owned();
    assert!(why.contains("public keys are too old"), "{why}");
    let new = server.mint_service(PEER, OWN).unwrap();
    let headers = [("x-ya-service-ticket", new.expose())];
    assert_eq!(ask(&server, target, &headers).await.status, 200);
}

#[tokio::test]
async fn what_is_not_known_of_the_protocol_is_said_to_be() {
    let server = server();
    let answer = send(&server, to(Method::GET, "/v2/secrets"), &[]).await;
    assert_eq!(answer.status, 501);
    assert!(text(&answer).contains("/v2/secrets"));
    let answer = send(&server, to(Method::GET, "/2/ticket"), &[]).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.headers["allow"], "POST");
}

/// Keys, roles, services, refusals: all of it, and what was said to be the start.
#[tokio::test]
async fn a_reset_brings_back_the_start() {
    let server = server();
    server.keep_as_start();
    let (keys, token, env) = (server.keys_text(), server.tool_token(), server.env());
    let ticket = server.mint_service(PEER, OWN).unwrap();
    let headers = [("x-ya-service-ticket", ticket.expose())];
    let now = server.clock().now();

    server.rotate_keys();
    server.drop_old_keys();
    server.set_roles("shop", r#"{"revision":"r2","born_date":1}"#);
    server.set_env(BlackboxEnv::Stress);
    server.set_tool_token("other".into());
    server.set_tool_ping(500, "down");
    server.refuse_destination(PEER, Some("no"));
    server.set_slug(OWN, None);
    server.clock().advance(Duration::from_secs(100));
    assert_eq!(
        ask(&server, "/tvm/checksrv?dst=main", &headers)
            .await
            .status,
        403
    );

    server.reset();
    assert_eq!((server.keys_text(), server.env()), (keys, env));
    assert_eq!(server.tool_token().expose(), token.expose());
    assert!(server.journal().is_empty());
    assert_eq!(
        ask(&server, "/tvm/checksrv?dst=main", &headers)
            .await
            .status,
        200
    );
    let roles = ask(&server, "/v2/roles?self=main", &[]).await;
    assert_eq!(json_of(&roles)["revision"], "r1");
    assert_eq!(ask(&server, "/tvm/ping", &[]).await.status, 200);
    assert!(server.mint_service(OWN, PEER).is_ok());
    assert!(server.clock().now() < now + Duration::from_secs(100));
}

#[test]
fn debug_shows_no_secret() {
    let server = server();
    let debug = format!("{server:?}");
    let token = server.tool_token();
    for planted in ["c2VjcmV0LW9mLW1haW4", token.expose()] {
        assert!(!debug.contains(planted), "{debug}");
    }
}

#[tokio::test]
async fn clients_of_the_sample_call_each_other_as_far_as_they_have_roles() {
    let server = Server::sample();
    let shop = server.client("shop").await.unwrap();
    let cart = server.client("cart").await.unwrap();
    let ticket = cart.service_ticket("shop").unwrap();
    let checked = shop.check_service_ticket(ticket.expose()).unwrap();
    assert_eq!(checked.src(), Server::CART);

    let stranger = server.mint_service(Server::CRAWLER, Server::SHOP).unwrap();
    let error = shop.check_service_ticket(stranger.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::NoRoles));
    assert!(server.client("nobody").await.is_err());

    // A reset leads back to this world, not to an empty one.
    server.add_destination(TvmId::new(7));
    server.reset();
    assert!(server.service_secret(Server::ME).is_some());
}
