//! The cost of reading and checking a token for this process, over TLS.

use std::sync::Arc;

use serde::Deserialize;
use tokio::runtime::Runtime;
use vouchsafe_bench_report::row::{Figure, Row};
use vouchsafe_core::Secret;
use vouchsafe_core::transport::HttpTransport;
use vouchsafe_wazo_auth::Client;

use super::answer::TOKEN;
use super::python;
use crate::measure::{self, Cost, Size};
use crate::server::Server;

pub const NAMES: [&str; 2] = ["vouchsafe", "reqwest"];
pub const CALLS: [&str; 2] = ["get", "is_valid"];

pub fn run(size: Size) -> Vec<Row> {
    let server = Server::start();
    measure::pin(0);
    let runtime = measure::runtime();
    let place = (&*server.https, &*server.ca);
    let ours = Ours::new(place);
    let theirs = Theirs::new(place, &runtime);
    let count = size.pick(200, 2_000);
    let mut rows = Vec::new();
    for (call, width) in CALLS.into_iter().flat_map(|call| [(call, 1), (call, 8)]) {
        ours.make(&runtime, call, 20, width);
        theirs.make(&runtime, call, 20, width);
        let costs = measure::rounds(NAMES.len(), size.pick(5, 31), |case| {
            Cost::of(|| match NAMES[case] {
                "vouchsafe" => ours.make(&runtime, call, count, width),
                _ => theirs.make(&runtime, call, count, width),
            })
            .0
        });
        let cpu = |costs: &Vec<Cost>| measure::least(costs, |cost| cost.cpu, 1e3 * count as f64);
        let mut names = NAMES.to_vec();
        let mut cpu: Vec<Figure> = costs.iter().map(cpu).collect();
        // A connection for each call costs the same in one thread as in eight.
        if width == 1 {
            for (name, bundle) in python::BUNDLES {
                match python::cpu(&server, call, size.pick(20, 200), bundle) {
                    Some(python) => {
                        names.push(name);
                        cpu.push(Figure::once(python));
                    }
                    None => eprintln!("SKIPPED {name}: no Python 3"),
                }
            }
        }
        let case = format!("cpu/token {call}, {width} at a time");
        let beside = Row::beside_all(&case, "us", &names, &cpu).into_iter();
        rows.extend(beside.map(|row| {
            let least = if row.is_beside("reqwest") { 1.0 } else { 100.0 };
            row.at_least(least)
        }));
    }
    rows
}

/// Makes only sequential calls, to be counted from outside.
pub fn run_alone(
    runtime: &Runtime,
    call: &'static str,
    name: &str,
    place: (&str, &str),
    count: usize,
) {
    match name {
        "vouchsafe" => Ours::new(place).make(runtime, call, count, 1),
        _ => Theirs::new(place, runtime).make(runtime, call, count, 1),
    }
}

#[derive(Clone)]
struct Ours {
    client: Client,
    token: Secret,
}

impl Ours {
    fn new((base, ca): (&str, &str)) -> Self {
        let port = base.rsplit(':').next().expect("a port");
        let pem = std::fs::read(ca).expect("the authority's file");
        let transport = HttpTransport::builder().only_roots().add_root_pem(&pem);
        let transport = transport.expect("a certificate").build();
        let client = Client::builder()
            .host("localhost")
            .port(port.parse::<u16>().expect("a port"))
            .prefix("")
            .transport(Arc::new(transport.expect("a transport")))
            .build();
        Self {
            client: client.expect("a client"),
            token: Secret::from(TOKEN),
        }
    }

    fn make(&self, runtime: &Runtime, call: &'static str, count: usize, width: usize) {
        measure::side_by_side(runtime, self, count, width, async |ours, count| {
            ours.make_in_turn(call, count).await;
        });
    }

    async fn make_in_turn(&self, call: &str, count: usize) {
        for _ in 0..count {
            let token = self.client.token();
            if call == "get" {
                let found = token.get(self.token.clone()).send().await;
                assert_eq!(found.expect("a token").acl.len(), 30);
            } else {
                assert!(token.is_valid(&self.token).await.expect("an answer"));
            }
        }
    }
}

/// The code of a user of reqwest: the same requests, and a type for the answer.
#[derive(Clone)]
struct Theirs {
    client: reqwest::Client,
    url: String,
}

#[derive(Deserialize)]
struct Answer {
    data: Token,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
struct Token {
    token: String,
    auth_id: String,
    session_uuid: String,
    xivo_uuid: Option<String>,
    xivo_user_uuid: Option<String>,
    acl: Vec<String>,
    metadata: serde_json::Map<String, serde_json::Value>,
    issued_at: String,
    expires_at: String,
    utc_issued_at: String,
    utc_expires_at: String,
    user_agent: String,
    remote_addr: String,
}

impl Theirs {
    fn new((base, ca): (&str, &str), runtime: &Runtime) -> Self {
        let pem = std::fs::read(ca).expect("the authority's file");
        let roots = reqwest::Certificate::from_pem_bundle(&pem).expect("certificates");
        // Within the runtime, as it would be in a service.
        let _inside = runtime.enter();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only(roots);
        Self {
            client: client.build().expect("a client"),
            url: format!("{base}/0.1/token/{TOKEN}"),
        }
    }

    fn make(&self, runtime: &Runtime, call: &'static str, count: usize, width: usize) {
        measure::side_by_side(runtime, self, count, width, async |theirs, count| {
            theirs.make_in_turn(call, count).await;
        });
    }

    async fn make_in_turn(&self, call: &str, count: usize) {
        for _ in 0..count {
            let (client, url) = (&self.client, &self.url);
            if call == "get" {
                let request = client.get(url).header("accept", "application/json");
                let answer = request.send().await.expect("an answer");
                let answer = answer.error_for_status().expect("success");
                let answer: Answer = answer.json().await.expect("the right form");
                assert_eq!(answer.data.acl.len(), 30);
            } else {
                let request = client.head(url).header("accept", "application/json");
                let answer = request.send().await.expect("an answer");
                assert_eq!(answer.status().as_u16(), 204);
            }
        }
    }
}
