//! Highest random weight: which node all nodes agree upon for a key, without a word between them.

/// The node of `nodes` with the highest weight for `key`. The order of the nodes does not matter, and when
/// one goes, only its keys move.
pub fn highest<'a>(nodes: impl IntoIterator<Item = &'a str>, key: &str) -> Option<&'a str> {
    let key = hash(key);
    let weighed = nodes
        .into_iter()
        .map(|node| (mix(hash(node) ^ key), std::cmp::Reverse(node)));
    weighed.max().map(|(_, node)| node.0)
}

/// FNV-1a: the same on all machines and in all versions, which the standard library's is not.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64: every bit of what goes in changes half of what comes out.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_in_every_version() {
        // Nodes of two versions in one cluster must agree: these never change.
        let nodes = ["a", "b", "c"];
        let chosen: String = (0..16)
            .filter_map(|i| highest(nodes, &format!("user{i}@montague.lit")))
            .collect();
        assert_eq!(chosen, "cabcbacbacaacbab");
        assert_eq!(highest([], "x"), None);
    }

    #[test]
    fn shares_are_even_and_only_those_of_a_lost_node_move() {
        let mut share = [0; 4];
        for i in 0..8_000 {
            let key = format!("user{i}@montague.lit");
            let before = highest(["a", "b", "c", "d"], &key);
            assert_eq!(before, highest(["d", "b", "c", "a"], &key));
            let after = highest(["a", "b", "c"], &key);
            if before != Some("d") {
                assert_eq!(before, after);
            }
            let index = before.map_or(0, |node| usize::from(node.as_bytes()[0] - b'a'));
            share[index] += 1;
        }
        assert!(
            share.iter().all(|n| (1_700..2_300).contains(n)),
            "{share:?}"
        );
    }
}
