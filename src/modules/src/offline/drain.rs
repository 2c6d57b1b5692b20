//! Emptying a spool into a session.

use std::sync::Arc;

use router::{Account, Hold, SessionEntry};
use store::Ticket;
use xmpp::Stanza;

use super::Keeps;
use super::spool::Spool;
use super::stamp::restore;
use super::store::{OfflineWrite, Waiting};

/// Bytes of messages that are delivered at once, and forgotten when the socket took them: as much
/// may come twice when a connection dies meanwhile.
const PIECE: usize = 8 * 1024;

/// Empties an account's spool into a session, which is held as long as this lives.
pub(super) struct Drain {
    pub(super) keeps: Keeps,
    pub(super) account: Arc<Account>,
    pub(super) session: Arc<SessionEntry>,
    pub(super) hold: Hold,
}

impl Drain {
    /// Runs until nothing is left, the session takes messages no more, or the database is away:
    /// then the rest goes on waiting.
    pub(super) async fn run(self) {
        let Some(spool) = self.account.slot::<Spool>() else {
            return;
        };
        let _turn = spool.turn().await;
        while self.session.priority().is_some_and(|p| p >= 0)
            && let Some(ids) = spool.first(self.keeps.clock.unix_millis())
        {
            let messages = match self.keeps.read(&self.account, &ids).await {
                Ok(messages) => messages,
                Err(error) => {
                    let account = self.account.jid();
                    tracing::warn!(what = "offline_unread", %account, %error);
                    return;
                }
            };
            let mut rest = &ids[..];
            for piece in pieces(&messages) {
                let Some(last) = piece.last() else { continue };
                let stanzas = piece.iter().filter_map(|message| self.restore(message));
                if self.hold.deliver(stanzas.collect()).await.is_err() {
                    return;
                }
                // With those before it whose rows are gone: they have expired.
                let end = rest.partition_point(|id| *id <= last.id);
                self.forget(spool, &rest[..end]).await;
                rest = &rest[end..];
            }
            self.forget(spool, rest).await;
        }
    }

    fn restore(&self, message: &Waiting) -> Option<Stanza> {
        let account = self.account.jid();
        let stanza = restore(message, account.domain());
        if stanza.is_none() {
            tracing::error!(what = "offline_damaged", %account, id = message.id, "it is deleted");
        }
        stanza
    }

    /// They were delivered. A queue that is full is waited for: what is not forgotten comes again.
    async fn forget(&self, spool: &Spool, ids: &[i64]) {
        if ids.is_empty() {
            return;
        }
        spool.forget(ids);
        let Keeps { writer, .. } = &self.keeps;
        let forget = || OfflineWrite::Forget(self.account.jid().clone(), ids.to_vec());
        while writer.push(forget()).map(Ticket::forget).is_err() {
            // It has room again when what was in it is written, or was given up.
            let _written = writer.barrier().await;
        }
    }
}

/// Runs of messages that are at most a [`PIECE`] long, or one message.
fn pieces(messages: &[Waiting]) -> impl Iterator<Item = &[Waiting]> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let count = rest
            .iter()
            .take_while(|message| {
                let first = bytes == 0;
                bytes += message.stanza.len().max(1);
                first || bytes <= PIECE
            })
            .count();
        let (piece, after) = rest.split_at(count);
        rest = after;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn pieces_are_small_and_whole() {
        let sizes = [3_000, 5_000, 300, 9_000, 8_192, 1];
        let messages: Vec<_> = sizes
            .iter()
            .zip(1..)
            .map(|(size, id)| Waiting {
                id,
                stored_at: 0,
                expires_at: None,
                sender: String::new(),
                stanza: Bytes::from(vec![b'x'; *size]),
            })
            .collect();
        let cut: Vec<Vec<i64>> = pieces(&messages)
            .map(|piece| piece.iter().map(|message| message.id).collect())
            .collect();
        assert_eq!(cut, [vec![1, 2], vec![3], vec![4], vec![5], vec![6]]);
        assert_eq!(pieces(&[]).count(), 0);
    }
}
