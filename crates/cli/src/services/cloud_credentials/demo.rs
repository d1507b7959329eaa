//! The demo of Cortex Data Lake.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use vouchsafe::cloud_credentials::OPERATIONS;
use vouchsafe::cloud_credentials::mock::Server;
use vouchsafe::core::transport::HttpTransport;

use crate::described;
use crate::failure::Failure;
use crate::stage::Stage;

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let server = Server::new();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = server.serve_tls(address, &stage.authority).await?;
    let transport = HttpTransport::builder().add_root_pem(stage.authority.pem().as_bytes())?;
    let client = server
        .client_builder()
        .base_url(format!("{}{}", serving.url(), server.base_path()))
        .transport(Arc::new(transport.only_roots().build()?))
        .build()?;
    let journal = server.journal().clone();
    described::demo(stage, &journal, &client, OPERATIONS).await;
    Ok(())
}
