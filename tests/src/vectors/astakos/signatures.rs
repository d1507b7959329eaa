//! The parameters of the recorded client's calls, in their order (protocol section 7).

/// The parameters of one call.
#[derive(Debug)]
pub(super) struct Signature {
    pub(super) parameters: Vec<&'static str>,
    /// Whether other names are taken too.
    pub(super) takes_more: bool,
}

impl Signature {
    /// Returns the parameter that a name means.
    pub(super) fn parameter(&self, name: &str) -> Option<&'static str> {
        let find = |name: &str| self.parameters.iter().copied().find(|known| *known == name);
        // Later generations renamed it.
        find(name).or_else(|| find("project_id").filter(|_| name == "project"))
    }
}

/// Returns the parameters of a call in a generation of the client; `None` if there is no such
/// call.
pub(super) fn signature(method: &str, api: &str) -> Option<Signature> {
    let has_token = api.starts_with("0.14");
    let is_older = has_token || api.starts_with("0.15");
    let parameters: &[&str] = match method {
        "authenticate" => &["tenant_name"],
        "get_endpoints" if has_token => &["uuid"],
        "get_endpoints" => &["extra"],
        "validate_token" => &["token_id", "belongs_to"],
        "get_user_info" => &["usage"],
        "account_url" | "ui_url" | "oauth2_url" => &[],
        "account_prefix" | "ui_prefix" | "oauth2_prefix" => &[],
        property if property.starts_with("api_") => &[],
        "get_usernames" | "service_get_usernames" => &["uuids"],
        "get_username" | "service_get_username" => &["uuid"],
        "get_uuids" | "service_get_uuids" => &["display_names"],
        "get_uuid" | "service_get_uuid" => &["display_name"],
        "get_services" | "get_resources" | "get_quotas" | "get_pending_commissions" => &[],
        "send_feedback" => &["message", "data"],
        "set_default_project" | "get_project" | "join_project" => &["project_id"],
        "get_memberships" | "get_applications" | "service_get_project_quotas" => &["project_id"],
        "service_get_quotas" => &["user", "project_id"],
        "issue_commission" => &["request"],
        "issue_one_commission" if is_older => &[
            "holder",
            "source",
            "provisions",
            "name",
            "force",
            "auto_accept",
        ],
        "issue_one_commission" | "issue_resource_reassignment" => {
            &["holder", "provisions", "name", "force", "auto_accept"]
        }
        "issue_commission_generic" => &[
            "user_provisions",
            "project_provisions",
            "name",
            "force",
            "auto_accept",
        ],
        "get_commission_info" | "accept_commission" | "reject_commission" => &["serial"],
        "commission_action" => &["serial", "action"],
        "resolve_commissions" => &["accept_serials", "reject_serials"],
        "get_projects" => &["name", "state", "owner", "mode"],
        "create_project" => &["specs"],
        "modify_project" => &["project_id", "specs"],
        "project_action" => &["project_id", "action", "reason"],
        "application_action" if is_older => &["app_id", "action", "reason"],
        "application_action" => &["project_id", "app_id", "action", "reason"],
        "get_membership" => &["memb_id"],
        "membership_action" => &["memb_id", "action", "reason"],
        "enroll_member" => &["project_id", "email"],
        "get_application" => &["app_id"],
        "get_token" => &["grant_type", "client_id", "client_secret"],
        _ => return None,
    };
    let needs_no_token = ["get_services", "get_resources"].contains(&method);
    let token = (has_token && !needs_no_token).then_some("token");
    Some(Signature {
        parameters: token
            .into_iter()
            .chain(parameters.iter().copied())
            .collect(),
        takes_more: method == "get_token",
    })
}
