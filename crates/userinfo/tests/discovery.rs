//! What a user of the discovery client relies on, against the emulator in process.
#![allow(clippy::unwrap_used, reason = "a test")]

use vouchsafe_core::ErrorKind as CoreKind;
use vouchsafe_userinfo::mock::Server;
use vouchsafe_userinfo::{ErrorKind, discovery};

const DISCOVERY: &str = "repertoire.getDiscovery";

#[tokio::test(start_paused = true)]
async fn a_document_from_another_machine_comes_over_tls_unless_plain_http_is_allowed() {
    let server = Server::new();
    let client = |origin: &str| {
        discovery::Client::builder()
            .transport(server.host().transport())
            .base_url(format!("{origin}{}", server.repertoire_path()))
    };
    for origin in [
        "http://data.example.com",
        "http://0.0.0.0:8080",
        "http://10.0.0.1",
    ] {
        let client = client(origin);
        let error = client.clone().build().unwrap().document().await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Discovery(CoreKind::Config));
        assert!(error.to_string().contains("plain http"), "{error}");
        assert_eq!(server.journal().count(DISCOVERY), 0, "{origin}");
        let allowed = client.allow_plain_http().build().unwrap();
        assert!(allowed.document().await.is_ok());
        server.journal().clear();
    }
    for origin in [
        "https://data.example.com",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ] {
        assert!(client(origin).build().unwrap().document().await.is_ok());
    }
}
