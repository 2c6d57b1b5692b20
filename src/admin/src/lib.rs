//! The one admin interface: GraphQL over HTTP.
