//! The migrations of the database. One that has landed is never edited.
