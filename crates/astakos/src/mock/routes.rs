//! Finds the route of a request in the generated tables.

use http::Method;
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::route::{Found, Route, find};

use crate::Dialect;
use crate::generated;

pub(super) use generated::account::routes::Op as Account;
pub(super) use generated::identity::routes::Op as Identity;

/// An operation of one of the services.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Identity(Identity),
    Account(Account),
    Services,
    OAuth2Token,
}

/// The place in the service that a path leads to.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// An operation, its id, and the parameters of its path.
    Op(Op, &'static str, Vec<String>),
    /// Operations with other methods.
    WrongMethod(Vec<&'static str>),
    /// A service, but no operation.
    Nothing,
}

/// The routes that servers of a dialect have.
#[derive(Clone, Debug)]
pub(super) struct Routes {
    dialect: Dialect,
    routes: Vec<Route<Op>>,
}

impl Routes {
    pub(super) fn of(dialect: Dialect) -> Self {
        use generated::{account, identity, oauth2, ui};

        let identity = identity::routes::ROUTES.iter();
        let account = account::routes::ROUTES.iter();
        let ui = ui::routes::ROUTES.iter();
        let oauth2 = oauth2::routes::ROUTES.iter();
        let routes = identity
            .map(|route| route.map(Op::Identity))
            .chain(account.map(|route| route.map(Op::Account)))
            .chain(ui.map(|route| route.map(|ui::routes::Op::GetServices| Op::Services)))
            .chain(oauth2.map(|route| route.map(|oauth2::routes::Op::Token| Op::OAuth2Token)))
            .filter(|route| is_there(route.op, dialect))
            .collect();
        Self { dialect, routes }
    }

    /// Returns all operations.
    pub(super) fn operations(&self) -> Vec<&'static Operation> {
        self.routes.iter().map(|route| route.operation).collect()
    }

    /// Finds the route of a path below the base, which may end with one slash.
    ///
    /// The server matches the path first and then the method, so the most specific path decides,
    /// whatever methods it has.
    pub(super) fn at(&self, method: &Method, path: &str) -> Spot {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut best: Option<(&str, Spot)> = None;
        let mut allow = Vec::new();
        for candidate in [Method::GET, Method::POST, Method::PUT] {
            let Found::Route {
                op,
                operation,
                path: template,
                params,
            } = find(&self.routes, &candidate, path)
            else {
                continue;
            };
            if !self.takes(template, &params) {
                continue;
            }
            let order = best.as_ref().map(|(other, _)| {
                let params = |path: &str| path.matches('{').count();
                params(template).cmp(&params(other))
            });
            match order {
                Some(std::cmp::Ordering::Greater) => continue,
                Some(std::cmp::Ordering::Equal) => {}
                _ => {
                    allow.clear();
                    best = Some((template, Spot::Nothing));
                }
            }
            allow.push(candidate.clone());
            if candidate == *method {
                best = Some((template, Spot::Op(op, operation.id(), params)));
            }
        }
        match best {
            None => Spot::Nothing,
            Some((_, Spot::Nothing)) => {
                let names = allow.iter().map(|method| match *method {
                    Method::GET => "GET",
                    Method::POST => "POST",
                    _ => "PUT",
                });
                Spot::WrongMethod(names.collect())
            }
            Some((_, found)) => found,
        }
    }
}

impl Routes {
    /// Whether a path has digits where the server requires them.
    fn takes(&self, template: &str, params: &[String]) -> bool {
        let names = template.split('/').filter(|part| part.starts_with('{'));
        names.zip(params).all(|(name, value)| {
            let is_number = match name {
                "{serial}" | "{membership_id}" | "{application_id}" => true,
                "{project_id}" => self.dialect == Dialect::V015,
                _ => false,
            };
            !is_number || (!value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()))
        })
    }
}

/// Whether servers of a dialect have an operation.
fn is_there(op: Op, dialect: Dialect) -> bool {
    let is_old = dialect == Dialect::V014;
    let is_current = dialect == Dialect::V016;
    match op {
        Op::Identity(Identity::GetVersion | Identity::Authenticate) | Op::Services => true,
        Op::Identity(Identity::ValidateToken) | Op::OAuth2Token => !is_old,
        Op::Account(op) => match op {
            Account::UserCatalogs
            | Account::ServiceUserCatalogs
            | Account::SendFeedback
            | Account::GetResources
            | Account::GetQuotas
            | Account::ServiceQuotas
            | Account::PendingCommissions
            | Account::IssueCommission
            | Account::ResolveCommissions
            | Account::CommissionInfo
            | Account::CommissionAction => true,
            Account::LegacyUserInfo => is_old,
            Account::SetDefaultProject | Account::ServiceProjectQuotas | Account::ModifyProject => {
                is_current
            }
            Account::ListProjects
            | Account::CreateProject
            | Account::GetProject
            | Account::ProjectAction
            | Account::ListMemberships
            | Account::CreateMembership
            | Account::GetMembership
            | Account::MembershipAction => !is_old,
            Account::LegacyModifyProject
            | Account::LegacyApplications
            | Account::LegacyApplication
            | Account::LegacyApplicationAction => dialect == Dialect::V015,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: Method, path: &str) -> String {
        match Routes::of(Dialect::V016).at(&method, path) {
            Spot::Op(_, id, params) => format!("{id} {params:?}"),
            Spot::WrongMethod(allow) => allow.join(","),
            Spot::Nothing => "nothing".to_owned(),
        }
    }

    #[test]
    fn the_path_decides_before_the_method_does() {
        let account = |path: &str| format!("/account/v1.0/{path}");
        for (method, path, expected) in [
            (Method::GET, "commissions/action", "POST"),
            (Method::PUT, "commissions", "GET,POST"),
            (Method::HEAD, "commissions/7", "GET"),
            (Method::GET, "commissions/7x", "nothing"),
            (Method::PUT, "projects/memberships", "GET,POST"),
            (Method::POST, "projects/p", "GET,PUT"),
            (Method::GET, "projects/memberships/x", "nothing"),
            (Method::GET, "authenticate", "nothing"),
            (Method::OPTIONS, "quotas/", "GET"),
            (Method::GET, "quotas//", "nothing"),
        ] {
            assert_eq!(told(method, &account(path)), expected, "{path}");
        }
        assert!(told(Method::GET, &account("projects/apps")).ends_with(r#"["apps"]"#));
        assert!(told(Method::GET, &account("projects/memberships/3")).ends_with(r#"["3"]"#));
        assert!(
            told(Method::POST, &account("projects/memberships/action"))
                .ends_with(r#"["memberships"]"#)
        );
    }

    #[test]
    fn an_old_server_has_user_information_and_no_projects() {
        let routes = Routes::of(Dialect::V014);
        let at = |path: &str| routes.at(&Method::GET, path);
        assert!(matches!(at("/account/v1.0/authenticate"), Spot::Op(..)));
        assert!(matches!(at("/account/v1.0/projects"), Spot::Nothing));
        assert!(matches!(at("/identity/v2.0/tokens/t"), Spot::Nothing));
    }

    #[test]
    fn a_server_of_0_15_has_projects_with_numbers_and_applications() {
        let routes = Routes::of(Dialect::V015);
        let at = |method, path: &str| match routes.at(&method, &format!("/account/v1.0/{path}")) {
            Spot::Op(_, id, _) => id.to_owned(),
            Spot::WrongMethod(allow) => allow.join(","),
            Spot::Nothing => "nothing".to_owned(),
        };
        for (method, path, expected) in [
            (Method::GET, "projects/7", "account.getProject"),
            (Method::PUT, "projects/7", "GET,POST"),
            (Method::POST, "projects/7", "account.legacyModifyProject"),
            (Method::GET, "projects/x7", "nothing"),
            (Method::GET, "projects/apps", "account.legacyApplications"),
            (Method::GET, "projects/apps/9", "account.legacyApplication"),
            (Method::GET, "service_project_quotas", "nothing"),
            (Method::GET, "authenticate", "nothing"),
            (Method::POST, "myaccount/default_project", "nothing"),
        ] {
            assert_eq!(at(method, path), expected, "{path}");
        }
    }
}
