//! The photo of a vCard, and its hash in presence (XEP-0153).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sha1::{Digest, Sha1};
use xml::{Element, Writer};
use xmpp::{Kind, PresenceType, Stanza, ns};

/// A photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Photo {
    /// What its owner says that it is, such as `image/png`; perhaps nothing.
    pub media_type: String,
    /// The picture itself.
    pub data: Bytes,
}

/// The SHA-1 of a photo; as text, hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoHash([u8; 20]);

impl Photo {
    /// The photo of a vCard, if it has one that can be read (XEP-0153 §4.5).
    #[must_use]
    pub fn of(card: &Element) -> Option<Self> {
        let photo = card.child("PHOTO", ns::VCARD)?.element().ok()?;
        let data = photo.child("BINVAL", ns::VCARD)?;
        // Clients break it into lines.
        let base64: String = data.text().split_ascii_whitespace().collect();
        let data = BASE64_STANDARD.decode(base64).ok()?;
        if data.is_empty() {
            return None;
        }
        let media_type = photo.child("TYPE", ns::VCARD);
        let media_type = media_type.map_or(Cow::Borrowed(""), |of| of.text());
        Some(Self {
            media_type: media_type.trim().to_owned(),
            data: data.into(),
        })
    }

    /// Its hash.
    #[must_use]
    pub fn hash(&self) -> PhotoHash {
        PhotoHash(Sha1::digest(&self.data).into())
    }
}

impl fmt::Display for PhotoHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for PhotoHash {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 20];
        if text.len() != 40 || !text.is_ascii() {
            return Err(());
        }
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

/// `presence` with the hash of its sender's photo, if it is an available one whose client does not
/// say itself what photo there is. A client that says that there is none, or another one, is left
/// alone; one that is not ready to say it is not (XEP-0398 §5).
pub(super) fn announce(presence: &Stanza, photo: PhotoHash) -> Option<Stanza> {
    if presence.kind() != Kind::Presence(PresenceType::Available) {
        return None;
    }
    let says = |update: &xml::Child<'_>| {
        let update = update.element();
        update.is_ok_and(|update| update.child("photo", ns::VCARD_UPDATE).is_some())
    };
    let mut updates = presence
        .children()
        .filter(|child| child.is("x", ns::VCARD_UPDATE));
    if updates.any(|update| says(&update)) {
        return None;
    }
    let mut w = Writer::new();
    w.start("x", ns::VCARD_UPDATE);
    w.leaf("photo", &photo.to_string()).end();
    let edit = presence.edit();
    let edit = edit.cut_where(|child| child.is("x", ns::VCARD_UPDATE));
    Some(edit.append(w.finish()).done())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(inside: &str) -> Option<Photo> {
        let card = format!("<vCard xmlns='vcard-temp'>{inside}</vCard>");
        Photo::of(&Element::parse(card.as_bytes()).expect("a vCard"))
    }

    #[test]
    fn a_photo_is_what_its_base64_says() {
        let there =
            photo("<PHOTO><TYPE> image/png</TYPE><BINVAL>\n  aGVs\n  bG8=\n</BINVAL></PHOTO>");
        let there = there.expect("a photo");
        assert_eq!(
            (&*there.media_type, &there.data[..]),
            ("image/png", &b"hello"[..])
        );
        let hash = there.hash().to_string();
        assert_eq!(hash, "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d");
        assert_eq!(hash.to_uppercase().parse(), Ok(there.hash()));
        for none in [
            "",
            "<PHOTO/>",
            "<PHOTO><EXTVAL>https://example.org/</EXTVAL></PHOTO>",
            "<PHOTO><BINVAL/></PHOTO>",
            "<PHOTO><BINVAL>no picture!</BINVAL></PHOTO>",
        ] {
            assert_eq!(photo(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_hash() {
        let long = "0".repeat(42);
        let umlaut = "ü".repeat(20);
        let word = "g".repeat(40);
        for text in ["", "aaf4", &long, &umlaut, &word] {
            assert_eq!(text.parse::<PhotoHash>(), Err(()), "{text}");
        }
    }
}
