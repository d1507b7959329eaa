//! A server that records all requests and answers.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use http::{Method, Uri};
use vouchsafe::core::mock::{Handler, Host, Serving};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{Request, Response};

/// A request and what was answered.
pub(super) type Exchange = (Request, Response);

/// A server on loopback; dropping it ends it.
#[derive(Debug)]
pub(super) struct Recorder {
    seen: Arc<Seen>,
    serving: Serving,
}

struct Seen {
    answer: Box<dyn Fn(&Request) -> Response + Send + Sync>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

impl Handler for Seen {
    fn handle(&self, request: &Request) -> Response {
        let response = (self.answer)(request);
        let mut exchanges = lock(&self.exchanges);
        exchanges.push((request.clone(), response.clone()));
        response
    }

    fn operation(&self, _: &Method, _: &Uri) -> Option<&'static str> {
        None
    }
}

impl Recorder {
    /// Starts a server that answers by a function.
    ///
    /// # Errors
    ///
    /// If no port can be had.
    pub(super) async fn start(
        answer: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let seen = Arc::new(Seen {
            answer: Box::new(answer),
            exchanges: Mutex::default(),
        });
        let host = Host::new(Arc::clone(&seen) as Arc<dyn Handler>);
        let serving = host.serve((Ipv4Addr::LOCALHOST, 0).into()).await;
        let serving = serving.map_err(|fault| fault.to_string())?;
        Ok(Self { seen, serving })
    }

    pub(super) fn url(&self) -> String {
        self.serving.url().to_string()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.serving.address()
    }

    /// Returns the exchanges since the last time.
    pub(super) fn take(&self) -> Vec<Exchange> {
        let mut exchanges = lock(&self.seen.exchanges);
        std::mem::take(&mut exchanges)
    }
}
