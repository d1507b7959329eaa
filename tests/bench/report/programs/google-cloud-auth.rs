//! Fetches a token with the default credentials of the machine.

use google_cloud_auth::credentials::Builder;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let credentials = Builder::default().build()?;
    let headers = credentials.headers(http::Extensions::new()).await?;
    println!(
        "{}",
        matches!(
            headers,
            google_cloud_auth::credentials::CacheableResource::New { .. }
        )
    );
    Ok(())
}
