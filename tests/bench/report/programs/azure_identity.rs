//! Fetches a token for an application with a secret.

use azure_core::credentials::{Secret, TokenCredential as _};
use azure_identity::ClientSecretCredential;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = Secret::new(std::env::var("SECRET")?);
    let tenant = std::env::var("TENANT")?;
    let credential = ClientSecretCredential::new(&tenant, "client".to_owned(), secret, None)?;
    let scopes = ["https://management.azure.com/.default"];
    let token = credential.get_token(&scopes, None).await?;
    println!("until {}", token.expires_on);
    Ok(())
}
