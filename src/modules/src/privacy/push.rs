//! What sessions are told of changes that they did not ask for.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use router::{Account, SessionEntry, random_id};
use xmpp::{IqType, Stanza};

use super::command::{write_block, write_unblock};
use super::lists::Lists;
use super::query::write_push;
use super::slots::OfSession;

/// What has changed lists.
pub(super) enum Cause {
    /// A list was created or replaced.
    Put(String),
    /// Another list is the default, or one was removed: no rule has changed.
    Choice,
    /// A command of XEP-0191; this is what is said of it.
    Command(Bytes),
}

/// Tells the sessions of `account`. All of them learn of a changed list (XEP-0016 §2.2, rule 10),
/// and those who have asked for the block list of what is on it no more or now (XEP-0191 §3.3 to
/// §3.5). A list that a blocking command has changed is told to those alone who use lists: who
/// only blocks needn't know of them.
pub(super) fn tell(account: &Account, cause: &Cause, before: &Lists, now: &Lists) {
    let sees_blocks = |of: &OfSession| of.sees_blocks.load(Ordering::Relaxed);
    let sees_lists = |of: &OfSession| of.sees_lists.load(Ordering::Relaxed);
    match cause {
        Cause::Command(said) => {
            push(account, said, sees_blocks);
            if let Some(list) = now.default_list() {
                push(account, &write_push(&list.name), sees_lists);
            }
            return;
        }
        Cause::Put(name) => {
            let said = write_push(name);
            for session in account.sessions() {
                push_to(account, &session, &said);
            }
        }
        Cause::Choice => {}
    }
    let (before, now) = (before.blocked(), now.blocked());
    let there: HashSet<&str> = before.iter().copied().collect();
    let stay: HashSet<&str> = now.iter().copied().collect();
    let gone: Vec<&str> = before
        .into_iter()
        .filter(|jid| !stay.contains(jid))
        .collect();
    let new: Vec<&str> = now.into_iter().filter(|jid| !there.contains(jid)).collect();
    if !gone.is_empty() {
        push(account, &write_unblock(gone), sees_blocks);
    }
    if !new.is_empty() {
        push(account, &write_block(new), sees_blocks);
    }
}

fn push(account: &Account, said: &Bytes, sees: impl Fn(&OfSession) -> bool) {
    for session in account.sessions() {
        if session.peek::<OfSession>().is_some_and(|of| sees(&of)) {
            push_to(account, &session, said);
        }
    }
}

fn push_to(account: &Account, session: &SessionEntry, said: &Bytes) {
    let push = Stanza::iq(IqType::Set)
        .from(account.jid().clone())
        .to(session.jid.clone())
        .id(&random_id())
        .payload(said.clone())
        .build();
    // A session that has ended asks anew when it comes back.
    let _ = session.inbox.deliver(push);
}
