//! Connections that are made ahead: by every client, to the server of its calls.

use std::fmt;
use std::sync::{Arc, Mutex};

use http::Uri;
use vouchsafe::core::transport::{Request, Response, Transport};
use vouchsafe::core::{BoxFuture, Result};
use vouchsafe::{cloud_credentials, userinfo};

use super::{astakos, userinfo as of_userinfo, wazo_auth};

/// A network that keeps where connections were made ahead, and what was asked.
struct Ahead {
    inner: Arc<dyn Transport>,
    made: Mutex<Vec<Uri>>,
    asked: Mutex<Vec<Uri>>,
}

impl Ahead {
    fn new(inner: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            made: Mutex::default(),
            asked: Mutex::default(),
        })
    }

    /// The servers that were connected to, and how many requests were sent.
    fn made(&self) -> (Vec<String>, usize) {
        let made = self.made.lock().unwrap();
        let servers = made.iter().map(|uri| uri.host().unwrap().to_owned());
        (servers.collect(), self.asked.lock().unwrap().len())
    }
}

impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

impl Transport for Ahead {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response>> {
        self.asked.lock().unwrap().push(request.uri.clone());
        self.inner.send(request)
    }

    fn warm_up(&self, uri: &Uri) -> BoxFuture<'_, Result<()>> {
        self.made.lock().unwrap().push(uri.clone());
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn every_client_connects_to_the_server_of_its_calls() {
    let server = userinfo::mock::Server::new();
    let emulator = || Ahead::new(server.host().transport());

    let network = emulator();
    let client = astakos::client("account.authenticate", network.clone());
    client.warm_up().await.unwrap();
    assert_eq!(network.made(), (vec!["accounts.example.org".to_owned()], 0));

    let network = emulator();
    wazo_auth::client(network.clone()).warm_up().await.unwrap();
    assert_eq!(network.made(), (vec!["wazo.example.org".to_owned()], 0));

    let network = emulator();
    let client = cloud_credentials::Client::builder().base_url("https://api.example.org");
    let client = client.transport(network.clone()).build().unwrap();
    client.warm_up().await.unwrap();
    assert_eq!(network.made(), (vec!["api.example.org".to_owned()], 0));

    // The one whose server is looked up first, and once.
    let network = emulator();
    let client = of_userinfo::client(&server.repertoire_path(), network.clone());
    client.warm_up().await.unwrap();
    let (made, asked) = network.made();
    assert_eq!((made.len(), asked), (1, 1));
    let _ = client.user_info(&server.user_token()).await;
    let asked = network.asked.lock().unwrap().clone();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].host(), Some(&*made[0]));
}
