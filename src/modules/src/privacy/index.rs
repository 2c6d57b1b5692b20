//! Finds the rules about a name: an address or a group.

use super::packed::{Packed, PackedItem};
use super::table::Table;

/// Place among the rules and action in one number: of two, the smaller one decides. The lowest
/// bit is set if the rule denies.
pub(super) type Verdict = u32;

/// No rule matches: it passes (XEP-0016 §2.2, rule 7).
pub(super) const NO_RULE: Verdict = Verdict::MAX - 1;

/// The rules about names, by their names.
#[derive(Debug, Default)]
pub(super) struct Index {
    rules: Vec<Rule>,
    /// Finds the first of `rules` with some name.
    table: Table,
    /// The kinds of traffic that any of them is about.
    kinds: u8,
}

/// What is needed to find and judge.
#[derive(Debug)]
struct Rule {
    /// Where its name is in the packed form.
    at: u32,
    len: u16,
    kinds: u8,
    verdict: Verdict,
    /// The next rule about the same name, or [`END`].
    next: u32,
}

const END: u32 = u32::MAX;

impl Index {
    /// One that takes in so many rules.
    pub(super) fn for_rules(count: usize) -> Self {
        Self {
            rules: Vec::with_capacity(count),
            table: Table::for_entries(count),
            kinds: 0,
        }
    }

    /// No rule here about traffic of the kind `bit` comes before this.
    pub(super) fn first(&self, bit: u8) -> Verdict {
        match self.rules.first() {
            Some(rule) if self.kinds & bit != 0 => rule.verdict,
            _ => NO_RULE,
        }
    }

    /// The first rule about `name` that is about traffic of the kind `bit`.
    pub(super) fn find(&self, packed: &Packed, name: &str, bit: u8) -> Verdict {
        let mut next = self.place(packed, name).unwrap_or(END);
        while let Some(rule) = self.rules.get(next as usize) {
            if rule.kinds & bit != 0 {
                return rule.verdict;
            }
            next = rule.next;
        }
        NO_RULE
    }

    fn place(&self, packed: &Packed, name: &str) -> Option<u32> {
        self.table.find(name.as_bytes(), |at| {
            let rule = self.rules.get(at as usize);
            rule.is_some_and(|rule| packed.bytes(rule.at, rule.len) == name.as_bytes())
        })
    }

    /// Adds a rule behind all there are, unless those of the same name leave nothing to it.
    pub(super) fn add(
        &mut self,
        packed: &Packed,
        item: &PackedItem<'_>,
        name: &str,
        verdict: Verdict,
    ) {
        let new = self.rules.len() as u32;
        self.kinds |= item.kinds.bits();
        let rule = Rule {
            at: item.at,
            len: item.len,
            kinds: item.kinds.bits(),
            verdict,
            next: END,
        };
        let Some(mut last) = self.place(packed, name) else {
            self.table.insert(name.as_bytes(), new);
            self.rules.push(rule);
            return;
        };
        let mut judged = 0;
        loop {
            let before = &self.rules[last as usize];
            judged |= before.kinds;
            if before.next == END {
                break;
            }
            last = before.next;
        }
        if rule.kinds & !judged != 0 {
            self.rules[last as usize].next = new;
            self.rules.push(rule);
        }
    }
}
