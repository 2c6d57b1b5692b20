use xmpp::Stanza;

use super::*;

fn read(set: bool, payload: &str) -> Result<Command, Condition> {
    let kind = if set { "set" } else { "get" };
    let iq = format!("<iq type='{kind}' id='1'>{payload}</iq>");
    let element = Element::parse(iq.as_bytes()).unwrap();
    let stanza = Stanza::read(element, None).unwrap();
    Command::read(&stanza.payload().unwrap(), set, 2).map_err(|error| error.condition)
}

fn jids(of: &[&str]) -> Vec<Jid> {
    of.iter().map(|jid| jid.parse().unwrap()).collect()
}

/// XEP-0191 §3.2 to §3.5.
#[test]
fn every_command_is_read() {
    let cases = [
        (
            false,
            "<blocklist xmlns='urn:xmpp:blocking'/>",
            Ok(Command::BlockList),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'><item jid='romeo@montague.net'/></block>",
            Ok(Command::Block(jids(&["romeo@montague.net"]))),
        ),
        (
            true,
            "<unblock xmlns='urn:xmpp:blocking'><item jid='a@b/c'/> <item jid='d'/></unblock>",
            Ok(Command::Unblock(jids(&["a@b/c", "d"]))),
        ),
        (
            true,
            "<unblock xmlns='urn:xmpp:blocking'/>",
            Ok(Command::UnblockAll),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'/>",
            Err(Condition::BadRequest),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'><item/></block>",
            Err(Condition::BadRequest),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'><who jid='a@b'/></block>",
            Err(Condition::BadRequest),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'><item jid='@b'/></block>",
            Err(Condition::JidMalformed),
        ),
        (
            true,
            "<block xmlns='urn:xmpp:blocking'><item jid='a'/><item jid='b'/><item jid='c'/></block>",
            Err(Condition::ResourceConstraint),
        ),
        (
            true,
            "<blocklist xmlns='urn:xmpp:blocking'/>",
            Err(Condition::BadRequest),
        ),
        (
            false,
            "<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>",
            Err(Condition::BadRequest),
        ),
    ];
    for (set, payload, wanted) in cases {
        assert_eq!(read(set, payload), wanted, "{payload}");
    }
}

#[test]
fn what_is_written() {
    assert_eq!(
        &write_block_list(["a@b", "c@d/'"])[..],
        b"<blocklist xmlns='urn:xmpp:blocking'><item jid='a@b'/><item jid='c@d/&apos;'/></blocklist>"
    );
    let none: [&str; 0] = [];
    assert_eq!(
        &write_block_list(none)[..],
        b"<blocklist xmlns='urn:xmpp:blocking'/>"
    );
    assert_eq!(
        &write_block(["a@b"])[..],
        b"<block xmlns='urn:xmpp:blocking'><item jid='a@b'/></block>"
    );
    assert_eq!(
        &write_unblock(none)[..],
        b"<unblock xmlns='urn:xmpp:blocking'/>"
    );
    assert_eq!(
        &blocked().to_bytes()[..],
        b"<error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>\
          <blocked xmlns='urn:xmpp:blocking:errors'/></error>"
    );
}
