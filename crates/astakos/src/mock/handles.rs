//! Handles, with which a test inspects and changes the emulator directly.

use vouchsafe_core::Secret;
use vouchsafe_core::mock::random_token;

use super::Server;
use super::commissions::{CommissionState, Issued};
use super::oauth2::{Code, OAuth2Client};
use super::quota::Holding;
use super::world::{self, ALICE, BOB, CAROL};
use crate::{Holder, Provision, Serial};

/// A commission as the server keeps it, also after it was resolved.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Commission {
    /// Its serial.
    pub serial: Serial,
    /// The component that issued it; `None` for the server's own, such as those that count pending
    /// applications.
    pub component: Option<String>,
    /// Its name.
    pub name: String,
    /// What it charges; provisions of the same holding are combined.
    pub provisions: Vec<Provision>,
    /// Whether it was accepted or rejected.
    pub state: CommissionState,
}

impl Server {
    /// Returns the uuid of `alice`, a user of [`Seed::sample`](super::Seed::sample) who owns the
    /// project. It is also the id of her system project.
    #[must_use]
    pub fn alice() -> String {
        world::uuid(1, ALICE)
    }

    /// Returns the uuid of `bob`, who is a member of the project.
    #[must_use]
    pub fn bob() -> String {
        world::uuid(1, BOB)
    }

    /// Returns the uuid of `carol`, who is an operator of projects.
    #[must_use]
    pub fn carol() -> String {
        world::uuid(1, CAROL)
    }

    /// Returns the id of the project of [`Seed::sample`](super::Seed::sample).
    #[must_use]
    pub fn project() -> String {
        world::uuid(2, 1)
    }

    /// Returns the token of a user, by uuid or name.
    #[must_use]
    pub fn user_token(&self, user: &str) -> Option<Secret> {
        let state = self.state();
        let found = state.users.get(user);
        let found = found.or_else(|| state.users.by_username(user))?;
        Some(found.token.clone())
    }

    /// Returns the token of a component, by name.
    #[must_use]
    pub fn service_token(&self, component: &str) -> Option<Secret> {
        let state = self.state();
        let mut components = state.components.iter();
        let found = components.find(|known| known.name == component)?;
        Some(found.token.clone())
    }

    /// Registers an OAuth 2.0 client and issues an authorization code of a user to it, as the page
    /// in the browser would. The code can be used once, by this client and address.
    pub fn authorize(
        &self,
        client_id: &str,
        client_secret: impl Into<Secret>,
        redirect_uri: &str,
        user: &str,
    ) -> Secret {
        let mut state = self.state();
        let code = random_token::<32>();
        state.oauth2.clients.retain(|known| known.id != client_id);
        state.oauth2.clients.push(OAuth2Client {
            id: client_id.to_owned(),
            secret: client_secret.into(),
            redirect_uris: vec![redirect_uri.to_owned()],
            is_confidential: true,
        });
        state.oauth2.codes.push(Code {
            code: code.clone(),
            client: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            scope: String::new(),
            user: user.to_owned(),
        });
        code
    }

    /// Returns a holding, or `None` if it does not exist.
    #[must_use]
    pub fn holding(
        &self,
        holder: &Holder,
        source: Option<&Holder>,
        resource: &str,
    ) -> Option<Holding> {
        let source = source.map(Holder::to_string);
        let holder = holder.to_string();
        self.state()
            .holdings
            .get(&holder, source.as_deref(), resource)
    }

    /// Returns all holdings with their holder, source and resource.
    #[must_use]
    pub fn holdings(&self) -> Vec<(Holder, Option<Holder>, String, Holding)> {
        let state = self.state();
        let all = state.holdings.all();
        all.map(|(holder, source, resource, holding)| {
            let source = source.map(Holder::from);
            (Holder::from(holder), source, resource.to_owned(), holding)
        })
        .collect()
    }

    /// Sets a holding, whatever the projects say, and creates it if it is missing.
    pub fn set_holding(
        &self,
        holder: &Holder,
        source: Option<&Holder>,
        resource: &str,
        holding: Holding,
    ) {
        let source = source.map(Holder::to_string);
        let holder = holder.to_string();
        let key = (holder.as_str(), source.as_deref(), resource);
        self.state().holdings.put(key, holding);
    }

    /// Returns all commissions that were ever issued, by serial.
    #[must_use]
    pub fn commissions(&self) -> Vec<Commission> {
        let state = self.state();
        let all = state.commissions.all();
        all.filter_map(|(serial, issued)| shown(serial, issued))
            .collect()
    }

    /// Returns the commissions of all components that are neither accepted nor rejected.
    #[must_use]
    pub fn pending_commissions(&self) -> Vec<Commission> {
        let state = self.state();
        let pending = state.commissions.pending();
        pending
            .filter_map(|(serial, issued)| shown(serial, issued))
            .collect()
    }

    /// Returns message and data of each feedback that was sent.
    #[must_use]
    pub fn feedback(&self) -> Vec<(String, String)> {
        self.state().feedback.clone()
    }
}

fn shown(serial: u64, issued: &Issued) -> Option<Commission> {
    let provisions = issued.provisions.iter().map(|provision| {
        // Without names it would not have found a holding.
        Some(Provision {
            holder: Holder::from(provision.holder.as_str()?),
            source: provision.source.as_str().map(Holder::from),
            resource: provision.resource.as_str()?.to_owned(),
            quantity: i64::try_from(provision.quantity).ok()?,
        })
    });
    Some(Commission {
        serial: Serial::new(serial)?,
        component: issued.owner.clone(),
        name: issued.name.clone(),
        provisions: provisions.collect::<Option<_>>()?,
        state: issued.state,
    })
}
