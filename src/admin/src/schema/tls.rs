//! `tls`: the certificates that the node shows.

use async_graphql::{Context, Object, SimpleObject};

use super::{answer, api};
use crate::api::Certificate;

/// The certificates in use.
#[derive(SimpleObject)]
pub struct Certificates {
    /// One for each domain.
    pub certificates: Vec<Certificate>,
}

/// What can be done about TLS.
pub struct TlsMutation;

/// What can be done about TLS.
#[Object]
impl TlsMutation {
    /// Read the certificates anew. Connections that are open stay as they are.
    ///
    /// Refused, with what is wrong, when one of them can't be read; that one stays as it was.
    async fn reload(&self, ctx: &Context<'_>) -> async_graphql::Result<Certificates> {
        let certificates = answer(api(ctx).node.reload_tls().await)?;
        Ok(Certificates { certificates })
    }
}
