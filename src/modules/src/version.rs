//! XEP-0092: Software Version.

use std::sync::Arc;

use router::{IqAnswer, IqRequest, Module, Plan, PlanError, To, Xep};
use xml::Writer;
use xmpp::ns;

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
    const XEPS: &'static [Xep] = &[Xep::new(92, "Software Version", "1.1")];
    type Config = VersionSettings;

    fn plan(config: Arc<VersionSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        plan.feature(To::Host, ns::VERSION);
        plan.iq(To::Host, ns::VERSION, Self::answer);
        Ok(Self {
            os: config.show_os.then_some(std::env::consts::OS),
        })
    }
}

impl Version {
    fn answer(&self, iq: &IqRequest<'_>) -> IqAnswer {
        if iq.set {
            return Err(IqRequest::not_allowed());
        }
        let mut w = Writer::new();
        w.start("query", ns::VERSION);
        for (name, value) in [
            ("name", Some("Mungo")),
            ("version", Some(env!("CARGO_PKG_VERSION"))),
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
    use router::check::check;

    use super::*;

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
