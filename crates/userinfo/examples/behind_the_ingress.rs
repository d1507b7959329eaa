//! A service behind the Gafaelfawr ingress: greets users, and has one page for a group. Requests
//! from elsewhere than the ingress are refused. Runs against the emulator: `cargo run -p
//! vouchsafe-userinfo --example behind_the_ingress --features axum,mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use std::net::SocketAddr;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vouchsafe_userinfo::core::task::Task;
use vouchsafe_userinfo::server::{Guard, IngressLayer, User};
use vouchsafe_userinfo::{Client, GroupName, Token, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    server.add_user(mock::User::new("ada").uid(4001).group("staff"));
    server.add_group("staff", 5001, ["ada"]);
    let ada = server.create_token("ada").issue();
    let bob = server.create_token("bob").issue();

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = app(server.client())?.into_make_service_with_connect_info::<SocketAddr>();
    // Ends with `main`: the task is aborted when it is dropped.
    let _serving = Task::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("{error}");
        }
    });

    // What the ingress sends for each user: the name and a delegated token.
    for (name, token) in [("ada", &ada), ("bob", &bob)] {
        for path in ["/", "/staff"] {
            println!(
                "{name} {path}: {}",
                request(address, path, name, token).await?
            );
        }
    }
    Ok(())
}

fn app(client: Client) -> anyhow::Result<Router> {
    let staff = Guard::new(client).require_group(GroupName::parse("staff")?);
    // In production the addresses of the ingress, such as "10.42.0.0/16".
    let ingress = IngressLayer::new("127.0.0.0/8".parse()?)
        .peer_address(|extensions| Some(extensions.get::<ConnectInfo<SocketAddr>>()?.0.ip()));
    Ok(Router::new()
        .route("/", get(async |User(name): User| format!("Hello, {name}!")))
        .route("/staff", get(async || "Hello, colleague!").layer(staff))
        .layer(ingress))
}

/// Sends one request as the ingress would, and returns the status line and the body.
async fn request(
    address: SocketAddr,
    path: &str,
    name: &str,
    token: &Token,
) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\
         X-Auth-Request-User: {name}\r\nX-Auth-Request-Token: {}\r\n\r\n",
        token.secret().expose()
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    Ok(format!("{status}: {body}"))
}
