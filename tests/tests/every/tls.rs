//! Servers of https in a build that cannot reach them.

use std::fmt::Display;

use vouchsafe::core::ErrorKind;
use vouchsafe::core::transport::{HttpTransport, HttpTransportBuilder};
use vouchsafe::{astakos, cloud_credentials, ticket, userinfo, wazo_auth};

const URL: &str = "https://127.0.0.1:1";

/// Has no roots, so that TLS is impossible.
fn network() -> HttpTransportBuilder {
    HttpTransport::builder().only_roots()
}

fn refused<T, E: Display>(built: Result<T, E>, is_config: impl Fn(&E) -> bool) {
    let error = built.err().expect("it cannot reach its server");
    assert!(is_config(&error), "{error}");
    let shown = error.to_string();
    assert!(shown.contains("no root certificate is trusted"), "{shown}");
}

#[tokio::test]
async fn no_client_is_built_without_tls_if_its_server_wants_it() {
    let client = astakos::Client::builder().auth_url(URL).network(network());
    refused(client.build(), astakos::Error::is_config);
    let client = wazo_auth::Client::builder().host("127.0.0.1");
    let client = client.network(network());
    refused(client.build(), wazo_auth::Error::is_config);
    let client = userinfo::Client::builder().repertoire_url(URL);
    let client = client.network(network());
    refused(client.build(), userinfo::Error::is_config);
    let client = cloud_credentials::Client::builder().base_url(URL);
    let client = client.network(network());
    refused(client.build(), cloud_credentials::Error::is_config);
    let client = cloud_credentials::HttpClient::builder().base_url(URL);
    let client = client.network(network());
    refused(client.build(), cloud_credentials::Error::is_config);
    let client = ticket::Client::tvm_api(42).check_service_tickets();
    let client = client.tvm_url(URL).network(network());
    refused(client.connect().await, |error| {
        error.kind() == ticket::ErrorKind::Core(ErrorKind::Config)
    });
}
