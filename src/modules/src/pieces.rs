//! Bytes that may be too long for one row of a database: they are kept in pieces, each in a row of
//! its own with its place.

/// Bytes in one row: what the smallest column of bytes of any back end takes in.
const PIECE: usize = 60_000;

/// The pieces of `bytes`, each with its place; of nothing one empty piece.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = (i32, &[u8])> {
    let none = bytes.is_empty().then_some(bytes);
    (0..).zip(bytes.chunks(PIECE).chain(none))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_together_are_the_whole() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE] {
            let bytes: Vec<u8> = (0..length).map(|n| n as u8).collect();
            let (places, parts): (Vec<i32>, Vec<&[u8]>) = pieces(&bytes).unzip();
            assert_eq!(parts.concat(), bytes);
            assert_eq!(places.len(), length.div_ceil(PIECE).max(1));
            assert!(places.is_sorted());
        }
    }
}
