//! The cost of a call for this process, over kept connections.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Runtime;
use vouchsafe_astakos::{Client, CommissionRequest};
use vouchsafe_bench_report::row::{Figure, Row};
use vouchsafe_core::transport::HttpTransport;

use super::python;
use super::server::Server;
use crate::measure::{self, Cost, Size};

pub const NAMES: [&str; 2] = ["vouchsafe", "reqwest"];
pub const CALLS: [&str; 3] = ["quotas", "authenticate", "issue"];

pub fn run(size: Size) -> Vec<Row> {
    let server = Server::start(0);
    measure::pin(0);
    let runtime = measure::runtime();
    let ours = Ours::new(server.place());
    let theirs = Theirs::new(server.place(), &runtime);
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
        let figures = |aspect: fn(&Cost) -> std::time::Duration| -> Vec<Figure> {
            let of = |costs: &Vec<Cost>| measure::least(costs, aspect, 1e3 * count as f64);
            costs.iter().map(of).collect()
        };
        let mut names = NAMES.to_vec();
        let mut cpu = figures(|cost| cost.cpu);
        match python::cpu(&server, call, size.pick(160, 1_600), width) {
            Some(python) => {
                names.push("astakosclient 0.19, its pool on");
                cpu.push(Figure::once(python));
            }
            None => eprintln!("SKIPPED astakosclient: no Python 2.7"),
        }
        let case = format!("cpu/{call}, {width} at a time");
        let beside = Row::beside_all(&case, "us", &names, &cpu).into_iter();
        rows.extend(beside.map(|row| {
            let least = if row.is_beside("reqwest") { 1.0 } else { 10.0 };
            row.at_least(least)
        }));
        let wall = figures(|cost| cost.wall);
        rows.extend(Row::beside_all(
            &format!("wall/{call}, {width} at a time"),
            "us",
            &NAMES,
            &wall,
        ));
    }
    rows
}

/// Makes only sequential calls, to be counted from outside.
pub fn run_alone(
    runtime: &Runtime,
    call: &'static str,
    name: &str,
    place: [&str; 4],
    count: usize,
) {
    match name {
        "vouchsafe" => Ours::new(place).make(runtime, call, count, 1),
        _ => Theirs::new(place, runtime).make(runtime, call, count, 1),
    }
}

#[derive(Clone)]
struct Ours {
    user: Client,
    service: Client,
    alice: String,
}

impl Ours {
    fn new([auth_url, user_token, service, alice]: [&str; 4]) -> Self {
        let transport = HttpTransport::builder().only_roots().build();
        let user = Client::builder()
            .transport(Arc::new(transport.expect("a transport")))
            .auth_url(auth_url)
            .token(user_token)
            .build()
            .expect("a client");
        Self {
            service: user.with_token(service),
            user,
            alice: alice.to_owned(),
        }
    }

    fn make(&self, runtime: &Runtime, call: &'static str, count: usize, width: usize) {
        measure::side_by_side(runtime, self, count, width, async |ours, count| {
            ours.make_in_turn(call, count).await;
        });
    }

    async fn make_in_turn(&self, call: &str, count: usize) {
        for _ in 0..count {
            match call {
                "quotas" => {
                    let quotas = self.user.quotas().await.expect("an answer");
                    assert!(!quotas.is_empty());
                }
                "authenticate" => {
                    let access = self.user.authenticate(None).await.expect("an answer");
                    assert!(access.user.is_some());
                }
                _ => {
                    let entries = [(&self.alice, "cyclades.vm", 0)];
                    let request = CommissionRequest::one(&self.alice, entries).auto_accept(true);
                    self.service.issue(&request).await.expect("a serial");
                }
            }
        }
    }
}

/// The code of a user of reqwest: the same requests, and types for the answers.
#[derive(Clone)]
struct Theirs {
    client: reqwest::Client,
    tokens_url: String,
    account_url: String,
    user: String,
    service: String,
    alice: String,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
struct Quota {
    usage: i64,
    limit: i64,
    pending: i64,
    project_usage: i64,
    project_limit: i64,
    project_pending: i64,
}

#[derive(Deserialize)]
struct Document {
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "reading it is what is measured")]
struct Access {
    token: serde_json::Value,
    user: Option<User>,
    service_catalog: Vec<Service>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
struct User {
    id: String,
    name: String,
    projects: Vec<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading it is what is measured")]
struct Service {
    name: String,
    r#type: String,
    endpoints: Vec<HashMap<String, serde_json::Value>>,
}

#[derive(Serialize)]
struct Provision<'a> {
    holder: &'a str,
    source: Option<&'a str>,
    resource: &'a str,
    quantity: i64,
}

#[derive(Serialize)]
struct Request<'a> {
    provisions: [Provision<'a>; 2],
    name: &'a str,
    force: bool,
    auto_accept: bool,
}

#[derive(Deserialize)]
struct Issued {
    serial: u64,
}

impl Theirs {
    fn new([auth_url, user, service, alice]: [&str; 4], runtime: &Runtime) -> Self {
        let base = auth_url.trim_end_matches("/identity/v2.0");
        // Within the runtime, as it would be in a service.
        let _inside = runtime.enter();
        Self {
            client: reqwest::Client::builder().build().expect("a client"),
            tokens_url: format!("{auth_url}/tokens"),
            account_url: format!("{base}/account/v1.0"),
            user: user.to_owned(),
            service: service.to_owned(),
            alice: alice.to_owned(),
        }
    }

    fn make(&self, runtime: &Runtime, call: &'static str, count: usize, width: usize) {
        measure::side_by_side(runtime, self, count, width, async |theirs, count| {
            theirs.make_in_turn(call, count).await;
        });
    }

    async fn make_in_turn(&self, call: &str, count: usize) {
        for _ in 0..count {
            match call {
                "quotas" => {
                    let url = format!("{}/quotas", self.account_url);
                    let request = self.client.get(url).header("x-auth-token", &self.user);
                    let quotas: HashMap<String, HashMap<String, Quota>> = read(request).await;
                    assert!(!quotas.is_empty());
                }
                "authenticate" => {
                    let body = json!({"auth": {"token": {"id": self.user}}});
                    let request = self.client.post(&self.tokens_url);
                    let request = request.header("x-auth-token", &self.user);
                    let document: Document = read(request.json(&body)).await;
                    assert!(document.access.user.is_some());
                }
                _ => {
                    let (user, project) = (
                        format!("user:{}", self.alice),
                        format!("project:{}", self.alice),
                    );
                    let provision = |holder, source| Provision {
                        holder,
                        source,
                        resource: "cyclades.vm",
                        quantity: 0,
                    };
                    let body = Request {
                        provisions: [provision(&user, Some(&project)), provision(&project, None)],
                        name: "",
                        force: false,
                        auto_accept: true,
                    };
                    let url = format!("{}/commissions", self.account_url);
                    let request = self.client.post(url).header("x-auth-token", &self.service);
                    let issued: Issued = read(request.json(&body)).await;
                    assert!(issued.serial > 0);
                }
            }
        }
    }
}

async fn read<T: serde::de::DeserializeOwned>(request: reqwest::RequestBuilder) -> T {
    let response = request.send().await.expect("an answer");
    let response = response.error_for_status().expect("a good one");
    response.json().await.expect("the right form")
}
