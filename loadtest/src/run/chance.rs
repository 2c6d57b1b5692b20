//! Chances: fast numbers that nobody has to be unable to guess.

/// A source of them (xorshift64*).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    /// The same for the same seed.
    pub(crate) fn new(seed: u64) -> Chance {
        // Neighbours have to differ in more than a bit (splitmix64).
        let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Chance((mixed ^ (mixed >> 31)).max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// From 0 to below 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// From 0 to below `end`; 0 if that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A distance of a Poisson process, as a multiple of the average.
    pub(crate) fn distance(&mut self) -> f64 {
        -(1.0 - self.share()).ln()
    }

    /// The number of one of these weights; they do not add up to nothing.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> usize {
        let sum: u64 = weights.iter().copied().map(u64::from).sum();
        let mut left = self.below(usize::try_from(sum).unwrap_or(usize::MAX)) as u64;
        for (number, weight) in weights.iter().copied().enumerate() {
            match left.checked_sub(u64::from(weight)) {
                Some(rest) => left = rest,
                None => return number,
            }
        }
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_as_they_should_be() {
        let mut chance = Chance::new(7);
        let mut seen = [0u32; 3];
        let (mut shares, mut distances) = (0.0, 0.0);
        for _ in 0..100_000 {
            seen[chance.weighted(&[1, 0, 3])] += 1;
            shares += chance.share();
            distances += chance.distance();
        }
        assert_eq!(seen[1], 0);
        assert!((24_000..26_000).contains(&seen[0]), "{seen:?}");
        assert!((49_500.0..50_500.0).contains(&shares), "{shares}");
        assert!((98_500.0..101_500.0).contains(&distances), "{distances}");
        assert_eq!(chance.below(0), 0);
        assert!(Chance::new(1).next() != Chance::new(2).next());
    }
}
