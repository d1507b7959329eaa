//! A walk of a list returns each item once, and never loses one silently.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};
use vouchsafe::core::call::page::{Items, List};
use vouchsafe::core::transport::Response;
use vouchsafe::wazo_auth::mock::{Seed, Server};
use vouchsafe::wazo_auth::{Client, Error, GroupUuid, UserUuid};

use super::{Network, Then};

const ALICE: &str = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";

/// An item of a list, as a service writes it: the number makes it another one.
fn item(list: &str, number: usize) -> Value {
    let uuid = format!("{number:08}-8b86-4011-b42d-00cf4fc964ff");
    json!({
        "uuid": uuid, "tenant_uuid": ALICE, "user_uuid": ALICE, "parent_uuid": ALICE,
        "client_id": format!("{list}-{number}"), "created_at": "2026-01-02T03:04:05.678901+00:00",
        "name": format!("{list}-{number}"), "type": format!("{list}-{number}"), "enabled": true,
    })
}

/// What a service says of the number of items.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Counts {
    /// As today's servers do.
    Both,
    /// As old servers do.
    Total,
}

/// A server with one list, from which items go away or to which they come between two pages.
fn serve(
    list: &'static str,
    counts: Counts,
    numbers: impl Fn(usize) -> Vec<usize> + Send + Sync + 'static,
) -> Client {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let network = Network::new(Server::new().host().transport(), move |request| {
        let query = request.uri.query().unwrap_or_default().to_owned();
        let number = |name: &str| -> Option<usize> {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(known, _)| *known == name)?.1.parse().ok()
        };
        let page = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let all = numbers(page);
        let items = all.iter().map(|number| item(list, *number));
        let items = items.skip(number("offset").unwrap_or(0));
        let items: Vec<Value> = items.take(number("limit").unwrap_or(usize::MAX)).collect();
        let mut body = json!({"total": all.len(), "filtered": all.len(), "items": items});
        if counts == Counts::Total {
            // Before the filters, so that it ends no walk.
            body["total"] = (all.len() + 50).into();
            body.as_object_mut().unwrap().remove("filtered");
        }
        let mut response = Response::new(StatusCode::OK);
        response.body = body.to_string().into();
        Then::Answer(response)
    });
    let builder = Client::builder().transport(network as Arc<_>);
    let client = builder.host("wazo.example.org").token("t").build();
    client.unwrap()
}

/// Walks to the end, or to the error that tells of a change.
async fn walk<L>(mut items: Items<L>) -> (Vec<String>, bool)
where
    L: List<Error = Error>,
{
    let mut found = Vec::new();
    loop {
        match items.next().await {
            Ok(Some(item)) => found.push(L::key(&item)),
            Ok(None) => return (found, false),
            Err(error) => {
                assert!(error.is_conflict() && error.status().is_none(), "{error}");
                return (found, true);
            }
        }
    }
}

/// Asks one list in all ways.
async fn check<L, F>(list: &'static str, start: F)
where
    L: List<Error = Error>,
    F: Fn(Client) -> Items<L>,
{
    for counts in [Counts::Both, Counts::Total] {
        let what = format!("{list}, {counts:?}");
        for length in [0, 1, 2, 3, 7] {
            let client = serve(list, counts, move |_| (0..length).collect());
            let (found, changed) = walk(start(client)).await;
            let unique: BTreeSet<&String> = found.iter().collect();
            assert_eq!(
                (found.len(), unique.len(), changed),
                (length, length, false),
                "{what}"
            );
        }
        // The last item that was returned is gone.
        let gone = |page| match page {
            0 => (0..7).collect(),
            _ => vec![0, 1, 3, 4, 5, 6],
        };
        let (found, changed) = walk(start(serve(list, counts, gone))).await;
        assert_eq!((found.len(), changed), (3, true), "{what}");
        // Others were put before it.
        let more = |page| match page {
            0 => (0..7).collect(),
            _ => (20..22).chain(0..7).collect(),
        };
        let (found, changed) = walk(start(serve(list, counts, more))).await;
        let unique: BTreeSet<&String> = found.iter().collect();
        assert_eq!(
            (found.len(), unique.len()),
            (7, if changed { 3 } else { 7 }),
            "{what}"
        );
    }
}

/// A list by the id of its operation.
macro_rules! check_lists {
    ($($id:literal: $list:expr;)*) => {
        #[tokio::test]
        async fn a_walk_of_any_list_returns_each_item_once_or_says_that_the_list_changed() {
            $(check($id, |client: Client| {
                let list: fn(&Client) -> _ = $list;
                list(&client).limit(3).items()
            }).await;)*
        }

        const LISTS: &[&str] = &[$($id),*];
    };
}

fn user() -> UserUuid {
    ALICE.parse().unwrap()
}

fn group() -> GroupUuid {
    ALICE.parse().unwrap()
}

// One line for each list of wazo-auth.
check_lists! {
    "listUserRefreshTokens": |client| client.token().list(&user());
    "listOwnRefreshTokens": |client| client.token().list_own();
    "listRefreshTokens": |client| client.refresh_tokens().list();
    "listPolicies": |client| client.policies().list();
    "listUsers": |client| client.users().list();
    "listUserPolicies": |client| client.users().get_policies(&user());
    "listUserGroups": |client| client.users().get_groups(&user());
    "listUserSessions": |client| client.users().get_sessions(&user());
    "listGroups": |client| client.groups().list();
    "listGroupUsers": |client| client.groups().get_users(&group());
    "listGroupPolicies": |client| client.groups().get_policies(&group());
    "listSessions": |client| client.sessions().list();
    "listTenants": |client| client.tenants().list();
    "listExternal": |client| client.external().list(&user());
    "listConnectedUsers": |client| client.external().list_connected_users("t");
}

#[test]
fn every_list_of_wazo_auth_is_here() {
    let description = include_str!("../../../crates/wazo-auth/api/wazo-auth.openapi.yaml");
    let mut id = "";
    let mut lists = Vec::new();
    for line in description.lines() {
        match line.trim().split_once(": ") {
            Some(("operationId", name)) => id = name,
            Some(("x-page", _)) => lists.push(id),
            _ => {}
        }
    }
    assert_eq!(lists, LISTS, "add the list's line to `check_lists!`");
}

#[tokio::test]
async fn a_walk_of_sessions_that_end_meanwhile_loses_none_without_saying_so() {
    // Sessions are in the order of random numbers: these are the same each time.
    let server = Server::from_seed(&Seed::sample().random_seed(1));
    let admin = server.client_as("admin");
    let mut outcomes = BTreeSet::new();
    for round in 0..20_usize {
        let before: Vec<_> = (0..6).map(|_| server.issue_token("admin")).collect();
        let mut walk = admin.sessions().list().limit(3).items();
        let first = walk.next().await.unwrap().unwrap();
        // The walk holds the first page; what ends now is on this page or on a later one.
        admin.token().revoke(&before[round % 6]).await.unwrap();
        let still: BTreeSet<String> = ids(admin.sessions().list().items().collect().await);
        let mut found = vec![first.uuid.to_string()];
        let error = loop {
            match walk.next().await {
                Ok(Some(session)) => found.push(session.uuid.to_string()),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let unique: BTreeSet<String> = found.iter().cloned().collect();
        assert_eq!(unique.len(), found.len(), "none is returned twice");
        match &error {
            None => assert!(still.is_subset(&unique), "one is missing"),
            Some(error) => assert!(error.is_conflict() && error.status().is_none(), "{error}"),
        }
        outcomes.insert(error.is_some());
        for token in &before {
            admin.token().revoke(token).await.unwrap();
        }
    }
    assert_eq!(outcomes.len(), 2, "some walks end well and some do not");
}

fn ids(sessions: Result<Vec<vouchsafe::wazo_auth::Session>, impl Debug>) -> BTreeSet<String> {
    let sessions = sessions.unwrap().into_iter();
    sessions.map(|session| session.uuid.to_string()).collect()
}
