//! The cost of the layer and a guard for a request whose token is known.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use vouchsafe_bench_report::row::Row;
use vouchsafe_core::{BoxFuture, Secret};
use vouchsafe_wazo_auth::server::{Guard, Introspect, TokenLayer, Tokens};
use vouchsafe_wazo_auth::{Result, Token, Validity};

use crate::measure::{self, Cost, Size};

const TOKEN: &str = "d808fb98-0cec-45ac-828a-90bfb7b15f36";

/// Answers at once, as the only token is known.
#[derive(Debug)]
struct Auth;

impl Introspect for Auth {
    fn token<'a>(&'a self, _: &'a Secret) -> BoxFuture<'a, Result<Token>> {
        let token = serde_json::json!({
            "token": TOKEN, "auth_id": "a", "acl": ["confd.users.*.read", "auth.#"],
            "metadata": {"tenant_uuid": "22eaf242-8f70-450c-bbc2-58acd132ca55"},
        });
        Box::pin(ready(Ok(serde_json::from_value(token).expect("a token"))))
    }

    fn check<'a>(
        &'a self,
        _: &'a Secret,
        _: Option<&'a str>,
        _: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Validity>> {
        Box::pin(ready(Ok(Validity::Valid)))
    }
}

#[derive(Clone)]
struct Inner;

impl Service<Request<()>> for Inner {
    type Response = Response<Bytes>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Bytes>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Bytes::new())))
    }
}

pub fn run(size: Size) -> Vec<Row> {
    let runtime = measure::runtime();
    let layer = TokenLayer::new(Tokens::new(Auth));
    let guard = Guard::for_path("/users/{user}", "confd.users.{user}.read").expect("a guard");
    let behind = layer.layer(Inner);
    let guarded = layer.layer(guard.layer(Inner));
    let each = size.pick(1000, 20_000);
    let costs = measure::rounds(3, size.pick(5, 101), |case| {
        let work = || match case {
            0 => runtime.block_on(calls(Inner, each)),
            1 => runtime.block_on(calls(behind.clone(), each)),
            _ => runtime.block_on(calls(guarded.clone(), each)),
        };
        Cost::of(work).0
    });
    let time = |case: usize| measure::median(&costs[case], |cost| cost.wall, each as f64);
    let added = |case: usize| time(0).with(&time(case), |without, with| with - without);
    vec![
        Row::alone("a request without the layer", "ns", &time(0)),
        Row::alone("added by the layer, token known", "ns", &added(1)).at_most(1000.0),
        Row::alone(
            "added by the layer and a guard, token known",
            "ns",
            &added(2),
        )
        .at_most(1000.0),
    ]
}

async fn calls<S>(mut service: S, each: usize)
where
    S: Service<Request<()>, Response = Response<Bytes>, Error = Infallible>,
{
    for _ in 0..each {
        let request = Request::builder()
            .uri("/users/7")
            .header("x-auth-token", TOKEN);
        let answer = service.call(request.body(()).expect("a request")).await;
        assert!(answer.expect("an answer").status().is_success());
    }
}
