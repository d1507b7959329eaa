//! A service that accepts tokens of wazo-auth: one route for everyone with a token, one that needs
//! an access for the user in its path. Runs against the emulator: `cargo run -p vouchsafe-wazo-auth
//! --example accept_tokens --features axum,mock,tls-ring`.
#![allow(clippy::print_stdout, reason = "an example")]

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::routing::get;
use http::Request;
use tower_service::Service as _;
use vouchsafe_wazo_auth::server::{Caller, Guard, TokenLayer, Tokens};
use vouchsafe_wazo_auth::{Secret, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    // In production: `Client::builder().host("wazo.example.com").build()?`. It needs no token of its
    // own, since anyone who has a token may query it.
    let tokens = Tokens::new(server.client());
    let app = app(tokens.clone())?;

    let token = server.issue_token_with("admin", ["confd.users.me.read"]);
    let user = server
        .client()
        .token()
        .get(token.clone())
        .send()
        .await?
        .auth_id;
    for path in ["/", &format!("/users/{user}"), "/users/someone-else"] {
        println!("{path}: {}", request(&app, path, &token).await?);
    }

    // A service that hears of a revocation need not wait until what it knows is old.
    server.client().token().revoke(&token).await?;
    tokens.forget(&token);
    println!("revoked: {}", request(&app, "/", &token).await?);

    // Without wazo-auth nothing passes, and the answer says that it is not the token's fault.
    let token = server.issue_token("admin");
    server.set_database_down(true);
    println!("away: {}", request(&app, "/", &token).await?);
    Ok(())
}

fn app(tokens: Tokens) -> anyhow::Result<Router> {
    let read = Guard::for_path("/users/{user}", "confd.users.{user}.read")?;
    let hello = async |caller: Caller| format!("Hello, {}!", caller.info().auth_id);
    Ok(Router::new()
        .route("/", get(hello))
        .route("/users/{user}", get(async || "a user").layer(read))
        .layer(TokenLayer::new(tokens)))
}

async fn request(app: &Router, path: &str, token: &Secret) -> anyhow::Result<String> {
    let request = Request::get(path).header("X-Auth-Token", token.expose());
    let answer = app.clone().call(request.body(Body::empty())?).await?;
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 16).await?;
    Ok(format!("{status} {}", String::from_utf8_lossy(&body)))
}
