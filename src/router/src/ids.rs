//! Ids that nobody can guess.

/// An id of 20 letters and digits, 119 bits of the operating system's randomness: for stanza
/// ids, stream ids and resources made by the server.
///
/// # Panics
/// When the operating system has no randomness to give; nothing secret can be done then.
#[must_use]
pub fn random_id() -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut id = String::with_capacity(20);
    let mut bytes = [0u8; 32];
    while id.len() < 20 {
        getrandom::fill(&mut bytes).expect("the operating system gives randomness");
        // Bytes of 248 and more are passed over, so that every letter is as likely as any other.
        let letters = bytes
            .iter()
            .filter(|b| **b < 248)
            .map(|b| char::from(LETTERS[usize::from(b % 62)]));
        id.extend(letters.take(20 - id.len()));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::random_id;

    #[test]
    fn ids_are_twenty_letters_and_differ() {
        let (a, b) = (random_id(), random_id());
        assert_eq!(a.len(), 20);
        assert!(a.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(a, b);
    }
}
