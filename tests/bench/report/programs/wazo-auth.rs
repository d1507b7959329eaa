//! Asks whether a token is valid.

use vouchsafe_wazo_auth::Client;
use vouchsafe_wazo_auth::core::Secret;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder().host(std::env::var("HOST")?).build()?;
    let token = Secret::from(std::env::var("TOKEN")?);
    println!("{}", client.token().is_valid(&token).await?);
    Ok(())
}
