//! Typed configuration in RON, with errors that name line, column, field and the mend.
