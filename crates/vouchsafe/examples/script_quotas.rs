//! A script without `async`: prints the quotas of all users of Astakos, of which one user's are in
//! memory at a time. Runs against the emulator: `cargo run -p vouchsafe --example script_quotas --features
//! astakos,blocking,mock`.
#![allow(clippy::print_stdout, reason = "an example")]

use std::error::Error;

use vouchsafe::astakos::mock;
use vouchsafe::blocking::{Wait as _, each};

fn main() -> Result<(), Box<dyn Error>> {
    // In production: `ClientBuilder::from_env()?.token(..).build()?`.
    let server = mock::Server::new();
    let token = server.service_token("cyclades").ok_or("no such service")?;
    let client = server.client(token);

    let mut walk = client.service_quotas().walk().wait()?;
    for user in each(async || walk.next().await) {
        let (uuid, quotas) = user?;
        for (_, resource, quota) in quotas.iter() {
            println!("{uuid} {resource}: {} of {:?}", quota.usage, quota.limit);
        }
    }
    Ok(())
}
