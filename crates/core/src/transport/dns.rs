//! From a host name to addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;

use crate::{BoxFuture, ConnectPhase, Error, ErrorKind, Result};

/// Turns a host name into addresses.
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// Resolves a name; literal addresses do not come here.
    fn resolve(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>>;
}

/// The system's resolver (`getaddrinfo`), run on tokio's blocking pool.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemResolver;

impl SystemResolver {
    /// Returns the system's resolver.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, host: &str) -> BoxFuture<'_, std::io::Result<Vec<IpAddr>>> {
        let host = host.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A resolver as hyper-util's connector asks for one.
#[derive(Clone, Debug)]
pub(super) struct CachedResolver {
    resolve: Arc<dyn Resolve>,
}

impl CachedResolver {
    pub(super) fn new(resolve: Arc<dyn Resolve>) -> Self {
        Self { resolve }
    }

    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>> {
        let fail = |why: &str| {
            Error::new(
                ErrorKind::Connect(ConnectPhase::Dns),
                format!("the name {name} {why}"),
            )
            .with_retryable(true)
        };
        let found = self.resolve.resolve(name).await;
        let found = found.map_err(|cause| fail("could not be resolved").with_source(cause))?;
        if found.is_empty() {
            Err(fail("has no address"))
        } else {
            Ok(found)
        }
    }
}

impl tower_service::Service<Name> for CachedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Error;
    type Future = BoxFuture<'static, Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let found = this.addresses(name.as_str()).await?;
            let mut addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(*ip, 0)).collect();
            // So that clients that started together do not all go to the first address.
            fastrand::shuffle(&mut addresses);
            Ok(addresses.into_iter())
        })
    }
}
