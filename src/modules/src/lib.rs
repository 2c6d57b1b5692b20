//! The small modules: one XEP, one file.
