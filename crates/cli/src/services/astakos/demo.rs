//! The demo of Astakos.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use vouchsafe::astakos::commission::{CommissionGuard, Issuer};
use vouchsafe::astakos::mock::Server;
use vouchsafe::astakos::{Client, CommissionRequest, ErrorKind, Holder, Provision};
use vouchsafe::core::Secret;
use vouchsafe::core::mock::{CertificateAuthority, Fault};
use vouchsafe::core::transport::HttpTransport;

use crate::failure::Failure;
use crate::stage::{Seen, Stage, ensure};

const VM: &str = "cyclades.vm";

pub(super) async fn run(stage: &mut Stage) -> Result<(), Failure> {
    let server = Server::new();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let serving = server.serve_tls(address, &stage.authority).await?;
    let url = format!("{}{}", serving.url(), server.identity_path());
    let client = client(&url, &stage.authority)?;
    let token = |token: Option<Secret>| {
        token.ok_or_else(|| Failure::failed("the built-in state lacks a token"))
    };
    let user = client.with_token(token(server.user_token(ALICE))?);
    let service = client.with_token(token(server.service_token("cyclades"))?);
    let issuer = Issuer::builder(service.clone(), "demo").build()?;
    let journal = server.journal().clone();
    let show = Show {
        server,
        user,
        service,
        issuer,
    };

    stage
        .step("log in, and find the parts", &journal, 1, show.log_in())
        .await;
    stage
        .step("what alice may still use", &journal, 1, show.room())
        .await;
    stage
        .step(
            "a commission is issued and accepted",
            &journal,
            2,
            show.committed(),
        )
        .await;
    stage
        .step(
            "one is dropped, and its guard rejects it",
            &journal,
            2,
            show.dropped(),
        )
        .await;
    stage
        .step(
            "over quota: refused with the numbers",
            &journal,
            1,
            show.refused(),
        )
        .await;
    stage
        .step(
            "40 commissions resolved in one call",
            &journal,
            41,
            show.together(),
        )
        .await;
    stage
        .step(
            "quotas of all users, one by one",
            &journal,
            1,
            show.walked(),
        )
        .await;
    // The lost attempt, the list, the name, and the accept. Last, because the issuer continues to
    // look for a late duplicate, even during this step on a slow machine.
    stage
        .step_within(
            "one whose answer is lost is adopted",
            &journal,
            4..=6,
            show.adopted(),
        )
        .await;
    Ok(())
}

const ALICE: &str = "alice@example.org";

struct Show {
    server: Server,
    user: Client,
    service: Client,
    issuer: Issuer,
}

impl Show {
    async fn log_in(&self) -> Seen {
        let access = self.user.authenticate(None).await.map_err(text)?;
        let services = access.catalog().map_err(text)?.services().len();
        let name = access.user.and_then(|user| user.name).unwrap_or_default();
        Ok(format!("{name}; {services} services in the catalog"))
    }

    async fn room(&self) -> Seen {
        let quotas = self.user.quotas().await.map_err(text)?;
        let alice = Server::alice();
        let room = quotas.room(&alice, VM);
        let room = room.ok_or("alice has no virtual machines at all")?;
        // This refusal happens before anything is sent.
        let much = Provision::of_user(&alice, &alice, VM, 1_000);
        let refused = quotas.check(&alice, &[much]).err();
        let refused = refused.ok_or("a thousand machines seem to fit")?;
        Ok(format!("{room} of {VM}; without asking: {refused}"))
    }

    async fn issue(&self, name: &str) -> Result<CommissionGuard, String> {
        let alice = Server::alice();
        let request = CommissionRequest::one(&alice, [(&alice, VM, 1)]).name(name);
        self.issuer.issue(&request).await.map_err(text)
    }

    fn used(&self) -> i64 {
        let alice = Server::alice();
        let source = Holder::project(&alice);
        let holding = self.server.holding(&Holder::user(alice), Some(&source), VM);
        holding.map_or(0, |holding| holding.usage_min)
    }

    async fn committed(&self) -> Seen {
        let before = self.used();
        let guard = self.issue("server 1").await?;
        let serial = guard.serial();
        guard.commit().await.map_err(text)?;
        let after = self.used();
        ensure(after == before + 1, || format!("{before}, then {after}"))?;
        Ok(format!("commission {serial}: alice uses {after}"))
    }

    async fn dropped(&self) -> Seen {
        let before = self.used();
        let guard = self.issue("server 2").await?;
        let serial = guard.serial();
        drop(guard);
        let open = self.issuer.flush(Duration::from_secs(5)).await;
        ensure(open.in_hand == 0, || format!("{open:?}"))?;
        let pending = self.server.pending_commissions().len();
        ensure(pending == 0 && self.used() == before, || {
            format!("{pending} pending")
        })?;
        Ok(format!("commission {serial} left nothing behind"))
    }

    async fn adopted(&self) -> Seen {
        let before = self.used();
        let issued = || self.server.journal().count("account.issueCommission");
        let issued_before = issued();
        let lost = Fault::on("account.issueCommission").times(1);
        self.server.faults().add(lost.reset_in_head());
        let guard = self.issue("server 3").await?;
        let pending = self.server.pending_commissions().len();
        ensure(pending == 1, || format!("{pending} pending"))?;
        let serial = guard.serial();
        guard.commit().await.map_err(text)?;
        let after = self.used();
        ensure(after == before + 1, || format!("{before}, then {after}"))?;
        let issued = issued() - issued_before;
        ensure(issued == 1, || format!("issued {issued} times"))?;
        Ok(format!("commission {serial}, charged once"))
    }

    async fn refused(&self) -> Seen {
        let alice = Server::alice();
        let much = CommissionRequest::one(&alice, [(&alice, VM, 1_000)]);
        match self.service.issue(&much).await {
            Err(error) if error.kind() == ErrorKind::QuotaLimit => {
                let limit = error.quota_limit().ok_or("no numbers came")?;
                Ok(limit.to_string())
            }
            other => Err(format!("{other:?}")),
        }
    }

    async fn together(&self) -> Seen {
        let alice = Server::alice();
        let nothing = CommissionRequest::one(&alice, [(&alice, VM, 0)]);
        let mut issued = Vec::new();
        for _ in 0..40 {
            issued.push(self.service.issue(&nothing).await.map_err(text)?);
        }
        // Long enough for forty tasks to join one call on a busy machine.
        let issuer = Issuer::builder(self.service.clone(), "together")
            .window(Duration::from_millis(100))
            .build()
            .map_err(text)?;
        let mut tasks = JoinSet::new();
        for (index, serial) in issued.into_iter().enumerate() {
            let issuer = issuer.clone();
            tasks.spawn(async move {
                match index % 2 {
                    0 => issuer.accept(serial).await,
                    _ => issuer.reject(serial).await,
                }
            });
        }
        let mut done = 0;
        while let Some(result) = tasks.join_next().await {
            result.map_err(|fault| fault.to_string())?.map_err(text)?;
            done += 1;
        }
        Ok(format!("{done} tasks, each with its own result"))
    }

    async fn walked(&self) -> Seen {
        let walk = self.service.service_quotas().walk().await;
        let mut walk = walk.map_err(text)?;
        let (mut users, mut quotas) = (0, 0);
        while let Some((_, of_user)) = walk.next().await.map_err(text)? {
            users += 1;
            quotas += of_user.iter().count();
        }
        ensure(users > 1, || format!("{users} users"))?;
        Ok(format!(
            "{users} users, {quotas} quotas, one user in memory"
        ))
    }
}

fn client(url: &str, authority: &CertificateAuthority) -> Result<Client, Failure> {
    let transport = HttpTransport::builder()
        .add_root_pem(authority.pem().as_bytes())?
        .only_roots()
        .require_https()
        .build()?;
    let client = Client::builder()
        .auth_url(url)
        .transport(Arc::new(transport));
    Ok(client.build()?)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
