//! The client against tvmtool.

use super::*;

#[tokio::test(start_paused = true)]
async fn tvmtool_gives_tickets_keys_and_roles() {
    let world = World::new();
    world.server.set_env(BlackboxEnv::ProdYateam);
    world.server.add_tool_destination(OWN, "peer", PEER);
    world.server.add_tool_destination(OWN, "same", PEER);
    world.server.set_slug(OWN, Some(SLUG));
    world.server.set_roles(SLUG, ROLES);
    let client = world.tool().connect().await.unwrap();
    assert_eq!(
        (client.own_id(), client.env()),
        (OWN, Some(BlackboxEnv::ProdYateam))
    );
    assert_eq!(status(&client), StatusCode::Ok);
    assert!(client.service_ticket("same").is_ok());
    let incoming = world.server.mint_service(PEER, OWN).unwrap();
    assert!(client.check_service_ticket(incoming.expose()).is_ok());
    assert_eq!(client.roles().unwrap().revision(), "r1");
    assert!(client.add_destinations([OTHER]).await.is_err());
    // A change of the daemon's configuration is found at the next wake.
    world.server.add_tool_destination(OWN, "other", OTHER);
    world.until(|| client.service_ticket("other").is_ok()).await;
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_gone_turns_the_status() {
    let world = World::new();
    world.server.add_tool_destination(OWN, "peer", PEER);
    let client = world.tool().connect().await.unwrap();
    world.server.faults().add(Fault::on_any().status(500));
    world.advance(Duration::from_secs(31));
    world
        .until(|| last_error(&client).starts_with("TvmtoolConfig: "))
        .await;
    assert_eq!(status(&client), StatusCode::Warning);
    world.advance(HOUR * 12);
    assert_eq!(status(&client), StatusCode::Error);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_on_another_machine_is_not_even_looked_for_over_plain_http() {
    let world = World::new();
    let patient = world.tool().host("tvm.example").wait_for_daemon(HOUR);
    let error = patient.connect().await.unwrap_err();
    assert!(!error.is_retryable(), "{error}");
    assert!(
        error.to_string().contains("plain http to tvm.example:1"),
        "{error}"
    );
    assert!(world.server.journal().is_empty());
    let allowed = world.tool().host("tvm.example").allow_plain_http();
    allowed.connect().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn errors_tell_a_wrong_token_from_an_unknown_alias_and_an_old_daemon() {
    let world = World::new();
    let token = Secret::from("wrong");
    let error = world.tool().auth_token(token).connect().await.unwrap_err();
    assert!(
        !error.is_retryable() && error.message().contains("(401)"),
        "{error}"
    );
    let stranger = Client::tvmtool("nobody")
        .auth_token(world.server.tool_token())
        .transport(world.server.host().transport());
    let error = stranger.connect().await.unwrap_err();
    assert!(
        error
            .message()
            .contains("Alias 'nobody' not found in meta info"),
        "{error}"
    );
    world
        .server
        .faults()
        .add(Fault::on("tvmtool.getMeta").times(1).status(404));
    let error = world.tool().connect().await.unwrap_err();
    assert!(error.message().contains("You need tvmtool>=1.1.0") && !error.is_retryable());
    world
        .server
        .faults()
        .add(Fault::on("tvmtool.getMeta").times(1).status(502));
    assert!(world.tool().connect().await.unwrap_err().is_retryable());
    world.server.set_tool_ping(500, "down");
    let error = world.tool().connect().await.unwrap_err();
    assert!(
        error.message().contains(
            "Failed to connect to tvmtool: http://localhost:1 (port set by port()): down"
        ),
        "{error}"
    );
    assert!(error.is_retryable(), "{error}");
    let error = Client::tvmtool("").connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenSettings);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_is_late_is_waited_for_as_long_as_that_is_wanted() {
    let world = World::new();
    let late = || {
        world.server.faults().clear();
        world
            .server
            .faults()
            .add(Fault::on("tvmtool.ping").times(20).reset_before_head());
    };
    let waiting = |seconds| {
        let limit = Duration::from_secs(seconds);
        world.tool().wait_for_daemon(limit).connect()
    };
    late();
    waiting(10).await.unwrap();
    late();
    let begun = tokio::time::Instant::now();
    let error = waiting(3).await.unwrap_err();
    assert!(
        begun.elapsed() <= Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert!(error.is_retryable(), "{error}");
    assert!(error.message().contains("http://localhost:1 "), "{error}");
    // A failure that no wait can fix is reported at once.
    world.server.faults().clear();
    world
        .server
        .faults()
        .add(Fault::on("tvmtool.ping").status(404));
    let begun = tokio::time::Instant::now();
    let error = waiting(60).await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1) && !error.is_retryable());
}

#[tokio::test(start_paused = true)]
async fn every_request_to_a_daemon_but_the_ping_carries_the_token() {
    let world = World::new();
    world.server.add_tool_destination(OWN, "peer", PEER);
    world.server.set_slug(OWN, Some(SLUG));
    world.server.set_roles(SLUG, ROLES);
    world.tool().connect().await.unwrap();
    let entries = world.server.journal().entries();
    assert!(entries.len() >= 5, "{entries:?}");
    for entry in entries {
        let is_ping = entry.operation == Some("tvmtool.ping");
        assert_eq!(entry.credential.is_none(), is_ping, "{entry:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn data_of_a_daemon_that_is_too_old_is_not_taken() {
    let world = World::new();
    world.server.add_tool_destination(OWN, "peer", PEER);
    world.server.set_tool_data_age(11 * 60 * 60);
    let error = world.tool().connect().await.unwrap_err();
    assert!(error.message().contains("too old"), "{error}");
    world.server.set_tool_data_age(3 * 60 * 60);
    let client = world.tool().connect().await.unwrap();
    assert_eq!(status(&client), StatusCode::Warning);
}
