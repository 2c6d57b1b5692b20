//! How a command can fail, and the exit code that says so.

use std::{io, process::ExitCode};

use serde_json::{Value, json};

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The node, or this program on its behalf, says no. Exit code 1.
    #[error("{message}")]
    Refused {
        /// The admin interface's code, when the node said no.
        code: Option<String>,
        /// One sentence.
        message: String,
    },
    /// A part of the work failed, and it was told which. Exit code 1.
    #[error("some of it failed")]
    Partly,
    /// The command can't be meant so. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// There is no node, or it does not answer. Exit code 3.
    #[error("{0}")]
    NotThere(String),
    /// The answer can't be written. Exit code 1, or 0 when the reader has read enough.
    #[error("the answer can't be written: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// A refusal by this program.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Failure::Refused {
            code: None,
            message: message.into(),
        }
    }

    /// The exit code. `--help` tells these to the user.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Output(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Failure::Refused { .. } | Failure::Partly | Failure::Output(_) => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
            Failure::NotThere(_) => ExitCode::from(3),
        }
    }

    /// Whether there is still something to say about it.
    pub(crate) fn untold(&self) -> bool {
        match self {
            Failure::Partly => false,
            Failure::Output(e) => e.kind() != io::ErrorKind::BrokenPipe,
            _ => true,
        }
    }

    /// As `--json` shows it.
    pub(crate) fn json(&self) -> Value {
        let code = match self {
            Failure::Refused { code, .. } => code.as_deref().unwrap_or("REFUSED"),
            Failure::Partly => "PARTLY",
            Failure::Usage(_) => "USAGE",
            Failure::NotThere(_) => "NOT_THERE",
            Failure::Output(_) => "OUTPUT",
        };
        json!({"error": {"code": code, "message": self.to_string()}})
    }
}
