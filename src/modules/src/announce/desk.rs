//! What whoever runs the node asks for, without sending a message.

use std::sync::Arc;

use router::{AccountAnswer, MessageOfTheDay, MessagesOfTheDay};
use tokio::sync::oneshot;
use xmpp::{BareJid, Condition, MessageType, Stanza, StanzaError};

use super::address::Deed;
use super::{Announce, Asker, Audience, Order, fits};
use crate::patience::patiently;

/// Takes what is asked for to the module's own queue, so that it is done in its turn.
pub(super) struct Desk(pub(super) Arc<Announce>);

impl Desk {
    fn order(
        &self,
        deed: Deed,
        domain: Option<BareJid>,
        message: Stanza,
    ) -> Result<oneshot::Receiver<Result<usize, StanzaError>>, StanzaError> {
        let (tell, told) = oneshot::channel();
        let order = Order {
            deed,
            audience: domain.map_or(Audience::All, Audience::Domain),
            message,
            asker: Asker::Operator(tell),
        };
        match self.0.queue.put.try_send(order) {
            Ok(()) => Ok(told),
            Err(_) => Err(StanzaError::new(Condition::ResourceConstraint)),
        }
    }
}

async fn done(
    told: Result<oneshot::Receiver<Result<usize, StanzaError>>, StanzaError>,
) -> Result<usize, StanzaError> {
    // The task that does it has died with it in its hand.
    let died = |_| StanzaError::new(Condition::InternalServerError);
    told?.await.map_err(died)?
}

impl MessagesOfTheDay for Desk {
    fn list(&self, domain: Option<BareJid>) -> AccountAnswer<Vec<MessageOfTheDay>> {
        let announce = self.0.clone();
        Box::pin(async move {
            patiently(announce.board.known(&*announce.store)).await?;
            let audience = domain.map_or(Audience::All, Audience::Domain);
            let mut found = Vec::new();
            for domain in announce.domains(&audience) {
                if let Some(posted) = announce.board.of(domain.domain()) {
                    found.push(MessageOfTheDay {
                        domain,
                        since: posted.since,
                        message: posted.message.clone(),
                    });
                }
            }
            found.sort_by(|a, b| a.domain.cmp(&b.domain));
            Ok(found)
        })
    }

    fn post(&self, domain: Option<BareJid>, message: Stanza, later: bool) -> AccountAnswer<usize> {
        let deed = match later {
            true => Deed::Replace,
            false => Deed::Post,
        };
        let told = fits(&message).and_then(|()| self.order(deed, domain, message));
        Box::pin(done(told))
    }

    fn delete(&self, domain: Option<BareJid>) -> AccountAnswer<()> {
        let nothing = Stanza::message(MessageType::Normal).build();
        let told = self.order(Deed::Delete, domain, nothing);
        Box::pin(async move { done(told).await.map(drop) })
    }
}
