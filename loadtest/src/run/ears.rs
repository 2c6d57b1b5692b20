//! What a user hears beside what they wait for.

use xml::Element;

use super::post::Came;
use super::world::World;
use crate::measure::Counter;

/// Takes note of what comes to one user.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ears<'a>(pub(crate) &'a World);

impl Ears<'_> {
    /// Takes note of a stanza: a message that somebody waits for, or that came back.
    pub(crate) fn hear(self, stanza: &Element) {
        if stanza.name() != "message" {
            return;
        }
        let world = self.0;
        let id = stanza.plain_attr("id").unwrap_or_default();
        if stanza.plain_attr("type") == Some("error") {
            let condition = crate::client::condition(stanza);
            let what = format!("a message came back: {condition}");
            world.ledger.count(Counter::Bounced, 1);
            world.ledger.problem(&what, 1);
            return world.post.bounced(id);
        }
        if let Some(Came::First(due)) = world.post.came(id) {
            let took = world.now().saturating_sub(due);
            world.ledger.took(world.message, took);
        }
    }
}
