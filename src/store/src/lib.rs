//! Storage: pools, errors, accounts, and the conformance suite of every back end.
