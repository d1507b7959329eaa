//! An emulator of AWS for the tests, and a transport that counts.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_types::SdkConfig;
use aws_types::region::Region;
use http::StatusCode;
use vouchsafe_core::store::contract::Server;
use vouchsafe_core::store::{Expect, Key, Store, Swapped};
use vouchsafe_core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe_core::{BoxFuture, Result, SecretBytes};

use crate::{Aws, AwsBuilder};

pub(crate) fn start(place: &Path) -> Option<Box<dyn Server>> {
    vouchsafe_test_servers::moto(place)
}

pub(crate) fn sdk(url: &str) -> SdkConfig {
    let keys = Credentials::from_keys("planted-id", "planted-secret", None);
    SdkConfig::builder()
        .region(Region::from_static("us-east-1"))
        .endpoint_url(url)
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .build()
}

pub(crate) fn builder(place: &Path) -> AwsBuilder {
    let port = vouchsafe_test_servers::port(place);
    // The emulator makes one call after the other, of hundreds at a time.
    Aws::builder(&sdk(&format!("http://127.0.0.1:{port}"))).limit(Duration::from_secs(20))
}

pub(crate) fn aws(place: &Path) -> Aws {
    builder(place).build().unwrap()
}

pub(crate) fn key() -> Key {
    Key::new("application", "profile")
}

pub(crate) fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

pub(crate) async fn write(store: &dyn Store, expect: Expect, text: &str) -> Swapped {
    let swapped = store.compare_and_swap(&key(), &expect, &bytes(text)).await;
    swapped.unwrap()
}

/// Notes the operations that are called.
#[derive(Debug)]
pub(crate) struct Counting {
    real: HttpTransport,
    seen: Mutex<Vec<String>>,
}

impl Counting {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            real: HttpTransport::builder().build().unwrap(),
            seen: Mutex::default(),
        })
    }

    /// Returns the operations since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

impl Transport for Counting {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let target = request.headers["x-amz-target"].to_str().unwrap();
        let (_, operation) = target.split_once('.').unwrap();
        self.seen.lock().unwrap().push(operation.to_owned());
        self.real.send(request)
    }
}

/// Refuses all requests for one reason.
#[derive(Debug)]
pub(crate) struct Always {
    status: u16,
    code: &'static str,
    seen: Mutex<usize>,
}

impl Always {
    pub(crate) fn new(status: u16, code: &'static str) -> Arc<Self> {
        Arc::new(Self {
            status,
            code,
            seen: Mutex::default(),
        })
    }

    /// Returns how many requests there were.
    pub(crate) fn seen(&self) -> usize {
        *self.seen.lock().unwrap()
    }
}

impl Transport for Always {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response>> {
        *self.seen.lock().unwrap() += 1;
        let mut response = Response::new(StatusCode::from_u16(self.status).unwrap());
        let body = format!(
            r#"{{"__type": "x#{}", "message": "told: planted-value"}}"#,
            self.code
        );
        response.body = body.into();
        Box::pin(std::future::ready(Ok(response)))
    }
}
