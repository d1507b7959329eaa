//! A service that lets in callers with a good ticket, and writers with a role. Runs against the
//! emulator: `cargo run -p vouchsafe-ticket --example check_in_axum --features
//! axum,mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use vouchsafe_ticket::core::task::Task;
use vouchsafe_ticket::server::{ServiceTicket, TicketLayer, UserTicket};
use vouchsafe_ticket::{BlackboxEnv, Client, TvmId, mock};

const US: TvmId = TvmId::new(42);
const FRIEND: TvmId = TvmId::new(41);
const STRANGER: TvmId = TvmId::new(666);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = mock::Server::new();
    server.add_service(US, "me");
    let client = Client::tvm_api(US)
        .check_service_tickets()
        .check_user_tickets(BlackboxEnv::Prod)
        .transport(server.host().transport())
        .connect()
        .await?;
    let app = Router::new()
        .route("/", get(greet))
        .layer(TicketLayer::new(client).allow_sources([FRIEND]));

    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    // Ends with `main`: the task is aborted when it is dropped.
    let _serving = Task::spawn(async move {
        if let Err(error) = axum::serve(listener, app).await {
            eprintln!("{error}");
        }
    });

    let friend = server.mint_service(FRIEND, US)?;
    let stranger = server.mint_service(STRANGER, US)?;
    println!("friend: {}", request(address, Some(friend.expose())).await?);
    println!(
        "stranger: {}",
        request(address, Some(stranger.expose())).await?
    );
    println!("no ticket: {}", request(address, None).await?);
    Ok(())
}

async fn greet(caller: ServiceTicket, user: Option<UserTicket>) -> String {
    let user = user.map(|user| user.default_uid());
    format!("{} is calling for {user:?}", caller.src())
}

/// Sends one request and returns the status line and the body.
async fn request(address: SocketAddr, ticket: Option<&str>) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let header = ticket.map_or_else(String::new, |ticket| {
        format!("X-Ya-Service-Ticket: {ticket}\r\n")
    });
    let head = format!("GET / HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n{header}\r\n");
    stream.write_all(head.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.lines().next().unwrap_or_default();
    let body = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    Ok(format!("{status}: {body}"))
}
