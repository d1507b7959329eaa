//! The cost of a call with the token for this process.

use std::sync::Arc;

use http::Method;
use tokio::runtime::Runtime;
use vouchsafe_bench_report::row::Row;
use vouchsafe_cloud_credentials::{Credentials, HttpClient};
use vouchsafe_core::transport::HttpTransport;

use super::TOKEN;
use super::tokens::ByHand;
use crate::client::Info;
use crate::measure::{self, Cost, Size};
use crate::server::Server;

pub const NAMES: [&str; 2] = ["vouchsafe", "reqwest and mutex"];

pub fn run(size: Size) -> Vec<Row> {
    let server = Server::start();
    measure::pin(0);
    let runtime = measure::runtime();
    let clients = NAMES.map(|name| Client::new(name, &server.http, &runtime));
    let count = size.pick(200, 2_000);
    let mut rows = Vec::new();
    for width in [1, 8] {
        for client in &clients {
            client.make(&runtime, 20, width);
        }
        let costs = measure::rounds(NAMES.len(), size.pick(5, 31), |case| {
            Cost::of(|| clients[case].make(&runtime, count, width)).0
        });
        let cpu = |costs: &Vec<Cost>| measure::least(costs, |cost| cost.cpu, 1e3 * count as f64);
        let cpu: Vec<_> = costs.iter().map(cpu).collect();
        let case = format!("cpu/authorized request, {width} at a time");
        rows.push(Row::beside(case, "us", &cpu[0], NAMES[1], &cpu[1]).at_least(1.0));
    }
    rows
}

/// Makes only sequential calls, to be counted from outside.
pub fn run_alone(runtime: &Runtime, name: &str, base: &str, count: usize) {
    Client::new(name, base, runtime).make(runtime, count, 1);
}

#[derive(Clone)]
enum Client {
    Ours(HttpClient),
    ByHand {
        client: reqwest::Client,
        url: String,
        token: Arc<ByHand>,
    },
}

impl Client {
    fn new(name: &str, base: &str, runtime: &Runtime) -> Self {
        // Within the runtime, as it would be in a service.
        let _inside = runtime.enter();
        if name != NAMES[0] {
            let client = reqwest::Client::builder().no_proxy();
            let roots = client.tls_certs_only([]);
            return Self::ByHand {
                client: roots.build().expect("a client"),
                url: format!("{base}/info"),
                token: Arc::default(),
            };
        }
        let transport = HttpTransport::builder().only_roots().build();
        let credentials = Credentials::builder().access_token(TOKEN).build();
        let client = HttpClient::builder()
            .base_url(base)
            .transport(Arc::new(transport.expect("a transport")))
            .credentials(&credentials.expect("credentials"));
        Self::Ours(client.build().expect("a client"))
    }

    fn make(&self, runtime: &Runtime, count: usize, width: usize) {
        measure::side_by_side(runtime, self, count, width, async |client, count| {
            for _ in 0..count {
                assert_eq!(client.call().await.uid, 4123);
            }
        });
    }

    async fn call(&self) -> Info {
        match self {
            Self::Ours(client) => {
                let request = client.request(Method::GET, "/info");
                let request = request.header("accept", "application/json");
                let answer = request.expect_success().send().await;
                answer.expect("an answer").json().expect("JSON")
            }
            Self::ByHand { client, url, token } => {
                let request = client.get(url).header("accept", "application/json");
                let answer = request.bearer_auth(token.token().await).send().await;
                let answer = answer.and_then(reqwest::Response::error_for_status);
                answer.expect("an answer").json().await.expect("JSON")
            }
        }
    }
}
