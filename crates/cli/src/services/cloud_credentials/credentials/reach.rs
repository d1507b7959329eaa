//! The location of credentials, and the server that issues them.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use vouchsafe::cloud_credentials::file::FileStore;
use vouchsafe::cloud_credentials::{
    BodyFormat, ClientAuthentication, Credentials, CredentialsBuilder, Environment,
};
use vouchsafe::core::env;

use crate::connection::ConnectionArgs;
use crate::failure::Failure;

/// Options of all commands for credentials.
#[derive(Args, Clone, Debug)]
pub(super) struct Reach {
    /// The file of credentials [default: the environment variable PAN_CREDENTIALS_DBFILE, or else
    /// ~/.config/pancloud/credentials.json]
    #[arg(long, value_name = "FILE", global = true)]
    file: Option<PathBuf>,
    /// The profile [default: the environment variable PAN_PROFILE, or else default]
    #[arg(long, value_name = "NAME", global = true)]
    profile: Option<String>,
    // Not a comment of documentation, which would need brackets around the URL.
    #[arg(
        long,
        value_name = "URL",
        global = true,
        help = "The URL of the authorization server, or of its token endpoint [default: \
                https://api.paloaltonetworks.com]"
    )]
    pub(super) token_url: Option<String>,
    /// The URL of the revocation endpoint [default: derived from that of the token endpoint]
    #[arg(long, value_name = "URL", global = true)]
    revocation_url: Option<String>,
    /// The authorization server by its name: its endpoints, and how clients authenticate, are in its
    /// metadata, and callbacks must come from it [default: that of the service]
    #[arg(long, value_name = "URL", global = true)]
    pub(super) issuer: Option<String>,
    /// Sends forms, as in the standard, instead of JSON
    #[arg(long, global = true)]
    form: bool,
    /// How the client authenticates; a public client, which has no secret, needs none here, in each
    /// command, unless the metadata of --issuer announces such clients [default: as the metadata says, or
    /// else body]
    #[arg(long, value_enum, global = true, value_name = "WAY")]
    client_authentication: Option<Proof>,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Proof {
    /// With its secret in the body
    Body,
    /// With its id and secret as Basic credentials
    Basic,
    /// Not at all: it is public and has no secret
    None,
}

impl Reach {
    /// Returns whether the client has a secret.
    pub(super) fn has_secret(&self) -> bool {
        self.client_authentication != Some(Proof::None)
    }

    /// Returns whether the client needs a secret, as far as the options or the metadata of its server say.
    pub(super) async fn needs_secret(&self, credentials: &Credentials) -> bool {
        if self.client_authentication.is_some() {
            return self.has_secret();
        }
        match credentials.server_metadata().await {
            Ok(Some(metadata)) => !metadata.takes_public_clients(),
            // A failure is one of the call that needs the server.
            Ok(None) | Err(_) => true,
        }
    }

    /// Returns the file of credentials.
    pub(super) fn store(&self) -> Result<FileStore, Failure> {
        Ok(FileStore::new(match &self.file {
            Some(path) => path.clone(),
            None => Environment::of_process().file()?,
        }))
    }

    /// Returns the requested profile.
    pub(super) fn profile(&self) -> Result<Option<String>, Failure> {
        let given = match &self.profile {
            Some(name) => Some(name.clone()),
            None => env::var("PAN_PROFILE")?,
        };
        Ok(given.filter(|name| !name.is_empty()))
    }

    /// Returns credentials from the environment, or else from the file.
    pub(super) fn credentials(&self) -> Result<Credentials, Failure> {
        Ok(self.full()?.build()?)
    }

    /// Returns a builder that reads the environment and the file.
    pub(super) fn full(&self) -> Result<CredentialsBuilder, Failure> {
        Ok(self.bare()?.environment(Environment::of_process()))
    }

    /// Returns a builder that reads only the file.
    pub(super) fn bare(&self) -> Result<CredentialsBuilder, Failure> {
        let connection = &self.connection;
        let mut builder = Credentials::builder()
            .store(Arc::new(self.store()?))
            .transport(connection.transport()?)
            .timeouts(connection.timeouts())
            .retry(connection.retry());
        if connection.allow_plain_http {
            builder = builder.allow_plain_http();
        }
        if let Some(profile) = self.profile()? {
            builder = builder.profile(profile);
        }
        if let Some(issuer) = &self.issuer {
            builder = builder.issuer(issuer);
        }
        if let Some(url) = &self.token_url {
            builder = builder.token_url(url);
        }
        if let Some(url) = &self.revocation_url {
            builder = builder.revocation_url(url);
        }
        if self.form {
            builder = builder.body_format(BodyFormat::Form);
        }
        Ok(match self.client_authentication {
            Some(proof) => builder.client_authentication(match proof {
                Proof::Body => ClientAuthentication::Body,
                Proof::Basic => ClientAuthentication::Basic,
                Proof::None => ClientAuthentication::None,
            }),
            None => builder,
        })
    }
}
