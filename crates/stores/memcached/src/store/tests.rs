use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use vouchsafe_core::store::contract::check_logins;
use vouchsafe_core::transport::HttpTransport;

use super::*;

fn at(place: &Path) -> MemcachedStoreBuilder {
    let port = vouchsafe_test_servers::port(place);
    MemcachedStore::builder(format!("memcached://127.0.0.1:{port}"))
        .limit(vouchsafe_core::store::contract::limit())
}

fn open(place: &Path) -> Arc<dyn Store> {
    Arc::new(at(place).build().unwrap())
}

vouchsafe_core::store_contract!(contract, super::open, vouchsafe_test_servers::memcached);

fn key() -> Key {
    Key::new("application", "profile")
}

fn bytes(text: &str) -> SecretBytes {
    SecretBytes::from(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    std::fs::write(&users, "worker:planted-1\n").unwrap();
    let options = [format!("--auth-file={}", users.display())];
    let server = vouchsafe_test_servers::memcached_with(folder.path(), &options);
    let Some(_server) = server else { return };

    let with = |password: &str| at(folder.path()).login("worker", password).build().unwrap();
    let (good, bad) = (with("planted-1"), with("planted-2"));
    let none = at(folder.path()).build().unwrap();
    check_logins(&good, &[&bad, &none], "password").await;
    for (name, password) in [("a b", "planted"), ("a", "planted b")] {
        let error = at(folder.path()).login(name, password).build().unwrap_err();
        assert!(error.is_config() && !format!("{error:?}").contains("planted"));
    }
}

#[tokio::test]
async fn tls_is_used_and_the_certificate_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let trusted = vouchsafe_test_servers::certificate(folder.path());
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (chain, secret) = (file("server.crt"), file("server.key"));
    let files = format!("ssl_chain_cert={chain},ssl_key={secret}");
    let options = ["--enable-ssl".to_owned(), "--extended".to_owned(), files];
    let server = vouchsafe_test_servers::memcached_with(folder.path(), &options);
    let Some(_server) = server else { return };

    let port = vouchsafe_test_servers::port(folder.path());
    let store = |network| {
        let builder = MemcachedStore::builder(format!("memcacheds://127.0.0.1:{port}"));
        builder.network(network).build().unwrap()
    };
    let network = || HttpTransport::builder().only_roots();
    let trusting = store(network().add_root_pem(trusted.as_bytes()).unwrap());
    let written = trusting
        .compare_and_swap(&key(), &Expect::Absent, &bytes("one"))
        .await;
    assert!(matches!(written.unwrap(), Swapped::Done(_)));
    let other = vouchsafe_test_servers::certificate(folder.path());
    let strange = store(network().add_root_pem(other.as_bytes()).unwrap());
    let error = strange.load(&key()).await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[tokio::test]
async fn a_caller_that_gives_up_leaves_no_answer_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::memcached(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    let (one, other) = (key(), Key::new("application", "other"));
    for (key, text) in [(&one, "one"), (&other, "other")] {
        let written = store
            .compare_and_swap(key, &Expect::Absent, &bytes(text))
            .await;
        assert!(matches!(written.unwrap(), Swapped::Done(_)));
    }
    for _ in 0..200 {
        let given_up = store.load(&one);
        tokio::select! {
            biased;
            loaded = store.load(&other) => {
                assert_eq!(loaded.unwrap().unwrap().value, bytes("other"));
            }
            _ = given_up => {}
        }
    }
}

#[tokio::test]
async fn an_item_of_another_form_is_an_error_that_does_not_show_it() {
    let folder = tempfile::tempdir().unwrap();
    let Some(_server) = vouchsafe_test_servers::memcached(folder.path()) else {
        return;
    };
    let store = at(folder.path()).build().unwrap();
    let item = wire::set(&name(&key()), Over::Any, [b"planted", b""]);
    let work = |server: Connection| async move { server.ask(item).await };
    store.0.call("plant", work).await.unwrap();
    let error = store.load(&key()).await.unwrap_err();
    assert!(!error.is_retryable());
    assert!(!format!("{error:?}").contains("planted"), "{error:?}");
    // The connection is fine.
    let written = store
        .compare_and_swap(&key(), &Expect::Any, &bytes("one"))
        .await;
    assert!(matches!(written.unwrap(), Swapped::Done(_)));
}

/// Answers each command with the same text.
fn server_that_says(text: &'static str) -> String {
    use std::io::{Read as _, Write as _};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("memcached://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            while stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {
                if stream.write_all(text.as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    url
}

#[tokio::test]
async fn what_a_server_should_not_say_is_an_error() {
    for (text, told, may_recover) in [
        ("ERROR\r\n", "1.6", false),
        (
            "SERVER_ERROR out of memory storing object\r\n",
            "out of memory",
            true,
        ),
        (
            "SERVER_ERROR object too large for cache\r\n",
            "too large",
            false,
        ),
        ("CLIENT_ERROR bad data chunk\r\n", "bad data chunk", false),
        ("HTTP/1.1 400 Bad Request\r\n", "protocol", true),
        ("VA 99999999999 c1\r\n", "protocol", true),
        ("VA 1 x\r\nxxx", "protocol", true),
        ("VA 1 c1\r\nxxx", "protocol", true),
        ("HD\r\n", "something else", true),
        ("HD without an end", "no answer within", true),
    ] {
        let store = MemcachedStore::builder(server_that_says(text));
        let store = store.limit(Duration::from_millis(500)).build().unwrap();
        let error = store.load(&key()).await.unwrap_err();
        assert_eq!(error.is_retryable(), may_recover, "{error}");
        assert!(error.to_string().contains(told), "{text:?}: {error}");
    }
}

vouchsafe_core::reach_contract!(
    MemcachedStore::builder,
    "memcached://cache.example" at "cache.example:11211",
    "memcached://[::1]:1"
);
