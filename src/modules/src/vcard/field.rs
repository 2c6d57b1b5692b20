//! What of a vCard can be searched for.

use std::collections::BTreeMap;

use xml::{Element, XmlError};
use xmpp::{BareJid, ns};

/// Characters of a value that are kept for the search.
const LENGTH: usize = 255;

/// A field of the user directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(i16)]
pub enum Field {
    /// The account's localpart.
    User = 0,
    /// The full name.
    FullName = 1,
    /// The family name.
    Last = 2,
    /// The given name.
    First = 3,
    /// The middle name.
    Middle = 4,
    /// The nickname.
    Nick = 5,
    /// The birthday, as it is written.
    Birthday = 6,
    /// The country.
    Country = 7,
    /// The town.
    Locality = 8,
    /// The address of e-mail.
    Email = 9,
    /// The organisation.
    Organisation = 10,
    /// The part of the organisation.
    Unit = 11,
}

impl Field {
    /// All fields, in the order in which forms show them.
    pub const ALL: [Self; 12] = [
        Self::User,
        Self::FullName,
        Self::First,
        Self::Middle,
        Self::Last,
        Self::Nick,
        Self::Birthday,
        Self::Country,
        Self::Locality,
        Self::Email,
        Self::Organisation,
        Self::Unit,
    ];

    /// Its name in forms, and what a person reads.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::User => ("user", "User"),
            Self::FullName => ("fn", "Full Name"),
            Self::Last => ("last", "Family Name"),
            Self::First => ("first", "Given Name"),
            Self::Middle => ("middle", "Middle Name"),
            Self::Nick => ("nick", "Nickname"),
            Self::Birthday => ("bday", "Birthday"),
            Self::Country => ("ctry", "Country"),
            Self::Locality => ("locality", "City"),
            Self::Email => ("email", "Email Address"),
            Self::Organisation => ("orgname", "Organization"),
            Self::Unit => ("orgunit", "Organization Unit"),
        }
    }

    /// The field of this name in forms.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.names().0 == name)
    }

    /// The field that is stored as `number`.
    pub(super) fn stored(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|field| *field as i16 == number)
    }

    /// Where it is in a vCard: an element, and one inside of it.
    fn place(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::User => return None,
            Self::FullName => ("FN", ""),
            Self::Last => ("N", "FAMILY"),
            Self::First => ("N", "GIVEN"),
            Self::Middle => ("N", "MIDDLE"),
            Self::Nick => ("NICKNAME", ""),
            Self::Birthday => ("BDAY", ""),
            Self::Country => ("ADR", "CTRY"),
            Self::Locality => ("ADR", "LOCALITY"),
            Self::Email => ("EMAIL", "USERID"),
            Self::Organisation => ("ORG", "ORGNAME"),
            Self::Unit => ("ORG", "ORGUNIT"),
        })
    }
}

/// The fields of an account that have a value, each its first one, shortened to what is kept.
pub type Fields = BTreeMap<Field, String>;

/// The fields of `account`, whose vCard is `card`.
///
/// # Errors
/// What is deeper in it than elements may be.
pub(super) fn fields(account: &BareJid, card: &Element) -> Result<Fields, XmlError> {
    let mut fields = Fields::new();
    let mut enter = |field, value: &str| {
        let value: String = value.trim().chars().take(LENGTH).collect();
        if !value.is_empty() {
            fields.entry(field).or_insert(value);
        }
    };
    enter(Field::User, account.localpart().unwrap_or_default());
    for child in card.children().filter(|child| child.ns() == ns::VCARD) {
        let inner = child.element()?;
        for field in Field::ALL {
            match field.place() {
                Some((outer, "")) if outer == child.name() => enter(field, &child.text()),
                Some((outer, name)) if outer == child.name() => {
                    if let Some(inner) = inner.child(name, ns::VCARD) {
                        enter(field, &inner.text());
                    }
                }
                _ => {}
            }
        }
    }
    Ok(fields)
}

/// What is compared of a value, so that case does not matter.
pub(super) fn folded(value: &str) -> String {
    // What grows when it is folded must fit, too.
    value.to_lowercase().chars().take(LENGTH).collect()
}

/// What somebody searches for in one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The field.
    pub field: Field,
    /// What it is, but for case.
    pub(super) text: String,
    /// Whether something may follow.
    pub(super) prefix: bool,
}

impl Wanted {
    /// `text` is the whole value, or ends with `*` and is its beginning. Nothing is wanted of no
    /// text.
    #[must_use]
    pub fn new(field: Field, text: &str) -> Option<Self> {
        let text = text.trim();
        let (text, prefix) = match text.strip_suffix('*') {
            Some(beginning) => (beginning, true),
            None => (text, false),
        };
        let text = folded(text);
        (!text.is_empty()).then_some(Self {
            field,
            text,
            prefix,
        })
    }

    /// Whether a value of the field is what is wanted.
    pub(super) fn is(&self, value: &str) -> bool {
        let value = folded(value);
        match self.prefix {
            true => value.starts_with(&self.text),
            false => value == self.text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &[u8] = "<vCard xmlns='vcard-temp'>\
        <FN>  Juliet  Capulet </FN>\
        <N><FAMILY>Capulet</FAMILY><GIVEN>Juliet</GIVEN><MIDDLE/></N>\
        <EMAIL><HOME/></EMAIL>\
        <EMAIL><USERID>jc@verona.lit</USERID></EMAIL>\
        <EMAIL><USERID>second@verona.lit</USERID></EMAIL>\
        <NICKNAME xmlns='a:b'>not hers</NICKNAME>\
        <ORG><ORGNAME>Haus &amp; Hof</ORGNAME><ORGUNIT>Übung</ORGUNIT></ORG>\
        </vCard>"
        .as_bytes();

    #[test]
    fn a_vcard_is_read_by_fields() {
        let card = Element::parse(CARD).expect("a vCard");
        let juliet = "juliet@capulet.lit".parse().expect("an account");
        let fields = fields(&juliet, &card).expect("fields");
        let wanted = [
            (Field::User, "juliet"),
            (Field::FullName, "Juliet  Capulet"),
            (Field::Last, "Capulet"),
            (Field::First, "Juliet"),
            (Field::Email, "jc@verona.lit"),
            (Field::Organisation, "Haus & Hof"),
            (Field::Unit, "Übung"),
        ];
        let wanted = wanted.map(|(field, value)| (field, value.to_owned()));
        assert_eq!(fields, Fields::from(wanted));
    }

    #[test]
    fn every_field_has_a_name_and_a_number_of_its_own() {
        for field in Field::ALL {
            assert_eq!(Field::of(field.names().0), Some(field));
            assert_eq!(Field::stored(field as i16), Some(field));
        }
        assert_eq!(Field::of("x-gender"), None);
    }

    #[test]
    fn what_is_wanted() {
        let wanted = |text| Wanted::new(Field::Unit, text).expect("something");
        assert!(wanted(" übung").is("ÜBUNG"));
        assert!(!wanted("üb").is("Übung"));
        assert!(wanted("Üb*").is("übung"));
        assert!(!wanted("b*").is("übung"));
        assert!(wanted("in *").is("In Übung"));
        assert!(!wanted("in *").is("Innen"));
        assert!(wanted("*a").is("*A"));
        for nothing in ["", " ", "*", " *"] {
            assert_eq!(Wanted::new(Field::Unit, nothing), None);
        }
    }
}
