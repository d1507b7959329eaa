//! Commissions (protocol section 7.5).

use serde_json::Value;
use vouchsafe_core::call::Call;
use vouchsafe_core::url::Target;

use super::Client;
use crate::commission::Committed;
use crate::generated::account::wire::{Issued, ResolveRequest};
use crate::generated::account::{calls, operations};
use crate::{
    CommissionAction, CommissionRequest, ErrorKind, Provision, Resolution, Result, Serial,
    Unresolved,
};

impl Client {
    /// Issues a commission, with a service's token: either all of it is reserved, or nothing.
    ///
    /// It is sent again only if the first request was certainly not sent: if the answer is lost,
    /// the commission may be pending, and [`Error::core().sent()`](vouchsafe_core::Error::sent)
    /// says so.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::QuotaLimit`] if it does not fit; [`ErrorKind::NotFound`] if a holding does not
    /// exist, see [`Error::missing_holding`](crate::Error::missing_holding);
    /// [`ErrorKind::Unsupported`] for holders with `user:` or `project:` on servers before 0.16:
    /// see [`CommissionRequest::one_legacy`].
    #[doc(alias("issue_commission", "issue_one_commission"))]
    #[doc(alias("issue_commission_generic", "issue_resource_reassignment"))]
    pub async fn issue(&self, request: &CommissionRequest) -> Result<Serial> {
        if request.provisions.iter().any(Provision::is_prefixed) {
            self.require("holders with `user:` or `project:`")?;
        }
        self.issued(calls::issue_commission(request)?).await
    }

    /// Issues a commission from a JSON document, unchanged.
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue), and [`ErrorKind::BadRequest`] if it is not understood.
    #[doc(alias = "issue_commission")]
    pub async fn issue_raw(&self, request: &Value) -> Result<Serial> {
        let call = Call::new(&operations::ISSUE_COMMISSION, Target::new("/commissions"));
        self.issued(call.json(request)?).await
    }

    async fn issued(&self, call: Call) -> Result<Serial> {
        Ok(self.ask(call).await?.json::<Issued>()?.serial)
    }

    /// Accepts or rejects a pending commission of the service of the token.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`] if it is not pending, or belongs to another service. If the call was
    /// repeated because an answer was lost, the result is [`Committed::Earlier`] instead: as far as
    /// can be known, the earlier attempt did it. An attempt that never left this machine does not
    /// count as lost.
    pub async fn commission_action(
        &self,
        serial: Serial,
        action: CommissionAction,
    ) -> Result<Committed> {
        match self
            .ask(calls::commission_action(&serial, &action, "")?)
            .await
        {
            Ok(_) => Ok(Committed::Now),
            Err(error) if error.kind() == ErrorKind::NotFound && error.has_lost_attempt() => {
                Ok(Committed::Earlier)
            }
            Err(error) => Err(error),
        }
    }

    /// Accepts a pending commission.
    ///
    /// # Errors
    ///
    /// As [`commission_action`](Self::commission_action).
    #[doc(alias = "accept_commission")]
    pub async fn accept(&self, serial: Serial) -> Result<Committed> {
        self.commission_action(serial, CommissionAction::Accept)
            .await
    }

    /// Rejects a pending commission.
    ///
    /// # Errors
    ///
    /// As [`commission_action`](Self::commission_action).
    #[doc(alias = "reject_commission")]
    pub async fn reject(&self, serial: Serial) -> Result<Committed> {
        self.commission_action(serial, CommissionAction::Reject)
            .await
    }

    /// Accepts and rejects commissions of the service of the token in one call. The answer lists
    /// commissions that cannot be resolved, which is not an error. A serial in both lists is not
    /// resolved. If the call was repeated because an answer was lost, commissions that are no
    /// longer pending are in [`Resolution::earlier`].
    ///
    /// # Errors
    ///
    /// Those of any call.
    #[doc(alias = "resolve_commissions")]
    pub async fn resolve(&self, accept: &[Serial], reject: &[Serial]) -> Result<Resolution> {
        let (resolution, has_lost_attempt) = self.resolve_once(accept, reject).await?;
        Ok(match has_lost_attempt {
            true => resolution.after_lost_attempt(),
            false => resolution,
        })
    }

    /// Returns the answer as it is, and whether an earlier attempt may have done it: a connection that
    /// died in use is replaced even if nothing else is repeated.
    pub(crate) async fn resolve_once(
        &self,
        accept: &[Serial],
        reject: &[Serial],
    ) -> Result<(Resolution, bool)> {
        let (accept, reject) = (accept.to_vec(), reject.to_vec());
        let call = calls::resolve_commissions(&ResolveRequest { accept, reject })?;
        let answer = self.ask(call).await?;
        let mut resolution: Resolution = answer.json()?;
        // Errors repeat it.
        for Unresolved(_, why) in &mut resolution.failed {
            why.name = answer.without_secrets(&why.name);
            why.message = answer.without_secrets(&why.message);
        }
        Ok((resolution, answer.has_lost_attempt()))
    }
}
