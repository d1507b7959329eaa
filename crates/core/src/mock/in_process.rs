//! Calls a host without sockets. A fault that would damage a connection becomes the error that the
//! socket transport reports for it.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderValue, Method, StatusCode};

use super::Host;
use super::faults::Harm;
use super::host::Exchange;
use crate::transport::{Request, Response, Transport, broken};
use crate::url::host_header;
use crate::{BoxFuture, Error, Result};

impl Host {
    /// Returns a transport that calls the host without sockets.
    ///
    /// Faults cause the same errors as over sockets by HTTP/1.1. All waits run on tokio's clock,
    /// which tests can pause.
    #[must_use]
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess {
            host: self.clone(),
            #[cfg(feature = "http2")]
            is_http2: false,
        })
    }

    /// Like [`transport`](Self::transport), with the errors of faults over HTTP/2.
    #[cfg(feature = "http2")]
    #[cfg_attr(docsrs, doc(cfg(feature = "http2")))]
    #[must_use]
    pub fn transport_http2(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess {
            host: self.clone(),
            is_http2: true,
        })
    }
}

/// A transport that calls a host.
#[derive(Debug)]
struct InProcess {
    host: Host,
    #[cfg(feature = "http2")]
    is_http2: bool,
}

impl InProcess {
    async fn ask(&self, mut request: Request) -> Result<Response> {
        request.written.may_begin()?;
        add_framing(&mut request);
        let limit = request.response_limit;
        let is_head = request.method == Method::HEAD;
        let Exchange {
            mut response,
            delay,
            harm,
        } = self.host.exchange(&request);
        let has_body = !is_head && !matches!(response.status.as_u16(), 204 | 304);
        if !has_body {
            response.body = Bytes::new();
        }
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let harm = harm.filter(|harm| has_body || !harm.is_in_body());
        let Some(harm) = harm else {
            return bounded(response, limit);
        };
        let status = response.status;
        #[cfg(feature = "http2")]
        if self.is_http2 {
            match harm {
                Harm::NotHttp => return Err(broken::not_http2("not HTTP".into())),
                Harm::GoAway(_) => return Err(broken::before_answer("gone away".into())),
                // Frames have lengths of their own: both must agree (RFC 9113, section 8.1.1).
                Harm::WrongLength(declared)
                    if declared <= limit as u64 && declared != response.body.len() as u64 =>
                {
                    return Err(within_body(status));
                }
                _ => {}
            }
        }
        match harm {
            Harm::NoAnswer => std::future::pending().await,
            Harm::ResetBeforeHead | Harm::ResetInHead | Harm::ResetStream(_) => {
                Err(broken::before_answer(reset()))
            }
            Harm::GoAway(_) => Err(broken::without_answer(end())),
            Harm::ResetAfterHead => {
                bounded(response, limit)?;
                Err(broken::within_body(status, reset()))
            }
            Harm::CutBody => {
                bounded(response, limit)?;
                Err(within_body(status))
            }
            Harm::Drip { bytes, wait } => {
                for _ in 0..bounded(response.clone(), limit)?.body.len().div_ceil(bytes) {
                    tokio::time::sleep(wait).await;
                }
                Ok(response)
            }
            Harm::WrongLength(declared) if declared > limit as u64 => {
                Err(broken::too_large(status, limit))
            }
            Harm::WrongLength(declared) if declared > response.body.len() as u64 => {
                Err(within_body(status))
            }
            Harm::WrongLength(declared) => {
                response.body.truncate(declared as usize);
                Ok(response)
            }
            Harm::NotHttp => Err(broken::not_http("not HTTP".into())),
            Harm::HugeBody(bytes) if bytes > limit as u64 => Err(broken::too_large(status, limit)),
            Harm::HugeBody(bytes) => {
                response.body = Bytes::from(vec![b' '; bytes as usize]);
                Ok(response)
            }
            Harm::CloseWhenIdle => bounded(response, limit),
        }
    }
}

impl Transport for InProcess {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        Box::pin(self.ask(request))
    }
}

/// Adds the headers that hyper adds, so that an emulator sees the same request either way.
fn add_framing(request: &mut Request) {
    if let Some((scheme, authority)) = request.uri.scheme().zip(request.uri.authority()) {
        let host = || host_header(scheme, authority);
        request.headers.entry(HOST).or_insert_with(host);
    }
    if !request.body.is_empty() {
        let length = HeaderValue::from(request.body.len());
        request.headers.insert(CONTENT_LENGTH, length);
    }
}

fn bounded(response: Response, limit: usize) -> Result<Response> {
    if response.body.len() > limit {
        Err(broken::too_large(response.status, limit))
    } else {
        Ok(response)
    }
}

fn within_body(status: StatusCode) -> Error {
    broken::within_body(status, end())
}

fn end() -> Box<dyn std::error::Error + Send + Sync> {
    io::Error::from(io::ErrorKind::UnexpectedEof).into()
}

fn reset() -> Box<dyn std::error::Error + Send + Sync> {
    io::Error::from(io::ErrorKind::ConnectionReset).into()
}
