//! Bytes to XML and back: the stream framer, its limits, element views, the writer.
//!
//! A [`Framer`] cuts the bytes of a connection into a stream [`Header`], first-level [`Element`]s
//! and the end, without copying, and refuses what RFC 6120 §11 refuses. Elements are views: their
//! children are known by name, namespace and place, and read only when somebody asks. Who must look
//! deep takes a [`Tree`]. What we say ourselves is written by a [`Writer`].

mod attr;
mod child;
mod class;
mod content;
mod declaration;
mod element;
mod error;
mod escape;
mod framer;
mod header;
mod index;
mod limits;
mod names;
mod scan;
mod scope;
mod tree;
mod writer;

pub use attr::Attr;
pub use child::Child;
pub use element::Element;
pub use error::XmlError;
pub use escape::{escape_attr, escape_text};
pub use framer::{Event, Framer};
pub use header::Header;
pub use limits::Limits;
pub use tree::{Node, Tree};
pub use writer::Writer;
