//! Client streams from the first byte to the bound resource, driven as a connection drives them.
#![allow(missing_docs)]

mod attacks;
mod binding;
mod established;
mod headers;
mod login;
mod peer;
mod rfc6120;
mod splits;
mod strangers;
