//! The services, their clients, and the jobs for them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{HeaderValue, Request};
use vouchsafe::core::call::CallOptions;
use vouchsafe::core::observe::Observer;
use vouchsafe::core::service::Service as _;
use vouchsafe::ticket::{BlackboxEnv, ServiceSecret, TvmId};
use vouchsafe::wazo_auth::RenewingToken;
use vouchsafe::{astakos, cloud_credentials, ticket, userinfo, wazo_auth};

use super::account::Account;
use super::crew::{Done, Job};
use super::place::Place;
use super::stores::{Held, limits};
use crate::calls;

/// All services, each with its place.
pub(super) struct World {
    pub(super) astakos: (astakos::mock::Server, Place),
    pub(super) cloud: (cloud_credentials::mock::Server, Place),
    pub(super) ticket: (ticket::mock::Server, Place),
    pub(super) userinfo: (userinfo::mock::Server, Place),
    pub(super) wazo_auth: (wazo_auth::mock::Server, Place),
}

impl World {
    pub(super) async fn open() -> Result<Self, String> {
        let astakos = astakos::mock::Server::new();
        let seed = cloud_credentials::mock::Seed::sample().settings(|settings| {
            // An answer that is lost does not cost the login.
            settings.rotation = cloud_credentials::mock::Rotation::Overlaps;
        });
        let cloud = cloud_credentials::mock::Server::from_seed(&seed);
        let ticket = tickets();
        let userinfo = userinfo::mock::Server::new();
        let wazo_auth = wazo_auth::mock::Server::new();
        let of_astakos = Place::open(
            "astakos",
            astakos.host().clone(),
            astakos::mock::operations(),
        );
        let of_cloud = Place::open(
            "cloud-credentials",
            cloud.host().clone(),
            cloud_credentials::mock::operations(),
        );
        let of_ticket = Place::open("ticket", ticket.host().clone(), ticket::mock::operations());
        let of_userinfo = Place::open(
            "userinfo",
            userinfo.host().clone(),
            userinfo::mock::operations(),
        );
        let of_wazo_auth = Place::open(
            "wazo-auth",
            wazo_auth.host().clone(),
            wazo_auth::mock::operations(),
        );
        Ok(Self {
            astakos: (astakos, of_astakos.await?),
            cloud: (cloud, of_cloud.await?),
            ticket: (ticket, of_ticket.await?),
            userinfo: (userinfo, of_userinfo.await?),
            wazo_auth: (wazo_auth, of_wazo_auth.await?),
        })
    }

    pub(super) fn places(&self) -> [&Place; 5] {
        [
            &self.astakos.1,
            &self.cloud.1,
            &self.ticket.1,
            &self.userinfo.1,
            &self.wazo_auth.1,
        ]
    }

    /// Returns the jobs for all services. Their clients are in the jobs; what ticket's keeps on disk
    /// is in the folder.
    pub(super) async fn jobs(
        &self,
        held: &Arc<Vec<Held>>,
        folder: &Path,
    ) -> Result<Vec<Job>, String> {
        let mut jobs = self.of_astakos()?;
        jobs.extend(self.of_cloud(held));
        jobs.extend(self.of_ticket(folder).await?);
        jobs.extend(self.of_userinfo()?);
        jobs.extend(self.of_wazo_auth().await?);
        Ok(jobs)
    }

    fn of_astakos(&self) -> Result<Vec<Job>, String> {
        let (server, place) = &self.astakos;
        let missing = "the sample lacks a token";
        let of_service = server.service_token("cyclades").ok_or(missing)?;
        let of_user = server.user_token("alice@example.org").ok_or(missing)?;
        let client = astakos::Client::builder()
            .auth_url(format!("{}{}", place.url(), server.identity_path()))
            .token(of_service)
            .transport(place.network()?)
            .observer(observer(place))
            .timeouts(limits())
            .build();
        let client = client.map_err(|error| error.to_string())?;
        let user = client.with_token(of_user);
        let operations = astakos::mock::operations().map(|operation| operation.id());
        let asked = operations.filter(|id| {
            // Servers of today do not have the others; and each commission that is issued stays.
            !calls::astakos::NOT_ASKED.contains(id)
                && !id.starts_with("account.legacy")
                && *id != "account.issueCommission"
        });
        let jobs = asked.map(|id| {
            let is_of_service = id.starts_with("account.service") || id.contains("ommission");
            let client = match is_of_service {
                true => client.clone(),
                false => user.clone(),
            };
            Job::call(place.name, id, &place.account, move || {
                let client = client.clone();
                Box::pin(async move {
                    let done = calls::astakos::call(&client, id).await;
                    Done::of(done, astakos::Error::core)
                })
            })
        });
        let mut jobs: Vec<Job> = jobs.collect();
        jobs.push(Job::task(place.name, move || {
            let client = client.clone();
            Box::pin(async move {
                let request = astakos::CommissionRequest::raw([]);
                let done = match client.issue(&request).await {
                    Ok(serial) => client.resolve(&[], &[serial]).await.map(drop),
                    Err(error) => Err(error),
                };
                Done::of(done, astakos::Error::core)
            })
        }));
        Ok(jobs)
    }

    /// The credentials of all stores in turn.
    fn of_cloud(&self, held: &Arc<Vec<Held>>) -> Vec<Job> {
        let (_, place) = &self.cloud;
        let turn = Arc::new(AtomicUsize::new(0));
        let operations = cloud_credentials::OPERATIONS.iter();
        let jobs = operations.map(|described| {
            let (held, turn) = (Arc::clone(held), Arc::clone(&turn));
            let id = described.operation.id();
            Job::call(place.name, id, &place.account, move || {
                let number = turn.fetch_add(1, Relaxed) % held.len();
                let held = Arc::clone(&held);
                Box::pin(async move {
                    let call = match described.call(&described.examples()) {
                        Ok(call) => call,
                        Err(error) => return Done::Wrong(error.to_string()),
                    };
                    let one = &held[number];
                    match one.client.call(call, &(), &CallOptions::new()).await {
                        // Whatever the faults and restarts were, no login may be lost.
                        Err(error) if error.is_reauthorization_needed() => {
                            let why = format!("the login in {} is lost: {error:?}", one.ground);
                            Done::Wrong(why)
                        }
                        done => Done::of(done, cloud_credentials::Error::core),
                    }
                })
            })
        });
        jobs.collect()
    }

    async fn of_ticket(&self, folder: &Path) -> Result<Vec<Job>, String> {
        let (server, place) = &self.ticket;
        let told = |error: ticket::Error| error.to_string();
        let secret = server
            .service_secret(OWN)
            .ok_or("the service lacks a secret")?;
        let of_authority = ticket::Client::tvm_api(OWN)
            .tvm_url(place.url())
            .tirole_url(place.url())
            .secret(ServiceSecret::parse(&secret).map_err(told)?)
            .alias("peer", PEER)
            .check_service_tickets()
            .check_user_tickets(BlackboxEnv::Test)
            .roles("shop")
            .disk_cache(folder)
            .transport(place.network()?)
            .observer(observer(place))
            .timeouts(limits())
            .connect()
            .await
            .map_err(told)?;
        let of_daemon = ticket::Client::tvmtool("shop")
            .auth_token(server.tool_token())
            .host("127.0.0.1")
            .port(place.port())
            .transport(place.network()?)
            .observer(observer(place))
            .timeouts(limits())
            .connect()
            .await
            .map_err(told)?;
        let mut jobs = Vec::new();
        for client in [of_authority, of_daemon] {
            let refreshed = client.clone();
            jobs.push(Job::task(place.name, move || {
                let client = refreshed.clone();
                Box::pin(async move { Done::of(client.refresh().await, ticket::Error::core) })
            }));
            let server = server.clone();
            jobs.push(Job::task(place.name, move || {
                let (client, server) = (client.clone(), server.clone());
                Box::pin(async move { checked(&server, &client).await })
            }));
        }
        Ok(jobs)
    }

    fn of_userinfo(&self) -> Result<Vec<Job>, String> {
        let (server, place) = &self.userinfo;
        let url = format!("{}{}", place.url(), server.repertoire_path());
        server.set_discovery(calls::userinfo::discovery(&place.url(), server));
        let client = userinfo::Client::builder()
            .repertoire_url(url)
            .cache_lifetime(Duration::from_millis(200))
            .transport(place.network()?)
            .observer(observer(place))
            .timeouts(limits())
            .build();
        let client = client.map_err(|error| error.to_string())?;
        let scopes = ["admin:token", "admin:userinfo", "read:all", "user:token"];
        let token = server.create_token("alice").scopes(scopes).issue();
        let operations = userinfo::mock::operations().map(|operation| operation.id());
        let asked = operations.filter(|id| {
            // The caller's token is the one that would be revoked, and the name of a new one is taken.
            let below = ["gafaelfawr.revokeToken", "gafaelfawr.createUserToken"];
            !calls::userinfo::NOT_ASKED.contains(id) && !below.contains(id)
        });
        let jobs = asked.map(|id| {
            let (client, token) = (client.clone(), token.clone());
            Job::call(place.name, id, &place.account, move || {
                let (client, token) = (client.clone(), token.clone());
                Box::pin(async move {
                    let done = calls::userinfo::call(&client, id, &token).await;
                    Done::of(done, userinfo::Error::core)
                })
            })
        });
        let mut jobs: Vec<Job> = jobs.collect();
        let alice: userinfo::Username = "alice"
            .parse()
            .map_err(|error: userinfo::NameError| error.to_string())?;
        let made = Arc::new(AtomicUsize::new(0));
        for _ in 0..LIVES {
            let alice = alice.clone();
            let (client, token, made) = (client.clone(), token.clone(), Arc::clone(&made));
            jobs.push(Job::task(place.name, move || {
                let (client, token) = (client.clone(), token.clone());
                let alice = alice.clone();
                let name = format!("soak-{}", made.fetch_add(1, Relaxed));
                Box::pin(async move {
                    let done = life_of_a_token(&client, &token, &alice, &name).await;
                    Done::of(done, userinfo::Error::core)
                })
            }));
        }
        jobs.push(Job::task("userinfo", || Box::pin(async { known() })));
        Ok(jobs)
    }

    async fn of_wazo_auth(&self) -> Result<Vec<Job>, String> {
        let (server, place) = &self.wazo_auth;
        let client = wazo_auth::Client::builder()
            .host("127.0.0.1")
            .http()
            .port(place.port())
            .prefix("")
            .transport(place.network()?)
            .observer(observer(place))
            .timeouts(limits())
            .build();
        let client = client.map_err(|error| error.to_string())?;
        let login = client
            .token()
            .create()
            .credentials("admin", "correct horse");
        let token = RenewingToken::new(login.expiration(Duration::from_secs(5)));
        let client = client.with_token_source(Arc::new(token));
        let known = Known::make(&client).await;
        let known = Arc::new(known.map_err(|error| error.to_string())?);
        let jobs = wazo_auth::mock::operations().map(|operation| {
            let (client, known) = (client.clone(), Arc::clone(&known));
            // The others are about things that do not exist, and refused.
            let reads = *operation.method() == http::Method::GET
                && !["wazo-auth.getToken", "wazo-auth.endSaml"].contains(&operation.id());
            Job::call(place.name, operation.id(), &place.account, move || {
                let (client, known) = (client.clone(), Arc::clone(&known));
                Box::pin(async move {
                    let done = match reads {
                        true => {
                            let value = |name: &str| known.value(name);
                            let asked = calls::wazo_auth::ask(&client, operation, value).await;
                            asked.map(drop)
                        }
                        false => calls::wazo_auth::call(&client, operation).await,
                    };
                    Done::of(done, wazo_auth::Error::core)
                })
            })
        });
        let mut jobs: Vec<Job> = jobs.collect();
        let made = Arc::new(AtomicUsize::new(0));
        for _ in 0..LIVES {
            let (client, made) = (client.clone(), Arc::clone(&made));
            jobs.push(Job::task(place.name, move || {
                let client = client.clone();
                let name = format!("soak-{}", made.fetch_add(1, Relaxed));
                Box::pin(async move {
                    let done = life_of_a_user(&client, &name).await;
                    Done::of(done, wazo_auth::Error::core)
                })
            }));
        }
        let tokens = wazo_auth::server::Tokens::builder(client.clone());
        let tokens = tokens.max_age(Duration::from_millis(200)).build();
        let layer = wazo_auth::server::TokenLayer::new(tokens);
        let token = server.issue_token("admin");
        jobs.push(Job::task(place.name, move || {
            let (layer, token) = (layer.clone(), token.clone());
            Box::pin(async move {
                let mut request = Request::new(());
                let Ok(value) = HeaderValue::from_str(token.expose()) else {
                    return Done::Wrong("the token fits no header".to_owned());
                };
                request.headers_mut().insert("x-auth-token", value);
                match layer.check(&mut request).await {
                    Ok(()) => Done::Well,
                    Err(refusal) => Done::Failed(format!("{:?}", refusal.kind())),
                }
            })
        }));
        Ok(jobs)
    }
}

/// How many jobs of each service make something, use it and remove it.
const LIVES: usize = 20;

/// Objects of wazo-auth that stay.
struct Known {
    user: wazo_auth::UserUuid,
    group: wazo_auth::GroupUuid,
    policy: wazo_auth::PolicyId,
    tenant: wazo_auth::TenantUuid,
}

impl Known {
    async fn make(client: &wazo_auth::Client) -> wazo_auth::Result<Self> {
        let user = wazo_auth::NewUser::new()
            .username("soak")
            .password(PASSWORD);
        let user = client.users().create(&user).await?;
        let group = wazo_auth::NewGroup::new("soak");
        let policy = wazo_auth::NewPolicy::new("soak");
        Ok(Self {
            group: client.groups().create(&group).await?.uuid,
            policy: client.policies().create(&policy).await?.uuid,
            tenant: user.tenant_uuid,
            user: user.uuid,
        })
    }

    /// Returns the value of a parameter of a path.
    fn value(&self, name: &str) -> Option<String> {
        match name {
            "{user_uuid}" => Some(self.user.to_string()),
            "{group_uuid}" => Some(self.group.to_string()),
            "{policy_id}" => Some(self.policy.to_string()),
            "{tenant_uuid}" => Some(self.tenant.to_string()),
            _ => None,
        }
    }
}

const PASSWORD: &str = "correct horse";

/// A user who joins a group, logs in and leaves.
async fn life_of_a_user(client: &wazo_auth::Client, name: &str) -> wazo_auth::Result<()> {
    let user = wazo_auth::NewUser::new().username(name).password(PASSWORD);
    let user = client.users().create(&user).await?.uuid;
    let group = client
        .groups()
        .create(&wazo_auth::NewGroup::new(name))
        .await?
        .uuid;
    client.groups().add_user(&group, &user).await?;
    let token = client
        .token()
        .create()
        .credentials(name, PASSWORD)
        .send()
        .await?;
    client.token().revoke(&token.token.token).await?;
    client.users().get(&user).await?;
    client.groups().remove_user(&group, &user).await?;
    client.groups().delete(&group).await?;
    client.users().delete(&user).await
}

/// A token that is made, looked at and revoked.
async fn life_of_a_token(
    client: &userinfo::Client,
    token: &userinfo::Token,
    alice: &userinfo::Username,
    name: &str,
) -> userinfo::Result<()> {
    let new = userinfo::NewUserToken::new(name);
    let made = client.create_user_token(token, alice, &new).await?;
    client.token_info(&made).await?;
    client.revoke_token(token, alice, made.key()).await
}

/// Checks a new ticket in a layer. Its key may be newer than those of the client, which has to fetch
/// them then.
async fn checked(server: &ticket::mock::Server, client: &ticket::Client) -> Done {
    let layer = ticket::server::TicketLayer::new(client.clone());
    let mut last = String::new();
    for _ in 0..2 {
        let ticket = match server.mint_service(PEER, OWN) {
            Ok(ticket) => ticket,
            Err(error) => return Done::Wrong(error.to_string()),
        };
        let mut request = Request::new(());
        let Ok(value) = HeaderValue::from_str(ticket.expose()) else {
            return Done::Wrong("the ticket fits no header".to_owned());
        };
        request.headers_mut().insert("x-ya-service-ticket", value);
        match layer.check(&mut request) {
            Ok(()) => return Done::Well,
            Err(refusal) => last = format!("{:?}", refusal.kind()),
        }
        if let Err(error) = client.refresh().await {
            return Done::Failed(format!("{:?}", error.core().kind()));
        }
    }
    Done::Failed(last)
}

/// Lets the layer of the ingress know a user, which nothing can disturb.
fn known() -> Done {
    use vouchsafe::userinfo::server::{Identity, IngressLayer, PeerAddr, TrustedPeers};

    let layer = IngressLayer::new(TrustedPeers::loopback());
    let mut request = Request::new(());
    let peer = PeerAddr((std::net::Ipv4Addr::LOCALHOST, 4711).into());
    request
        .headers_mut()
        .insert("x-auth-request-user", HeaderValue::from_static("ada"));
    request.extensions_mut().insert(peer);
    let seen = layer
        .check(&mut request)
        .map(|()| Identity::of(request.extensions()).is_ok());
    match seen {
        Ok(true) => Done::Well,
        other => Done::Wrong(format!(
            "the layer of the ingress says {:?}",
            other.map_err(|refusal| refusal.kind())
        )),
    }
}

fn observer(place: &Place) -> Arc<dyn Observer> {
    Arc::<Account>::clone(&place.account)
}

/// An authority and a daemon that know two services and their roles.
fn tickets() -> ticket::mock::Server {
    let server = ticket::mock::Server::new();
    let _ = server.add_service(OWN, "shop");
    let _ = server.add_service(PEER, "peer");
    server.add_tool_destination(OWN, "peer", PEER);
    server.set_slug(OWN, Some("shop"));
    let roles = r#"{"revision":"r1","born_date":1,"tvm":{"43":{"/role/read/":[{}]}}}"#;
    server.set_roles("shop", roles);
    server
}

const OWN: TvmId = TvmId::new(42);
const PEER: TvmId = TvmId::new(43);
