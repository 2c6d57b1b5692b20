//! A hash table of numbers that stand for texts kept elsewhere.
//!
//! Four bytes a place, no text of its own, and a hash of a nanosecond: what `std`'s map can't do.
//! A hostile owner of a list may make its texts collide; then stanzas to him cost what a walk
//! over his list costs, which its length bounds.

const FREE: u32 = u32::MAX;

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
        self.probe(text)
            .map(|place| self.0[place])
            .take_while(|number| *number != FREE)
            .find(|number| is(*number))
    }

    /// Enters `number` for a `text` that is not there. Beyond the number of entries that it was
    /// made for nothing is entered.
    pub(super) fn insert(&mut self, text: &[u8], number: u32) {
        let free = self.probe(text).find(|place| self.0[*place] == FREE);
        if let Some(free) = free {
            self.0[free] = number;
        }
    }

    /// The places where `text` may be, the likeliest first.
    fn probe(&self, text: &[u8]) -> impl Iterator<Item = usize> + use<> {
        let places = self.0.len();
        // Of an empty table there is no place.
        let mask = places.wrapping_sub(1);
        let first = match places {
            0 => 0,
            _ => hash(text) as usize,
        };
        (0..places).map(move |step| first.wrapping_add(step) & mask)
    }
}

/// Folded multiplication over eight bytes at a time.
fn hash(text: &[u8]) -> u64 {
    const A: u64 = 0x9e37_79b9_7f4a_7c15;
    const B: u64 = 0xd1b5_4a32_d192_ed03;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        (product as u64) ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_chunks::<8>();
    let mut state = A ^ text.len() as u64;
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word), B);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(state ^ u64::from_le_bytes(last), A)
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
                .probe(text.as_bytes())
                .position(|place| table.0[place] == FREE)
                .unwrap();
            table.insert(text.as_bytes(), n);
        }
        assert!(steps < 1000, "{steps} steps for 1000 entries");
    }

    #[test]
    fn an_empty_table_has_nothing() {
        assert_eq!(Table::default().find(b"a", |_| true), None);
    }
}
