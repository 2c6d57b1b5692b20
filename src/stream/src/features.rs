//! What a stream offers at each stage (RFC 6120 §4.3.2).

use xmpp::ns;

use crate::sasl::Offer;

/// Before login: STARTTLS where it can be had, then the ways to log in and what the house adds.
pub(crate) fn before_login(starttls: Option<StartTls>, offer: &Offer, extra: &[u8]) -> Vec<u8> {
    let mut out = String::from("<stream:features>");
    if let Some(starttls) = starttls {
        out.push_str(&match starttls {
            StartTls::Optional => format!("<starttls xmlns='{}'/>", ns::TLS),
            StartTls::Required => format!("<starttls xmlns='{}'><required/></starttls>", ns::TLS),
        });
    }
    if !offer.mechanisms.is_empty() {
        out.push_str(&format!("<mechanisms xmlns='{}'>", ns::SASL));
        for mechanism in &offer.mechanisms {
            out.push_str(&format!("<mechanism>{mechanism}</mechanism>"));
        }
        out.push_str("</mechanisms>");
    }
    if !offer.bindings.is_empty() {
        out.push_str(&format!(
            "<sasl-channel-binding xmlns='{}'>",
            ns::SASL_CHANNEL_BINDING
        ));
        for binding in &offer.bindings {
            out.push_str(&format!("<channel-binding type='{}'/>", binding.name()));
        }
        out.push_str("</sasl-channel-binding>");
    }
    let mut out = out.into_bytes();
    out.extend_from_slice(extra);
    out.extend_from_slice(b"</stream:features>");
    out
}

/// How STARTTLS is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StartTls {
    /// The client may go on without it.
    Optional,
    /// Nothing else goes.
    Required,
}

/// After login: binding, the session that old clients ask for, and what the house adds.
pub(crate) fn after_login(extra: &[u8]) -> Vec<u8> {
    // Binding needs no <required/>: it always is (RFC 6120 §7.1). The session of RFC 3921 is
    // offered for clients that insist on it, and marked as needless for all others.
    let mut out = format!(
        "<stream:features><bind xmlns='{}'/><session xmlns='{}'><optional/></session>",
        ns::BIND,
        ns::SESSION,
    )
    .into_bytes();
    out.extend_from_slice(extra);
    out.extend_from_slice(b"</stream:features>");
    out
}
