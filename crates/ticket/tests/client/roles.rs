//! The client and roles from tirole or tvmtool.

use super::log::Log;
use super::*;

#[tokio::test(start_paused = true)]
async fn roles_are_fetched_with_a_ticket_and_callers_without_a_role_are_refused() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    world.server.set_roles(SLUG, ROLES);
    world.server.set_gzip_roles(true);
    let builder = world.full().roles(SLUG).disk_cache(folder.path());
    let client = builder.connect().await.unwrap();
    let of = |src| world.server.mint_service(src, OWN).unwrap();
    let (peer, other) = (of(PEER), of(OTHER));
    let checked = client.check_service_ticket(peer.expose()).unwrap();
    let roles = client.roles().unwrap();
    assert!(roles.of_service(&checked).has("/role/read/"));
    let error = client.check_service_ticket(other.expose()).unwrap_err();
    assert_eq!(error.status(), Some(TicketStatus::NoRoles));

    // Unchanged: only the time is new. Broken: the old ones stay.
    let asked = || world.count("tirole.getActualRoles");
    world.advance(Duration::from_secs(11 * 60));
    world.until(|| asked() == 2).await;
    assert!(Arc::ptr_eq(&roles, &client.roles().unwrap()));
    world.server.set_roles(SLUG, "{}");
    world.advance(Duration::from_secs(11 * 60));
    world
        .until(|| last_error(&client).contains("Roles: "))
        .await;
    assert_eq!(client.roles().unwrap().revision(), "r1");
    world
        .server
        .set_roles(SLUG, &ROLES.replace("r1", "r2").replace("43", "44"));
    world.advance(Duration::from_secs(11 * 60));
    let is_new = || client.roles().unwrap().revision() == "r2";
    world.until(is_new).await;
    assert!(client.check_service_ticket(of(OTHER).expose()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_revision_that_fits_no_header_is_left_out_also_after_a_restart() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    for odd in ["a\\r\\nX-Injected: 1", "a\\u0000", "é"] {
        world.server.set_roles(SLUG, &ROLES.replace("r1", odd));
        let builder = || world.full().roles(SLUG).disk_cache(folder.path());
        drop(builder().connect().await.unwrap());
        let client = builder().connect().await.unwrap();
        world.server.set_roles(SLUG, &ROLES.replace("r1", "r2"));
        client.refresh().await.unwrap();
        assert_eq!(client.roles().unwrap().revision(), "r2", "{odd}");
        assert_eq!(status(&client), StatusCode::Ok, "{odd}");
        // For the next revision, which comes from the disk at first.
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_of_tvmtool_that_fits_no_header_is_left_out() {
    let world = World::new();
    world.server.set_slug(OWN, Some(SLUG));
    world.server.set_roles(SLUG, &ROLES.replace("r1", "a\\nb"));
    let client = world.tool().connect().await.unwrap();
    world.server.set_roles(SLUG, ROLES);
    client.refresh().await.unwrap();
    assert_eq!(client.roles().unwrap().revision(), "r1");
}

#[tokio::test(start_paused = true)]
async fn settings_that_refuse_every_user_ticket_are_warned_about_at_the_start() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    world.server.set_roles(SLUG, ROLES);
    let builder = || world.full().roles(SLUG).disk_cache(folder.path());
    for (builder, is_told) in [
        (builder(), true),
        (builder().without_default_uid_check(), false),
        (builder().check_user_tickets(BlackboxEnv::ProdYateam), false),
    ] {
        let log = Log::start();
        builder.connect().await.unwrap();
        let text = log.text();
        assert_eq!(
            text.contains("All user tickets will be refused"),
            is_told,
            "{text}"
        );
    }
}
