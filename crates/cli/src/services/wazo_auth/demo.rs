//! The demo of wazo-auth.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::HeaderName;
use vouchsafe::core::Secret;
use vouchsafe::core::mock::CertificateAuthority;
use vouchsafe::core::transport::HttpTransport;
use vouchsafe::wazo_auth::mock::{Seed, Server};
use vouchsafe::wazo_auth::server::{Guard, TokenLayer, Tokens};
use vouchsafe::wazo_auth::{
    Client, ClientBuilder, ErrorKind, FirstUser, NewGroup, NewPolicy, NewTenant, NewUser,
    RenewingToken, TenantUuid, Token,
};

use crate::failure::Failure;
use crate::hosted::Hosted;
use crate::stage::{Seen, Stage, ensure};

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let old = Server::from_seed(&Seed::parse(OLD)?);
    let serving = old.serve_tls(address, &stage.authority).await?;
    let builder = Client::builder().legacy().port(serving.address().port());
    let client = connected(builder, &stage.authority)?;
    stage
        .step(
            "bootstrap: a key makes the first user, once",
            old.journal(),
            4,
            bootstrap(&client),
        )
        .await;

    let server = Server::new();
    let serving = server.serve_tls(address, &stage.authority).await?;
    let journal = server.journal().clone();
    let builder = Client::builder().prefix("").port(serving.address().port());
    let client = connected(builder, &stage.authority)?;
    let tokens = Tokens::new(client.clone());
    let show = Show {
        hosted: hosted(tokens.clone()).await?,
        server,
        client,
        tokens,
        admin: OnceLock::new(),
        tenant: OnceLock::new(),
        alice: OnceLock::new(),
    };

    let step = stage.step("admin makes a tenant", &journal, 2, show.begin());
    step.await;
    let step = stage.step("a user, by a group and a policy", &journal, 5, show.fill());
    step.await;
    let step = stage.step("log in: a token with a list", &journal, 1, show.log_in());
    step.await;
    let Some(alice) = show.alice.get() else {
        return Err(Failure::failed("alice has no token"));
    };
    let own = format!("/books/{}", alice.auth_id);
    stage
        .step(
            "a service admits it, having asked once",
            &journal,
            1,
            show.call(&own, Some(&alice.token), 200),
        )
        .await;
    stage
        .step(
            "refused, without asking: another's books",
            &journal,
            0,
            show.call("/books/nobody", Some(&alice.token), 401),
        )
        .await;
    stage
        .step(
            "refused, without asking: no token",
            &journal,
            0,
            show.call(&own, None, 401),
        )
        .await;
    stage
        .step(
            "a refresh token in place of the password",
            &journal,
            2,
            show.refresh(&own),
        )
        .await;
    stage
        .step(
            "revoked: refused at once",
            &journal,
            2,
            show.revoke(&own, &alice.token),
        )
        .await;
    stage
        .step(
            "database down: all are refused",
            &journal,
            1,
            show.outage(&own),
        )
        .await;
    Ok(())
}

/// Sets up an installation of before 19.16. Since then, the first user comes from the server's
/// configuration, as `admin` does in the steps that follow.
async fn bootstrap(client: &Client) -> Seen {
    let first = FirstUser::new("root", PASSWORD, KEY);
    let root = client.init().run(&first).await.map_err(text)?;
    let refused = client.init().run(&first).await.err();
    ensure(
        refused.as_ref().map(vouchsafe::wazo_auth::Error::kind) == Some(ErrorKind::LoginFailed),
        || format!("the key again: {refused:?}"),
    )?;
    let login = client.token().create().credentials("root", PASSWORD);
    let token = login.send().await.map_err(text)?.token;
    let tenants = client.with_token(token.token).tenants().list().send().await;
    let tenants = tenants.map_err(text)?.total;
    let name = root.username.unwrap_or_default();
    Ok(format!("{name} sees {tenants} tenant; the key is refused"))
}

/// The steps. Each returns its evidence, or what was not as expected.
struct Show {
    server: Server,
    client: Client,
    hosted: Hosted,
    tokens: Tokens,
    admin: OnceLock<Client>,
    tenant: OnceLock<TenantUuid>,
    alice: OnceLock<Token>,
}

impl Show {
    async fn begin(&self) -> Seen {
        let login = self
            .client
            .token()
            .create()
            .credentials("admin", "correct horse");
        let source = Arc::new(RenewingToken::new(login));
        let admin = self.client.with_token_source(source);
        let tenant = NewTenant::new().name("Lab").slug("lab");
        let tenant = admin.tenants().create(&tenant).await.map_err(text)?;
        let seen = format!("{}, below the tenant of admin", tenant.slug);
        let _ = self.admin.set(admin.with_tenant(&tenant.uuid));
        let _ = self.tenant.set(tenant.uuid);
        Ok(seen)
    }

    async fn fill(&self) -> Seen {
        let admin = self.admin.get().ok_or("admin has no token")?;
        let policy = NewPolicy::new("reader").acl(["books.me.#", "!books.*.hidden"]);
        let policy = admin.policies().create(&policy).await.map_err(text)?;
        let group = admin.groups().create(&NewGroup::new("staff")).await;
        let group = group.map_err(text)?;
        let attached = admin.groups().add_policy(&group.uuid, &policy.uuid).await;
        attached.map_err(text)?;
        let alice = NewUser::new().username("alice").password(PASSWORD);
        let alice = admin.users().create(&alice).await.map_err(text)?;
        let added = admin.groups().add_user(&group.uuid, &alice.uuid).await;
        added.map_err(text)?;
        ensure(Some(&alice.tenant_uuid) == self.tenant.get(), || {
            format!("alice is in {}", alice.tenant_uuid)
        })?;
        Ok(format!(
            "alice is in {}, which has {}",
            group.name, policy.slug
        ))
    }

    async fn log_in(&self) -> Seen {
        let login = self.client.token().create().offline(CLIENT_ID);
        let created = login.credentials("alice", PASSWORD).send().await;
        let token = created.map_err(text)?.token;
        let acl = token.acl();
        let own = format!("books.{}.read", token.auth_id);
        let seen = acl.decide(&own).to_string();
        ensure(acl.allows(&own), || seen.clone())?;
        let hidden = acl.decide(&format!("books.{}.hidden", token.auth_id));
        ensure(!hidden.is_allowed(), || hidden.to_string())?;
        let seen = format!("her books: {seen}; hidden ones: {hidden}");
        let _ = self.alice.set(token);
        Ok(seen)
    }

    /// Calls the service of the demo.
    async fn call(&self, path: &str, token: Option<&Secret>, expected: u16) -> Seen {
        let name = HeaderName::from_static("x-auth-token");
        let token = token.map(|token| (name, token));
        let (status, body) = self.hosted.get(path, token).await?;
        let reason = body["details"]["reason"].as_str();
        let said = reason.or(body["error_id"].as_str()).or(body.as_str());
        let seen = format!("{}: {}", status.as_u16(), said.unwrap_or_default());
        ensure(status == expected, || seen.clone())?;
        Ok(seen)
    }

    async fn refresh(&self, path: &str) -> Seen {
        let refresh = self
            .alice
            .get()
            .and_then(|token| token.refresh_token.clone());
        let refresh = refresh.ok_or("the login gave no refresh token")?;
        let login = self.client.token().create();
        let login = login.refresh_token(CLIENT_ID, refresh);
        let created = login.expiration(Duration::from_secs(60)).send().await;
        let token = created.map_err(text)?.token;
        let seen = self.call(path, Some(&token.token), 200).await?;
        let lifetime = token.lifetime().ok_or("a token without an end")?;
        Ok(format!("{seen}; for {} s", lifetime.as_secs()))
    }

    async fn revoke(&self, path: &str, token: &Secret) -> Seen {
        self.client.token().revoke(token).await.map_err(text)?;
        // As a service does after a notification from the message bus.
        let was_known = self.tokens.forget(token);
        ensure(was_known, || "the layer knew nothing of it".to_owned())?;
        self.call(path, Some(token), 401).await
    }

    async fn outage(&self, path: &str) -> Seen {
        let token = self.server.issue_token("admin");
        self.server.set_database_down(true);
        let seen = self.call(path, Some(&token), 503).await;
        self.server.set_database_down(false);
        seen
    }
}

/// A service with a shelf of books for each user.
async fn hosted(tokens: Tokens) -> Result<Hosted, Failure> {
    let guard = Guard::for_path("/books/{user}", "books.{user}.read")
        .map_err(|fault| Failure::failed(fault.to_string()))?;
    let shelf = get(async || "her books").layer(guard);
    let router = Router::new().route("/books/{user}", shelf);
    Hosted::begin(router.layer(TokenLayer::new(tokens))).await
}

fn connected(builder: ClientBuilder, authority: &CertificateAuthority) -> Result<Client, Failure> {
    let transport = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())?
        .only_roots()
        .require_https()
        .build()?;
    let builder = builder.host("127.0.0.1").transport(Arc::new(transport));
    Ok(builder.build()?)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// For a user in memory, who exists as long as the demo.
const PASSWORD: &str = "open sesame";
const CLIENT_ID: &str = "demo";

/// A server of before 19.16 that has no user yet.
const OLD: &str = r##"{
    "tenants": [{"uuid": "00000001-0003-4000-8000-000000000001", "slug": "master"}],
    "policies": [{
        "uuid": "00000002-0003-4000-8000-000000000001", "name": "wazo_default_master_user_policy",
        "slug": "wazo_default_master_user_policy", "acl": ["#"], "read_only": true,
        "tenant_uuid": "00000001-0003-4000-8000-000000000001"
    }],
    "legacy": true, "init_key": "a key of 20 letters."
}"##;
const KEY: &str = "a key of 20 letters.";
