//! How much a peer may send before we stop reading.

/// Bounds that hold while bytes arrive, before an element is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one first-level element, at most 1 GiB.
    pub stanza: usize,
    /// Bytes of a stream header, and of the XML declaration before it.
    pub header: usize,
    /// Levels of nesting within a first-level element, which is itself level 1.
    pub depth: u16,
    /// Attributes of one element, namespace declarations not counted.
    pub attributes: u16,
    /// Namespace declarations of one element.
    pub namespaces: u16,
}

impl Limits {
    /// For bytes this process wrote itself and for tests: wide, but still bounded.
    pub const OWN: Self = Self {
        stanza: 64 << 20,
        header: 64 << 10,
        depth: 256,
        attributes: 1024,
        namespaces: 256,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            stanza: 256 << 10,
            header: 4 << 10,
            depth: 32,
            attributes: 64,
            namespaces: 16,
        }
    }
}
