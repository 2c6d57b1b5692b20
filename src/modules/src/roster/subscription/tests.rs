//! The table against the rules in the text of RFC 6121 §3, which say the same in other words.

use super::*;

const WORDS: [Word; 4] = [
    Word::Subscribe,
    Word::Unsubscribe,
    Word::Subscribed,
    Word::Unsubscribed,
];

/// A state as the four facts that it consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Facts {
    to: bool,
    from: bool,
    pending_out: bool,
    pending_in: bool,
}

impl Facts {
    fn of(state: State) -> Self {
        Self {
            to: state.to(),
            from: state.from(),
            pending_out: state.pending_out(),
            pending_in: state.pending_in(),
        }
    }
}

#[test]
fn every_row_stands_at_its_state_and_no_two_say_the_same() {
    for (number, (state, ..)) in TABLE.iter().enumerate() {
        assert_eq!(*state as usize, number);
        assert_eq!(State::of_number(number as u8), Some(*state));
        let facts = Facts::of(*state);
        assert!(!(facts.to && facts.pending_out), "{state:?}");
        assert!(!(facts.from && facts.pending_in), "{state:?}");
        for (_, other) in TABLE.iter().enumerate().filter(|(n, _)| *n != number) {
            assert_ne!(facts, Facts::of(other.0));
        }
    }
    assert_eq!(State::of_number(9), Option::None);
}

/// §3.1.2, §3.3.2, §3.1.5, §3.2.2.
#[test]
fn what_the_account_says() {
    for (state, ..) in TABLE {
        for word in WORDS {
            let before = Facts::of(state);
            let mut after = before;
            let routed = match word {
                Word::Subscribe => {
                    after.pending_out = !before.to;
                    true
                }
                Word::Unsubscribe => {
                    (after.to, after.pending_out) = (false, false);
                    true
                }
                // Only an answer to a question goes out.
                Word::Subscribed => {
                    after.from |= before.pending_in;
                    after.pending_in = false;
                    before.pending_in
                }
                Word::Unsubscribed => {
                    (after.from, after.pending_in) = (false, false);
                    before.from || before.pending_in
                }
            };
            let (does_route, becomes) = state.say(word);
            assert_eq!(Facts::of(becomes), after, "{state:?} {word:?}");
            assert_eq!(does_route, routed, "{state:?} {word:?}");
        }
    }
}

/// §3.1.3, §3.3.3, §3.1.6, §3.2.3.
#[test]
fn what_the_contact_says() {
    for (state, ..) in TABLE {
        for word in WORDS {
            let before = Facts::of(state);
            let mut after = before;
            let expected = match word {
                Word::Subscribe if before.from => Delivery::Answer,
                Word::Subscribe if before.pending_in => Delivery::Drop,
                Word::Subscribe => {
                    after.pending_in = true;
                    Delivery::Deliver
                }
                Word::Unsubscribe if before.from || before.pending_in => {
                    (after.from, after.pending_in) = (false, false);
                    Delivery::Deliver
                }
                Word::Subscribed if before.pending_out => {
                    (after.to, after.pending_out) = (true, false);
                    Delivery::Deliver
                }
                Word::Unsubscribed if before.to || before.pending_out => {
                    (after.to, after.pending_out) = (false, false);
                    Delivery::Deliver
                }
                _ => Delivery::Drop,
            };
            let (delivery, becomes) = state.hear(word);
            assert_eq!(Facts::of(becomes), after, "{state:?} {word:?}");
            assert_eq!(delivery, expected, "{state:?} {word:?}");
        }
    }
}
