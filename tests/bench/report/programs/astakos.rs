//! Asks for a user's quotas.

use vouchsafe_astakos::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::builder().auth_url(std::env::var("AUTH_URL")?);
    let client = client.token(std::env::var("TOKEN")?).build()?;
    println!("{:?}", client.quotas().await?);
    Ok(())
}
