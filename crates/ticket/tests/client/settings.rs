//! Settings that make no sense are refused before anything is sent.

use super::*;

#[test]
fn a_host_of_a_daemon_is_a_name_or_an_address() {
    let on = |host: &str| Client::tvmtool("me").host(host).port(8080).validate();
    for host in [
        "localhost",
        "tvmtool.example.org",
        "127.0.0.1",
        "::1",
        "[::1]",
    ] {
        assert!(on(host).is_ok(), "{host}");
    }
    for host in [
        "",
        " ",
        "localhost:80",
        "http://localhost",
        "a/b",
        "u@h",
        "127.1",
        "[::1",
        "a b",
    ] {
        let error = on(host).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenSettings, "{host:?}");
    }
    assert!(Client::tvmtool("me").port(0).validate().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_ipv6_address_of_a_daemon_gets_its_brackets() {
    let world = World::new();
    assert!(world.tool().host("::1").connect().await.is_ok());
}

#[test]
fn urls_of_the_authority_are_checked_and_the_fault_names_the_setting() {
    let checking = || Client::tvm_api(42).check_service_tickets();
    for url in [
        "tvm.example",
        "tvm.example:8080",
        "https://tvm.example",
        "::1",
        "[::1]:80",
    ] {
        assert!(checking().tvm_url(url).validate().is_ok(), "{url}");
        assert!(checking().tirole_url(url).validate().is_ok(), "{url}");
    }
    for url in [
        "",
        "tvm example",
        "http://",
        "tvm.example:x",
        "https://h$st",
        "256.0.0.1",
    ] {
        let error = checking().tvm_url(url).validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenSettings);
        assert!(error.message().starts_with("tvm_url: "), "{url}: {error}");
        let error = checking().tirole_url(url).validate().unwrap_err();
        assert!(
            error.message().starts_with("tirole_url: "),
            "{url}: {error}"
        );
    }
}

#[test]
fn no_id_may_be_zero() {
    let secret = || ServiceSecret::parse(&Secret::from("c2VjcmV0")).unwrap();
    let fetching = || Client::tvm_api(42).secret(secret());
    for builder in [
        fetching().destination(0),
        fetching().alias("peer", 0),
        fetching().destinations([43, 0]),
        fetching().destination(43).tirole_tvm_id(0),
        Client::tvm_api(42).check_service_tickets().tirole_tvm_id(0),
        Client::tvm_api(0).check_service_tickets(),
    ] {
        let error = builder.validate().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BrokenSettings);
        assert!(error.message().contains("cannot be 0"), "{error}");
    }
}
