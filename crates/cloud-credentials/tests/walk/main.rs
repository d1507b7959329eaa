//! Walks over what the services find: how often they ask, where they end, and what they leave.
//! Time is paused.
#![allow(clippy::unwrap_used, reason = "a test")]

mod events;
mod jobs;
mod logs;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;
use vouchsafe_cloud_credentials::{Client, ErrorKind, Retry};
use vouchsafe_core::mock::cancel::{at_each_await, cut};
use vouchsafe_core::transport::{Request, Response, Transport};
use vouchsafe_core::{BoxFuture, ErrorKind as Kind, Result};

/// Answers in turn, and notes what it was asked and after how many milliseconds. The last answer is
/// repeated.
#[derive(Debug)]
struct Service {
    started: Instant,
    answers: Mutex<VecDeque<(u16, Value)>>,
    seen: Mutex<Vec<(u128, String)>>,
    /// How long an answer takes.
    takes: Duration,
}

impl Service {
    fn new(answers: impl IntoIterator<Item = (u16, Value)>) -> Arc<Self> {
        Self::slow(answers, Duration::ZERO)
    }

    fn slow(answers: impl IntoIterator<Item = (u16, Value)>, takes: Duration) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            answers: Mutex::new(answers.into_iter().collect()),
            seen: Mutex::default(),
            takes,
        })
    }

    fn client(self: &Arc<Self>) -> Client {
        Client::builder()
            .transport(Arc::clone(self) as Arc<dyn Transport>)
            .retry(Retry::none())
            .token("t")
            .build()
            .unwrap()
    }

    /// Returns the requests since the last call.
    fn asked(&self) -> Vec<String> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap());
        seen.into_iter().map(|(_, line)| line).collect()
    }

    /// Returns the pauses between the requests, in milliseconds.
    fn pauses(&self) -> Vec<u128> {
        let seen = self.seen.lock().unwrap();
        let pairs = seen.windows(2);
        pairs.map(|pair| pair[1].0 - pair[0].0).collect()
    }
}

impl Transport for Service {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        let target = request.uri.path_and_query().unwrap();
        let line = format!("{} {target}", request.method);
        let at = self.started.elapsed().as_millis();
        self.seen.lock().unwrap().push((at, line));
        let (status, body) = {
            let mut answers = self.answers.lock().unwrap();
            match answers.len() {
                1 => answers[0].clone(),
                _ => answers.pop_front().unwrap(),
            }
        };
        let mut response = Response::new(StatusCode::from_u16(status).unwrap());
        response.body = body.to_string().into();
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            Ok(response)
        })
    }
}

/// Lets work in the background come to rest.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
