//! Quotas of many users (protocol section 7.4).

use crate::generated::account::calls;
use crate::walk::QuotaWalk;
use crate::{Result, ServiceQuotasRequest};

impl ServiceQuotasRequest {
    /// Sends the request, and returns the quotas user by user as they arrive, without holding the
    /// whole answer. Until it ends, a walk counts as a request in flight.
    ///
    /// # Errors
    ///
    /// Those of [`send`](Self::send) that occur before the first user; later ones are returned by
    /// [`QuotaWalk::next`].
    pub async fn walk(&self) -> Result<QuotaWalk> {
        let call = calls::service_quotas(&self.params)?;
        let answer = self.client.stream(call, &self.options).await?;
        Ok(QuotaWalk::new(answer, self.params.projects.clone()))
    }
}
