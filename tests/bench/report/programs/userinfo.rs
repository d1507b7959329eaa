//! Asks who a token belongs to.

use vouchsafe_userinfo::{Client, Token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let token: Token = std::env::var("TOKEN")?.parse()?;
    let user = Client::from_env()?.user_info(&token).await?;
    println!("{} is in {} groups", user.username, user.groups.len());
    Ok(())
}
