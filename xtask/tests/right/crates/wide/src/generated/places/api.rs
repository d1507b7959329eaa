// Made by `cargo xtask codegen` from crates/wide/api/places.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use http::HeaderName;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::call::page;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Returns the operations on place visits.
    #[must_use]
    pub fn place_visits(&self) -> PlaceVisitsApi<'_> {
        PlaceVisitsApi(self)
    }

    /// Returns the operations on rooms and streets.
    #[must_use]
    pub fn places(&self) -> PlacesApi<'_> {
        PlacesApi(self)
    }

    /// Returns the operations on sessions.
    #[must_use]
    pub fn sessions(&self) -> SessionsApi<'_> {
        SessionsApi(self)
    }
}

/// The operations on place visits.
#[derive(Clone, Copy, Debug)]
pub struct PlaceVisitsApi<'c>(pub(crate) &'c crate::Client);

impl PlaceVisitsApi<'_> {
    /// How often places were seen.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.place_visits().list().send().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> VisitListRequest {
        VisitListRequest {
            client: self.0.clone(),
            params: calls::VisitListParams::default(),
            options: CallOptions::new(),
        }
    }

    /// How often a place was seen.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.place_visits().count(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn count(&self, place_id: &wire::PlaceId) -> crate::Result<i64> {
        let call = calls::visit_count(place_id)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json::<wire::VisitEnvelope>()?.data)
    }
}

/// The operations on rooms and streets.
#[derive(Clone, Copy, Debug)]
pub struct PlacesApi<'c>(pub(crate) &'c crate::Client);

impl PlacesApi<'_> {
    /// Places, sorted by name.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let mut items = client.places().list().items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "places")]
    pub fn list(&self) -> PlaceListRequest {
        PlaceListRequest {
            client: self.0.clone(),
            params: calls::PlaceListParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Make a place.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Conflict`: The name is taken (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.places().create(&vouchsafe_wide::NewPlace::new("Attic")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, body: &wire::NewPlace) -> crate::Result<wire::Place> {
        let call = calls::place_new(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// One place.
    ///
    /// `place_id`: Which place.
    ///
    /// # Errors
    ///
    /// - Of kind `NotFound`: There is no such place (404).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.places().get(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, place_id: &wire::PlaceId) -> crate::Result<wire::Place> {
        let call = calls::place_get(place_id)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Remove a place.
    ///
    /// `place_id`: Which place.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.places().delete(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, place_id: &wire::PlaceId) -> crate::Result<()> {
        let call = calls::place_delete(place_id)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Put a label on a place.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.places().add_label(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?, "example").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_label(
        &self,
        place_id: &wire::PlaceId,
        label: impl Into<String>,
    ) -> LabelAddRequest {
        LabelAddRequest {
            client: self.0.clone(),
            place_id: place_id.clone(),
            label: label.into(),
            params: calls::LabelAddParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Name a floor.
    ///
    /// Not all servers have it: 2+.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.places().name_floor(3).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn name_floor(&self, level: impl Into<crate::Level>) -> FloorNameRequest {
        FloorNameRequest {
            client: self.0.clone(),
            level: level.into(),
            params: calls::FloorNameParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Who owns a place.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.places().owner(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn owner(
        &self,
        place_id: &wire::PlaceId,
    ) -> crate::Result<Option<crate::Owner>> {
        let call = calls::owner_get(place_id)?;
        let answer = match Service::call(self.0, call, &(), &CallOptions::new()).await {
            Err(
                error,
            ) if error.status().is_some_and(|status| status == 404)
                && error.code() == Some("no_owner") => {
                return Ok(None);
            }
            sent => sent?,
        };
        Ok(Some(answer.convert(answer.json::<wire::PlaceOwner>()?)?))
    }

    /// Give a place up.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.places().remove_owner(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn remove_owner(&self, place_id: &wire::PlaceId) -> crate::Result<bool> {
        let call = calls::owner_delete(place_id)?;
        match Service::call(self.0, call, &(), &CallOptions::new()).await {
            Err(error) if error.status().is_some_and(|status| status == 404) => {
                return Ok(false);
            }
            sent => sent?,
        };
        Ok(true)
    }

    /// Who owns places.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.places().owners().await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn owners(
        &self,
    ) -> crate::Result<std::collections::BTreeMap<String, crate::Owner>> {
        let call = calls::owner_list()?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(
            answer
                .json::<std::collections::BTreeMap<String, wire::PlaceOwner>>()?
                .into_iter()
                .map(|(key, wire)| Ok((key, answer.convert(wire)?)))
                .collect::<vouchsafe_core::Result<_>>()?,
        )
    }

    /// Introduce an owner.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn add_owner(&self, body: &wire::NewOwner) -> crate::Result<()> {
        let call = calls::owner_new(body)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Do something with a place.
    ///
    /// `action`: What can be done with a place.
    ///
    /// `reason`: At most 8 characters.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.places().act(&"6f9619ff-8b86-d011-b42d-00cf4fc964ff".parse()?, &vouchsafe_wide::PlaceAction::Paint, "old").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn act(
        &self,
        place_id: &wire::PlaceId,
        action: &wire::PlaceAction,
        reason: &str,
    ) -> crate::Result<()> {
        let call = calls::place_act(place_id, action, reason)?;
        Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(())
    }
}

/// The operations on sessions.
#[derive(Clone, Copy, Debug)]
pub struct SessionsApi<'c>(pub(crate) &'c crate::Client);

impl SessionsApi<'_> {
    /// Log in.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.sessions().create(&vouchsafe_wide::PlaceLogin::new("example", "example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(
        &self,
        body: &wire::PlaceLogin,
    ) -> crate::Result<wire::PlaceSession> {
        let call = calls::session_new(body)?;
        let answer = Service::call(self.0, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// A request: places, sorted by name.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct PlaceListRequest {
    client: crate::Client,
    params: calls::PlaceListParams,
    options: CallOptions,
}

impl PlaceListRequest {
    /// Words in the name, in order.
    ///
    /// At most 40 characters.
    pub fn search(mut self, value: impl Into<String>) -> Self {
        self.params.search = Some(value.into());
        self
    }

    /// Items on a page.
    ///
    /// From 0 to 50.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// Sets `offset`.
    ///
    /// At least 0; default: `0`.
    pub fn offset(mut self, value: i64) -> Self {
        self.params.offset = Some(value);
        self
    }

    /// Sets `recurse`.
    ///
    /// Default: `false`.
    pub fn recurse(mut self, value: bool) -> Self {
        self.params.recurse = Some(value);
        self
    }

    /// Sets `kind`.
    pub fn kind(mut self, value: wire::PlaceKind) -> Self {
        self.params.kind = Some(value);
        self
    }

    /// The acting tenant.
    pub fn tenant(mut self, value: &str) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("x-tenant"), value);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Forbidden`: The tenant is not visible (403).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::PlacePage> {
        let call = calls::place_list(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time. If the limit is set, it is the size of a page.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for PlaceListRequest {
    type Item = wire::Place;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        let number = |value: Option<i64>| value.and_then(|n| u64::try_from(n).ok());
        page::Style::Offset {
            first: number(self.params.offset).unwrap_or(0),
            size: number(self.params.limit).unwrap_or(2),
            largest: Some(50),
        }
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Place>> {
        let mut request = self.clone();
        if let page::Position::Offset { offset, limit } = at {
            request.params.offset = i64::try_from(offset).ok();
            request.params.limit = i64::try_from(limit).ok();
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let total = answer.filtered;
        let page = page.total(u64::try_from(total).unwrap_or(0));
        Ok(page)
    }

    fn key(item: &wire::Place) -> String {
        [item.id.to_string(), item.name.to_string()].join("\n")
    }
}

/// A request: put a label on a place.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct LabelAddRequest {
    client: crate::Client,
    place_id: wire::PlaceId,
    label: String,
    params: calls::LabelAddParams,
    options: CallOptions,
}

impl LabelAddRequest {
    /// Sets `note`.
    pub fn note(mut self, value: impl Into<String>) -> Self {
        self.params.note = Some(value.into());
        self
    }

    /// The acting tenant.
    pub fn tenant(mut self, value: &str) -> Self {
        self.options = self
            .options
            .plain_header(HeaderName::from_static("x-tenant"), value);
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<()> {
        let call = calls::label_add(&self.place_id, &self.label, &self.params)?;
        Service::call(&self.client, call, &(), &self.options).await?;
        Ok(())
    }
}

/// A request: name a floor.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct FloorNameRequest {
    client: crate::Client,
    level: crate::Level,
    params: calls::FloorNameParams,
    options: CallOptions,
}

impl FloorNameRequest {
    /// Sets `above`.
    pub fn above(mut self, value: impl Into<crate::Level>) -> Self {
        self.params.above = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<()> {
        let call = calls::floor_name(&self.level, &self.params)?;
        Service::call(&self.client, call, &(), &self.options).await?;
        Ok(())
    }
}

/// A request: how often places were seen.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct VisitListRequest {
    pub(crate) client: crate::Client,
    pub(crate) params: calls::VisitListParams,
    pub(crate) options: CallOptions,
}

impl VisitListRequest {
    /// Sets `of`.
    ///
    /// At most 3 items.
    pub fn of(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.params.of = Some(values.into_iter().map(Into::into).collect());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<std::collections::BTreeMap<String, i64>> {
        let call = calls::visit_list(&self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        let value: std::collections::BTreeMap<String, i64> = answer.json()?;
        crate::heeded(self, &value)?;
        Ok(value)
    }
}
