//! Fetches a service ticket.

use vouchsafe_ticket::core::Secret;
use vouchsafe_ticket::{Client, ServiceSecret, TvmId};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let secret = ServiceSecret::parse(&Secret::from(std::env::var("TVM_SECRET")?))?;
    let other = TvmId::new(100_500);
    let client = Client::tvm_api(TvmId::new(42))
        .secret(secret)
        .destination(other);
    let client = client.connect().await?;
    println!("{} bytes", client.service_ticket(other)?.expose().len());
    Ok(())
}
