//! All hook points there are, each with its fold.
//!
//! A hook point is a type, so a wrong name does not compile. Its handlers run in the order of
//! their [`Phase`] and, within one, in the order of the modules in the node's registry; each sees
//! what the ones before it left in the fold.
//!
//! | point | runs | its fold |
//! |---|---|---|
//! | [`SenderStanza`] | in the sender's session, for each stanza it sends | [`SenderFold`] |
//! | [`Outbound`] | for each copy that leaves on behalf of an account, those of a broadcast too: for guards | [`OutboundFold`] |
//! | [`AccountStanza`] | once for a stanza to an account, however many sessions it has | [`AccountFold`] |
//! | [`AccountAway`] | for a message that no session takes: `Stop` when it was kept, else its sender gets an error | [`AwayFold`] |
//! | [`HostStanza`] | for a stanza to the domain itself, or to a resource of it: before IQs are answered and the others bounce | [`HostFold`] |
//! | [`SessionStanza`] | in the receiver's session, before bytes are written | [`SessionFold`] |
//! | [`PresenceChanged`] | when a session has become available or unavailable to all, or has said so anew | [`PresenceFold`] |
//! | [`PeersChanged`] | for each account, when other nodes are gone or back and what they said last does not hold | [`PeersFold`] |
//! | [`SessionOpened`] | when a resource was bound | [`SessionOpenedFold`] |
//! | [`SessionClosed`] | when a session has ended, however it did | [`SessionClosedFold`] |

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use xmpp::{Condition, Jid, Kind, PresenceType, Stanza, StanzaError};

use crate::account::Account;
use crate::directory::{Available, SessionEntry};
use crate::elsewhere::Vanished;
use crate::hold::Hold;
use crate::host::Tables;
use crate::iq::Cx;
use crate::module::ModuleFigures;
use crate::session::Ending;

/// When in a fold a handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Decides whether the stanza may pass: block lists, rates.
    Guard,
    /// Changes the stanza: ids, cuts.
    Rewrite,
    /// Does what the stanza asks for.
    Act,
    /// Keeps it.
    Archive,
    /// Sends copies of it to others.
    Copy,
    /// Looks on: counters, logs.
    Observe,
}

/// What the fold does when a handler panics. It is counted and logged with the module's name in
/// every case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFault {
    /// The stanza is refused with `internal-server-error`: a crashed guard lets nobody through.
    Refuse,
    /// The fold goes on as if the handler were not there.
    Skip,
}

/// What a handler says of the stanza in its fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// It is dealt with: no later handler sees it, nobody is told.
    Stop,
    /// It is refused: its sender gets this error.
    Refuse(StanzaError),
}

/// A hook point.
pub trait Hook: Sized + 'static {
    /// What its handlers see and change.
    type Fold<'a>;
    /// Its name in logs.
    const NAME: &'static str;
    #[doc(hidden)]
    fn chain(tables: &Tables) -> &Chain<Self>;
    #[doc(hidden)]
    fn chain_mut(tables: &mut Tables) -> &mut Chain<Self>;
}

type Call<H> = Arc<dyn for<'f, 'a> Fn(&'f mut <H as Hook>::Fold<'a>) -> Flow + Send + Sync>;

/// One handler at a hook point.
pub(crate) struct Handler<H: Hook> {
    pub(crate) phase: Phase,
    pub(crate) on_fault: OnFault,
    pub(crate) figures: Arc<ModuleFigures>,
    pub(crate) call: Call<H>,
}

impl<H: Hook> Clone for Handler<H> {
    fn clone(&self) -> Self {
        Self {
            phase: self.phase,
            on_fault: self.on_fault,
            figures: self.figures.clone(),
            call: self.call.clone(),
        }
    }
}

/// The handlers of a hook point, in the order in which they run.
pub struct Chain<H: Hook>(Vec<Handler<H>>);

impl<H: Hook> Default for Chain<H> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<H: Hook> Chain<H> {
    pub(crate) fn add(&mut self, handler: Handler<H>) {
        let at = self.0.partition_point(|h| h.phase <= handler.phase);
        self.0.insert(at, handler);
    }

    /// Runs the handlers over `fold` until one does not continue.
    pub(crate) fn run(&self, fold: &mut H::Fold<'_>) -> Flow {
        for handler in &self.0 {
            let flow = match catch_unwind(AssertUnwindSafe(|| (handler.call)(fold))) {
                Ok(flow) => flow,
                Err(panic) => {
                    handler.figures.fault(H::NAME, &panic);
                    match handler.on_fault {
                        OnFault::Refuse => {
                            Flow::Refuse(StanzaError::new(Condition::InternalServerError))
                        }
                        OnFault::Skip => Flow::Continue,
                    }
                }
            };
            if flow != Flow::Continue {
                return flow;
            }
        }
        Flow::Continue
    }
}

/// A stanza that a session sends, in the sender's actor.
pub struct SenderFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose session it is.
    pub account: &'a Arc<Account>,
    /// The session that sends it.
    pub session: &'a Arc<SessionEntry>,
    /// The stanza, its `from` stamped.
    pub stanza: Stanza,
}

/// A copy of a stanza that leaves for somebody else on behalf of an account.
pub struct OutboundFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// On whose behalf.
    pub account: &'a Arc<Account>,
    /// The session that sends it, when one does.
    pub session: Option<&'a Arc<SessionEntry>>,
    /// The copy, `from` and `to` set.
    pub stanza: Stanza,
}

/// A stanza for an account, at the account.
pub struct AccountFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose it is: loaded, perhaps without a session.
    pub account: &'a Arc<Account>,
    /// The stanza.
    pub stanza: Stanza,
}

/// A message that no session of the account takes.
pub struct AwayFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose it is.
    pub account: &'a Arc<Account>,
    /// The message, of type `chat` or `normal`.
    pub stanza: Stanza,
}

/// A stanza for the domain itself.
pub struct HostFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// The stanza. Its `to` may have a resource.
    pub stanza: Stanza,
}

/// A stanza for a session, in the receiver's actor.
pub struct SessionFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose session it is.
    pub account: &'a Arc<Account>,
    /// The session that gets it.
    pub session: &'a Arc<SessionEntry>,
    /// The stanza.
    pub stanza: Stanza,
}

/// A session that says to all that it is available or not, or dies without a word.
pub struct PresenceFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose session it is.
    pub account: &'a Arc<Account>,
    /// The session. What the directory shows of it is what it is now.
    pub session: &'a Arc<SessionEntry>,
    /// What it was before.
    pub before: Option<Available>,
    /// What it says, without `to`.
    pub stanza: &'a Stanza,
    /// Whom it has sent directed presence (RFC 6121 §4.6): those who are left in here are told
    /// that it is gone when it goes.
    pub directed: &'a mut HashSet<Jid>,
    /// [`Hold`]s that are not gone yet.
    pub(crate) holds: &'a mut u32,
}

impl PresenceFold<'_> {
    /// Whether it is available now.
    #[must_use]
    pub fn is_available(&self) -> bool {
        matches!(self.stanza.kind(), Kind::Presence(PresenceType::Available))
    }

    /// Keeps back what comes for the session from now on.
    pub fn hold(&mut self) -> Hold {
        *self.holds += 1;
        Hold::new(self.session.inbox.clone())
    }
}

/// Accounts elsewhere that are seen no more, or are seen again, because nodes are gone or back.
pub struct PeersFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// The account that may have seen them, or be seen by them.
    pub account: &'a Arc<Account>,
    /// The sessions that vanished, by their accounts
    /// ([`Router::report_vanished`](crate::Router::report_vanished)).
    pub vanished: &'a Vanished,
    /// Accounts elsewhere that may not know who is here.
    pub come: &'a HashSet<Box<str>>,
}

/// A session that was bound.
pub struct SessionOpenedFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose session it is.
    pub account: &'a Arc<Account>,
    /// The session.
    pub session: &'a Arc<SessionEntry>,
}

/// A session that has ended.
pub struct SessionClosedFold<'a> {
    /// The node around it.
    pub cx: Cx<'a>,
    /// Whose session it was.
    pub account: &'a Arc<Account>,
    /// The session, which is no longer in the directory.
    pub session: &'a Arc<SessionEntry>,
    /// How it ended.
    pub ending: Ending,
}

/// Declares the hook points and the chains that hold their handlers.
macro_rules! hook_points {
    ($($(#[$doc:meta])* $point:ident => $fold:ident in $chain:ident;)+) => {
        $(
            $(#[$doc])*
            pub struct $point;

            impl Hook for $point {
                type Fold<'a> = $fold<'a>;
                const NAME: &'static str = stringify!($point);
                fn chain(tables: &Tables) -> &Chain<Self> {
                    &tables.chains.$chain
                }
                fn chain_mut(tables: &mut Tables) -> &mut Chain<Self> {
                    &mut tables.chains.$chain
                }
            }
        )+

        /// The handlers of every hook point.
        #[derive(Default)]
        pub(crate) struct Chains {
            $($chain: Chain<$point>,)+
        }
    };
}

hook_points! {
    /// A session sends a stanza.
    SenderStanza => SenderFold in sender;
    /// A copy of a stanza leaves for somebody else.
    Outbound => OutboundFold in outbound;
    /// An account gets a stanza.
    AccountStanza => AccountFold in account;
    /// A message finds no session that takes it.
    AccountAway => AwayFold in away;
    /// The domain gets a stanza.
    HostStanza => HostFold in host;
    /// A session gets a stanza.
    SessionStanza => SessionFold in session;
    /// A session becomes available, changes that, or becomes unavailable.
    PresenceChanged => PresenceFold in presence;
    /// Other nodes are gone or back.
    PeersChanged => PeersFold in peers;
    /// A resource was bound.
    SessionOpened => SessionOpenedFold in opened;
    /// A session has ended.
    SessionClosed => SessionClosedFold in closed;
}
