//! Finds the rule that answers a request.

use std::borrow::Cow;

use http::header::ALLOW;
use http::{Method, Uri};
use vouchsafe_core::call::Operation;
use vouchsafe_core::mock::form::Fields;
use vouchsafe_core::mock::respond;
use vouchsafe_core::mock::route::Found;
use vouchsafe_core::transport::{Request, Response};

use super::ask::Ask;
use super::refusal::{Outcome, Refusal};
use super::state::State;
use super::validate::uuid;
use super::{
    access, config, emails, external, groups, idp, passwords, policies, refresh, registration,
    sessions, tenants, tokens, users,
};
use crate::generated::wazo_auth::routes::{self, Op};

/// A route that matches a path.
struct Route {
    op: Op,
    operation: &'static Operation,
    path: &'static str,
    params: Vec<String>,
}

const METHODS: [Method; 6] = [
    Method::DELETE,
    Method::GET,
    Method::HEAD,
    Method::PATCH,
    Method::POST,
    Method::PUT,
];

impl State {
    /// Finds the route for one method.
    fn route(&self, method: &Method, path: &str) -> Option<Route> {
        // The service does not decode an encoded slash, so it cannot end a segment.
        let path: Cow<'_, str> = match path.to_ascii_uppercase().contains("%2F") {
            true => path.replace("%2F", "%252F").replace("%2f", "%252f").into(),
            false => path.into(),
        };
        let Found::Route {
            op,
            operation,
            path,
            mut params,
        } = routes::find(method, &path)
        else {
            return None;
        };
        let names = path.split('/').filter(|segment| segment.starts_with('{'));
        for (name, value) in names.zip(&mut params) {
            if name.ends_with("_uuid}") || name == "{token}" {
                *value = uuid(value)?;
            }
        }
        self.is_served(op).then_some(Route {
            op,
            operation,
            path,
            params,
        })
    }

    /// Returns whether the plug-in of a route is enabled.
    fn is_served(&self, op: Op) -> bool {
        let has = |kind: &str| {
            self.settings
                .external_types
                .iter()
                .any(|known| known == kind)
        };
        match op {
            Op::CreateMobile
            | Op::GetMobile
            | Op::UpdateMobile
            | Op::DeleteMobile
            | Op::GetMobileSender => has("mobile"),
            Op::CreateGoogle | Op::GetGoogle | Op::DeleteGoogle => has("google"),
            Op::CreateMicrosoft | Op::GetMicrosoft | Op::DeleteMicrosoft => has("microsoft"),
            // Plug-ins of an installation's own are not emulated.
            Op::CreateExternal | Op::GetExternal | Op::UpdateExternal | Op::DeleteExternal => false,
            Op::RegisterUser => self.settings.registration,
            Op::AddAclTemplate | Op::RemoveAclTemplate => self.settings.legacy,
            Op::Initialize => self.settings.legacy,
            _ => true,
        }
    }

    /// Finds the route of a request, or returns the refusal.
    fn find(&self, method: &Method, path: &str) -> Result<Route, Missing> {
        if let Some(route) = self.route(method, path) {
            return Ok(route);
        }
        let found = METHODS
            .iter()
            .filter(|method| self.route(method, path).is_some());
        let mut allow: Vec<&str> = found.map(Method::as_str).collect();
        if allow.is_empty() {
            return Err(Missing::Page);
        }
        if allow.contains(&"GET") {
            if method == Method::HEAD {
                return self.route(&Method::GET, path).ok_or(Missing::Page);
            }
            allow.push("HEAD");
        }
        allow.push("OPTIONS");
        allow.sort_unstable();
        allow.dedup();
        Err(Missing::Method(allow.join(", ")))
    }

    pub(super) fn operation(&self, method: &Method, uri: &Uri) -> Option<&'static Operation> {
        Some(self.find(method, uri.path()).ok()?.operation)
    }

    pub(super) fn answer(&mut self, request: &Request, micros: i64) -> Response {
        let refused = |refusal: Refusal| {
            #[expect(clippy::cast_precision_loss, reason = "as the service does")]
            refusal.response(micros as f64 / 1e6)
        };
        let mut response = match self.find(&request.method, request.uri.path()) {
            Err(Missing::Page) => refused(Refusal::Page),
            Err(Missing::Method(allow)) => wrong_method(request, &allow),
            Ok(route) => self.serve(&route, request, micros).unwrap_or_else(refused),
        };
        // The headers that scripts in browsers may read.
        let name = http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
        respond::put(&mut response.headers, name, "*");
        if request.method == Method::HEAD {
            response.body.clear();
        }
        response
    }

    fn serve(&mut self, route: &Route, request: &Request, micros: i64) -> Outcome {
        let needs_no_database = matches!(route.op, Op::ListBackends | Op::CheckStatus);
        if self.is_starting && !needs_no_database {
            return Err(Refusal::starting());
        }
        if self.is_database_down && !needs_no_database {
            return Err(Refusal::broken());
        }
        self.clean_up(micros.div_euclid(1_000_000));
        let mut ask = Ask {
            request,
            query: Fields::of_query(request),
            params: route.params.clone(),
            micros,
            caller: None,
        };
        if let Some(needed) = access::needed(route.op) {
            let needed = access::fill(needed, route.path, &route.params);
            let needed = needed.ok_or_else(Refusal::broken)?;
            let by_query = (route.op == Op::ConfirmEmailByLink).then(|| ask.query.first("token"));
            let by_query = by_query.flatten().map(str::to_owned);
            ask.authenticate(self, &needed, by_query.as_deref())?;
        }
        self.dispatch(route.op, &ask)
    }

    fn dispatch(&mut self, op: Op, ask: &Ask<'_>) -> Outcome {
        match op {
            Op::CreateToken => tokens::create(self, ask),
            Op::GetToken => tokens::get(self, ask),
            Op::CheckToken => tokens::check(self, ask),
            Op::RevokeToken => tokens::revoke(self, ask),
            Op::CheckScopes => tokens::check_scopes(self, ask),
            Op::ListUserRefreshTokens => refresh::list_user_refresh(self, ask, false),
            Op::ListOwnRefreshTokens => refresh::list_user_refresh(self, ask, true),
            Op::DeleteUserRefreshToken => refresh::delete_user_refresh(self, ask, false),
            Op::DeleteOwnRefreshToken => refresh::delete_user_refresh(self, ask, true),
            Op::ListRefreshTokens => refresh::list_refresh(self, ask),
            Op::ListSessions => sessions::list_sessions(self, ask),
            Op::DeleteSession => sessions::delete_session(self, ask),
            Op::ListUserSessions => sessions::list_user_sessions(self, ask),
            Op::DeleteUserSession => sessions::delete_user_session(self, ask),

            Op::ListPolicies => policies::list(self, ask),
            Op::CreatePolicy => policies::create(self, ask),
            Op::GetPolicy => policies::get(self, ask),
            Op::EditPolicy => policies::edit(self, ask),
            Op::DeletePolicy => policies::delete(self, ask),
            Op::AddAccess | Op::AddAclTemplate => policies::change_access(self, ask, true),
            Op::RemoveAccess | Op::RemoveAclTemplate => policies::change_access(self, ask, false),

            Op::ListUsers => users::list(self, ask),
            Op::CreateUser => users::create(self, ask),
            Op::RegisterUser => registration::register(self, ask),
            Op::Initialize => registration::initialize(self, ask),
            Op::GetUser => users::get(self, ask),
            Op::EditUser => users::edit(self, ask),
            Op::DeleteUser => users::delete(self, ask),
            Op::ChangePassword => passwords::change(self, ask),
            Op::RequestPasswordReset => passwords::request_reset(self, ask),
            Op::ResetPassword => passwords::reset(self, ask),
            Op::ListUserPolicies => users::list_policies(self, ask),
            Op::AddUserPolicy => users::tie_policy(self, ask, true),
            Op::RemoveUserPolicy => users::tie_policy(self, ask, false),
            Op::ListUserGroups => groups::list_of_user(self, ask),

            Op::UpdateEmails => emails::update(self, ask, false),
            Op::UpdateEmailsAsAdmin => emails::update(self, ask, true),
            Op::RequestConfirmation => emails::request_confirmation(self, ask),
            Op::ConfirmEmail => emails::confirm_by_token(self, ask),
            Op::ConfirmEmailByLink => emails::confirm_by_link(self, ask),

            Op::ListGroups => groups::list(self, ask),
            Op::CreateGroup => groups::create(self, ask),
            Op::GetGroup => groups::get(self, ask),
            Op::EditGroup => groups::edit(self, ask),
            Op::DeleteGroup => groups::delete(self, ask),
            Op::ListGroupUsers => groups::list_users(self, ask),
            Op::AddGroupUser => groups::tie_user(self, ask, true),
            Op::RemoveGroupUser => groups::tie_user(self, ask, false),
            Op::ListGroupPolicies => groups::list_policies(self, ask),
            Op::AddGroupPolicy => groups::tie_policy(self, ask, true),
            Op::RemoveGroupPolicy => groups::tie_policy(self, ask, false),

            Op::ListTenants => tenants::list(self, ask),
            Op::CreateTenant => tenants::create(self, ask),
            Op::GetTenant => tenants::get(self, ask),
            Op::EditTenant => tenants::edit(self, ask),
            Op::DeleteTenant => tenants::delete(self, ask),
            Op::ListTenantDomains => tenants::list_domains(self, ask),
            Op::MoveTenant => tenants::move_below(self, ask),

            Op::ListExternal => external::list(self, ask),
            Op::CreateMobile => external::create_mobile(self, ask),
            Op::GetMobile => external::get(self, ask, "mobile"),
            Op::UpdateMobile => external::update_mobile(self, ask),
            Op::DeleteMobile => external::delete(self, ask, "mobile"),
            Op::GetMobileSender => external::get_sender(self, ask),
            Op::CreateGoogle => external::begin_consent(self, ask, "google"),
            Op::GetGoogle => external::get(self, ask, "google"),
            Op::DeleteGoogle => external::delete(self, ask, "google"),
            Op::CreateMicrosoft => external::begin_consent(self, ask, "microsoft"),
            Op::GetMicrosoft => external::get(self, ask, "microsoft"),
            Op::DeleteMicrosoft => external::delete(self, ask, "microsoft"),
            Op::CreateExternal | Op::GetExternal | Op::UpdateExternal | Op::DeleteExternal => {
                Err(Refusal::Page)
            }
            Op::ListConnectedUsers => external::list_connected(self, ask),
            Op::GetExternalConfig => external::get_config(self, ask),
            Op::CreateExternalConfig => external::create_config(self, ask),
            Op::UpdateExternalConfig => external::update_config(self, ask),
            Op::DeleteExternalConfig => external::delete_config(self, ask),

            Op::ListIdps => idp::list(self, ask),
            Op::AddIdpUser => idp::change_user(self, ask, true),
            Op::RemoveIdpUser => idp::change_user(self, ask, false),
            Op::AddIdpUsers => idp::add_users(self, ask),
            Op::GetLdapConfig => idp::get_ldap(self, ask),
            Op::UpdateLdapConfig => idp::update_ldap(self, ask),
            Op::DeleteLdapConfig => idp::delete_ldap(self, ask),
            Op::GetSamlConfig => idp::get_saml(self, ask),
            Op::CreateSamlConfig => idp::create_saml(self, ask),
            Op::UpdateSamlConfig => idp::update_saml(self, ask),
            Op::DeleteSamlConfig => idp::delete_saml(self, ask),
            Op::GetAcsTemplate => idp::get_acs_template(),
            Op::GetSamlMetadata => idp::get_saml_metadata(self, ask),
            Op::StartSaml => idp::start_saml(self, ask),
            Op::FinishSaml => idp::finish_saml(self, ask),
            Op::EndSaml => idp::end_saml(self, ask),

            Op::ListBackends => config::list_backends(self),
            Op::CheckStatus => config::check_status(self),
            Op::GetConfig => config::get(self, ask),
            Op::PatchConfig => config::patch(self, ask),
        }
    }
}

enum Missing {
    Page,
    /// The methods of the path.
    Method(String),
}

fn wrong_method(request: &Request, allow: &str) -> Response {
    let mut response = if request.method == Method::OPTIONS {
        respond::empty(200)
    } else {
        let message = "The method is not allowed for the requested URL.";
        respond::json(405, &serde_json::json!({ "message": message }))
    };
    respond::put(&mut response.headers, ALLOW, allow);
    response
}
