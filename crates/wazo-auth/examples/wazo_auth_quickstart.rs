//! Logs in, makes a policy, a group and a user, checks the user's token, and ends it. Runs against
//! the emulator: `cargo run -p vouchsafe-wazo-auth --example wazo_auth_quickstart --features mock,tls-ring`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "an example")]

use std::sync::Arc;

use vouchsafe_wazo_auth::{NewGroup, NewPolicy, NewTenant, NewUser, RenewingToken, mock};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // In production: `Client::builder().host("wazo.example.com").credentials(..).build()?`.
    let server = mock::Server::new();
    let bare = server.client();
    let admin = server.client_as("admin");
    admin
        .users()
        .create(&NewUser::new().username("my-service").password("secret"))
        .await
        .map(|user| println!("made {}", user.uuid))?;

    // A separate tenant for everything that follows.
    let tenant = admin
        .tenants()
        .create(&NewTenant::new().name("Example"))
        .await?;
    let admin = admin.with_tenant(&tenant.uuid);

    // Accesses come through policies, directly or by groups.
    let policy = NewPolicy::new("readers").acl(["dird.me.#", "!dird.me.secrets"]);
    let policy = admin.policies().create(&policy).await?;
    let group = admin.groups().create(&NewGroup::new("staff")).await?;
    admin.groups().add_policy(&group.uuid, &policy.uuid).await?;
    let alice = NewUser::new().username("alice").password("open sesame");
    let alice = admin.users().create(&alice).await?;
    admin.groups().add_user(&group.uuid, &alice.uuid).await?;

    // Lists are walked item by item.
    let mut users = admin.users().list().search("ali").items();
    while let Some(user) = users.next().await? {
        println!("found {:?} of tenant {}", user.username, user.tenant_uuid);
    }

    // A token that renews itself. Its accesses are those of the policies, as they were at the login.
    let login = bare.token().create().credentials("alice", "open sesame");
    let source = RenewingToken::new(login);
    let client = bare.with_token_source(Arc::new(source.clone()));
    let refused = client.users().get(&alice.uuid).await.unwrap_err();
    println!("refused: {refused} (forbidden: {})", refused.is_forbidden());

    // Whoever knows a token may ask about it.
    let state = source.subscribe();
    let token = state.borrow().token.clone();
    let token = token.ok_or_else(|| anyhow::anyhow!("no token after a call"))?;
    for access in ["dird.me.contacts", "dird.me.secrets"] {
        let check = bare.token().check(token.secret().clone());
        let validity = check.required_access(access).validity().await?;
        println!("{access}: {validity:?}");
    }
    bare.token().revoke(token.secret()).await?;
    println!("valid: {}", bare.token().is_valid(token.secret()).await?);
    Ok(())
}
