//! Names and uuids of users, and what concerns the account (protocol sections 7.2 and 7.3).

use std::collections::BTreeMap;

use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::Client;
use crate::generated::account::wire::{Catalogs, CatalogsRequest};
use crate::generated::account::{calls, operations};
use crate::{Error, ErrorKind, Result};

/// How many are looked up in one request: what callers in the wild send (protocol section 7.2).
const CHUNK: usize = 100;

/// The operation for a user's or a service's token.
type Asked = fn(&CatalogsRequest) -> vouchsafe_core::Result<Call>;

const USER: Asked = calls::user_catalogs;
const SERVICE: Asked = calls::service_user_catalogs;

/// What is looked up.
#[derive(Clone, Copy)]
enum Wanted {
    Names,
    Uuids,
}

impl Client {
    /// Returns the names of users by their uuids, with a user's token. Unknown uuids are left
    /// out; more than a hundred are asked for in several requests.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not a user's. One request that fails fails
    /// all.
    #[doc(alias = "get_usernames")]
    pub async fn usernames<S: AsRef<str> + Sync>(
        &self,
        uuids: &[S],
    ) -> Result<BTreeMap<String, String>> {
        self.look_up(USER, Wanted::Names, uuids).await
    }

    /// Returns the name of a user, with a user's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUserName`] if no user has the uuid.
    #[doc(alias = "get_username")]
    pub async fn username(&self, uuid: &str) -> Result<String> {
        self.look_up_one(USER, Wanted::Names, uuid).await
    }

    /// Returns the uuids of users by their names, with a user's token. Names are compared without
    /// case, and come back as they were asked for; of two spellings of one name, only one comes
    /// back. Unknown names are left out.
    ///
    /// # Errors
    ///
    /// As [`usernames`](Self::usernames).
    #[doc(alias = "get_uuids")]
    #[doc(alias = "displaynames")]
    pub async fn uuids<S: AsRef<str> + Sync>(
        &self,
        names: &[S],
    ) -> Result<BTreeMap<String, String>> {
        self.look_up(USER, Wanted::Uuids, names).await
    }

    /// Returns the uuid of a user, with a user's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUuid`] if no user has the name.
    #[doc(alias = "get_uuid")]
    pub async fn uuid(&self, name: &str) -> Result<String> {
        self.look_up_one(USER, Wanted::Uuids, name).await
    }

    /// As [`usernames`](Self::usernames), with a service's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not a service's.
    #[doc(alias = "service_get_usernames")]
    pub async fn service_usernames<S: AsRef<str> + Sync>(
        &self,
        uuids: &[S],
    ) -> Result<BTreeMap<String, String>> {
        self.look_up(SERVICE, Wanted::Names, uuids).await
    }

    /// As [`username`](Self::username), with a service's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUserName`] if no user has the uuid.
    #[doc(alias = "service_get_username")]
    pub async fn service_username(&self, uuid: &str) -> Result<String> {
        self.look_up_one(SERVICE, Wanted::Names, uuid).await
    }

    /// As [`uuids`](Self::uuids), with a service's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not a service's.
    #[doc(alias = "service_get_uuids")]
    pub async fn service_uuids<S: AsRef<str> + Sync>(
        &self,
        names: &[S],
    ) -> Result<BTreeMap<String, String>> {
        self.look_up(SERVICE, Wanted::Uuids, names).await
    }

    /// As [`uuid`](Self::uuid), with a service's token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NoUuid`] if no user has the name.
    #[doc(alias = "service_get_uuid")]
    pub async fn service_uuid(&self, name: &str) -> Result<String> {
        self.look_up_one(SERVICE, Wanted::Uuids, name).await
    }

    /// Returns the names of all users by their uuids, with a service's token: those of any state.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] if the token is not a service's.
    #[doc(alias = "service_get_usernames")]
    pub async fn all_usernames(&self) -> Result<BTreeMap<String, String>> {
        let call = Call::new(
            &operations::SERVICE_USER_CATALOGS,
            Target::new("/service/user_catalogs"),
        );
        // Null means all users; the generated body leaves out what is not there.
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
    ) -> Result<BTreeMap<String, String>> {
        let mut chunks = items.chunks(CHUNK);
        // An empty list is sent too: the answer says whether the token is good.
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

    async fn catalog(&self, call: Call, wanted: Wanted) -> Result<BTreeMap<String, String>> {
        let answer = self.ask(call).await?;
        let catalogs: Catalogs = answer.json()?;
        let found = match wanted {
            Wanted::Names => catalogs.uuid_catalog,
            Wanted::Uuids => catalogs.displayname_catalog,
        };
        found.ok_or_else(|| answer.decode_error("the answer lacks the catalog").into())
    }
}
