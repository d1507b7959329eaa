//! The demo of Gafaelfawr and Repertoire.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::task::JoinSet;
use vouchsafe::core::mock::{CertificateAuthority, Fault, Serving};
use vouchsafe::core::transport::HttpTransport;
use vouchsafe::core::{ConnectPhase, ErrorKind as CoreErrorKind};
use vouchsafe::userinfo::mock::Server;
use vouchsafe::userinfo::{
    Allowance, BotUsername, Client, ErrorKind, NewServiceToken, Quota, Result, Scope, Token,
    UserInfo, Username,
};

use crate::failure::Failure;
use crate::stage::{Seen, Stage, ensure};

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let server = Server::new();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = server.serve_tls(address, &stage.authority).await?;
    let show = Show {
        client: client(&serving, &stage.authority)?,
        serving,
        server,
    };
    let journal = show.server.journal().clone();
    let alice = show.server.user_token();

    stage
        .step(
            "find Gafaelfawr through Repertoire",
            &journal,
            1,
            show.discovery(),
        )
        .await;
    stage
        .step("user info by token", &journal, 1, show.by_token(&alice))
        .await;
    stage
        .step(
            "the same again, from the cache",
            &journal,
            0,
            show.by_token(&alice),
        )
        .await;
    stage
        .step(
            "1,000 callers at once, one request",
            &journal,
            1,
            show.crowd(),
        )
        .await;
    stage
        .step("user info by name", &journal, 1, show.by_name())
        .await;
    stage.step("all groups", &journal, 1, show.groups()).await;
    stage.step("all users", &journal, 1, show.users()).await;
    stage
        .step(
            "make a service token and use it",
            &journal,
            2,
            show.make_token(),
        )
        .await;
    stage
        .step(
            "refused: an unknown token",
            &journal,
            1,
            show.unknown_token(),
        )
        .await;
    stage
        .step(
            "refused: by name without the scope",
            &journal,
            1,
            show.no_scope(),
        )
        .await;
    stage
        .step(
            "refused before sending: a name that is a path",
            &journal,
            0,
            show.bad_name(),
        )
        .await;
    stage
        .step(
            "refused before sending: another authority",
            &journal,
            0,
            show.bad_authority(),
        )
        .await;
    stage
        .step(
            "outage survived: 503 twice",
            &journal,
            3,
            show.two_failures(),
        )
        .await;
    stage
        .step(
            "outage survived: connection reset",
            &journal,
            2,
            show.reset(),
        )
        .await;
    stage
        .step(
            "outage not survived: 503 for good",
            &journal,
            3,
            show.outage(),
        )
        .await;
    Ok(())
}

fn client(serving: &Serving, authority: &CertificateAuthority) -> Result<Client, Failure> {
    let transport = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())?
        .only_roots()
        .require_https()
        .build()?;
    let client = Client::builder()
        .repertoire_url(format!("{}/repertoire", serving.url()))
        .transport(Arc::new(transport))
        .build()?;
    Ok(client)
}

/// The steps. Each returns its evidence, or what was not as expected.
struct Show {
    server: Server,
    serving: Serving,
    client: Client,
}

impl Show {
    fn bob(&self) -> Token {
        // A missing token would look like a refusal.
        self.server.token("bob").unwrap_or_else(Token::random)
    }

    async fn discovery(&self) -> Seen {
        let document = self.client.discovery().document().await.map_err(text)?;
        let url = document
            .url_for_internal("gafaelfawr", Some("v1"))
            .ok_or("Repertoire does not know Gafaelfawr")?;
        ensure(url.as_str().starts_with(&self.serving.url()), || {
            format!("not its own: {url}")
        })?;
        Ok(url.to_string())
    }

    async fn by_token(&self, token: &Token) -> Seen {
        let alice = self.client.user_info(token).await.map_err(text)?;
        expect_alice(&alice)?;
        Ok(describe(&alice))
    }

    async fn crowd(&self) -> Seen {
        let bob = self.bob();
        let mut crowd = JoinSet::new();
        for _ in 0..CROWD {
            let (client, bob) = (self.client.clone(), bob.clone());
            crowd.spawn(async move { client.user_info(&bob).await });
        }
        let answers = crowd.join_all().await;
        for answer in &answers {
            let user = answer.as_ref().map_err(|error| error.to_string())?;
            ensure(user.username == "bob", || {
                format!("one got {}", user.username)
            })?;
        }
        Ok(format!("{} answers: bob", answers.len()))
    }

    async fn by_name(&self) -> Seen {
        let (service, name) = (self.server.service_token(), username("alice")?);
        let alice = self
            .client
            .user_info_for(&service, &name)
            .await
            .map_err(text)?;
        expect_alice(&alice)?;
        Ok(format!("bot-service sees {}", describe(&alice)))
    }

    async fn groups(&self) -> Seen {
        let groups = self
            .client
            .groups(&self.server.service_token())
            .await
            .map_err(text)?;
        let (user, system) = (groups.user.len(), groups.system.len());
        ensure((user, system) == (2, 1), || {
            format!("{user} and {system} groups")
        })?;
        let names = groups
            .user
            .iter()
            .chain(&groups.system)
            .map(|group| group.name.as_str());
        Ok(names.collect::<Vec<_>>().join(", "))
    }

    async fn users(&self) -> Seen {
        let users = self
            .client
            .users(&self.server.service_token())
            .await
            .map_err(text)?;
        let names: Vec<_> = users.iter().map(|user| user.username.as_str()).collect();
        let names = names.join(", ");
        ensure(names == "alice, bob, carol", || names.clone())?;
        Ok(names)
    }

    async fn make_token(&self) -> Seen {
        let bot = BotUsername::parse("bot-demo").map_err(text)?;
        let scope = Scope::parse("read:image").map_err(text)?;
        let admin = self.server.admin_token();
        let new = NewServiceToken::new(bot).scopes([scope]);
        let made = self.client.create_service_token(&admin, &new);
        let made = made.await.map_err(text)?;
        let info = self.client.token_info(&made).await.map_err(text)?;
        ensure(info.username == "bot-demo", || {
            format!("it is {}'s", info.username)
        })?;
        ensure(info.scopes == ["read:image"], || {
            format!("it may {:?}", info.scopes)
        })?;
        ensure(info.token == made.key(), || "it has another key".to_owned())?;
        Ok(format!(
            "gt-{}.… is {}'s and may read:image",
            made.key(),
            info.username
        ))
    }

    async fn unknown_token(&self) -> Seen {
        let asked = self.client.user_info(&Token::random()).await;
        refusal(asked, ErrorKind::Core(CoreErrorKind::Credential), Some(401))
    }

    async fn no_scope(&self) -> Seen {
        let asked = self
            .client
            .user_info_for(&self.bob(), &username("alice")?)
            .await;
        refusal(asked, ErrorKind::Core(CoreErrorKind::Forbidden), Some(403))
    }

    async fn bad_name(&self) -> Seen {
        match Username::parse("../user-info") {
            Ok(_) => Err("taken for a name".to_owned()),
            Err(fault) => Ok(fault.to_string()),
        }
    }

    async fn bad_authority(&self) -> Seen {
        let other = CertificateAuthority::new().map_err(text)?;
        let client = client(&self.serving, &other).map_err(text)?;
        let asked = client.user_info(&self.server.user_token()).await;
        let kind = CoreErrorKind::Connect(ConnectPhase::Tls);
        refusal(asked, ErrorKind::Discovery(kind), None)
    }

    async fn two_failures(&self) -> Seen {
        self.with_fault(Fault::on(USER_INFO).times(2).status(503))
            .await
    }

    async fn reset(&self) -> Seen {
        self.with_fault(Fault::on(USER_INFO).times(1).reset_before_head())
            .await
    }

    async fn outage(&self) -> Seen {
        let error = match self.with_fault(Fault::on(USER_INFO).status(503)).await {
            Ok(seen) => return Err(format!("there was an answer: {seen}")),
            Err(error) => error,
        };
        ensure(
            error.contains("HTTP 503") && error.contains(", 3 attempts in "),
            || error.clone(),
        )?;
        // Cached values stay in use: only the removed one had to be fetched.
        let bob = self.client.user_info(&self.bob()).await.map_err(text)?;
        ensure(bob.username == "bob", || {
            format!("the cache has {}", bob.username)
        })?;
        Ok(error)
    }

    /// Repeats a request during a fault, which is removed afterwards.
    async fn with_fault(&self, fault: Fault) -> Seen {
        let alice = self.server.user_token();
        self.client.forget_token(&alice);
        self.server.faults().add(fault);
        let seen = self.by_token(&alice).await;
        self.server.faults().clear();
        seen
    }
}

fn expect_alice(user: &UserInfo) -> Result<(), String> {
    let groups: Vec<_> = user
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    ensure(user.username == "alice" && user.uid == Some(1001), || {
        describe(user)
    })?;
    ensure(groups == ["alice", "g_heavy", "g_science"], || {
        format!("groups {groups:?}")
    })?;
    // The default and the group's addition: 60 + 40.
    let search = user
        .quota
        .limits()
        .and_then(|limits| limits.api.get("search"));
    ensure(search == Some(&100), || {
        format!("quota of search: {search:?}")
    })
}

fn describe(user: &UserInfo) -> String {
    let name = user.name.as_deref().unwrap_or("no name");
    let quota = match &user.quota {
        Quota::NoRules => "none".to_owned(),
        Quota::Bypass => "exempt".to_owned(),
        quota => match quota.api("search") {
            Allowance::Unlimited => "search unlimited".to_owned(),
            Allowance::PerMinute(requests) => format!("search {requests} a minute"),
            Allowance::Blocked => "search blocked".to_owned(),
        },
    };
    format!(
        "{} ({name}), {} groups, quota: {quota}",
        user.username,
        user.groups.len()
    )
}

/// The error's line, if it is the expected one.
fn refusal<T>(asked: Result<T>, kind: ErrorKind, status: Option<u16>) -> Seen {
    let Err(error) = asked else {
        return Err("it was not refused".to_owned());
    };
    let is_so = error.kind() == kind && error.status().map(|status| status.as_u16()) == status;
    ensure(is_so, || format!("another error: {error}"))?;
    Ok(error.to_string())
}

fn username(name: &str) -> Result<Username, String> {
    Username::parse(name).map_err(text)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

const USER_INFO: &str = "gafaelfawr.getOwnUserInfo";
const CROWD: usize = 1000;
