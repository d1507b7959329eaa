//! How a client reaches a peer of each kind.

use std::sync::Arc;

use http::Method;
use vouchsafe_core::call::{Answer, Call, CallOptions, Operation, Retry};
use vouchsafe_core::transport::{HttpTransport, HttpTransportBuilder, Proxy, Request};
use vouchsafe_core::url::Target;
use vouchsafe_core::{CoreClient, Result};

use crate::kind::{Kind, LIMIT, NoNames, client};
use crate::peer::{Peer, root};

impl Peer {
    /// Settings with which a client reaches the peer.
    pub(crate) fn network(&self) -> HttpTransportBuilder {
        let network = HttpTransport::builder()
            .connect_timeout(LIMIT)
            .resolver(Arc::new(NoNames))
            .add_root_pem(root().as_bytes())
            .unwrap()
            .only_roots();
        let network = match self.kind {
            Kind::Plain | Kind::Tls | Kind::Proxy | Kind::Tunnel => network,
            Kind::Http2 | Kind::Http2Tunnel => network.http2(),
            Kind::Http2Plain => network.http2_prior_knowledge(),
        };
        match self.kind.is_proxied() {
            true => network.proxy(Proxy::new(&format!("http://{}", self.address)).unwrap()),
            false => network,
        }
    }

    pub(crate) fn transport(&self) -> HttpTransport {
        self.network().build().unwrap()
    }

    /// The server's URL. A server behind a proxy has a name that only the proxy knows.
    pub(crate) fn url(&self) -> String {
        match self.kind.is_proxied() {
            true => self.url_of("one.example"),
            false => self.url_of(&self.address.to_string()),
        }
    }

    pub(crate) fn url_of(&self, server: &str) -> String {
        let scheme = if self.kind.has_tls() { "https" } else { "http" };
        format!("{scheme}://{server}")
    }

    pub(crate) fn request(&self) -> Request {
        Request::new(Method::GET, format!("{}/x", self.url()).parse().unwrap())
    }

    /// A client whose attempts have `LIMIT` each.
    pub(crate) fn client(&self) -> CoreClient {
        client(self.network())
    }

    /// Sends an operation, without retries.
    pub(crate) async fn once(
        &self,
        client: &CoreClient,
        operation: &'static Operation,
    ) -> Result<Answer> {
        let options = CallOptions::new().retry(Retry::none());
        self.send(client, operation, &options).await
    }

    pub(crate) async fn send(
        &self,
        client: &CoreClient,
        operation: &'static Operation,
        options: &CallOptions,
    ) -> Result<Answer> {
        let base = self.url().parse()?;
        let call = Call::new(operation, Target::new(operation.path()));
        client.send(&base, call, None, options).await
    }
}
