//! Names and uuids of users, and the user's account (protocol sections 7.2 and 7.3).

use std::collections::BTreeMap;

use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::Client;
use crate::generated::account::wire::{Catalogs, CatalogsRequest};
use crate::generated::account::{calls, operations};
use crate::{Error, ErrorKind, Result};

/// The number of look-ups in one request, as in existing callers (protocol section 7.2).
const CHUNK: usize = 100;

/// The operation for a user's or a service's token.
type Asked = fn(&CatalogsRequest) -> vouchsafe_core::Result<Call>;

const USER: Asked = calls::user_catalogs;
const SERVICE: Asked = calls::service_user_catalogs;

type Found = BTreeMap<String, String>;

/// The kind of look-up.
#[derive(Clone, Copy)]
enum Wanted {
    Names,
    Uuids,
}

/// Defines the four look-ups for one kind of token.
macro_rules! look_ups {
    (
        $asked:ident, $token:literal, $usernames:ident = $get_usernames:literal,
        $username:ident = $get_username:literal, $uuids:ident = $get_uuids:literal,
        $uuid:ident = $get_uuid:literal
    ) => {
        impl Client {
            /// Returns the names of users by their uuids. Unknown uuids are left out; more than a
            /// hundred are looked up in several requests.
            #[doc = $token]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Unauthorized`] for another token. One request that fails fails all.
            #[doc(alias = $get_usernames)]
            pub async fn $usernames<S: AsRef<str> + Sync>(&self, uuids: &[S]) -> Result<Found> {
                self.look_up($asked, Wanted::Names, uuids).await
            }

            /// Returns the name of a user.
            #[doc = $token]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::NoUserName`] if no user has the uuid.
            #[doc(alias = $get_username)]
            pub async fn $username(&self, uuid: &str) -> Result<String> {
                self.look_up_one($asked, Wanted::Names, uuid).await
            }

            /// Returns the uuids of users by their names. Case is ignored, and names are returned
            /// in the requested spelling; of two spellings of one name, only one is returned.
            /// Unknown names are left out.
            #[doc = $token]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::Unauthorized`] for another token. One request that fails fails all.
            #[doc(alias = $get_uuids, alias = "displaynames")]
            pub async fn $uuids<S: AsRef<str> + Sync>(&self, names: &[S]) -> Result<Found> {
                self.look_up($asked, Wanted::Uuids, names).await
            }

            /// Returns the uuid of a user.
            #[doc = $token]
            ///
            /// # Errors
            ///
            /// [`ErrorKind::NoUuid`] if no user has the name.
            #[doc(alias = $get_uuid)]
            pub async fn $uuid(&self, name: &str) -> Result<String> {
                self.look_up_one($asked, Wanted::Uuids, name).await
            }
        }
    };
}

look_ups! {
    USER, "Requires a user's token.", usernames = "get_usernames", username = "get_username",
    uuids = "get_uuids", uuid = "get_uuid"
}
look_ups! {
    SERVICE, "Requires a service's token.", service_usernames = "service_get_usernames",
    service_username = "service_get_username", service_uuids = "service_get_uuids",
    service_uuid = "service_get_uuid"
}

impl Client {
    /// Returns the names of all users by their uuids, whatever the state of the users. Needs a
    /// service's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not a service's.
    #[doc(alias = "service_get_usernames")]
    pub async fn all_usernames(&self) -> Result<Found> {
        let target = Target::new("/service/user_catalogs");
        let call = Call::new(&operations::SERVICE_USER_CATALOGS, target);
        // Null means all users; the generated body would leave it out.
        let call = call.json(&BTreeMap::from([("uuids", None::<Vec<String>>)]))?;
        self.catalog(call, Wanted::Names).await
    }

    async fn look_up_one(&self, operation: Asked, wanted: Wanted, item: &str) -> Result<String> {
        let mut found = self.look_up(operation, wanted, &[item]).await?;
        found.remove(item).ok_or_else(|| match wanted {
            Wanted::Names => Error::lacks(ErrorKind::NoUserName, "no user has this uuid"),
            Wanted::Uuids => Error::lacks(ErrorKind::NoUuid, "no user has this name"),
        })
    }

    async fn look_up<S: AsRef<str> + Sync>(
        &self,
        operation: Asked,
        wanted: Wanted,
        items: &[S],
    ) -> Result<Found> {
        let mut chunks = items.chunks(CHUNK);
        // An empty list is sent too: the answer shows whether the token is valid.
        let mut next = Some(chunks.next().unwrap_or_default());
        let mut found = BTreeMap::new();
        while let Some(chunk) = next {
            let list = Some(chunk.iter().map(|item| item.as_ref().to_owned()).collect());
            let mut body = CatalogsRequest::default();
            match wanted {
                Wanted::Names => body.uuids = list,
                Wanted::Uuids => body.displaynames = list,
            }
            found.extend(self.catalog(operation(&body)?, wanted).await?);
            next = chunks.next();
        }
        Ok(found)
    }

    async fn catalog(&self, call: Call, wanted: Wanted) -> Result<Found> {
        let answer = self.ask(call).await?;
        let catalogs: Catalogs = answer.json()?;
        let found = match wanted {
            Wanted::Names => catalogs.uuid_catalog,
            Wanted::Uuids => catalogs.displayname_catalog,
        };
        found.ok_or_else(|| answer.decode_error("the answer lacks the catalog").into())
    }
}
