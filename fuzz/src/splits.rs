//! Ways in which bytes may arrive. They follow from the bytes themselves, so that an input is
//! nothing but what it says.

/// How a stream of bytes comes in.
#[derive(Debug, Clone, Copy)]
pub enum Split {
    /// In one read.
    Whole,
    /// Byte by byte.
    Bytes,
    /// In pieces of chance lengths.
    Chance,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Whole, Self::Bytes, Self::Chance];

    /// The pieces of `bytes`.
    pub fn pieces(self, bytes: &[u8]) -> Vec<&[u8]> {
        match self {
            Self::Whole => vec![bytes],
            Self::Bytes => bytes.chunks(1).collect(),
            Self::Chance => {
                let mut chance = bytes.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
                    (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)
                });
                let mut pieces = Vec::new();
                let mut rest = bytes;
                while !rest.is_empty() {
                    chance ^= chance << 13;
                    chance ^= chance >> 7;
                    chance ^= chance << 17;
                    let len = rest.len().min(1 + (chance % 17) as usize);
                    let (piece, after) = rest.split_at(len);
                    pieces.push(piece);
                    rest = after;
                }
                pieces
            }
        }
    }
}
