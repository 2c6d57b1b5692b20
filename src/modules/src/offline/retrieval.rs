//! XEP-0013: Flexible Offline Message Retrieval. A client looks through what waits, takes what it wants
//! and strikes off what it has read, in place of being sent all of it.

use ::store::StoreError;
use router::{Account, IqAnswer, OwnedIq};
use smallvec::SmallVec;
use xml::{Child, Element, Writer};
use xmpp::{Condition, StanzaError, ns};

use super::spool::Spool;
use super::stamp::restore;
use super::store::{OfflineWrite, Waiting};
use super::{Keeps, Offline};
use crate::patience::patiently;

/// Messages that one request may name.
const NAMED: usize = 1_000;

/// A session that has it is not sent what waits when it comes online, and as long as it is there no
/// other of the account is (§2.2).
#[derive(Default)]
struct ByHand;

/// Whether a session of the account looks through what waits by itself.
pub(super) fn is_by_hand(account: &Account) -> bool {
    let sessions = account.sessions();
    sessions.iter().any(|s| s.peek::<ByHand>().is_some())
}

/// What a client wants done (§2.4 to §2.7).
enum Wish {
    View(Vec<i64>),
    Fetch,
    Remove(Vec<i64>),
    Purge,
}

impl Offline {
    /// Service discovery of what waits: how many (§2.2), or their heads (§2.3).
    pub(super) async fn contents(&self, iq: OwnedIq) -> IqAnswer {
        let (account, spool) = own(&iq)?;
        let payload = iq.stanza.payload().ok_or_else(bad)?;
        if iq.set {
            return Err(StanzaError::new(Condition::NotAllowed));
        }
        take_over(&iq);
        if payload.ns() == ns::DISCO_INFO {
            let now = self.keeps.clock.unix_millis();
            return Ok(Some(information(spool.len(now))));
        }
        let _turn = spool.turn().await;
        let heads = patiently(async {
            self.keeps.writer.barrier().await?;
            self.keeps.store.heads(account.jid()).await
        })
        .await?;
        let there = spool.ids(self.keeps.clock.unix_millis());
        let mut w = Writer::new();
        w.start("query", ns::DISCO_ITEMS).attr("node", ns::OFFLINE);
        for head in &heads {
            if there.binary_search(&head.id).is_ok() {
                w.start("item", ns::DISCO_ITEMS)
                    .attr("jid", account.jid().as_ref())
                    .attr("node", &node(head.id))
                    .attr("name", &head.sender)
                    .end();
            }
        }
        w.end();
        Ok(Some(w.finish()))
    }

    /// What a client wants of some of them, or of all. Where one is not there nothing is done.
    pub(super) async fn retrieve(&self, iq: OwnedIq) -> IqAnswer {
        let (account, spool) = own(&iq)?;
        let payload = iq.stanza.payload().ok_or_else(bad)?;
        let wish = wish(&payload.element().map_err(|_| bad())?, iq.set)?;
        take_over(&iq);
        let _turn = spool.turn().await;
        let there = spool.ids(self.keeps.clock.unix_millis());
        let named = match wish {
            Wish::View(ids) | Wish::Remove(ids) => ids,
            Wish::Fetch | Wish::Purge => there.clone(),
        };
        if named.iter().any(|id| there.binary_search(id).is_err()) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        if iq.set {
            let forget = OfflineWrite::Forget(account.jid().clone(), named.clone());
            let forgotten = self.keeps.writer.push(forget)?;
            spool.forget(&named);
            patiently(forgotten).await?;
        } else {
            self.show(&iq, account, spool, &named).await?;
        }
        Ok(None)
    }

    /// Sends messages that stay where they are; the answer comes behind them.
    async fn show(
        &self,
        iq: &OwnedIq,
        account: &Account,
        spool: &Spool,
        ids: &[i64],
    ) -> Result<(), StanzaError> {
        let Some(session) = iq.session() else {
            // It has ended: there is nobody to be told.
            return Ok(());
        };
        for ids in spool.batches(ids) {
            let messages = self.keeps.read(account, &ids).await?;
            let wanted = messages.iter().filter(|m| ids.binary_search(&m.id).is_ok());
            let stanzas = wanted.filter_map(|message| {
                let stanza = restore(message, account.jid().domain())?;
                Some(stanza.edit().append(mark(message.id)).done())
            });
            if session.feed(stanzas.collect()).await.is_err() {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Keeps {
    /// Messages from the first to the last of these numbers, with what is on its way to the disk.
    pub(super) async fn read(
        &self,
        account: &Account,
        ids: &[i64],
    ) -> Result<Vec<Waiting>, StoreError> {
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else {
            return Ok(Vec::new());
        };
        patiently(async {
            self.writer.barrier().await?;
            self.store.read(account.jid(), *first, *last).await
        })
        .await
    }
}

/// The account and its spool, if one of its own sessions asks.
fn own(iq: &OwnedIq) -> Result<(&Account, &Spool), StanzaError> {
    let account = match &iq.account {
        Some(hold) if iq.own() => hold.account(),
        _ => return Err(StanzaError::new(Condition::Forbidden)),
    };
    let spool = account.slot::<Spool>();
    let away = || StanzaError::new(Condition::ServiceUnavailable);
    Ok((account, spool.ok_or_else(away)?))
}

fn take_over(iq: &OwnedIq) {
    if let Some(session) = iq.session() {
        let _ = session.slot::<ByHand>();
    }
}

fn bad() -> StanzaError {
    StanzaError::new(Condition::BadRequest)
}

/// How a message is called: clients may sort by it.
fn node(id: i64) -> String {
    format!("{id:019}")
}

fn wish(asked: &Element, set: bool) -> Result<Wish, StanzaError> {
    let children: SmallVec<[Child<'_>; 4]> = asked.children().collect();
    let ours = children.iter().all(|child| child.ns() == ns::OFFLINE);
    match (&*children, set) {
        _ if asked.name() != "offline" || !ours => Err(bad()),
        ([], _) => Err(bad()),
        ([all], false) if all.name() == "fetch" => Ok(Wish::Fetch),
        ([all], true) if all.name() == "purge" => Ok(Wish::Purge),
        (items, false) => Ok(Wish::View(named(items, "view")?)),
        (items, true) => Ok(Wish::Remove(named(items, "remove")?)),
    }
}

/// The numbers of the messages that `items` name, ascending.
fn named(items: &[Child<'_>], action: &str) -> Result<Vec<i64>, StanzaError> {
    if items.len() > NAMED {
        let text = format!("at most {NAMED} messages at a time");
        return Err(StanzaError::new(Condition::NotAcceptable).with_text(text));
    }
    let mut ids = Vec::with_capacity(items.len());
    for item in items {
        if item.name() != "item" || item.attr("action").as_deref() != Some(action) {
            return Err(bad());
        }
        let id = item.attr("node").and_then(|node| node.parse().ok());
        ids.push(id.ok_or(StanzaError::new(Condition::ItemNotFound))?);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// What says which of the waiting messages this is.
fn mark(id: i64) -> bytes::Bytes {
    let mut w = Writer::new();
    w.start("offline", ns::OFFLINE);
    w.start("item", ns::OFFLINE).attr("node", &node(id)).end();
    w.end();
    w.finish()
}

fn information(messages: usize) -> bytes::Bytes {
    let mut w = Writer::new();
    w.start("query", ns::DISCO_INFO).attr("node", ns::OFFLINE);
    w.start("identity", ns::DISCO_INFO)
        .attr("category", "automation")
        .attr("type", "message-list")
        .end();
    w.start("feature", ns::DISCO_INFO)
        .attr("var", ns::OFFLINE)
        .end();
    w.start("x", ns::DATA).attr("type", "result");
    w.start("field", "")
        .attr("var", "FORM_TYPE")
        .attr("type", "hidden");
    w.leaf("value", ns::OFFLINE).end();
    w.start("field", "").attr("var", "number_of_messages");
    w.leaf("value", &messages.to_string()).end();
    w.end();
    w.end();
    w.finish()
}

#[cfg(test)]
mod tests {
    use router::check::Stage;

    use super::super::{Offline, OfflineSettings};
    use crate::disco::{Disco, DiscoSettings};

    const OFFLINE: &str = "http://jabber.org/protocol/offline";
    /// Two messages wait for Romeo, and the numbers that they have.
    const WAITING: &str = "
            Juliet: <message id='m1' to='romeo@montague.lit'><body>O Romeo, Romeo! wherefore art thou Romeo?</body></message>
            T: 5s
            Nurse is nurse@capulet.lit/kitchen
            Nurse: <message id='m2' to='romeo@montague.lit'><body>Sir, my lady calls.</body></message>
            Nurse gets nothing
            ";
    const M1: &str = "0001771070400000000";
    const M2: &str = "0001771070405000000";

    fn play(play: &str) {
        let play = format!("{WAITING}{play}");
        let play = play
            .replace("{OFFLINE}", OFFLINE)
            .replace("{M1}", M1)
            .replace("{M2}", M2);
        Stage::perform(
            |stage| {
                stage
                    .with::<Disco>(DiscoSettings::default())
                    .with::<Offline>(OfflineSettings::default())
            },
            &play,
        );
    }

    /// §2.1.
    #[test]
    fn the_server_says_that_it_can() {
        play(
            "
            Romeo: <iq type='get' id='d' to='montague.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Romeo gets:
              <iq type='result' id='d' from='montague.lit' to='*'>
                <query xmlns='http://jabber.org/protocol/disco#info'><feature var='{OFFLINE}'/><**/></query>
              </iq>
            ",
        );
    }

    /// §2.2, examples 3 and 4: who asks is not sent the messages, nor is another of its resources.
    #[test]
    fn who_asks_how_many_there_are_is_not_flooded() {
        play(
            "
            Romeo: <iq type='get' id='n'><query xmlns='http://jabber.org/protocol/disco#info' node='{OFFLINE}'/></iq>
            Romeo gets:
              <iq type='result' id='n' from='romeo@montague.lit' to='romeo@montague.lit/orchard'>
                <query xmlns='http://jabber.org/protocol/disco#info' node='{OFFLINE}'>
                  <identity category='automation' type='message-list'/>
                  <feature var='{OFFLINE}'/>
                  <x xmlns='jabber:x:data' type='result'>
                    <field var='FORM_TYPE' type='hidden'><value>{OFFLINE}</value></field>
                    <field var='number_of_messages'><value>2</value></field>
                  </x>
                </query>
              </iq>
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Romeo gets nothing
            Phone is romeo@montague.lit/phone
            Phone: <presence/>
            Phone gets: <presence from='romeo@montague.lit/phone' *><**/></presence>
            Phone gets: <presence from='romeo@montague.lit/orchard' *><**/></presence>
            Phone gets nothing
            Romeo gets: <presence from='romeo@montague.lit/phone' *><**/></presence>
            Juliet: <message id='m3' to='romeo@montague.lit/orchard'><body>now</body></message>
            Romeo gets: <message id='m3' from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard'><body>now</body></message>
            ",
        );
    }

    /// The rest of them waits for the next session, in the old way (§2.5).
    #[test]
    fn what_was_not_removed_comes_at_the_next_login() {
        play(
            "
            Romeo: <iq type='get' id='n'><query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'/></iq>
            Romeo gets: <iq type='result' id='n' from='*' to='*'><**/></iq>
            Romeo: <iq type='set' id='r'><offline xmlns='{OFFLINE}'><item action='remove' node='{M1}'/></offline></iq>
            Romeo gets: <iq type='result' id='r' from='*' to='*'/>
            Romeo closes
            Phone is romeo@montague.lit/phone
            Phone: <presence/>
            Phone gets: <presence from='romeo@montague.lit/phone' *><**/></presence>
            Phone gets: <message id='m2' from='nurse@capulet.lit/kitchen' to='romeo@montague.lit'><body>Sir, my lady calls.</body><*/></message>
            Phone gets nothing
            ",
        );
    }

    /// §2.3, examples 5 and 6.
    #[test]
    fn the_heads_say_who_wrote() {
        play(
            "
            Romeo: <iq type='get' id='h'><query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'/></iq>
            Romeo gets:
              <iq type='result' id='h' from='romeo@montague.lit' to='romeo@montague.lit/orchard'>
                <query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'>
                  <item jid='romeo@montague.lit' node='{M1}' name='juliet@capulet.lit/balcony'/>
                  <item jid='romeo@montague.lit' node='{M2}' name='nurse@capulet.lit/kitchen'/>
                </query>
              </iq>
            Juliet: <iq type='get' id='h' to='romeo@montague.lit'><query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'/></iq>
            Juliet gets:
              <iq type='error' id='h' from='romeo@montague.lit' to='*'>
                <*/><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }

    /// §2.4, examples 7 and 8; §2.5, examples 9 and 10: to see it is not to remove it.
    #[test]
    fn a_message_is_seen_and_then_removed() {
        play(
            "
            Romeo: <iq type='get' id='view1'><offline xmlns='{OFFLINE}'><item action='view' node='{M2}'/></offline></iq>
            Romeo gets:
              <message id='m2' from='nurse@capulet.lit/kitchen' to='romeo@montague.lit'>
                <body>Sir, my lady calls.</body>
                <delay xmlns='urn:xmpp:delay' from='montague.lit' stamp='2026-02-14T12:00:05Z'/>
                <offline xmlns='{OFFLINE}'><item node='{M2}'/></offline>
              </message>
              <iq type='result' id='view1' from='romeo@montague.lit' to='romeo@montague.lit/orchard'/>
            Romeo: <iq type='set' id='remove1'><offline xmlns='{OFFLINE}'><item action='remove' node='{M2}'/></offline></iq>
            Romeo gets: <iq type='result' id='remove1' from='romeo@montague.lit' to='romeo@montague.lit/orchard'/>
            Romeo: <iq type='get' id='view2'><offline xmlns='{OFFLINE}'><item action='view' node='{M1}'/><item action='view' node='{M2}'/></offline></iq>
            Romeo gets:
              <iq type='error' id='view2' from='romeo@montague.lit' to='*'>
                <*/><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }

    /// §2.6, examples 11 and 12; §2.7, examples 13 and 14.
    #[test]
    fn all_are_fetched_and_purged() {
        play(
            "
            Romeo: <iq type='get' id='fetch1'><offline xmlns='{OFFLINE}'><fetch/></offline></iq>
            Romeo gets: <message id='m1' *><body>O Romeo, Romeo! wherefore art thou Romeo?</body><**/></message>
            Romeo gets: <message id='m2' *><body>Sir, my lady calls.</body><**/></message>
            Romeo gets: <iq type='result' id='fetch1' from='romeo@montague.lit' to='romeo@montague.lit/orchard'/>
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Romeo gets nothing
            Romeo: <iq type='set' id='purge1'><offline xmlns='{OFFLINE}'><purge/></offline></iq>
            Romeo gets: <iq type='result' id='purge1' from='romeo@montague.lit' to='romeo@montague.lit/orchard'/>
            Romeo: <iq type='get' id='h'><query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'/></iq>
            Romeo gets: <iq type='result' id='h' from='*' to='*'><query xmlns='http://jabber.org/protocol/disco#items' node='{OFFLINE}'/></iq>
            ",
        );
    }

    /// Ours: what is no wish changes nothing.
    #[test]
    fn what_is_neither_is_a_bad_request() {
        let mut lines = String::new();
        for (number, (kind, wish)) in [
            ("get", ""),
            ("get", "<purge/>"),
            ("set", "<fetch/>"),
            ("set", "<item action='view' node='{M1}'/>"),
            ("set", "<item action='remove' node='{M1}'/><purge/>"),
            ("set", "<purge/><item action='remove' node='{M1}'/>"),
            ("set", "<purge xmlns='urn:other'/>"),
        ]
        .iter()
        .enumerate()
        {
            lines += &format!(
                "
            Romeo: <iq type='{kind}' id='b{number}'><offline xmlns='{{OFFLINE}}'>{wish}</offline></iq>
            Romeo gets:
              <iq type='error' id='b{number}' from='*' to='*'>
                <*/><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            "
            );
        }
        lines += "
            Romeo: <iq type='set' id='f'><offline xmlns='{OFFLINE}'><item action='remove' node='yesterday'/></offline></iq>
            Romeo gets:
              <iq type='error' id='f' from='*' to='*'>
                <*/><error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            Romeo: <iq type='get' id='fetch1'><offline xmlns='{OFFLINE}'><fetch/></offline></iq>
            Romeo gets: <message id='m1' *><**/></message>
            Romeo gets: <message id='m2' *><**/></message>
            Romeo gets: <iq type='result' id='fetch1' from='*' to='*'/>
            ";
        play(&lines);
    }
}
