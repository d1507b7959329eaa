//! A whole typed call compared with other clients: CPU and wall time for a request.

use tokio::task::JoinSet;
use vouchsafe_bench_report::row::Row;

use crate::client::{Client, NAMES};
use crate::measure::{self, Cost, Size};
use crate::server::Server;

pub fn run(size: Size) -> Vec<Row> {
    let server = Server::start();
    measure::pin(0);
    let runtime = measure::runtime();
    let mut rows = Vec::new();
    for scheme in ["http", "https"] {
        for concurrency in [1, 32, 256] {
            let ca = (scheme == "https").then_some(server.ca.as_str());
            let mut crews: Vec<Vec<Client>> = NAMES
                .iter()
                .map(|name| {
                    let client = Client::new(name, server.base(scheme), ca);
                    vec![client; concurrency]
                })
                .collect();
            let each = size.pick(200, if concurrency == 1 { 2_000 } else { 8_000 }) / concurrency;
            let each = each.max(4);
            for crew in &mut crews {
                work(&runtime, crew, each.min(20));
            }
            let costs = measure::rounds(crews.len(), size.pick(3, 9), |case| {
                Cost::of(|| work(&runtime, &mut crews[case], each)).0
            });
            let requests = (each * concurrency) as f64;
            for (what, aspect) in [
                ("cpu", (|cost| cost.cpu) as fn(&Cost) -> _),
                ("wall", |cost| cost.wall),
            ] {
                let figures: Vec<_> = costs
                    .iter()
                    .map(|costs| measure::median(costs, aspect, 1e3 * requests))
                    .collect();
                let case = format!("{what}/request {scheme} x{concurrency}");
                let beside = Row::beside_all(&case, "us", &NAMES, &figures).into_iter();
                rows.extend(beside.map(|row| match (what, row.is_beside("reqwest")) {
                    ("cpu", true) => row.at_least(1.0),
                    _ => row,
                }));
            }
        }
    }
    rows
}

/// Makes this number of calls with each client, with all clients concurrently.
fn work(runtime: &tokio::runtime::Runtime, crew: &mut Vec<Client>, each: usize) {
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for mut client in crew.drain(..) {
            tasks.spawn(async move {
                for _ in 0..each {
                    client.call().await;
                }
                client
            });
        }
        while let Some(client) = tasks.join_next().await {
            crew.push(client.expect("no call fails"));
        }
    });
}
