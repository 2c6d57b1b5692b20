//! What the driver of a stream tells the machine, and what the machine tells the driver.

use bytes::Bytes;
use xmpp::{BareJid, FullJid, Stanza, StanzaError, StreamError};

use crate::binding::TlsInfo;
use crate::scram::{ScramHash, ScramKeys};
use crate::secret::Secret;

/// Something happened that the machine must know.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // handed over once, never kept
pub enum Input {
    /// The framer found something.
    Event(xml::Event),
    /// The framer refused what came.
    BadXml(xml::XmlError),
    /// The handshake that [`Action::StartTls`] asked for has succeeded.
    TlsDone(TlsInfo),
    /// Answers [`Action::FetchKeys`]; `None`: there is no such account, or it has no such keys.
    Keys(Option<ScramKeys>),
    /// Answers [`Action::CheckPassword`]; an account that does not exist has no right password.
    PasswordChecked(bool),
    /// Answers [`Action::FetchKeys`] or [`Action::CheckPassword`] when the store cannot.
    AuthUnavailable,
    /// Answers [`Action::AskStranger`].
    Answered(Stanza),
    /// Answers [`Action::Bind`].
    Bound(Result<FullJid, StanzaError>),
    /// We end the stream: a deadline has passed, the node shuts down.
    Close(StreamError),
}

/// Something the driver has to do. It carries out actions in their order, all of them before it
/// hands over the next event, and answers those that are questions at once.
#[derive(Debug)]
pub enum Action {
    /// Write these bytes.
    Send(Bytes),
    /// Start the TLS handshake as a server, then say [`Input::TlsDone`].
    ///
    /// Bytes that the client sent before the handshake and that are already read must not be used
    /// after it (RFC 6120 §5.4.3.3; the injection of CVE-2011-0411). A client has no reason to
    /// send any: if the buffer is not empty, the driver says [`Input::Close`] and the connection
    /// ends. No stanza or stream error can be sent any more between this action and the handshake.
    StartTls,
    /// Call [`xml::Framer::restart`]: a new stream header comes.
    RestartFramer,
    /// Call [`xml::Framer::set_limits`].
    SetLimits(xml::Limits),
    /// Answer with [`Input::Keys`].
    FetchKeys {
        /// Whose keys.
        account: BareJid,
        /// For which hash function.
        hash: ScramHash,
    },
    /// Answer with [`Input::PasswordChecked`], taking as long for an account that does not exist
    /// as for one that does.
    CheckPassword {
        /// Whose password it should be.
        account: BareJid,
        /// The password as the client sent it.
        password: Secret,
    },
    /// Somebody failed to prove who he is: wait, by the throttle, before the sends that follow.
    AuthFailed {
        /// Who he claimed to be, if that is known.
        account: Option<BareJid>,
    },
    /// The client is who he says. It is not yet told so.
    Authenticated {
        /// His account.
        account: BareJid,
    },
    /// Somebody who has not logged in asks the server something that such people may ask (XEP-0077):
    /// answer with [`Input::Answered`].
    AskStranger {
        /// The domain that is asked.
        domain: String,
        /// The IQ, without `from`.
        request: Stanza,
    },
    /// Open a session and answer with [`Input::Bound`].
    Bind {
        /// For whom.
        account: BareJid,
        /// The resource that the client asks for, checked by RFC 7622; `None`: make one.
        resource: Option<String>,
    },
    /// Negotiation is over: what comes next are stanzas (see [`crate::established`]).
    Established(FullJid),
    /// Write what is still to be written, then close the connection.
    Close,
}
