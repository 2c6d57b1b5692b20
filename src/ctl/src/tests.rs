//! Tests over the whole schema.
