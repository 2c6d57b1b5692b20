//! A password on its way through the server.

use std::fmt;

use zeroize::Zeroize;

/// A password in the clear: never printed, and wiped from memory when dropped.
///
/// There is no `Display`, no `Serialize` and no `PartialEq`; who needs the text asks for it
/// with [`Secret::expose`], which is easy to find when one looks for leaks.
pub struct Secret(String);

impl Secret {
    /// Takes hold of a password as its owner typed it (not prepared by SASLprep).
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Clone for Secret {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_letter_of_it() {
        #[derive(Debug)]
        #[allow(dead_code)] // read by the derived Debug only
        struct Login {
            password: Secret,
        }
        let login = Login {
            password: Secret::new("r0m30myr0m30"),
        };
        assert_eq!(format!("{login:?}"), "Login { password: *** }");
        assert_eq!(login.password.expose(), "r0m30myr0m30");
    }
}
