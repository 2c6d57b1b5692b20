//! XEP-0092: Software Version, and the same in service discovery (XEP-0232).

use std::sync::Arc;

use router::disco::Form;
use router::{IqAnswer, IqRequest, Module, Plan, PlanError, To, Xep};
use xml::Writer;
use xmpp::ns;

const NAME: &str = "Mungo";
const VERSION: &str = env!("CARGO_PKG_VERSION");

config::settings! {
    /// Software Version (XEP-0092): tells who asks what the server is.
    pub struct VersionSettings {
        /// Whether the operating system is told too.
        show_os: bool = false,
    }
}

/// Answers what the server's software is.
pub struct Version {
    os: Option<&'static str>,
}

impl Module for Version {
    const NAME: &'static str = "version";
    const XEPS: &'static [Xep] = &[
        Xep::new(92, "Software Version", "1.1"),
        Xep::new(232, "Software Information", "0.3").without("icons"),
    ];
    type Config = VersionSettings;

    fn plan(config: Arc<VersionSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::VERSION);
        plan.iq(To::Host, ns::VERSION, Self::answer);
        let version = Self {
            os: config.show_os.then_some(std::env::consts::OS),
        };
        plan.form(To::Host, version.form());
        Ok(version)
    }
}

impl Version {
    /// XEP-0232 §2.
    fn form(&self) -> Form {
        let fields = [
            ("software", Some(NAME)),
            ("software_version", Some(VERSION)),
            ("os", self.os),
        ];
        Form {
            form_type: ns::SOFTWARE_INFO,
            fields: fields
                .into_iter()
                .filter_map(|(var, value)| Some((var, vec![value?.to_owned()])))
                .collect(),
        }
    }

    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set {
            return Err(IqRequest::not_allowed());
        }
        let mut w = Writer::new();
        w.start("query", ns::VERSION);
        for (name, value) in [
            ("name", Some(NAME)),
            ("version", Some(VERSION)),
            ("os", self.os),
        ] {
            if let Some(value) = value {
                w.start(name, ns::VERSION).text(value).end();
            }
        }
        w.end();
        Ok(Some(w.finish()))
    }
}

#[cfg(test)]
mod tests {
    use router::check::{Stage, check};

    use super::*;
    use crate::disco::{Disco, DiscoSettings};

    /// XEP-0232 §2.
    #[test]
    fn who_discovers_the_server_learns_its_software() {
        Stage::perform(
            |stage| {
                stage
                    .with::<Disco>(DiscoSettings::default())
                    .with::<Version>(VersionSettings { show_os: true })
            },
            "
            Romeo: <iq type='get' to='montague.lit' id='disco1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='*' id='disco1'>
                <query xmlns='http://jabber.org/protocol/disco#info'>
                  <identity category='server' type='im' name='Mungo'/>
                  <feature var='http://jabber.org/protocol/disco#info'/>
                  <feature var='http://jabber.org/protocol/disco#items'/>
                  <feature var='jabber:iq:version'/>
                  <x xmlns='jabber:x:data' type='result'>
                    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
                    <field var='os'><value>*</value></field>
                    <field var='software'><value>Mungo</value></field>
                    <field var='software_version'><value>*</value></field>
                  </x>
                </query>
              </iq>
            ",
        );
    }

    #[test]
    fn the_server_says_what_it_is() {
        check::<Version>(
            VersionSettings { show_os: true },
            "
            Romeo: <iq type='get' to='montague.lit' id='v1'><query xmlns='jabber:iq:version'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='romeo@montague.lit/orchard' id='v1'>
                <query xmlns='jabber:iq:version'>
                  <name>Mungo</name>
                  <version>*</version>
                  <os>*</os>
                </query>
              </iq>
            ",
        );
    }

    #[test]
    fn the_operating_system_stays_unsaid() {
        check::<Version>(
            VersionSettings::default(),
            "
            Romeo: <iq type='get' to='montague.lit' id='v1'><query xmlns='jabber:iq:version'/></iq>
            Romeo gets:
              <iq type='result' from='montague.lit' to='*' id='v1'>
                <query xmlns='jabber:iq:version'><name>Mungo</name><version>*</version></query>
              </iq>
            Romeo: <iq type='set' to='montague.lit' id='v2'><query xmlns='jabber:iq:version'/></iq>
            Romeo gets:
              <iq type='error' from='montague.lit' to='*' id='v2'>
                <query xmlns='jabber:iq:version'/>
                <error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
              </iq>
            ",
        );
    }
}
