//! Authorization codes, and the short-lived tokens issued for them (protocol section 7.7).

use vouchsafe_core::Secret;

/// A client that users can authorize.
#[derive(Clone, Debug)]
pub(super) struct OAuth2Client {
    pub(super) id: String,
    pub(super) secret: Secret,
    /// The first is the default.
    pub(super) redirect_uris: Vec<String>,
    /// Whether it is a confidential client.
    pub(super) is_confidential: bool,
}

/// A code, which can be used once.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) code: Secret,
    pub(super) client: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) user: String,
}

/// A token that was issued for a code.
#[derive(Clone, Debug)]
pub(super) struct AccessToken {
    pub(super) token: Secret,
    pub(super) scope: String,
    pub(super) user: String,
    pub(super) expires: i64,
}

/// A request for a token.
#[derive(Clone, Debug, Default)]
pub(super) struct Trade<'a> {
    /// Name and secret of the client, if it sent both.
    pub(super) credentials: Option<(String, Secret)>,
    pub(super) client_id: Option<&'a str>,
    pub(super) grant_type: Option<&'a str>,
    pub(super) code: Option<&'a str>,
    pub(super) redirect_uri: Option<&'a str>,
}

/// Clients, codes and tokens.
#[derive(Clone, Debug, Default)]
pub(super) struct OAuth2 {
    pub(super) clients: Vec<OAuth2Client>,
    pub(super) codes: Vec<Code>,
    pub(super) tokens: Vec<AccessToken>,
    /// In seconds.
    pub(super) lifetime: i64,
    /// The number of tokens issued.
    pub(super) traded: u64,
}

impl OAuth2 {
    /// Exchanges a code for a token.
    pub(super) fn trade(&mut self, trade: &Trade<'_>, now: i64) -> Result<Secret, &'static str> {
        let client = self.client(trade)?;
        match trade.grant_type {
            Some("authorization_code") => {}
            Some(_) => return Err("Invalid grant type"),
            None => return Err("Missing grant type"),
        }
        let code = trade.code.ok_or("Missing authorization code")?;
        let code = Secret::from(code);
        let mut codes = self.codes.iter();
        let at = codes.position(|known| known.code == code && known.client == client.id);
        let at = at.ok_or("No such authorization code")?;
        let default = client.redirect_uris.first().map(String::as_str);
        let redirect_uri = trade.redirect_uri.or(default).unwrap_or_default();
        let is_registered = client.redirect_uris.iter().any(|uri| uri == redirect_uri);
        if !is_registered || self.codes[at].redirect_uri != redirect_uri {
            return Err("The redirect uri is not that of the code");
        }
        let code = self.codes.remove(at);
        self.traded += 1;
        let token = Secret::from(format!("oa2-traded-token-{:04}", self.traded));
        self.tokens.push(AccessToken {
            token: token.clone(),
            scope: code.scope,
            user: code.user,
            expires: now.saturating_add(self.lifetime.saturating_mul(1_000_000)),
        });
        Ok(token)
    }

    /// Whether a client may request authorization with a redirect URI.
    pub(super) fn may_ask(
        &self,
        client_id: Option<&str>,
        redirect_uri: Option<&str>,
    ) -> Result<(), &'static str> {
        let mut clients = self.clients.iter();
        let client = clients.find(|client| Some(client.id.as_str()) == client_id);
        let client = client.ok_or("No such client found")?;
        let is_known = |place: &str| client.redirect_uris.iter().any(|uri| uri == place);
        if redirect_uri.is_some_and(|place| !is_known(place)) {
            return Err("The redirect uri is not registered");
        }
        Ok(())
    }

    /// Finds a token. One that has expired is removed, and refused this once as expired.
    pub(super) fn find(&mut self, token: &Secret, now: i64) -> Option<&AccessToken> {
        let at = self.tokens.iter().position(|known| known.token == *token)?;
        if self.tokens[at].expires <= now {
            self.tokens.remove(at);
            return None;
        }
        self.tokens.get(at)
    }

    fn client(&self, trade: &Trade<'_>) -> Result<&OAuth2Client, &'static str> {
        let (id, secret) = match (&trade.credentials, trade.client_id) {
            (Some((id, secret)), _) => (id.as_str(), Some(secret)),
            (None, Some(id)) => (id, None),
            (None, None) => return Err("Invalid client credentials"),
        };
        let mut clients = self.clients.iter();
        let client = clients.find(|client| client.id == id);
        let client = client.ok_or("No such client found")?;
        let is_good = match secret {
            Some(secret) => client.secret == *secret,
            None => !client.is_confidential,
        };
        if is_good {
            Ok(client)
        } else {
            Err("Invalid client credentials")
        }
    }
}
