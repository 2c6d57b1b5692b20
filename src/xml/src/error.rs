//! What can be wrong with the bytes of a stream.

/// Why bytes are refused. Each variant stands for one stream error condition of RFC 6120 §4.9.3,
/// named in its comment; the text is for logs and the optional `<text/>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// `not-well-formed` (§4.9.3.13): not XML 1.0 with namespaces, or not UTF-8.
    #[error("not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// `restricted-xml` (§4.9.3.18): XML that XMPP forbids (§11.1), such as comments and entities.
    #[error("restricted XML: {0}")]
    Restricted(&'static str),
    /// `bad-namespace-prefix` (§4.9.3.2): a prefix nobody declared, or a forbidden declaration.
    #[error("namespace prefix: {0}")]
    BadPrefix(&'static str),
    /// `unsupported-encoding` (§4.9.3.22): the declaration or a byte order mark says it is not UTF-8.
    #[error("the encoding is not UTF-8")]
    UnsupportedEncoding,
    /// `policy-violation` (§4.9.3.14): more bytes than [`crate::Limits`] allow before the end.
    #[error("longer than {0} bytes")]
    TooBig(usize),
    /// `policy-violation`: nested deeper than allowed.
    #[error("nested deeper than {0} levels")]
    TooDeep(u16),
    /// `policy-violation`: more attributes on one element than allowed.
    #[error("more than {0} attributes on one element")]
    TooManyAttributes(u16),
    /// `policy-violation`: more namespace declarations on one element than allowed.
    #[error("more than {0} namespace declarations on one element")]
    TooManyNamespaces(u16),
}
