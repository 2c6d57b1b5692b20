//! What can go wrong, as peers see it: stanza errors (RFC 6120 §8.3) and stream errors (§4.9).

use std::borrow::Cow;

use bytes::Bytes;
use xml::{Child, Element, Writer, XmlError};

use crate::ns;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// All of them, in the RFC's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// What a word on the wire stands for.
            pub fn of(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// What the sender of a failed stanza may do about it (RFC 6120 §8.3.2).
    ErrorType {
        /// Try again with credentials.
        Auth = "auth",
        /// Do not try again.
        Cancel = "cancel",
        /// Go on, it was a warning.
        Continue = "continue",
        /// Try again with other data.
        Modify = "modify",
        /// Try again later.
        Wait = "wait",
    }
}

words! {
    /// Conditions of stanza errors (RFC 6120 §8.3.3).
    Condition {
        /// §8.3.3.1
        BadRequest = "bad-request",
        /// §8.3.3.2
        Conflict = "conflict",
        /// §8.3.3.3
        FeatureNotImplemented = "feature-not-implemented",
        /// §8.3.3.4
        Forbidden = "forbidden",
        /// §8.3.3.5
        Gone = "gone",
        /// §8.3.3.6
        InternalServerError = "internal-server-error",
        /// §8.3.3.7
        ItemNotFound = "item-not-found",
        /// §8.3.3.8
        JidMalformed = "jid-malformed",
        /// §8.3.3.9
        NotAcceptable = "not-acceptable",
        /// §8.3.3.10
        NotAllowed = "not-allowed",
        /// §8.3.3.11
        NotAuthorized = "not-authorized",
        /// §8.3.3.12
        PolicyViolation = "policy-violation",
        /// §8.3.3.13
        RecipientUnavailable = "recipient-unavailable",
        /// §8.3.3.14
        Redirect = "redirect",
        /// §8.3.3.15
        RegistrationRequired = "registration-required",
        /// §8.3.3.16
        RemoteServerNotFound = "remote-server-not-found",
        /// §8.3.3.17
        RemoteServerTimeout = "remote-server-timeout",
        /// §8.3.3.18
        ResourceConstraint = "resource-constraint",
        /// §8.3.3.19
        ServiceUnavailable = "service-unavailable",
        /// §8.3.3.20
        SubscriptionRequired = "subscription-required",
        /// §8.3.3.21
        UndefinedCondition = "undefined-condition",
        /// §8.3.3.22
        UnexpectedRequest = "unexpected-request",
    }
}

impl Condition {
    /// The error type that the RFC gives with the condition (the first, where it gives two).
    pub fn default_type(self) -> ErrorType {
        match self {
            Self::BadRequest
            | Self::JidMalformed
            | Self::NotAcceptable
            | Self::PolicyViolation
            | Self::Redirect => ErrorType::Modify,
            Self::Conflict
            | Self::FeatureNotImplemented
            | Self::Gone
            | Self::InternalServerError
            | Self::ItemNotFound
            | Self::NotAllowed
            | Self::RemoteServerNotFound
            | Self::ServiceUnavailable
            | Self::UndefinedCondition => ErrorType::Cancel,
            Self::Forbidden
            | Self::NotAuthorized
            | Self::RegistrationRequired
            | Self::SubscriptionRequired => ErrorType::Auth,
            Self::RecipientUnavailable
            | Self::RemoteServerTimeout
            | Self::ResourceConstraint
            | Self::UnexpectedRequest => ErrorType::Wait,
        }
    }
}

/// Why a stanza failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StanzaError {
    /// What the sender may do.
    pub kind: ErrorType,
    /// What happened.
    pub condition: Condition,
    /// Words for a person, in English.
    pub text: Option<Cow<'static, str>>,
    /// Where to instead: a URI, with `gone` and `redirect` alone.
    pub uri: Option<Box<str>>,
    /// An application's own condition: one whole element.
    pub app: Option<Bytes>,
}

impl StanzaError {
    /// An error with the type that RFC 6120 associates with the condition.
    pub fn new(condition: Condition) -> Self {
        Self {
            kind: condition.default_type(),
            condition,
            text: None,
            uri: None,
            app: None,
        }
    }

    /// With another type.
    pub fn with_kind(mut self, kind: ErrorType) -> Self {
        self.kind = kind;
        self
    }

    /// With words for a person.
    pub fn with_text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// With the URI of `gone` and `redirect`.
    pub fn with_uri(mut self, uri: &str) -> Self {
        self.uri = Some(uri.into());
        self
    }

    /// With an application's condition: one whole element.
    pub fn with_app(mut self, app: Bytes) -> Self {
        self.app = Some(app);
        self
    }

    /// The `<error/>` element, within `jabber:client`.
    pub fn to_bytes(&self) -> Bytes {
        let mut w = Writer::new();
        w.start("error", "").attr("type", self.kind.as_str());
        w.start(self.condition.as_str(), ns::STANZAS);
        if let Some(uri) = &self.uri {
            w.text(uri);
        }
        w.end();
        details(&mut w, ns::STANZAS, self.text.as_deref(), self.app.as_ref());
        w.end();
        w.finish()
    }

    /// Reads an `<error/>` element. What is missing or unknown becomes `undefined-condition`.
    pub fn read(error: Child<'_>) -> Self {
        let mut read = Self::new(Condition::UndefinedCondition);
        let mut known = false;
        if let Ok(element) = error.element() {
            for child in element.children() {
                match (child.ns(), child.name()) {
                    (ns::STANZAS, "text") => read.text = Some(child.text().into_owned().into()),
                    (ns::STANZAS, name) => {
                        if let Some(condition) = Condition::of(name).filter(|_| !known) {
                            known = true;
                            read.condition = condition;
                            let uri = child.text();
                            read.uri = (!uri.is_empty()).then(|| uri.as_ref().into());
                        }
                    }
                    // Only one that stands alone, without declarations from outside.
                    _ if read.app.is_none() => {
                        read.app = Some(child.bytes()).filter(|app| Element::parse(app).is_ok());
                    }
                    _ => {}
                }
            }
        }
        read.kind = error
            .attr("type")
            .and_then(|kind| ErrorType::of(&kind))
            .unwrap_or_else(|| read.condition.default_type());
        read
    }
}

impl From<Condition> for StanzaError {
    fn from(condition: Condition) -> Self {
        Self::new(condition)
    }
}

words! {
    /// Conditions of stream errors (RFC 6120 §4.9.3).
    StreamCondition {
        /// §4.9.3.1
        BadFormat = "bad-format",
        /// §4.9.3.2
        BadNamespacePrefix = "bad-namespace-prefix",
        /// §4.9.3.3
        Conflict = "conflict",
        /// §4.9.3.4
        ConnectionTimeout = "connection-timeout",
        /// §4.9.3.5
        HostGone = "host-gone",
        /// §4.9.3.6
        HostUnknown = "host-unknown",
        /// §4.9.3.7
        ImproperAddressing = "improper-addressing",
        /// §4.9.3.8
        InternalServerError = "internal-server-error",
        /// §4.9.3.9
        InvalidFrom = "invalid-from",
        /// §4.9.3.10
        InvalidNamespace = "invalid-namespace",
        /// §4.9.3.11
        InvalidXml = "invalid-xml",
        /// §4.9.3.12
        NotAuthorized = "not-authorized",
        /// §4.9.3.13
        NotWellFormed = "not-well-formed",
        /// §4.9.3.14
        PolicyViolation = "policy-violation",
        /// §4.9.3.15
        RemoteConnectionFailed = "remote-connection-failed",
        /// §4.9.3.16
        Reset = "reset",
        /// §4.9.3.17
        ResourceConstraint = "resource-constraint",
        /// §4.9.3.18
        RestrictedXml = "restricted-xml",
        /// §4.9.3.19
        SeeOtherHost = "see-other-host",
        /// §4.9.3.20
        SystemShutdown = "system-shutdown",
        /// §4.9.3.21
        UndefinedCondition = "undefined-condition",
        /// §4.9.3.22
        UnsupportedEncoding = "unsupported-encoding",
        /// §4.9.3.23
        UnsupportedFeature = "unsupported-feature",
        /// §4.9.3.24
        UnsupportedStanzaType = "unsupported-stanza-type",
        /// §4.9.3.25
        UnsupportedVersion = "unsupported-version",
    }
}

/// Why a stream ends. After it nothing but the closing tag is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamError {
    /// What happened.
    pub condition: StreamCondition,
    /// Words for a person, in English.
    pub text: Option<Cow<'static, str>>,
    /// The other host of `see-other-host`.
    pub host: Option<Box<str>>,
    /// An application's own condition: one whole element.
    pub app: Option<Bytes>,
}

impl StreamError {
    /// An error without words.
    pub fn new(condition: StreamCondition) -> Self {
        Self {
            condition,
            text: None,
            host: None,
            app: None,
        }
    }

    /// With words for a person.
    pub fn with_text(mut self, text: impl Into<Cow<'static, str>>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// With an application's condition: one whole element.
    pub fn with_app(mut self, app: Bytes) -> Self {
        self.app = Some(app);
        self
    }

    /// The `<stream:error/>` element, for a stream that declares the prefix `stream`.
    pub fn to_bytes(&self) -> Bytes {
        self.write("stream:error", "")
    }

    /// The element with its own declaration, for transports whose frames stand alone (RFC 7395).
    pub fn to_standalone_bytes(&self) -> Bytes {
        self.write("error", ns::STREAM)
    }

    fn write(&self, name: &str, namespace: &str) -> Bytes {
        let mut w = Writer::new();
        w.start(name, namespace);
        w.start(self.condition.as_str(), ns::STREAMS);
        if let Some(host) = &self.host {
            w.text(host);
        }
        w.end();
        details(&mut w, ns::STREAMS, self.text.as_deref(), self.app.as_ref());
        w.end();
        w.finish()
    }

    /// Reads an `<error/>` of the stream namespace.
    pub fn read(error: &Element) -> Self {
        let mut read = Self::new(StreamCondition::UndefinedCondition);
        for child in error.children().filter(|child| child.ns() == ns::STREAMS) {
            match StreamCondition::of(child.name()) {
                Some(condition) => {
                    read.condition = condition;
                    let host = child.text();
                    read.host = (!host.is_empty()).then(|| host.as_ref().into());
                }
                None if child.name() == "text" => {
                    read.text = Some(child.text().into_owned().into());
                }
                None => {}
            }
        }
        read
    }
}

impl From<StreamCondition> for StreamError {
    fn from(condition: StreamCondition) -> Self {
        Self::new(condition)
    }
}

/// The stream error that bad bytes are answered with; the words say what was bad.
impl From<XmlError> for StreamError {
    fn from(error: XmlError) -> Self {
        let condition = match error {
            XmlError::NotWellFormed(_) => StreamCondition::NotWellFormed,
            XmlError::Restricted(_) => StreamCondition::RestrictedXml,
            XmlError::BadPrefix(_) => StreamCondition::BadNamespacePrefix,
            XmlError::UnsupportedEncoding => StreamCondition::UnsupportedEncoding,
            _ => StreamCondition::PolicyViolation,
        };
        Self::new(condition).with_text(error.to_string())
    }
}

fn details(w: &mut Writer, ns: &str, text: Option<&str>, app: Option<&Bytes>) {
    if let Some(text) = text {
        w.start("text", ns).attr("xml:lang", "en").text(text).end();
    }
    if let Some(app) = app {
        w.raw(app);
    }
}
