//! The demo of tvm-api, tirole and tvmtool.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::HeaderName;
use vouchsafe::core::Secret;
use vouchsafe::core::mock::{CertificateAuthority, ManualClock, Serving};
use vouchsafe::core::sync::lock;
use vouchsafe::core::transport::{HttpTransport, Transport};
use vouchsafe::ticket::mock::Server;
use vouchsafe::ticket::server::{ServiceTicket, TicketLayer};
use vouchsafe::ticket::{BlackboxEnv, Client, ServiceSecret, StatusCode, TicketStatus, Uid};

use crate::failure::Failure;
use crate::hosted::Hosted;
use crate::stage::{Seen, Stage, ensure};

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let server = Server::sample();
    let journal = server.journal().clone();
    let show = Show::begin(server, &stage.authority).await?;

    let step = stage.step("start from tvm-api and tirole", &journal, 3, show.start());
    step.await;
    let step = stage.step("start from tvmtool", &journal, 4, show.start_tool());
    step.await;
    let (Some(shop), Some(cart)) = (show.shop(), show.cart()) else {
        return Err(Failure::failed("the clients did not start".to_owned()));
    };
    let layered = Layered::begin(shop.clone()).await?;
    let minted = |src, dst| show.server.mint_service(src, dst).map_err(text);
    stage
        .step("a call with a ticket is let in", &journal, 0, async {
            let ticket = cart.service_ticket("shop").map_err(text)?;
            layered.call(Some(&ticket), 200).await
        })
        .await;
    stage
        .step("refused: no ticket", &journal, 0, layered.call(None, 401))
        .await;
    stage
        .step("refused: a ticket for another", &journal, 0, async {
            let ticket = minted(Server::CART, Server::CRAWLER)?;
            layered.call(Some(&ticket), 401).await
        })
        .await;
    stage
        .step("refused: a source without a role", &journal, 0, async {
            let ticket = minted(Server::CRAWLER, Server::SHOP)?;
            layered.call(Some(&ticket), 403).await
        })
        .await;
    stage
        .step("refused: a signature cut short", &journal, 0, async {
            let ticket = minted(Server::CART, Server::SHOP)?;
            let cut = &ticket.expose()[..ticket.expose().len() - 4];
            layered.call(Some(&Secret::from(cut)), 401).await
        })
        .await;
    stage
        .step(
            "a user ticket, and the user's role",
            &journal,
            0,
            show.user(&shop),
        )
        .await;
    stage
        .step(
            "new keys: refused until fetched",
            &journal,
            3,
            show.rotate(&shop),
        )
        .await;
    let before = show.mint()?;
    show.end_authority();
    stage
        .step(
            "the authority is gone: start from disk",
            &journal,
            0,
            show.restart(),
        )
        .await;
    stage
        .step(
            "status and checks as time goes by",
            &journal,
            0,
            show.age(&shop, &before),
        )
        .await;
    Ok(())
}

/// The steps. Each returns its evidence, or what was not as expected.
struct Show {
    server: Server,
    /// Over TLS; gone when the authority has ended.
    authority: std::sync::Mutex<Option<Serving>>,
    authority_url: String,
    daemon: Serving,
    transport: Arc<dyn Transport>,
    folder: tempfile::TempDir,
    shop: std::sync::OnceLock<Client>,
    cart: std::sync::OnceLock<Client>,
}

impl Show {
    async fn begin(server: Server, authority: &CertificateAuthority) -> Result<Self, Failure> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let serving = server.host().serve_tls(address, authority).await?;
        let transport = HttpTransport::builder()
            .add_root_pem(authority.pem().as_bytes())?
            .only_roots()
            .build()?;
        let folder = tempfile::tempdir().map_err(|cause| {
            Failure::failed(format!(
                "the folder for the disk cache cannot be created: {cause}"
            ))
        })?;
        Ok(Self {
            authority_url: serving.url(),
            authority: std::sync::Mutex::new(Some(serving)),
            daemon: server.host().serve(address).await?,
            transport: Arc::new(transport),
            folder,
            server,
            shop: std::sync::OnceLock::new(),
            cart: std::sync::OnceLock::new(),
        })
    }

    async fn connect(&self) -> Result<Client, String> {
        let secret = self.server.service_secret(Server::SHOP);
        let secret =
            ServiceSecret::parse(&secret.ok_or("the shop has no secret")?).map_err(text)?;
        let client = Client::tvm_api(Server::SHOP)
            .secret(secret)
            .tvm_url(&self.authority_url)
            .tirole_url(&self.authority_url)
            .check_service_tickets()
            .check_user_tickets(BlackboxEnv::ProdYateam)
            .roles(Server::SLUG)
            // The layer checks the role itself, and its refusal has more details.
            .without_source_check()
            .disk_cache(self.folder.path())
            .transport(Arc::clone(&self.transport))
            .clock(self.clock());
        client.connect().await.map_err(text)
    }

    async fn start(&self) -> Seen {
        let client = self.connect().await?;
        let roles = client.roles().map_err(text)?;
        let status = status(&client)?;
        let seen = format!("status {status}, roles of revision {}", roles.revision());
        ensure(status == StatusCode::Ok, || seen.clone())?;
        let _ = self.shop.set(client);
        Ok(seen)
    }

    async fn start_tool(&self) -> Seen {
        let port = self.daemon.address().port();
        let client = Client::tvmtool("cart")
            .auth_token(self.server.tool_token())
            .port(port)
            .host("127.0.0.1")
            .transport(Arc::clone(&self.transport))
            .clock(self.clock());
        let client = client.connect().await.map_err(text)?;
        let status = status(&client)?;
        let seen = format!("service {}, status {status}", client.own_id());
        ensure(
            status == StatusCode::Ok && client.own_id() == Server::CART,
            || seen.clone(),
        )?;
        let _ = self.cart.set(client);
        Ok(seen)
    }

    async fn user(&self, shop: &Client) -> Seen {
        let users = [Uid::new(2001), Uid::new(2002)];
        let ticket = self.server.mint_user(BlackboxEnv::ProdYateam, &users);
        let ticket = ticket.map_err(text)?;
        let checked = shop.check_user_ticket(ticket.expose()).map_err(text)?;
        let roles = shop.roles().map_err(text)?;
        let is_reader = roles
            .of_default_uid(&checked)
            .map_err(text)?
            .has(Server::READER);
        let uids: Vec<_> = checked.uids().map(|uid| uid.to_string()).collect();
        let seen = format!(
            "users {}, the first is a reader: {is_reader}",
            uids.join(", ")
        );
        ensure(is_reader && uids == ["2001", "2002"], || seen.clone())?;
        Ok(seen)
    }

    async fn rotate(&self, shop: &Client) -> Seen {
        self.server.rotate_keys();
        let ticket = self
            .server
            .mint_service(Server::CART, Server::SHOP)
            .map_err(text)?;
        let refused = shop.check_service_ticket(ticket.expose()).err();
        let refused = refused.ok_or("a key was known before it was fetched")?;
        ensure(refused.status() == Some(TicketStatus::MissingKey), || {
            refused.to_string()
        })?;
        shop.refresh().await.map_err(text)?;
        let checked = shop.check_service_ticket(ticket.expose()).map_err(text)?;
        Ok(format!("good after a refresh, by key {}", checked.key_id()))
    }

    fn mint(&self) -> Result<Secret, Failure> {
        Ok(self.server.mint_service(Server::CART, Server::SHOP)?)
    }

    /// From here on, requests are not answered.
    fn end_authority(&self) {
        let mut serving = lock(&self.authority);
        drop(serving.take());
    }

    async fn restart(&self) -> Seen {
        let client = self.connect().await?;
        let status = status(&client)?;
        ensure(status == StatusCode::Ok, || format!("status {status}"))?;
        Ok("tickets, keys and roles are there, status Ok".to_owned())
    }

    async fn age(&self, shop: &Client, ticket: &Secret) -> Seen {
        let clock = self.server.clock();
        let mut seen = Vec::new();
        for (passed, name, expected) in [
            (0, "now", StatusCode::Ok),
            (2 * HOUR + 60, "2 h", StatusCode::Warning),
            (6 * DAY, "6 d", StatusCode::Error),
        ] {
            clock.advance(Duration::from_secs(passed.unsigned_abs()));
            let status = status(shop)?;
            ensure(status == expected, || format!("{name}: {status}"))?;
            let checked = shop.check_service_ticket(ticket.expose()).map_err(text)?;
            ensure(checked.src() == Server::CART, || checked.debug_info())?;
            seen.push(format!("{name}: {status}"));
        }
        Ok(format!("{}; checks go on", seen.join(", ")))
    }

    fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(self.server.clock())
    }

    fn shop(&self) -> Option<Client> {
        self.shop.get().cloned()
    }

    fn cart(&self) -> Option<Client> {
        self.cart.get().cloned()
    }
}

/// The shop as a server that admits readers.
struct Layered(Hosted);

impl Layered {
    async fn begin(shop: Client) -> Result<Self, Failure> {
        let layer = TicketLayer::new(shop).require_service_role(Server::READER);
        let shelf = |ticket: ServiceTicket| async move { format!("books for {}", ticket.src()) };
        let router = Router::new().route("/books", get(shelf)).layer(layer);
        Hosted::begin(router).await.map(Self)
    }

    async fn call(&self, ticket: Option<&Secret>, expected: u16) -> Seen {
        let name = HeaderName::from_static("x-ya-service-ticket");
        let ticket = ticket.map(|ticket| (name, ticket));
        let (status, body) = self.0.get("/books", ticket).await?;
        let said = body["detail"]
            .as_str()
            .or(body.as_str())
            .unwrap_or_default();
        let seen = format!("{}: {said}", status.as_u16());
        ensure(status == expected, || seen.clone())?;
        Ok(seen)
    }
}

fn status(client: &Client) -> Result<StatusCode, String> {
    client.status().map(|status| status.code()).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;
