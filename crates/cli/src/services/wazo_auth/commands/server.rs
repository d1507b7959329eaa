//! The server and the tenant.

use clap::Args;
use http::Uri;
use vouchsafe::core::env;
use vouchsafe::wazo_auth::{Client, ClientBuilder};

use super::{Reach, lookup};
use crate::connection::url;
use crate::failure::Failure;

/// Options for the server.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(super) struct ServerArgs {
    /// The URL of the service, such as https://HOST/api/auth behind the usual proxy or
    /// http://127.0.0.1:9497 without it [default: the environment variable WAZO_AUTH_URL]
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
    /// The tenant to act in, by uuid, slug or name [default: the environment variable
    /// WAZO_AUTH_TENANT, else the token's own]
    // It has another name than the arguments of commands on tenants, which would set it too.
    #[arg(long = "tenant", value_name = "TENANT", global = true)]
    acting_tenant: Option<String>,
    /// The server is older than 21.05
    #[arg(long, global = true)]
    legacy: bool,
}

impl ServerArgs {
    /// Returns the requested tenant as given.
    pub(super) fn tenant(&self) -> Result<Option<String>, Failure> {
        match &self.acting_tenant {
            Some(given) => Ok(Some(given.clone())),
            None => Ok(env::var(TENANT_VARIABLE)?.filter(|text: &String| !text.trim().is_empty())),
        }
    }

    /// Parses the URL, since the builder takes its parts.
    fn located(&self, builder: ClientBuilder) -> Result<ClientBuilder, Failure> {
        let text = url("--url", self.url.as_deref(), URL_VARIABLE)?;
        let odd = || Failure::usage(format!("{text} has no host"));
        let uri: Uri = text.parse().map_err(|_| odd())?;
        let host = uri.host().ok_or_else(odd)?;
        let builder = match self.legacy {
            true => builder.legacy(),
            false => builder,
        };
        let builder = match uri.port_u16() {
            Some(port) => builder.port(port),
            None => builder.default_port(),
        };
        let builder = match uri.scheme_str() {
            Some("http") => builder.http(),
            _ => builder,
        };
        // The URL may already have the version that the client adds.
        let path = uri.path().trim_end_matches('/');
        let prefix = path.strip_suffix("/0.1").unwrap_or(path);
        let host = host.trim_matches(['[', ']']);
        Ok(builder.host(host).prefix(prefix))
    }
}

impl Reach {
    /// Creates a client without a token.
    pub(super) fn open_client(&self) -> Result<Client, Failure> {
        let connection = &self.connection;
        let builder = Client::builder()
            .transport(connection.transport()?)
            .timeouts(connection.timeouts())
            .retry(connection.retry());
        let builder = match connection.allow_plain_http {
            true => builder.allow_plain_http(),
            false => builder,
        };
        Ok(self.server.located(builder)?.build()?)
    }

    /// Creates a client with the given token, for the given tenant.
    pub(super) async fn client(&self) -> Result<Client, Failure> {
        let client = self.open_client()?;
        let client = client.with_token(self.token.secret(TOKEN_VARIABLE)?);
        match self.server.tenant()? {
            None => Ok(client),
            Some(tenant) => {
                let tenant = lookup::tenant(&client, &tenant).await?;
                Ok(client.with_tenant(&tenant))
            }
        }
    }
}

const URL_VARIABLE: &str = "WAZO_AUTH_URL";
const TENANT_VARIABLE: &str = "WAZO_AUTH_TENANT";
pub(super) const TOKEN_VARIABLE: &str = "WAZO_AUTH_TOKEN";
