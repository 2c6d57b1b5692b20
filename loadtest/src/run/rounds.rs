//! How a group of contacts changes its presence, round by round.

use std::fmt::Write;

use bytes::BytesMut;
use xml::Element;

use super::closed::{Game, Heard};

/// One user's place in the rounds of a group: in each, everybody says a presence, and says the next
/// when all the others of the group were heard.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// Our own address: servers tell us of ourselves too (RFC 6121 §4.2.2).
    own: Box<str>,
    others: u32,
    /// How many presences were said; the last belongs to the round before.
    said: u64,
    /// Who was heard in the round that was said last.
    heard: u32,
    /// Who was heard in the next: they are ahead of us by that one.
    ahead: u32,
}

impl Rounds {
    /// The rounds of this full JID with so many others.
    pub(crate) fn new(own: &str, others: u32) -> Rounds {
        Rounds {
            own: own.into(),
            others,
            said: 0,
            heard: 0,
            ahead: 0,
        }
    }

    /// Whether it is our turn.
    pub(crate) fn is_due(&self) -> bool {
        self.said == 0 || self.heard == self.others
    }

    /// Says the presence of the next round at this time.
    pub(crate) fn say(&mut self, now: u64, out: &mut BytesMut) {
        let show = ["away", "dnd"][usize::from(self.said % 2 == 1)];
        // A buffer that grows takes all that is written to it.
        let _ = write!(
            out,
            "<presence id='{}-{now}'><show>{show}</show><status>Round {}</status></presence>",
            self.said, self.said
        );
        self.heard = match self.said {
            // Whoever was heard before we began was heard in the round that we begin.
            0 => self.heard,
            _ => std::mem::take(&mut self.ahead),
        };
        self.said += 1;
    }

    /// Takes note of a presence; `None` if it is none of these.
    pub(crate) fn hear(&mut self, presence: &Element) -> Option<Heard> {
        let ours = presence.plain_attr("from") == Some(&self.own);
        if ours || presence.name() != "presence" || presence.plain_attr("type").is_some() {
            return None;
        }
        let (round, at) = presence.plain_attr("id")?.split_once('-')?;
        let (round, said_at): (u64, u64) = (round.parse().ok()?, at.parse().ok()?);
        let ours = self.said.saturating_sub(1);
        let place = match round {
            _ if round == ours => &mut self.heard,
            _ if round == ours + 1 => &mut self.ahead,
            _ => {
                return Some(Heard {
                    in_order: false,
                    said_at,
                });
            }
        };
        *place += 1;
        Some(Heard {
            in_order: *place <= self.others,
            said_at,
        })
    }
}

impl Game for Rounds {
    fn is_due(&self) -> bool {
        Rounds::is_due(self)
    }

    fn say(&mut self, now: u64, out: &mut BytesMut) -> u64 {
        Rounds::say(self, now, out);
        self.others.into()
    }

    fn hear(&mut self, stanza: &Element) -> Option<Heard> {
        Rounds::hear(self, stanza)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(rounds: &mut Rounds) -> Element {
        let mut out = BytesMut::new();
        rounds.say(7, &mut out);
        Element::parse(&out).expect("well-formed")
    }

    #[test]
    fn the_next_round_begins_when_all_were_heard() {
        let mut group = [0; 3].map(|_| Rounds::new("u@x/r", 2));
        for _ in 0..3 {
            let said = group.each_mut().map(say);
            for (listener, rounds) in group.iter_mut().enumerate() {
                for (speaker, presence) in said.iter().enumerate() {
                    if speaker != listener {
                        assert!(!rounds.is_due());
                        let heard = rounds.hear(presence).expect("of the game");
                        assert_eq!((heard.in_order, heard.said_at), (true, 7));
                    }
                }
                assert!(rounds.is_due());
            }
        }
    }

    #[test]
    fn others_may_be_ahead_by_one_and_no_more() {
        let (mut slow, mut quick) = (Rounds::new("u@x/r", 2), Rounds::new("u@x/r", 2));
        let said: Vec<Element> = (0..3).map(|_| say(&mut quick)).collect();
        // Heard before we have said anything ourselves.
        assert!(slow.hear(&said[0]).expect("of the game").in_order);
        say(&mut slow);
        assert!(slow.hear(&said[1]).expect("of the game").in_order);
        assert!(!slow.is_due());
        assert!(!slow.hear(&said[2]).expect("of the game").in_order);
        assert!(slow.hear(&said[0]).expect("of the game").in_order);
        assert!(slow.is_due());
        say(&mut slow);
        // The one who was ahead counts for this round.
        assert!(slow.hear(&said[1]).expect("of the game").in_order);
        assert!(slow.is_due());
        // A double.
        assert!(!slow.hear(&said[1]).expect("of the game").in_order);
    }

    #[test]
    fn other_presences_are_no_part_of_it() {
        let mut rounds = Rounds::new("u@x/r", 1);
        for other in [
            "<presence/>",
            "<presence id='x'/>",
            "<presence id='0-1' type='unavailable'/>",
            "<presence id='0-1' from='u@x/r'/>",
            "<message id='0-1'/>",
        ] {
            let element = Element::parse(other.as_bytes()).expect("well-formed");
            assert_eq!(rounds.hear(&element), None, "{other}");
        }
    }
}
