//! The Secret Service of freedesktop.org, as GNOME Keyring, KWallet and KeePassXC provide it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use secret_service::{EncryptionType, Item, SecretService};
use vouchsafe_core::store::{Broken, Key, Link};
use vouchsafe_core::task::Task;
use vouchsafe_core::{BoxFuture, Result, SecretBytes};
use zbus::connection::Builder;

use crate::keyring::{Keyring, Lock};

/// The service on a bus.
#[derive(Debug)]
pub(crate) struct Service {
    link: Link<Connection>,
    /// `None` for the bus of the session.
    bus: Option<String>,
}

#[derive(Clone)]
struct Connection {
    service: Arc<SecretService<'static>>,
    /// Ends with the runtime, as the tasks of the connection do.
    runtime: Arc<Task>,
}

impl Service {
    pub(crate) fn new(bus: Option<String>, limit: Duration) -> Self {
        let place = match &bus {
            Some(bus) => format!("the Secret Service of {bus}"),
            None => "the Secret Service of the session".to_owned(),
        };
        let is_alive = |connection: &Connection| !connection.runtime.is_finished();
        Self {
            link: Link::new(place, limit, is_alive),
            bus,
        }
    }

    async fn call<T: Send, F>(
        &self,
        what: &str,
        work: impl FnOnce(Arc<SecretService<'static>>) -> F + Send,
    ) -> Result<T>
    where
        F: Future<Output = Result<T, Broken>> + Send,
    {
        let work = |connection: Connection| async move { work(connection.service).await };
        self.link.call(what, || self.connect(), work).await
    }

    async fn connect(&self) -> Result<Connection, Broken> {
        let builder = match &self.bus {
            Some(bus) => Builder::address(bus.as_str()),
            None => Builder::session(),
        };
        let bus = async { builder?.build().await }.await;
        let bus = bus.map_err(|cause| {
            Broken::connection(format!(
                "there is no bus: {cause}; is this a desktop session?"
            ))
        })?;
        // Records cross the bus encrypted.
        let service = SecretService::connect_with_existing(EncryptionType::Dh, bus).await;
        Ok(Connection {
            service: Arc::new(service.map_err(broken)?),
            runtime: Arc::new(Task::spawn(std::future::pending())),
        })
    }
}

const APPLICATION: (&str, &str) = ("application", "vouchsafe");

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// What an entry is found by. Attributes are not secret.
struct Attributes {
    kind: &'static str,
    namespace: String,
    /// `None` for all of the namespace.
    profile: Option<String>,
}

impl Attributes {
    fn of(key: &Key) -> Self {
        Self {
            kind: if key.is_lease() { "lease" } else { RECORD },
            namespace: encoded(key.namespace()),
            profile: Some(encoded(key.profile())),
        }
    }

    fn as_map(&self) -> HashMap<&str, &str> {
        let mut map = HashMap::from([
            APPLICATION,
            ("kind", self.kind),
            ("namespace", &self.namespace),
        ]);
        if let Some(profile) = &self.profile {
            map.insert(PROFILE, profile);
        }
        map
    }
}

const RECORD: &str = "record";
const PROFILE: &str = "profile";
const CONTENT_TYPE: &str = "application/octet-stream";

fn locked() -> Broken {
    Broken::for_now("the keyring is locked; unlock it, or log in to the desktop")
}

async fn find<'a>(
    service: &'a SecretService<'static>,
    key: &Key,
) -> Result<Option<Item<'a>>, Broken> {
    let found = service.search_items(Attributes::of(key).as_map()).await;
    let mut found = found.map_err(broken)?;
    if !found.locked.is_empty() {
        return Err(locked());
    }
    if found.unlocked.len() > 1 {
        return Err(Broken::refused(
            "there is more than one; remove all but one",
        ));
    }
    Ok(found.unlocked.pop())
}

impl Keyring for Service {
    fn load<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<SecretBytes>>> {
        let load = async move |service: Arc<SecretService<'static>>| {
            loop {
                let Some(item) = find(&service, key).await? else {
                    return Ok(None);
                };
                match item.get_secret().await {
                    Ok(content) => return Ok(Some(SecretBytes::from(content))),
                    // Removed since it was found.
                    Err(cause) if is_gone(&cause) => {}
                    Err(cause) => return Err(broken(cause)),
                }
            }
        };
        Box::pin(self.call("read a record", load))
    }

    fn save<'a>(
        &'a self,
        key: &'a Key,
        content: SecretBytes,
        _: &'a Arc<Lock>,
    ) -> BoxFuture<'a, Result<()>> {
        let save = async move |service: Arc<SecretService<'static>>| {
            // Each is one message. One whose caller has given up still reaches the service before
            // the reads of the next writer do.
            if let Some(item) = find(&service, key).await? {
                let set = item.set_secret(content.expose(), CONTENT_TYPE).await;
                return set.map_err(broken);
            }
            let keyring = service.get_default_collection().await.map_err(broken)?;
            // It would ask its user, who may not be there.
            if keyring.is_locked().await.map_err(broken)? {
                return Err(locked());
            }
            let label = format!("Vouchsafe: {}/{}", key.namespace(), key.profile());
            let label = label.replace('\0', " ");
            let attributes = Attributes::of(key);
            let attributes = attributes.as_map();
            let content = content.expose();
            let made = keyring.create_item(&label, attributes, content, true, CONTENT_TYPE);
            made.await.map(drop).map_err(broken)
        };
        Box::pin(self.call("write a record", save))
    }

    fn remove<'a>(&'a self, key: &'a Key, _: &'a Arc<Lock>) -> BoxFuture<'a, Result<()>> {
        let remove =
            async move |service: Arc<SecretService<'static>>| match find(&service, key).await? {
                Some(item) => item.delete().await.map_err(broken),
                None => Ok(()),
            };
        Box::pin(self.call("remove a record", remove))
    }

    fn list<'a>(&'a self, namespace: &'a str) -> BoxFuture<'a, Result<Option<Vec<String>>>> {
        let list = async move |service: Arc<SecretService<'static>>| {
            let attributes = Attributes {
                kind: RECORD,
                namespace: encoded(namespace),
                profile: None,
            };
            let found = service.search_items(attributes.as_map()).await;
            let found = found.map_err(broken)?;
            if !found.locked.is_empty() {
                return Err(locked());
            }
            let mut profiles = Vec::new();
            for item in found.unlocked {
                let attributes = match item.get_attributes().await {
                    Ok(attributes) => attributes,
                    // Removed since it was found.
                    Err(cause) if is_gone(&cause) => continue,
                    Err(cause) => return Err(broken(cause)),
                };
                let profile = attributes.get(PROFILE).map(|name| percent_decode_str(name));
                if let Some(Ok(profile)) = profile.map(|name| name.decode_utf8()) {
                    profiles.push(profile.into_owned());
                }
            }
            profiles.sort();
            Ok(Some(profiles))
        };
        Box::pin(self.call("list records", list))
    }
}

/// Returns the name and the text of an error that the service or the bus answers with.
fn answered(cause: &secret_service::Error) -> Option<(&str, &str)> {
    let secret_service::Error::Zbus(zbus::Error::MethodError(name, text, _)) = cause else {
        return None;
    };
    Some((name.as_str(), text.as_deref().unwrap_or_default()))
}

fn is_gone(cause: &secret_service::Error) -> bool {
    const GONE: [&str; 4] = [
        "org.freedesktop.Secret.Error.NoSuchObject",
        "org.freedesktop.DBus.Error.UnknownObject",
        "org.freedesktop.DBus.Error.UnknownMethod",
        "org.freedesktop.DBus.Error.UnknownInterface",
    ];
    answered(cause).is_some_and(|(name, _)| GONE.contains(&name))
}

/// Errors of the service name no secrets.
fn broken(cause: secret_service::Error) -> Broken {
    use secret_service::Error;
    if let Some((name, text)) = answered(&cause) {
        return match name {
            "org.freedesktop.Secret.Error.IsLocked" => locked(),
            "org.freedesktop.DBus.Error.ServiceUnknown"
            | "org.freedesktop.DBus.Error.NameHasNoOwner"
            | "org.freedesktop.DBus.Error.NoReply"
            | "org.freedesktop.DBus.Error.Disconnected"
            | "org.freedesktop.Secret.Error.NoSession" => {
                Broken::connection(format!("no Secret Service answers: {text}"))
            }
            _ => Broken::refused(format!("{name}: {text}")),
        };
    }
    match &cause {
        Error::Locked => locked(),
        Error::NoResult => {
            Broken::refused("there is no default keyring; create one in the desktop's settings")
        }
        Error::Prompt => Broken::refused("its user has dismissed the question whether to allow it"),
        Error::Crypto(_) => Broken::connection("the service answers with what cannot be decrypted"),
        _ => Broken::connection("the connection failed").with_source(cause.to_string()),
    }
}
