//! The words of XMPP: JIDs, stanzas, errors, namespaces.
