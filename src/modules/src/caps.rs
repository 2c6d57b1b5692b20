//! XEP-0115: Entity Capabilities, of the server.
//!
//! Those of clients travel in their presence, untouched.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use router::disco::Disco;
use router::{Module, Plan, PlanError, To, Xep};
use sha1::{Digest, Sha1};
use xml::Writer;
use xmpp::ns;

config::settings! {
    /// Entity Capabilities (XEP-0115): shows clients at login a hash of what service discovery
    /// tells of the server, so that those who know the hash need not ask.
    pub struct CapsSettings {
        /// The URI of the server's software, to which the hash is appended.
        node: String = "urn:x-mungo".into(),
    }
    check |caps, problems| {
        if caps.node.is_empty() || caps.node.contains(|c: char| c == '#' || c.is_whitespace()) {
            problems.error(
                "node",
                "it must be a URI without \"#\" and blanks",
                "write the address of a page about the server, such as \"https://example.org/\"",
            );
        }
    }
}

/// Shows what the server can do, as a hash, in the features of a stream.
pub struct Caps {
    node: String,
}

impl Module for Caps {
    const NAME: &'static str = "caps";
    const XEPS: &'static [Xep] =
        &[Xep::new(115, "Entity Capabilities", "1.6.0").without("the optimisation of presence")];
    type Config = CapsSettings;

    fn plan(config: Arc<CapsSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::CAPS);
        plan.stream_feature(Self::show);
        plan.disco_node(|caps, host| format!("{}#{}", caps.node, verification(host)));
        Ok(Self {
            node: config.node.clone(),
        })
    }
}

impl Caps {
    /// §6.3.
    fn show(&self, host: &Disco) -> Bytes {
        let mut w = Writer::new();
        w.start("c", ns::CAPS)
            .attr("hash", "sha-1")
            .attr("node", &self.node)
            .attr("ver", &verification(host))
            .end();
        w.finish()
    }
}

/// The verification string of §5.1.
fn verification(entity: &Disco) -> String {
    let identities = entity
        .identities()
        // No identity of ours has a language.
        .map(|identity| [identity.category, identity.kind, "", &identity.name]);
    let forms = entity.forms().map(|form| {
        let fields = form.fields.iter();
        let fields =
            fields.map(|(var, values)| (*var, values.iter().map(String::as_str).collect()));
        (form.form_type, fields.collect())
    });
    hash(
        identities.collect(),
        entity.features().collect(),
        forms.collect(),
    )
}

/// A form: its type, and its other fields with their values.
type Form<'a> = (&'a str, Vec<(&'a str, Vec<&'a str>)>);

/// §5.1, of identities (category, type, language, name), features and forms in any order.
fn hash(
    mut identities: Vec<[&str; 4]>,
    mut features: Vec<&str>,
    mut forms: Vec<Form<'_>>,
) -> String {
    let mut text = String::new();
    let mut append = |part: &str| {
        text.push_str(part);
        text.push('<');
    };
    identities.sort_unstable();
    for identity in identities {
        append(&identity.join("/"));
    }
    features.sort_unstable();
    features.into_iter().for_each(&mut append);
    forms.sort_unstable();
    for (form_type, mut fields) in forms {
        append(form_type);
        fields.sort_unstable();
        for (var, mut values) in fields {
            append(var);
            values.sort_unstable();
            values.into_iter().for_each(&mut append);
        }
    }
    BASE64_STANDARD.encode(Sha1::digest(text))
}

#[cfg(test)]
mod tests {
    use router::check::Stage;
    use router::{Clock, HostType, Planned, Router, RouterSettings};

    use super::*;
    use crate::disco::DiscoSettings;
    use crate::ping::{Ping, PingSettings};

    const FEATURES: [&str; 4] = [
        "http://jabber.org/protocol/muc",
        "http://jabber.org/protocol/disco#items",
        "http://jabber.org/protocol/disco#info",
        "http://jabber.org/protocol/caps",
    ];

    /// XEP-0115 §5.2.
    #[test]
    fn the_simple_example_has_its_hash() {
        let identities = vec![["client", "pc", "", "Exodus 0.9.1"]];
        let ver = hash(identities, FEATURES.into(), Vec::new());
        assert_eq!(ver, "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    /// XEP-0115 §5.3: two languages, and a form.
    #[test]
    fn the_complex_example_has_its_hash() {
        let identities = vec![
            ["client", "pc", "en", "Psi 0.11"],
            ["client", "pc", "el", "Ψ 0.11"],
        ];
        let fields = vec![
            ("software_version", vec!["0.11"]),
            ("os", vec!["Mac"]),
            ("ip_version", vec!["ipv6", "ipv4"]),
            ("software", vec!["Psi"]),
            ("os_version", vec!["10.5.1"]),
        ];
        let forms = vec![("urn:xmpp:dataforms:softwareinfo", fields)];
        let ver = hash(identities, FEATURES.into(), forms);
        assert_eq!(ver, "q07IKJEyjvHSyhy//CH0CxmKi8w=");
    }

    /// What the host of the plays shows with the modules `disco` and `caps`.
    const SHOWN: &str = "+DlvpOJPCGdVEAkLe+v1zEuCcZE=";

    /// XEP-0115 §6.2.
    #[test]
    fn who_asks_for_the_hash_is_told_what_was_hashed() {
        Stage::perform(
            |stage| {
                stage
                    .with::<crate::disco::Disco>(DiscoSettings::default())
                    .with::<Caps>(CapsSettings::default())
            },
            &format!(
                "
                Juliet: <iq type='get' to='montague.lit' id='disco1'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:x-mungo#{SHOWN}'/></iq>
                Juliet gets:
                  <iq type='result' from='montague.lit' to='*' id='disco1'>
                    <query xmlns='http://jabber.org/protocol/disco#info' node='urn:x-mungo#{SHOWN}'>
                      <identity category='server' type='im' name='Mungo'/>
                      <feature var='http://jabber.org/protocol/caps'/>
                      <feature var='http://jabber.org/protocol/disco#info'/>
                      <feature var='http://jabber.org/protocol/disco#items'/>
                    </query>
                  </iq>
                Juliet: <iq type='get' to='montague.lit' id='disco2'><query xmlns='http://jabber.org/protocol/disco#info' node='urn:x-mungo#66/0NaeaBKkwk85efJTGmU47vXI='/></iq>
                Juliet gets:
                  <iq type='error' from='montague.lit' to='*' id='disco2'>
                    <query xmlns='http://jabber.org/protocol/disco#info' node='urn:x-mungo#66/0NaeaBKkwk85efJTGmU47vXI='/>
                    <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
                  </iq>
                "
            ),
        );
    }

    /// XEP-0115 §6.1: when the features change the hash does. It is the hash of what is told.
    #[test]
    fn the_hash_follows_the_modules_that_come_and_go() {
        let router = Router::new(RouterSettings::default(), Clock::system());
        let host = HostType::new("check");
        let shown = || String::from_utf8(host.stream_features().to_vec()).expect("text");
        let identities = vec![["server", "im", "", "Mungo"]];
        let told = |host: &HostType| {
            let ver = hash(identities.clone(), host.features(To::Host), Vec::new());
            format!(
                "<c xmlns='{}' hash='sha-1' node='urn:x-mungo' ver='{ver}'/>",
                ns::CAPS
            )
        };
        assert_eq!(shown(), "");

        let caps = Planned::new::<Caps>(CapsSettings::default().into(), &router).expect("a plan");
        let disco = Planned::new::<crate::disco::Disco>(DiscoSettings::default().into(), &router);
        let ping = Planned::new::<Ping>(PingSettings::default().into(), &router);
        let install = |planned, order| host.install(planned, order).expect("no conflict");
        let caps = install(caps, 0);
        let _disco = install(disco.expect("a plan"), 1);
        let without = shown();
        assert_eq!(without, told(&host));
        assert!(without.contains(SHOWN), "{without}");

        let ping = install(ping.expect("a plan"), 2);
        let with = shown();
        assert_eq!(with, told(&host));
        assert_ne!(with, without);
        // Its actor died: its features are gone until it is back.
        drop(ping);
        assert_eq!(shown(), without);

        caps.withdraw();
        assert_eq!(shown(), "");
    }

    #[test]
    fn a_node_that_would_be_misread_is_refused() {
        for node in ["", "urn:a#b", "urn:a b"] {
            let caps = CapsSettings { node: node.into() };
            let mut problems = config::Problems::default();
            config::Setting::check(&caps, &mut problems);
            assert_eq!(problems.lines().len(), 1, "{node:?}");
        }
    }
}
