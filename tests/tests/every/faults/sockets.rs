//! A few operations of each service over real sockets, where faults come to what they come to in process.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use http::{Method, Uri, Version};
use vouchsafe::core::call::{Operation, Repeat};
use vouchsafe::core::mock::Host;
use vouchsafe::core::transport::{HttpTransport, Request, Response, Transport};
use vouchsafe::core::{BoxFuture, ErrorKind, Result};

use super::cases::{self, Case, Effect};
use super::line::{Line, Route};
use super::rules::{BARE, Facts, outcome};
use super::services::{self, Service, requests_of};
use super::{Act, kind, paused};

#[test]
fn a_few_operations_come_to_the_same_over_sockets() {
    paused().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let services = services::all();
        let operations: Vec<_> = services.iter().flat_map(chosen).collect();
        for (number, case) in cases::all().await.iter().enumerate() {
            let file = folder.path().join(number.to_string());
            if let Some(host) = &case.host {
                of_case(case, host, &file, &operations).await;
            }
        }
    });
}

async fn of_case(
    case: &Case,
    host: &Host,
    file: &Path,
    operations: &[(&Service, &'static Operation)],
) {
    let tcp = host.serve((Ipv4Addr::LOCALHOST, 0).into()).await.unwrap();
    let _unix = host.serve_unix(file).await.unwrap();
    let file = cases::uri_of_file(&file.display().to_string());
    for version in [Version::HTTP_11, Version::HTTP_2] {
        // What is not answered is over when the clock has gone on, which stands still here.
        let met = case.by(version);
        let Some(met) = met.filter(|met| met.effect != Effect::Unanswered) else {
            continue;
        };
        for server in [&tcp.url().parse().unwrap(), &file] {
            for (service, operation) in operations {
                let network: Arc<dyn Transport> = Arc::new(Elsewhere::new(server, version));
                let route = Route::new(requests_of(operation), [Act::new(&network, true)]);
                let line = Line::new(vec![route], (service.emulator)());
                let call = (service.connect)(operation, line.clone(), None);
                let kind = kind(&call().await);
                let limits = service.limits;
                let expected = outcome(&Facts::of(operation, limits), &[met], limits.call);
                // Nothing is read where a method returns nothing.
                let is_unread = kind.is_none() && expected.kind == Some(ErrorKind::Decode);
                let kind = if is_unread { expected.kind } else { kind };
                assert_eq!(
                    (kind, line.routes[0].begun()),
                    (expected.kind, expected.attempts),
                    "{} {} {version:?} {server}",
                    operation.id(),
                    case.name
                );
            }
        }
    }
}

/// One operation that may be repeated, and one that must not be, if there is one.
fn chosen(service: &Service) -> Vec<(&Service, &'static Operation)> {
    let first = |repeat| {
        let mut all = service.operations.iter();
        all.find(|one| {
            one.repeatable() == repeat && *one.method() != Method::HEAD && one.id() != BARE
        })
    };
    let chosen = [first(Repeat::Safe), first(Repeat::OnlyIfUnsent)];
    let chosen: Vec<_> = chosen.into_iter().flatten().collect();
    assert!(!chosen.is_empty(), "{} has no operation", service.name);
    chosen.into_iter().map(|one| (service, *one)).collect()
}

/// Sends all requests to one server, whichever they are for.
#[derive(Debug)]
struct Elsewhere {
    server: Uri,
    network: HttpTransport,
}

impl Elsewhere {
    fn new(server: &Uri, version: Version) -> Self {
        let network = match version {
            Version::HTTP_2 => HttpTransport::builder().http2_prior_knowledge(),
            _ => HttpTransport::builder(),
        };
        Self {
            server: server.clone(),
            network: network.build().unwrap(),
        }
    }
}

impl Transport for Elsewhere {
    fn send(&self, mut request: Request) -> BoxFuture<'_, Result<Response>> {
        let (mut parts, server) = (request.uri.into_parts(), self.server.clone().into_parts());
        (parts.scheme, parts.authority) = (server.scheme, server.authority);
        request.uri = Uri::from_parts(parts).unwrap();
        let answer = self.network.send(request);
        Box::pin(async move {
            let _still = Still::new();
            answer.await
        })
    }
}

/// Keeps tokio's clock from going on. A paused clock goes to the next time limit whenever all tasks
/// wait, for a socket too; but not while a thread blocks.
struct Still(#[expect(dead_code, reason = "the thread ends when it is dropped")] mpsc::Sender<()>);

impl Still {
    fn new() -> Self {
        let (sender, dropped) = mpsc::channel();
        // A request that would never end ends by its time limit then.
        let longest = Duration::from_secs(60);
        tokio::task::spawn_blocking(move || dropped.recv_timeout(longest));
        Self(sender)
    }
}
