//! The messages a SCRAM client sends (RFC 5802 §7) and the GS2 header in front of them (RFC 5801 §4).

use crate::base64;

/// A message that RFC 5802 §7 does not allow, or that demands an extension we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("the message does not follow the grammar of RFC 5802")]
    Malformed,
    /// `m=`: reserved for extensions that must be understood (RFC 5802 §5.1).
    #[error("the client demands an extension that is not known here")]
    Extension,
}

use MessageError::Malformed;

/// What the client says about channel binding (RFC 5801 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BindingFlag {
    /// `n`: the client cannot do it.
    Unsupported,
    /// `y`: the client can, and believes that the server cannot.
    NotOffered,
    /// `p=…`: the client uses the named type.
    Used(String),
}

/// `client-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFirst {
    pub(crate) flag: BindingFlag,
    /// Who the client wants to act as, if it says so.
    pub(crate) authzid: Option<String>,
    /// The GS2 header as it came, with its last comma: it returns in the last message.
    pub(crate) gs2_header: String,
    /// `client-first-message-bare` as it came: it is signed.
    pub(crate) bare: String,
    /// The user name, unescaped but not prepared.
    pub(crate) username: String,
    pub(crate) nonce: String,
}

impl ClientFirst {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, MessageError> {
        let message = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let (flag, rest) = message.split_once(',').ok_or(Malformed)?;
        let (authzid, bare) = rest.split_once(',').ok_or(Malformed)?;
        let flag = match flag {
            "n" => BindingFlag::Unsupported,
            "y" => BindingFlag::NotOffered,
            _ => BindingFlag::Used(binding_name(flag.strip_prefix("p=").ok_or(Malformed)?)?),
        };
        let authzid = match authzid {
            "" => None,
            _ => Some(unescape(authzid.strip_prefix("a=").ok_or(Malformed)?)?),
        };
        if bare.starts_with("m=") {
            return Err(MessageError::Extension);
        }
        let mut attributes = bare.split(',');
        let username = unescape(value_of(attributes.next(), "n=")?)?;
        let nonce = nonce(value_of(attributes.next(), "r=")?)?;
        check_extensions(attributes)?;
        Ok(Self {
            flag,
            authzid,
            gs2_header: message[..message.len() - bare.len()].to_owned(),
            bare: bare.to_owned(),
            username,
            nonce: nonce.to_owned(),
        })
    }
}

/// `client-final-message`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFinal {
    /// `cbind-input`, decoded: GS2 header and channel-binding data.
    pub(crate) binding: Vec<u8>,
    pub(crate) nonce: String,
    /// The message without its proof, as it came: it is signed.
    pub(crate) without_proof: String,
    pub(crate) proof: Vec<u8>,
}

impl ClientFinal {
    pub(crate) fn parse(message: &[u8]) -> Result<Self, MessageError> {
        let message = std::str::from_utf8(message).map_err(|_| Malformed)?;
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(Malformed)?;
        let mut attributes = without_proof.split(',');
        let binding = value_of(attributes.next(), "c=")?;
        let nonce = nonce(value_of(attributes.next(), "r=")?)?;
        check_extensions(attributes)?;
        Ok(Self {
            binding: base64::decode(binding).map_err(|_| Malformed)?,
            nonce: nonce.to_owned(),
            without_proof: without_proof.to_owned(),
            proof: base64::decode(proof).map_err(|_| Malformed)?,
        })
    }
}

fn value_of<'a>(attribute: Option<&'a str>, name: &str) -> Result<&'a str, MessageError> {
    attribute
        .and_then(|attribute| attribute.strip_prefix(name))
        .ok_or(Malformed)
}

/// `cb-name = 1*(ALPHA / DIGIT / "." / "-")`
fn binding_name(name: &str) -> Result<String, MessageError> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(Malformed);
    }
    Ok(name.to_owned())
}

/// `nonce = 1*printable`: ASCII from `!` to `~` without the comma.
fn nonce(nonce: &str) -> Result<&str, MessageError> {
    let legal = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    if nonce.is_empty() || !nonce.bytes().all(legal) {
        return Err(Malformed);
    }
    Ok(nonce)
}

/// `saslname`: `=2C` stands for a comma, `=3D` for an equals sign, any other `=` is wrong.
fn unescape(name: &str) -> Result<String, MessageError> {
    if name.is_empty() || name.contains('\0') {
        return Err(Malformed);
    }
    let mut pieces = name.split('=');
    let mut out = String::with_capacity(name.len());
    out.extend(pieces.next());
    for piece in pieces {
        if let Some(rest) = piece.strip_prefix("2C") {
            out.push(',');
            out.push_str(rest);
        } else if let Some(rest) = piece.strip_prefix("3D") {
            out.push('=');
            out.push_str(rest);
        } else {
            return Err(Malformed);
        }
    }
    Ok(out)
}

/// `attr-val *("," attr-val)`: unknown extensions are ignored, those that must be understood are not.
fn check_extensions<'a>(mut extensions: impl Iterator<Item = &'a str>) -> Result<(), MessageError> {
    extensions.try_for_each(|extension| {
        let (name, value) = extension.split_once('=').ok_or(Malformed)?;
        match name.as_bytes() {
            b"m" => Err(MessageError::Extension),
            [name] if name.is_ascii_alphabetic() && !value.is_empty() && !value.contains('\0') => {
                Ok(())
            }
            _ => Err(Malformed),
        }
    })
}
