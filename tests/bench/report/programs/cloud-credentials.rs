//! Lists queries, with a token that is refreshed first if it is due.

use vouchsafe_cloud_credentials::{Client, Credentials};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let credentials = Credentials::from_env()?;
    let client = Client::builder().credentials(&credentials).build()?;
    println!("{:?}", client.queries().list().send().await?);
    Ok(())
}
