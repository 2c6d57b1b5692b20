//! A hash table of numbers that stand for texts kept elsewhere.
//!
//! Four bytes a place, no text of its own, and a hash of two multiplications: what `std`'s map
//! can't do. A place holds the number and some bits of the hash, so that texts are compared when
//! they are equal and hardly ever else. A hostile owner of a list may make its texts collide; then
//! stanzas to him cost what a walk over his list costs, which its length bounds.

const FREE: u32 = u32::MAX;
/// Bits of the number; the others are of the hash.
const NUMBER: u32 = 20;

/// Entries that a table can take in.
pub(super) const MOST: usize = (1 << NUMBER) - 1;

/// The table. At most half of its places are taken.
#[derive(Debug, Default)]
pub(super) struct Table(Box<[u32]>);

impl Table {
    /// One for so many entries.
    pub(super) fn for_entries(count: usize) -> Self {
        match count {
            0 => Self::default(),
            _ => Self(vec![FREE; (count * 2).next_power_of_two()].into()),
        }
    }

    /// The number whose text `is` says to be `text`.
    pub(super) fn find(&self, text: &[u8], is: impl Fn(u32) -> bool) -> Option<u32> {
        let hash = hash(text);
        for place in self.probe(hash) {
            let held = self.0[place];
            if held == FREE {
                return None;
            }
            let number = held & MOST as u32;
            if held >> NUMBER == tag(hash) && is(number) {
                return Some(number);
            }
        }
        None
    }

    /// Enters `number` for a `text` that is not there. Beyond the number of entries that it was
    /// made for, or [`MOST`], nothing is entered.
    pub(super) fn insert(&mut self, text: &[u8], number: u32) {
        let hash = hash(text);
        let free = self.probe(hash).find(|place| self.0[*place] == FREE);
        if let Some(free) = free
            && (number as usize) < MOST
        {
            self.0[free] = tag(hash) << NUMBER | number;
        }
    }

    /// The places where a text of this hash may be, the likeliest first: each once, in steps that
    /// grow, so that full places do not run together.
    fn probe(&self, hash: u64) -> impl Iterator<Item = usize> + use<> {
        let places = self.0.len();
        // Of an empty table there is no place.
        let mask = places.wrapping_sub(1);
        let mut place = hash as usize;
        (0..places).map(move |step| {
            place = place.wrapping_add(step);
            place & mask
        })
    }
}

/// The bits of a hash that are kept.
fn tag(hash: u64) -> u32 {
    (hash >> (32 + NUMBER)) as u32
}

/// Folded multiplications over sixteen bytes at a time; the last sixteen may overlap.
fn hash(text: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xd1b5_4a32_d192_ed03;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ (product >> 64) as u64
    };
    let word = |at: usize| {
        let bytes = text.get(at..).and_then(<[u8]>::first_chunk);
        u64::from_le_bytes(*bytes.unwrap_or(&[0; 8]))
    };
    let half = |at: usize| {
        let bytes = text.get(at..).and_then(<[u8]>::first_chunk);
        u64::from(u32::from_le_bytes(*bytes.unwrap_or(&[0; 4])))
    };
    let length = text.len();
    let mut state = A ^ length as u64;
    let (a, b) = match length {
        0 => (0, 0),
        1..4 => {
            let byte = |at: usize| u64::from(text[at]);
            (byte(0) << 16 | byte(length / 2) << 8 | byte(length - 1), 0)
        }
        4..8 => (half(0), half(length - 4)),
        8..16 => (word(0), word(length - 8)),
        _ => {
            for at in (0..length - 16).step_by(16) {
                state = fold(word(at) ^ state, word(at + 8) ^ B);
            }
            (word(length - 16), word(length - 8))
        }
    };
    fold(a ^ state, b ^ B)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_entered_is_found() {
        let texts: Vec<String> = (0..1000).map(|n| format!("user{n}@x.example")).collect();
        let is = |text: &str| {
            let (text, texts) = (text.to_owned(), &texts);
            move |n: u32| texts[n as usize] == text
        };
        let mut table = Table::for_entries(texts.len());
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(table.find(text.as_bytes(), is(text)), None);
            table.insert(text.as_bytes(), n as u32);
        }
        for (n, text) in texts.iter().enumerate() {
            assert_eq!(table.find(text.as_bytes(), is(text)), Some(n as u32));
        }
        assert_eq!(
            table.find(b"nobody@x.example", is("nobody@x.example")),
            None
        );
    }

    /// Neighbours in the alphabet must not be neighbours in the table.
    #[test]
    fn probes_are_short() {
        let mut table = Table::for_entries(1000);
        let mut steps = 0;
        for n in 0..1000 {
            let text = format!("user{n}@x.example");
            steps += table
                .probe(hash(text.as_bytes()))
                .position(|place| table.0[place] == FREE)
                .unwrap();
            table.insert(text.as_bytes(), n);
        }
        assert!(steps < 1000, "{steps} steps for 1000 entries");
    }

    /// Each byte counts, whatever the length.
    #[test]
    fn texts_that_differ_in_a_byte_differ_in_their_hash() {
        for length in 0..70 {
            let mut text = vec![b'a'; length];
            let plain = hash(&text);
            for at in 0..length {
                text[at] = b'b';
                assert_ne!(hash(&text), plain, "byte {at} of {length}");
                text[at] = b'a';
            }
            text.push(b'a');
            assert_ne!(hash(&text), plain, "one more than {length}");
        }
    }

    #[test]
    fn an_empty_table_has_nothing() {
        assert_eq!(Table::default().find(b"a", |_| true), None);
    }
}
