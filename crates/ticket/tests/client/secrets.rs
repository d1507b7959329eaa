//! No secret is shown anywhere, logs at their finest among it.

use http::{HeaderName, HeaderValue};
use serde_json::json;
use vouchsafe_core::mock::Fault;
use vouchsafe_core::text::hex;
use vouchsafe_ticket::{BlackboxEnv, Client, Uid};

use super::log::Log;
use super::world::{HOUR, OWN, PEER, ROLES, SLUG, World};

fn signature(ticket: &str) -> String {
    ticket.rsplit(':').next().unwrap().to_owned()
}

/// What all of the client's life shows: builders, clients, checks, errors, status.
fn show(client: &Client, tickets: &[&str]) -> String {
    let mut shown = format!(
        "{client:?} {:?} {:?}",
        client.status(),
        client.update_times()
    );
    shown += client.status().unwrap().last_error();
    for ticket in tickets {
        let service = client.check_service_ticket(ticket);
        let user = client.check_user_ticket(ticket);
        shown += &format!("{service:?} {user:?}");
        for error in [service.err(), user.err()].into_iter().flatten() {
            shown += &format!("{error} {:?}", vouchsafe_ticket::Error::from(error.clone()));
        }
    }
    shown
}

#[tokio::test(start_paused = true)]
async fn neither_debug_nor_errors_nor_logs_show_one() {
    let log = Log::start();
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    world.server.set_roles(SLUG, ROLES);
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    let user = world.server.mint_user(BlackboxEnv::Test, &[Uid::new(1)]);
    let user = user.unwrap();
    let broken = format!("{}AA", incoming.expose());
    let tickets = [
        incoming.expose(),
        user.expose(),
        &broken,
        "3:serv:x:planted",
    ];

    let builder = world.full().roles(SLUG).disk_cache(folder.path());
    let mut shown = format!("{builder:?}");
    let client = builder.connect().await.unwrap();
    let own = client.service_ticket(PEER).unwrap();
    shown += &show(&client, &tickets);
    let secret = world.server.service_secret(OWN).unwrap();
    let token = world.server.tool_token();
    let secrets = [
        secret.expose().to_owned(),
        token.expose().to_owned(),
        signature(own.expose()),
        signature(incoming.expose()),
        signature(user.expose()),
        "planted".to_owned(),
    ];

    // Everything fails, and what answers quotes what it was given, or is cut short.
    let quoted = format!("no {} and sign=planted", own.expose());
    for status in [403, 503, 200] {
        let fault = Fault::on_any().status(status).body(quoted.clone());
        world.server.faults().add(fault);
        world.advance(HOUR * 2);
        world.asked().await;
        shown += &show(&client, &tickets);
        shown += &format!("{:?}", client.refresh().await);
        let error = world.fetching().connect().await.unwrap_err();
        shown += &format!("{error} {error:?}");
        world.server.faults().clear();
        let quoted = format!("no {} and {quoted}", token.expose());
        for operation in ["tvmtool.ping", "tvmtool.getMeta", "tvmtool.getKeys"] {
            let fault = Fault::on(operation).status(status).body(quoted.clone());
            world.server.faults().add(fault);
            let outcome = world.tool().connect().await;
            shown += &format!("{outcome:?}");
            shown += &outcome.map_or_else(|error| error.to_string(), |_| String::new());
            world.server.faults().clear();
        }
    }
    assert!(shown.contains("3:serv:"), "it was quoted");

    world.server.add_tool_destination(OWN, "peer", PEER);
    let builder = world.tool();
    shown += &format!("{builder:?}");
    let tool = builder.connect().await.unwrap();
    shown += &show(&tool, &tickets);
    let error = world.tool().auth_token("planted".into()).connect().await;
    let error = error.unwrap_err();
    shown += &format!("{error} {error:?}");

    let log = log.text();
    assert!(log.contains("vouchsafe"), "something was logged");
    for (number, secret) in secrets.iter().enumerate() {
        for text in [&shown, &log] {
            let at = text.find(secret.as_str()).unwrap_or(0);
            let near = &text[at.saturating_sub(200)..(at + 100).min(text.len())];
            assert!(!text.contains(secret.as_str()), "secret {number}: {near}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_says_about_one_destination_shows_none_either() {
    let world = World::new();
    world.server.add_tool_destination(OWN, "peer", PEER);
    let token = world.server.tool_token();
    let refuse = |secret: &str, operation: &str| {
        let why = json!({"error": format!("not for {secret}"), "tvm_id": 43});
        let answer = json!({"peer": why, "43": why});
        let birth = HeaderName::from_static("x-ya-tvmtool-data-birthtime");
        let fault = Fault::on(operation).status(200).json(&answer);
        let fault = fault.header(birth, HeaderValue::from_static("1767225600"));
        world.server.faults().clear();
        world.server.faults().add(fault);
    };
    for secret in [token.expose(), &hex(token.expose().as_bytes())] {
        refuse(secret, "tvmtool.getTickets");
        let error = world.tool().connect().await.unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("not for"), "{shown}");
        assert!(!shown.contains(secret), "{shown}");
    }
    refuse("3:serv:x:planted", "tvm-api.getTickets");
    let api = world.fetching().allow_incomplete_tickets();
    let api = api.connect().await.unwrap();
    let error = api.service_ticket(PEER).unwrap_err();
    let status = api.status().unwrap();
    let shown = format!("{error} {error:?} {}", status.last_error());
    assert!(shown.contains("not for"), "{shown}");
    assert!(!shown.contains("planted"), "{shown}");
}
