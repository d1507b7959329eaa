//! Overrides of the configured quotas, which apply at once to every user (protocol section 5).

use std::collections::BTreeMap;

use serde::Deserialize;
use vouchsafe_core::ErrorKind as CoreErrorKind;

use crate::client::Client;
use crate::generated::gafaelfawr::{calls, wire};
use crate::{ErrorKind, Limits, Result, ServiceToken};

/// Rules for computing limits: a user gets the default plus what each of their groups adds.
/// Membership of a bypass group removes all limits.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(from = "wire::QuotaConfig")]
#[non_exhaustive]
pub struct QuotaConfig {
    /// The limits of every user.
    pub default: Option<Limits>,
    /// The additional limits of each group.
    pub groups: BTreeMap<String, Limits>,
    /// Groups whose members have no limits.
    pub bypass: Vec<String>,
}

impl Client {
    /// Returns the present overrides, if there are any. Any valid token is sufficient.
    ///
    /// # Errors
    ///
    /// Of kind `Credential` if the token is not valid.
    pub async fn quota_overrides(
        &self,
        token: impl Into<ServiceToken>,
    ) -> Result<Option<QuotaConfig>> {
        match self
            .send(calls::get_quota_overrides()?, &token.into())
            .await
        {
            Ok(answer) => Ok(Some(QuotaConfig::from(answer.json::<wire::QuotaConfig>()?))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the overrides and returns them as stored. The token needs the scope
    /// `admin:token`.
    ///
    /// # Errors
    ///
    /// Of kind `Forbidden` if the token is not sufficient, `Invalid` if the server refuses a rule.
    pub async fn set_quota_overrides(
        &self,
        token: impl Into<ServiceToken>,
        overrides: &QuotaConfig,
    ) -> Result<QuotaConfig> {
        let call = calls::put_quota_overrides(&overrides.clone().into())?;
        let answer = self.send(call, &token.into()).await?;
        Ok(answer.json::<wire::QuotaConfig>()?.into())
    }

    /// Removes the overrides; returns whether there were any. The token needs the scope
    /// `admin:token`.
    ///
    /// # Errors
    ///
    /// Of kind `Forbidden` if the token is not sufficient.
    pub async fn remove_quota_overrides(&self, token: impl Into<ServiceToken>) -> Result<bool> {
        match self
            .send(calls::delete_quota_overrides()?, &token.into())
            .await
        {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Distinguishes "there are no overrides" from a server without this route.
fn is_not_found(error: &crate::Error) -> bool {
    error.kind() == ErrorKind::Core(CoreErrorKind::NotFound) && error.code() == Some("not_found")
}

impl From<wire::QuotaConfig> for QuotaConfig {
    fn from(wire: wire::QuotaConfig) -> Self {
        let limits = |(group, quota): (String, wire::Quota)| (group, quota.into());
        Self {
            default: wire.default.map(Limits::from),
            groups: wire.groups.into_iter().map(limits).collect(),
            bypass: wire.bypass,
        }
    }
}

impl From<QuotaConfig> for wire::QuotaConfig {
    fn from(config: QuotaConfig) -> Self {
        let quota = |(group, limits): (String, Limits)| (group, limits.into());
        Self {
            default: config.default.map(wire::Quota::from),
            groups: config.groups.into_iter().map(quota).collect(),
            bypass: config.bypass,
        }
    }
}
