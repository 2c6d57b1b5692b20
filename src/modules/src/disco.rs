//! XEP-0030: Service Discovery, of the server and of accounts.

use std::sync::Arc;

use router::disco::{Form, Identity};
use router::{Account, IqAnswer, IqRequest, Module, Plan, PlanError, To, Xep};
use xml::Writer;
use xmpp::{Condition, Stanza, StanzaError, ns};

use crate::roster::Contacts;

config::settings! {
    /// Service Discovery (XEP-0030): tells what the server and its accounts can do.
    pub struct DiscoSettings {
        /// The name of the server that people see.
        name: String = "Mungo".into(),
    }
}

/// Answers what there is and what it can do.
pub struct Disco;

impl Module for Disco {
    const NAME: &'static str = "disco";
    const XEPS: &'static [Xep] = &[
        Xep::new(30, "Service Discovery", "2.5.0"),
        Xep::new(128, "Service Discovery Extensions", "1.0.1"),
    ];
    type Config = DiscoSettings;

    fn plan(config: Arc<DiscoSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.identity(
            To::Host,
            Identity {
                category: "server",
                kind: "im",
                name: config.name.clone().into(),
            },
        );
        plan.identity(
            To::Account,
            Identity {
                category: "account",
                kind: "registered",
                name: "".into(),
            },
        );
        for to in [To::Host, To::Account, To::Services] {
            plan.feature(to, ns::DISCO_INFO);
            plan.feature(to, ns::DISCO_ITEMS);
            plan.iq(to, ns::DISCO_INFO, Self::info);
            plan.iq(to, ns::DISCO_ITEMS, Self::items);
        }
        Ok(Self)
    }
}

impl Disco {
    /// §3.1. A node is answered when a module has named it, and not there else.
    fn info(&self, iq: &IqRequest<'_>) -> IqAnswer {
        let to = may_ask(iq)?;
        let disco = iq.cx.disco(to);
        let node = iq.payload.attr("node").filter(|node| !node.is_empty());
        if node.as_ref().is_some_and(|node| !disco.has_node(node)) {
            return Err(StanzaError::new(Condition::ItemNotFound));
        }
        let mut w = Writer::new();
        w.start("query", ns::DISCO_INFO)
            .opt_attr("node", node.as_deref());
        for Identity {
            category,
            kind,
            name,
        } in disco.identities()
        {
            w.start("identity", ns::DISCO_INFO)
                .attr("category", category)
                .attr("type", kind)
                .opt_attr("name", Some(&**name).filter(|name| !name.is_empty()))
                .end();
        }
        for feature in disco.features() {
            w.start("feature", ns::DISCO_INFO)
                .attr("var", feature)
                .end();
        }
        for form in disco.forms() {
            write_form(&mut w, form);
        }
        w.end();
        Ok(Some(w.finish()))
    }

    /// §4.1: a server's items are its services, an account's its resources (RFC 6121 §8.5.1 leaves
    /// them to the server).
    fn items(&self, iq: &IqRequest<'_>) -> IqAnswer {
        let node = iq.payload.attr("node").is_some_and(|node| !node.is_empty());
        let may_see = match may_ask(iq) {
            Ok(_) => true,
            // An account that is not there has nothing, and neither has one that does not show
            // its resources (XEP-0030 §8).
            Err(error) if error.condition == Condition::ServiceUnavailable => false,
            Err(error) => return Err(error),
        };
        let mut w = Writer::new();
        w.start("query", ns::DISCO_ITEMS);
        if let Some(node) = iq.payload.attr("node") {
            w.attr("node", &node);
        }
        if iq.to == To::Host && !node {
            for name in iq.cx.services() {
                let jid = format!("{name}.{}", iq.cx.host.domain());
                let disco = iq.cx.disco(To::Service(name));
                let called = disco.identities().map(|identity| &*identity.name).next();
                w.start("item", ns::DISCO_ITEMS)
                    .attr("jid", &jid)
                    .opt_attr("name", called.filter(|name| !name.is_empty()))
                    .end();
            }
        }
        if let Some(account) = iq.account.filter(|_| may_see && !node) {
            for session in account
                .sessions()
                .iter()
                .filter(|session| session.priority().is_some())
            {
                w.start("item", ns::DISCO_ITEMS)
                    .attr("jid", session.jid.as_ref())
                    .end();
            }
        }
        w.end();
        Ok(Some(w.finish()))
    }
}

/// XEP-0128: a form of type `result`, its type in a hidden field (XEP-0068 §3).
fn write_form(w: &mut Writer, form: &Form) {
    w.start("x", ns::DATA).attr("type", "result");
    w.start("field", "")
        .attr("var", "FORM_TYPE")
        .attr("type", "hidden");
    w.leaf("value", form.form_type).end();
    for (var, values) in &form.fields {
        w.start("field", "").attr("var", var);
        for value in values {
            w.leaf("value", value);
        }
        w.end();
    }
    w.end();
}

/// An account is asked by its own sessions and by those who may see its presence: to all others one
/// that is there answers as one that is not (XEP-0030 §8).
fn may_ask(iq: &IqRequest<'_>) -> Result<To, StanzaError> {
    if iq.set {
        return Err(IqRequest::not_allowed());
    }
    match (iq.to, iq.account) {
        (To::Account, Some(account)) if iq.own() || is_seen(account, iq.stanza) => Ok(To::Account),
        (To::Account, _) => Err(StanzaError::new(Condition::ServiceUnavailable)),
        (to, _) => Ok(to),
    }
}

/// Whether the sender of `stanza` may see the presence of `account`. Without rosters nobody may.
fn is_seen(account: &Account, stanza: &Stanza) -> bool {
    let Some(from) = stanza.from() else {
        return false;
    };
    let contacts = Contacts::of(account).filter(|_| account.exists());
    contacts.is_some_and(|contacts| contacts.is_seen_by(from.bare_str()))
}

#[cfg(test)]
mod tests {
    use router::check::{Stage, check};

    use super::*;
    use crate::roster::{Roster, RosterSettings};

    #[test]
    fn a_client_asks_what_the_server_can_do() {
        check::<Disco>(
            DiscoSettings::default(),
            "
            Romeo: <iq type='get' to='montague.lit' id='info1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='romeo@montague.lit/orchard' id='info1'>
                <query xmlns='http://jabber.org/protocol/disco#info'>
                  <identity category='server' type='im' name='Mungo'/>
                  <feature var='http://jabber.org/protocol/disco#info'/>
                  <feature var='http://jabber.org/protocol/disco#items'/>
                </query>
              </iq>
            Romeo: <iq type='get' to='montague.lit' id='items1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='*' id='items1'>
                <query xmlns='http://jabber.org/protocol/disco#items'/>
              </iq>
            Romeo: <iq type='get' to='montague.lit' id='info2'><query xmlns='http://jabber.org/protocol/disco#info' node='nothing'/></iq>
            Romeo gets:
              <iq type='error' from='montague.lit' to='*' id='info2'>
                <query xmlns='http://jabber.org/protocol/disco#info' node='nothing'/>
                <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }

    #[test]
    fn an_account_tells_its_own_sessions_and_nobody_else() {
        check::<Disco>(
            DiscoSettings::default(),
            "
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Romeo: <iq type='get' to='romeo@montague.lit' id='i1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            Romeo gets:
              <iq type='result' from='romeo@montague.lit' to='*' id='i1'>
                <query xmlns='http://jabber.org/protocol/disco#items'><item jid='romeo@montague.lit/orchard'/></query>
              </iq>
            Romeo: <iq type='get' id='i2'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Romeo gets:
              <iq type='result' from='*' to='*' id='i2'>
                <query xmlns='http://jabber.org/protocol/disco#info'>
                  <identity category='account' type='registered'/>
                  <feature var='http://jabber.org/protocol/disco#info'/>
                  <feature var='http://jabber.org/protocol/disco#items'/>
                </query>
              </iq>
            Juliet: <iq type='get' to='romeo@montague.lit' id='i3'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Juliet gets:
              <iq type='error' from='romeo@montague.lit' to='*' id='i3'>
                <query xmlns='http://jabber.org/protocol/disco#info'/>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }

    #[test]
    fn an_account_shows_its_resources_to_nobody_else_and_says_not_that_it_is_there() {
        check::<Disco>(
            DiscoSettings::default(),
            "
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Juliet: <iq type='get' to='romeo@montague.lit' id='i1'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            Juliet gets:
              <iq type='result' from='romeo@montague.lit' to='*' id='i1'>
                <query xmlns='http://jabber.org/protocol/disco#items'/>
              </iq>
            Juliet: <iq type='get' to='nobody@montague.lit' id='i2'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            Juliet gets:
              <iq type='result' from='nobody@montague.lit' to='*' id='i2'>
                <query xmlns='http://jabber.org/protocol/disco#items'/>
              </iq>
            ",
        );
    }

    /// What `who` is told when it asks `account` and has no right to.
    fn nothing(who: &str, account: &str) -> String {
        format!(
            "
            {who}: <iq type='get' to='{account}' id='n1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            {who} gets:
              <iq type='error' from='{account}' to='*' id='n1'>
                <query xmlns='http://jabber.org/protocol/disco#info'/>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            {who}: <iq type='get' to='{account}' id='n2'><query xmlns='http://jabber.org/protocol/disco#info' node='nothing'/></iq>
            {who} gets:
              <iq type='error' from='{account}' to='*' id='n2'>
                <query xmlns='http://jabber.org/protocol/disco#info' node='nothing'/>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            {who}: <iq type='get' to='{account}' id='n3'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            {who} gets:
              <iq type='result' from='{account}' to='*' id='n3'>
                <query xmlns='http://jabber.org/protocol/disco#items'/>
              </iq>
            "
        )
    }

    /// §8: Juliet may see Romeo's presence, and so what his account can do and where he is. He may
    /// not see hers.
    #[test]
    fn an_account_tells_those_who_may_see_its_presence() {
        let play = "
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@montague.lit/orchard' to='romeo@montague.lit'/>
            Hidden is romeo@montague.lit/hidden
            Juliet: <presence to='romeo@montague.lit' type='subscribe'/>
            Romeo gets: <presence from='juliet@capulet.lit' to='romeo@montague.lit' type='subscribe'/>
            NOT_YET
            Romeo: <presence to='juliet@capulet.lit' type='subscribed'/>
            Juliet: <iq type='get' to='romeo@montague.lit' id='s1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Juliet gets:
              <iq type='result' from='romeo@montague.lit' to='juliet@capulet.lit/balcony' id='s1'>
                <query xmlns='http://jabber.org/protocol/disco#info'>
                  <identity category='account' type='registered'/>
                  <feature var='http://jabber.org/protocol/disco#info'/>
                  <feature var='http://jabber.org/protocol/disco#items'/>
                </query>
              </iq>
            Juliet: <iq type='get' to='romeo@montague.lit' id='s2'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
            Juliet gets:
              <iq type='result' from='romeo@montague.lit' to='*' id='s2'>
                <query xmlns='http://jabber.org/protocol/disco#items'><item jid='romeo@montague.lit/orchard'/></query>
              </iq>
            Juliet: <iq type='get' to='romeo@montague.lit' id='s3'><query xmlns='http://jabber.org/protocol/disco#items' node='nothing'/></iq>
            Juliet gets:
              <iq type='result' from='romeo@montague.lit' to='*' id='s3'>
                <query xmlns='http://jabber.org/protocol/disco#items' node='nothing'/>
              </iq>
            NOT_HIS
            NOT_NURSE
            NOBODY
            Romeo: <presence to='juliet@capulet.lit' type='unsubscribed'/>
            NOT_YET
            ";
        let play = play
            .replace("NOT_YET", &nothing("Juliet", "romeo@montague.lit"))
            .replace("NOT_HIS", &nothing("Romeo", "juliet@capulet.lit"))
            .replace("NOT_NURSE", &nothing("Juliet", "nurse@capulet.lit"))
            .replace("NOBODY", &nothing("Juliet", "nobody@montague.lit"));
        let stage = |stage: Stage| {
            stage
                .with::<Disco>(DiscoSettings::default())
                .with::<Roster>(RosterSettings::default())
        };
        Stage::perform(stage, &play);
    }
}
