//! Serves a router on a loopback socket, for steps of a demo that show how a layer answers its
//! callers.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;
use vouchsafe::core::Secret;
use vouchsafe::core::task::Task;
use vouchsafe::core::transport::{HttpTransport, Request, Transport as _};

use crate::failure::Failure;

/// A router that is served until this is dropped.
pub(crate) struct Hosted {
    url: String,
    transport: HttpTransport,
    _serving: Task,
}

impl Hosted {
    /// Serves a router on any free port.
    pub(crate) async fn begin(router: Router) -> Result<Self, Failure> {
        let cannot = |cause: std::io::Error| {
            Failure::failed(format!("the service of the demo cannot listen: {cause}"))
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let listener = tokio::net::TcpListener::bind(address).await;
        let listener = listener.map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        Ok(Self {
            url: format!("http://{address}"),
            transport: HttpTransport::builder().build()?,
            _serving: Task::spawn(async move {
                // Ends with the task.
                let _ = axum::serve(listener, router).await;
            }),
        })
    }

    /// Requests a path, with a secret in a header if there is one. Returns the answer's status and
    /// body; a body that is not JSON becomes a text.
    pub(crate) async fn get(
        &self,
        path: &str,
        secret: Option<(HeaderName, &Secret)>,
    ) -> Result<(StatusCode, Value), String> {
        let uri = format!("{}{path}", self.url).parse().map_err(text)?;
        let mut request = Request::new(Method::GET, uri);
        if let Some((name, secret)) = secret {
            let mut value = HeaderValue::from_str(secret.expose()).map_err(text)?;
            value.set_sensitive(true);
            request.headers.insert(name, value);
        }
        let response = self.transport.send(request).await.map_err(text)?;
        let body = String::from_utf8_lossy(&response.body).into_owned();
        let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
        Ok((response.status, body))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
