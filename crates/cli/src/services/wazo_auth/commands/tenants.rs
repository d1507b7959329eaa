//! Tenants, which form a tree.

use clap::{Args, Subcommand};
use serde_json::json;
use vouchsafe::wazo_auth::{Address, Client, NewTenant, Tenant, TenantEdit};

use super::list::{ListArgs, found};
use super::{change, done, lookup, rows};
use crate::failure::Failure;
use crate::output::{Answer, pairs, table};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Lists the tenant to act in, and all below it
    List {
        #[command(flatten)]
        list: ListArgs,
        /// Only the tenant with this domain
        #[arg(long)]
        domain: Option<String>,
    },
    /// Shows a tenant
    Show {
        /// The uuid, slug or name
        tenant: String,
    },
    /// Creates a tenant below the one to act in, and prints the uuid
    Create {
        /// The name
        name: String,
        /// The slug, which cannot be changed later: 1 to 10 letters, digits and _ [default: derived
        /// from the name]
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        of: OfTenant,
    },
    /// Changes a tenant; values that are not given are kept
    Edit {
        /// The uuid, slug or name
        tenant: String,
        /// The name; '' for none
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        of: OfTenant,
    },
    /// Deletes a tenant and everything in it
    Delete {
        /// The uuid, slug or name
        tenant: String,
    },
    /// Lists the domains of a tenant, with their uuids
    Domains {
        /// The uuid, slug or name
        tenant: String,
    },
    /// Moves a tenant below another one
    Move {
        /// The uuid, slug or name
        tenant: String,
        /// The uuid, slug or name of the new parent
        parent: String,
    },
}

/// Options for both a new and a changed tenant.
#[derive(Args, Debug)]
pub(super) struct OfTenant {
    /// The telephone number; '' for none
    #[arg(long)]
    phone: Option<String>,
    /// The contact user, by uuid or user name; '' for none
    #[arg(long, value_name = "USER")]
    contact: Option<String>,
    /// How users log in with default, such as native, ldap or saml
    #[arg(long, value_name = "METHOD")]
    default_authentication_method: Option<String>,
    /// A domain; repeat for more. All others are removed
    #[arg(long = "domain", value_name = "DOMAIN")]
    domains: Vec<String>,
    /// The first line of the address; '' for none
    #[arg(long, value_name = "LINE")]
    line_1: Option<String>,
    /// The second line of the address; '' for none
    #[arg(long, value_name = "LINE")]
    line_2: Option<String>,
    /// The city; '' for none
    #[arg(long)]
    city: Option<String>,
    /// The state; '' for none
    #[arg(long)]
    state: Option<String>,
    /// The country; '' for none
    #[arg(long)]
    country: Option<String>,
    /// The postal code; '' for none
    #[arg(long)]
    zip_code: Option<String>,
}

pub(super) async fn run(client: &Client, command: Command) -> Result<Answer, Failure> {
    let id = async |text: &str| lookup::tenant(client, text).await;
    let tenants = client.tenants();
    match command {
        Command::List { list, domain } => {
            let request = match domain {
                Some(domain) => tenants.list().domain_name(domain),
                None => tenants.list(),
            };
            let found = found!(request, &list, "tenants");
            let header = ["uuid", "slug", "name", "parent", "domains"];
            Ok(found.answer(&header, |tenant| {
                vec![
                    tenant.uuid.to_string(),
                    tenant.slug.clone(),
                    tenant.name.clone().unwrap_or_default(),
                    tenant.parent_uuid.to_string(),
                    tenant.domain_names.join(", "),
                ]
            }))
        }
        Command::Show { tenant } => Ok(shown(&tenants.get(&id(&tenant).await?).await?)),
        Command::Create { name, slug, of } => {
            // Applied to an empty address, only the given values remain.
            let edit = of.applied(client, TenantEdit::new()).await?;
            let mut tenant = NewTenant::new().name(name);
            tenant.slug = slug;
            tenant.phone = edit.phone;
            tenant.contact = edit.contact;
            tenant.default_authentication_method = edit.default_authentication_method;
            tenant.domain_names = edit.domain_names;
            tenant.address = edit.address;
            let tenant = tenants.create(&tenant).await?;
            Ok(Answer::new(tenant.uuid.to_string(), json!(tenant)))
        }
        Command::Edit { tenant, name, of } => {
            let tenant = id(&tenant).await?;
            // The service removes values that an edit leaves out.
            let edit = TenantEdit::from(&tenants.get(&tenant).await?);
            let mut edit = of.applied(client, edit).await?;
            change(&mut edit.name, name);
            Ok(shown(&tenants.edit(&tenant, &edit).await?))
        }
        Command::Delete { tenant } => {
            tenants.delete(&id(&tenant).await?).await?;
            Ok(done("deleted"))
        }
        Command::Domains { tenant } => {
            let domains = tenants.get_domains(&id(&tenant).await?).await?;
            let rows = domains
                .iter()
                .map(|domain| vec![domain.uuid.to_string(), domain.name.clone()]);
            Ok(Answer::new(
                table(&["uuid", "domain"], rows),
                json!(domains),
            ))
        }
        Command::Move { tenant, parent } => {
            let (tenant, parent) = (id(&tenant).await?, id(&parent).await?);
            tenants.set_parent(&tenant, &parent).await?;
            Ok(done("moved"))
        }
    }
}

impl OfTenant {
    async fn applied(self, client: &Client, mut edit: TenantEdit) -> Result<TenantEdit, Failure> {
        change(&mut edit.phone, self.phone);
        match self.contact.as_deref() {
            None => {}
            Some("") => edit.contact = None,
            Some(user) => edit.contact = Some(lookup::user(client, user).await?),
        }
        let method = self.default_authentication_method;
        edit.default_authentication_method = method.or(edit.default_authentication_method);
        if !self.domains.is_empty() {
            edit.domain_names = self.domains;
        }
        let mut address = edit.address.unwrap_or_default();
        change(&mut address.line_1, self.line_1);
        change(&mut address.line_2, self.line_2);
        change(&mut address.city, self.city);
        change(&mut address.state, self.state);
        change(&mut address.country, self.country);
        change(&mut address.zip_code, self.zip_code);
        edit.address = Some(address).filter(|address| *address != Address::default());
        Ok(edit)
    }
}

fn shown(tenant: &Tenant) -> Answer {
    let address = &tenant.address;
    let lines = [
        &address.line_1,
        &address.line_2,
        &address.zip_code,
        &address.city,
        &address.state,
        &address.country,
    ];
    let lines: Vec<_> = lines.into_iter().flatten().map(String::as_str).collect();
    let method = &tenant.default_authentication_method;
    let rows = rows([
        ("uuid", Some(tenant.uuid.to_string())),
        ("slug", Some(tenant.slug.clone())),
        ("name", tenant.name.clone()),
        ("parent", Some(tenant.parent_uuid.to_string())),
        ("telephone", tenant.phone.clone()),
        ("contact", tenant.contact.as_ref().map(ToString::to_string)),
        ("users log in with", Some(method.clone())),
        ("domains", Some(tenant.domain_names.join(", "))),
        ("address", Some(lines.join(", "))),
    ]);
    Answer::new(pairs(rows), json!(tenant))
}
