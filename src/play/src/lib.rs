//! The play language: tests that read like the examples of a XEP.
//!
//! ```text
//! # XEP-0199, example 1: a client pings its server
//! Romeo: <iq type='get' to='localhost' id='1'><ping xmlns='urn:xmpp:ping'/></iq>
//! Romeo gets: <iq type='result' from='localhost' to='*' id='1'/>
//! Juliet gets nothing
//! T: 60s
//! Romeo is cut off
//! ```
//!
//! # Lines
//!
//! A step starts at the left edge; the lines indented under it belong to it. A line that starts with
//! `#` is a comment. The indentation that all lines share (of a Rust string, say) does not count.
//! Continued lines are joined by a space, or by nothing where one ends in `>` or the next begins with
//! `<`, so XML may be laid out over lines without white space being added between its elements. (To
//! send a line break, write `&#10;`.)
//!
//! | line | what happens |
//! |---|---|
//! | `Name: TEXT` | `Name` sends the text as it stands: stanzas, stream headers, broken XML |
//! | `Name gets: XML …` | `Name` receives these, one after the other |
//! | `Name gets all of: XML …` | `Name` receives these, in whatever order |
//! | `Name gets in order: XML …` | as `gets:`, and the order of children counts |
//! | `Name gets nothing` | what was sent so far causes nothing more for `Name` |
//! | `Name gets the end` | the connection of `Name` is closed by the other side |
//! | `T: 60s` | time goes by (`ms`, `s`, `m`, `h`, `d`) |
//! | `Name verb …` | a stage direction, handed to the [`Stage`]: `Romeo connects`, `Romeo is cut off` |
//!
//! # What is expected
//!
//! An element matches when name, namespace, attributes, text and children do. Prefixes, the order of
//! attributes, quotes, and CDATA or references never matter. Outside of any declaration the default
//! namespace is that of the stream header `Name` received (else `jabber:client`), and the prefix
//! `stream` is known. Nothing may be left over: an attribute or a child that was not expected is a
//! failure. The order of children counts only in `gets in order:`. The text of an element that has
//! child elements is compared without the white space around it.
//!
//! | written | matches |
//! |---|---|
//! | `attribute='*'` | any value, but the attribute must be there |
//! | `<a *>` (a bare star among the attributes) | any further attributes |
//! | `<body>*</body>` | any text, even none |
//! | `<*/>` | one child, whatever it is |
//! | `<**/>` | any number of further children |
//! | `'{name}'`, `'room@host/{name}'` | what is not empty; keeps it under this name |
//! | `'{_}'` | the same, and keeps nothing |
//!
//! A name that was captured once stands for its value from then on: further matches must agree, and
//! in what is sent (or directed) `{name}` is replaced by it, escaped. To write what would be a
//! wildcard literally, use a reference: `&#42;` for a star, `&#123;` for an opening brace.
//!
//! A bare `<stream:stream …>` is the opening tag of a stream, `</stream:stream>` its end. An XML
//! declaration is passed over on both sides.

mod failure;
mod matching;
mod pattern;
mod perform;
mod script;
mod xml;

pub use failure::Failure;
pub use perform::{Received, Stage, StageError, perform, perform_now, perform_spread};
pub use script::{Play, PlayError};
