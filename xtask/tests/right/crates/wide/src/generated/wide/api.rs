// Made by `cargo xtask codegen` from crates/wide/api/wide.openapi.yaml; do not edit.
#![cfg_attr(rustfmt, rustfmt_skip)]

//! The methods of the client: one for each operation, and a request builder for each
//! operation with optional values.

use vouchsafe_core::Secret;
use vouchsafe_core::call::CallOptions;
use vouchsafe_core::call::page;
use vouchsafe_core::service::Service;

use super::{calls, wire};

impl crate::Client {
    /// Things, by page.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let mut items = client.list_things("example", "example").items();
    /// while let Some(item) = items.next().await? {
    ///     println!("{item:?}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "things")]
    #[doc(alias = "all_things")]
    pub fn list_things(
        &self,
        owner: impl Into<String>,
        x_tenant: impl Into<String>,
    ) -> ListThingsRequest {
        ListThingsRequest {
            client: self.clone(),
            owner: owner.into(),
            x_tenant: x_tenant.into(),
            params: calls::ListThingsParams::default(),
            options: CallOptions::new(),
        }
    }

    /// Make a thing.
    ///
    /// The name must be free \[within the tenant\], and \<not\> empty.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// - Of kind `Invalid`: Refused (409).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// let answer = client.create_thing(&vouchsafe_wide::NewThing::new("example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create_thing(
        &self,
        body: &wire::NewThing,
    ) -> crate::Result<wire::Thing> {
        let call = calls::create_thing(body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Write a note.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.put_note(1, "example").send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put_note(&self, thing_id: i64, name: impl Into<String>) -> PutNoteRequest {
        PutNoteRequest {
            client: self.clone(),
            thing_id,
            name: name.into(),
            body: None,
            options: CallOptions::new(),
        }
    }

    /// Revoke a key.
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
    /// client.revoke_key(&"example".into()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn revoke_key(&self, key: &Secret) -> crate::Result<()> {
        let call = calls::revoke_key(key)?;
        Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(())
    }

    /// Exchange a password for a key.
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
    /// let answer = client.log_in(&vouchsafe_wide::Login::new("example", "example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn log_in(&self, body: &wire::Login) -> crate::Result<wire::KeySession> {
        let call = calls::log_in(body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }

    /// Send a form.
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
    /// let answer = client.send_form(&vouchsafe_wide::Grant::new(1, "example", "example")).await?;
    /// # let _ = answer;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send_form(&self, body: &wire::Grant) -> crate::Result<String> {
        let call = calls::send_form(body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.text()?.to_owned())
    }

    /// Send a form with free fields, or none.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(client: vouchsafe_wide::Client) -> vouchsafe_wide::Result<()> {
    /// client.put_form().send().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn put_form(&self) -> PutFormRequest {
        PutFormRequest {
            client: self.clone(),
            body: None,
            options: CallOptions::new(),
        }
    }

    /// Trade one thing for another.
    ///
    /// Served at `https://login.example.com`. Not all servers have it: 2+. Needs the access
    /// `wide.token.{thing}`.
    ///
    /// Sent again only if no byte of it was sent, since repeating it would do harm.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn get_token(
        &self,
        body: &wire::Trade,
    ) -> crate::Result<wire::KeySession> {
        let call = calls::get_token(body)?;
        let answer = Service::call(self, call, &(), &CallOptions::new()).await?;
        Ok(answer.json()?)
    }
}

/// A request: things, by page.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct ListThingsRequest {
    client: crate::Client,
    owner: String,
    x_tenant: String,
    params: calls::ListThingsParams,
    options: CallOptions,
}

impl ListThingsRequest {
    /// Any of these.
    pub fn tag(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.params.tag = values.into_iter().map(Into::into).collect();
        self
    }

    /// Sets `colour`.
    pub fn colour(mut self, values: impl IntoIterator<Item = wire::Colour>) -> Self {
        self.params.colour = values.into_iter().collect();
        self
    }

    /// Sets `limit`.
    ///
    /// At least 1.
    pub fn limit(mut self, value: i64) -> Self {
        self.params.limit = Some(value);
        self
    }

    /// Sets `deep`.
    pub fn deep(mut self, value: bool) -> Self {
        self.params.deep = Some(value);
        self
    }

    /// Sets `sort-by`.
    pub fn order(mut self, value: wire::ListThingsOrder) -> Self {
        self.params.order = Some(value);
        self
    }

    /// Sets `target`.
    pub fn target(mut self, value: impl Into<String>) -> Self {
        self.params.target_ = Some(value.into());
        self
    }

    /// Sets `page`.
    pub fn page(mut self, value: impl Into<String>) -> Self {
        self.params.page = Some(value.into());
        self
    }

    /// Sets `X-Trace`.
    pub fn x_trace(mut self, value: impl Into<String>) -> Self {
        self.params.x_trace = Some(value.into());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// - Of kind `Throttled`: Refused (429).
    /// - Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<wire::ListThingsAnswer> {
        let call = calls::list_things(&self.owner, &self.x_tenant, &self.params)?;
        let answer = Service::call(&self.client, call, &(), &self.options).await?;
        Ok(answer.json()?)
    }

    /// Returns the items of all pages, with the filters and the order of this request.
    ///
    /// At most one page is held at a time.
    ///
    /// A list that changes while it is read gives no item twice, and an error of kind `Conflict`
    /// without a status where items may have been missed.
    pub fn items(self) -> page::Items<Self> {
        page::Items::new(self)
    }
}

impl page::List for ListThingsRequest {
    type Item = wire::Thing;
    type Error = crate::Error;
    fn style(&self) -> page::Style {
        page::Style::Token
    }

    async fn page(&self, at: page::Position) -> crate::Result<page::Page<wire::Thing>> {
        let mut request = self.clone();
        if let page::Position::Token(Some(token)) = at {
            request.params.page = Some(token);
        }
        let answer = request.send().await?;
        let page = page::Page::new(answer.items);
        let page = page.next(answer.next);
        Ok(page)
    }

    fn key(item: &wire::Thing) -> String {
        {
            let _ = item;
            String::new()
        }
    }
}

/// A request: write a note.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct PutNoteRequest {
    client: crate::Client,
    thing_id: i64,
    name: String,
    body: Option<wire::Note>,
    options: CallOptions,
}

impl PutNoteRequest {
    /// Sets the body. Default: none.
    pub fn body(mut self, body: &wire::Note) -> Self {
        self.body = Some(body.clone());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<()> {
        let call = calls::put_note(self.thing_id, &self.name, self.body.as_ref())?;
        Service::call(&self.client, call, &(), &self.options).await?;
        Ok(())
    }
}

/// A request: send a form with free fields, or none.
///
/// Values that are not set are left to the server.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct PutFormRequest {
    client: crate::Client,
    body: Option<std::collections::BTreeMap<String, String>>,
    options: CallOptions,
}

impl PutFormRequest {
    /// Sets the body. Default: none.
    pub fn body(mut self, body: &std::collections::BTreeMap<String, String>) -> Self {
        self.body = Some(body.clone());
        self
    }

    vouchsafe_core::call_options!(options);

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Those of any call: a time limit, a broken connection, a refused credential.
    pub async fn send(&self) -> crate::Result<()> {
        let call = calls::put_form(self.body.as_ref())?;
        Service::call(&self.client, call, &(), &self.options).await?;
        Ok(())
    }
}
