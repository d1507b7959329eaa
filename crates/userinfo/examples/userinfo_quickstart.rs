//! Asks who a user is, with the user's own token and by name, and refuses a bad name before
//! anything is sent. Runs against the emulator: `cargo run -p vouchsafe-userinfo --example
//! userinfo_quickstart --features mock,tls-ring`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "an example"
)]

use vouchsafe_userinfo::{Scope, ServiceToken, Username, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production: `Client::from_env()?`, which reads REPERTOIRE_BASE_URL.
    let server = mock::Server::new();
    let client = server.client();

    // The token that the ingress passed on, asked about itself.
    let delegated = server.user_token();
    let user = client.user_info(&delegated).await?;
    println!(
        "{} ({:?}) is in {} groups",
        user.username,
        user.name,
        user.groups.len()
    );

    // Any user, asked about with a service token. In production:
    // `ServiceToken::file("/etc/gafaelfawr/token")`, read again when the server refuses it.
    let service = ServiceToken::from(server.service_token());
    let name: Username = user.username.parse()?;
    let same = client.user_info_for(&service, &name).await?;
    println!("by name: uid {:?}", same.uid);

    // What may they use? Absent rules, bypass and missing keys all answer "not limited".
    println!("calls of tap: {:?}", user.quota.api("tap"));

    // A name that the server would refuse cannot be made, so `../user-info` never reaches a URL.
    let refused = "../user-info".parse::<Username>().unwrap_err();
    println!("refused: {refused}");

    // Asking about others needs the scope `admin:userinfo`; the user's own token has it not.
    let error = client.users(&delegated).await.unwrap_err();
    println!("refused: {error} (forbidden: {})", error.is_forbidden());
    println!(
        "a scope is checked too: {}",
        Scope::parse("admin:userinfo")?
    );
    Ok(())
}
