//! How the users of a tenant log in through SAML.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use vouchsafe::wazo_auth::{Client, SamlConfig, SamlForm};

use super::{done, lookup, rows};
use crate::failure::Failure;
use crate::output::{Answer, pairs};
use crate::secret::read_document;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Shows the configuration of the tenant
    Show,
    /// Creates the configuration of the tenant; all options are required
    #[command(mut_args(|arg| match OPTIONS.contains(&arg.get_id().as_str()) {
        true => arg.required(true),
        false => arg,
    }))]
    Create(Options),
    /// Changes the configuration of the tenant; what is not named stays as it is
    #[command(group(ArgGroup::new("change").args(OPTIONS).required(true).multiple(true)))]
    Update(Options),
    /// Removes the configuration of the tenant, if it has one
    Delete,
}

/// The options that a new configuration needs all of, and a change at least one of.
const OPTIONS: [&str; 4] = ["domain", "entity_id", "acs_url", "metadata"];

#[derive(Args, Debug)]
#[group(skip)]
pub(super) struct Options {
    /// The domain whose users log in through SAML, by name or uuid; it belongs to the tenant
    #[arg(long)]
    domain: Option<String>,
    /// The name of the service at the identity provider
    #[arg(long, value_name = "ID")]
    entity_id: Option<String>,
    /// The URL that the identity provider sends its answers to
    #[arg(long, value_name = "URL")]
    acs_url: Option<String>,
    /// Reads the metadata of the identity provider, as XML, from a file; - is standard input
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

impl Options {
    async fn form(self, client: &Client) -> Result<SamlForm, Failure> {
        let mut form = SamlForm::new();
        if let Some(file) = &self.metadata {
            form = form.metadata(read_document(file)?.expose());
        }
        if let Some(domain) = &self.domain {
            form = form.domain_uuid(&lookup::domain(client, domain).await?);
        }
        if let Some(id) = self.entity_id {
            form = form.entity_id(id);
        }
        if let Some(url) = self.acs_url {
            form = form.acs_url(url);
        }
        Ok(form)
    }
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let saml = client.saml_config();
    match command {
        Command::Show => Ok(shown(&saml.get().await?)),
        Command::Create(options) => {
            let form = options.form(client).await?;
            Ok(shown(&saml.create(&form).await?))
        }
        Command::Update(options) => {
            saml.update(&options.form(client).await?).await?;
            Ok(shown(&saml.get().await?))
        }
        Command::Delete => {
            saml.delete().await?;
            Ok(done("deleted"))
        }
    }
}

fn shown(config: &SamlConfig) -> Answer {
    let tenant = config.tenant_uuid.as_ref();
    let rows = rows([
        ("domain", config.domain_uuid.clone()),
        ("entity id", config.entity_id.clone()),
        ("acs url", config.acs_url.clone()),
        ("tenant", tenant.map(ToString::to_string)),
    ]);
    Answer::new(pairs(rows), json!(config))
}
