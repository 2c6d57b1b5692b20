//! XEP-0157: Contact Addresses for XMPP Services.

use std::sync::Arc;

use router::disco::Form;
use router::{Module, Plan, PlanError, To, Xep};
use xmpp::ns;

config::settings! {
    /// Contact addresses (XEP-0157): tells who discovers the server whom to turn to. Addresses
    /// are URIs: "mailto:abuse@example.org", "xmpp:admin@example.org", "https://example.org/help".
    pub struct ContactSettings {
        /// For reports of abuse.
        abuse: Vec<String> = Vec::new(),
        /// Those who run the server.
        admin: Vec<String> = Vec::new(),
        /// For feedback of users.
        feedback: Vec<String> = Vec::new(),
        /// For sales and marketing.
        sales: Vec<String> = Vec::new(),
        /// For security matters.
        security: Vec<String> = Vec::new(),
        /// Where the state of the service can be seen.
        status: Vec<String> = Vec::new(),
        /// For users who need help.
        support: Vec<String> = Vec::new(),
    }
    check |contact, problems| {
        for (key, _, addresses) in contact.addresses() {
            if let Some(address) = addresses.iter().find(|address| !is_uri(address)) {
                problems.error(
                    key,
                    format!("\"{address}\" is no URI"),
                    "write it with its scheme, such as \"mailto:admin@example.org\"",
                );
            }
        }
    }
}

/// Whether `text` begins with a scheme (RFC 3986 §3.1), has something behind it, and no blanks.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        && !rest.is_empty()
        && !rest.contains(|c: char| c.is_whitespace() || c.is_control())
}

impl ContactSettings {
    /// Key, name in the form, addresses.
    fn addresses(&self) -> [(&'static str, &'static str, &Vec<String>); 7] {
        [
            ("abuse", "abuse-addresses", &self.abuse),
            ("admin", "admin-addresses", &self.admin),
            ("feedback", "feedback-addresses", &self.feedback),
            ("sales", "sales-addresses", &self.sales),
            ("security", "security-addresses", &self.security),
            ("status", "status-addresses", &self.status),
            ("support", "support-addresses", &self.support),
        ]
    }
}

/// Tells whom to turn to. Without addresses it says nothing.
pub struct Contact;

impl Module for Contact {
    const NAME: &'static str = "contact";
    const XEPS: &'static [Xep] = &[Xep::new(
        157,
        "Contact Addresses for XMPP Services",
        "1.1.1",
    )];
    type Config = ContactSettings;

    fn plan(config: Arc<ContactSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        let form = Form {
            form_type: ns::SERVER_INFO,
            fields: config
                .addresses()
                .into_iter()
                .filter(|(_, _, addresses)| !addresses.is_empty())
                .map(|(_, field, addresses)| (field, addresses.clone()))
                .collect(),
        };
        if !form.fields.is_empty() {
            plan.form(To::Host, form);
        }
        Ok(Self)
    }
}

#[cfg(test)]
mod tests {
    use router::check::Stage;

    use super::*;
    use crate::disco::{Disco, DiscoSettings};

    fn discover(contact: ContactSettings, form: &str) {
        Stage::perform(
            |stage| {
                stage
                    .with::<Disco>(DiscoSettings::default())
                    .with::<Contact>(contact.clone())
            },
            &format!(
                "
                Juliet: <iq type='get' to='montague.lit' id='disco1'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
                Juliet gets:
                  <iq type='result' from='montague.lit' to='*' id='disco1'>
                    <query xmlns='http://jabber.org/protocol/disco#info'>
                      <identity category='server' type='im' name='Mungo'/>
                      <feature var='http://jabber.org/protocol/disco#info'/>
                      <feature var='http://jabber.org/protocol/disco#items'/>
                      {form}
                    </query>
                  </iq>
                "
            ),
        );
    }

    /// XEP-0157 §3.
    #[test]
    fn who_discovers_the_server_learns_whom_to_turn_to() {
        let of = |addresses: &[&str]| addresses.iter().map(|a| (*a).to_owned()).collect();
        let contact = ContactSettings {
            abuse: of(&["mailto:abuse@montague.lit", "xmpp:abuse@montague.lit"]),
            status: of(&["https://status.montague.lit"]),
            ..ContactSettings::default()
        };
        discover(
            contact,
            "<x xmlns='jabber:x:data' type='result'>\
             <field var='FORM_TYPE' type='hidden'><value>http://jabber.org/network/serverinfo</value></field>\
             <field var='abuse-addresses'>\
             <value>mailto:abuse@montague.lit</value>\
             <value>xmpp:abuse@montague.lit</value>\
             </field>\
             <field var='status-addresses'><value>https://status.montague.lit</value></field>\
             </x>",
        );
    }

    #[test]
    fn without_addresses_there_is_no_form() {
        discover(ContactSettings::default(), "");
    }

    /// XEP-0157 §3: values are URIs.
    #[test]
    fn an_address_that_is_no_uri_is_refused() {
        let contact = ContactSettings {
            admin: vec!["mailto:a@montague.lit".into(), "a@montague.lit".into()],
            support: vec!["call: us".into()],
            ..ContactSettings::default()
        };
        let mut problems = config::Problems::default();
        config::Setting::check(&contact, &mut problems);
        let lines = problems.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(
            lines[0].starts_with("admin: \"a@montague.lit\" is no URI"),
            "{lines:?}"
        );
        assert!(
            lines[1].starts_with("support: \"call: us\" is no URI"),
            "{lines:?}"
        );
    }
}
