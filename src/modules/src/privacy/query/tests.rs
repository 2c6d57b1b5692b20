use xmpp::Stanza;

use super::*;

const MAX: usize = 3;

fn read(set: bool, payload: &str) -> Result<Query, StanzaError> {
    let kind = if set { "set" } else { "get" };
    let iq = format!("<iq type='{kind}' id='1'>{payload}</iq>");
    let element = Element::parse(iq.as_bytes()).unwrap();
    let stanza = Stanza::read(element, None).unwrap();
    Query::read(&stanza.payload().unwrap(), set, MAX)
}

fn query(set: bool, content: &str) -> Result<Query, StanzaError> {
    read(
        set,
        &format!("<query xmlns='jabber:iq:privacy'>{content}</query>"),
    )
}

/// What a list of this content is refused with.
fn refused(content: &str) -> Option<Condition> {
    let list = query(true, &format!("<list name='x'>{content}</list>"));
    list.err().map(|error| error.condition)
}

/// XEP-0016 §2.3 to §2.8.
#[test]
fn every_request_is_read() {
    assert!(matches!(query(false, ""), Ok(Query::Names)));
    assert!(
        matches!(query(false, "<list name='public'/>"), Ok(Query::Get(name)) if name == "public")
    );
    let active = query(true, "<active name='special'/>");
    assert!(matches!(active, Ok(Query::Active(Some(name))) if name == "special"));
    assert!(matches!(query(true, "<active/>"), Ok(Query::Active(None))));
    let default = query(true, "<default name='special'/>");
    assert!(matches!(default, Ok(Query::Default(Some(name))) if name == "special"));
    assert!(matches!(
        query(true, "<default/>"),
        Ok(Query::Default(None))
    ));
    let remove = query(true, "<list name='private'/>");
    assert!(matches!(remove, Ok(Query::Remove(name)) if name == "private"));
}

/// XEP-0016 §2.1 and §2.3: one at a time, and a name where one is needed.
#[test]
fn requests_that_are_none_are_refused() {
    for (set, content) in [
        (false, "<list name='public'/><list name='private'/>"),
        (false, "<active/>"),
        (false, "<default name='public'/>"),
        (false, "<list/>"),
        (false, "<list name=''/>"),
        (true, ""),
        (true, "<list name='a'/><list name='b'/>"),
        (true, "<active name='a'/><default name='a'/>"),
        (true, "<active name=''/>"),
        (true, "<list/>"),
        (true, "<rule name='a'/>"),
    ] {
        let condition = query(set, content).err().map(|error| error.condition);
        assert_eq!(condition, Some(Condition::BadRequest), "{set} {content}");
    }
    let other = read(true, "<lists xmlns='jabber:iq:privacy'><active/></lists>");
    assert_eq!(other.unwrap_err().condition, Condition::BadRequest);
    let long = format!("<list name='{}'/>", "é".repeat(255));
    assert!(query(false, &long).is_ok());
    let longer = format!("<list name='{}'/>", "é".repeat(256));
    assert!(query(false, &longer).is_err());
}

/// XEP-0016 §2.1, attribute by attribute.
#[test]
fn rules_that_are_none_are_refused() {
    const BAD: Option<Condition> = Some(Condition::BadRequest);
    let cases = [
        ("<item action='allow' order='1'/>", None),
        ("<item action='allow' order='4294967295'/>", None),
        ("<item order='1'/>", BAD),
        ("<item action='drop' order='1'/>", BAD),
        ("<item action='allow'/>", BAD),
        ("<item action='allow' order='-1'/>", BAD),
        ("<item action='allow' order='1.5'/>", BAD),
        ("<item action='allow' order='4294967296'/>", BAD),
        ("<item action='allow' order='first'/>", BAD),
        ("<item type='jid' action='deny' order='1'/>", BAD),
        ("<item type='nick' value='a' action='deny' order='1'/>", BAD),
        (
            "<item type='jid' value='@' action='deny' order='1'/>",
            Some(Condition::JidMalformed),
        ),
        ("<item type='group' value='' action='deny' order='1'/>", BAD),
        (
            "<item type='subscription' value='ask' action='deny' order='1'/>",
            BAD,
        ),
        ("<item action='deny' order='1'><presence/></item>", BAD),
        (
            "<item action='deny' order='1'><iq xmlns='urn:x'/></item>",
            BAD,
        ),
        ("<rule action='deny' order='1'/>", BAD),
        // Unique orders.
        (
            "<item action='deny' order='1'/><item action='allow' order='01'/>",
            BAD,
        ),
        (
            "<item action='deny' order='1'/><item action='allow' order='2'/>\
             <item action='allow' order='3'/><item action='allow' order='4'/>",
            Some(Condition::ResourceConstraint),
        ),
    ];
    for (content, wanted) in cases {
        assert_eq!(refused(content), wanted, "{content}");
    }
    let group = |length: usize| {
        let group = "x".repeat(length);
        refused(&format!(
            "<item type='group' value='{group}' action='deny' order='1'/>"
        ))
    };
    assert_eq!(group(1023), None);
    assert_eq!(group(1024), BAD);
}

/// What was put is what is shown, in the order of the rules.
#[test]
fn a_list_comes_back_as_it_was_put() {
    let put = query(
        true,
        "<list name='a&amp;b'>
           <item type='subscription' value='both' action='allow' order='10'>
             <presence-out/><message/><presence-in/><iq/></item>
           <item type='group' value='Friends &amp; foes' action='deny' order='7'><message/></item>
           <item type='jid' value='TYBALT@example.com' action='deny' order='3'/>
         </list>",
    );
    let Ok(Query::Put(name, rules)) = put else {
        panic!("{put:?}");
    };
    let lists = Lists::default().with(&name, rules);
    let shown = write_list(lists.get("a&b").unwrap());
    assert_eq!(
        std::str::from_utf8(&shown).unwrap(),
        "<query xmlns='jabber:iq:privacy'><list name='a&amp;b'>\
         <item type='jid' value='tybalt@example.com' action='deny' order='3'/>\
         <item type='group' value='Friends &amp; foes' action='deny' order='7'><message/></item>\
         <item type='subscription' value='both' action='allow' order='10'>\
         <message/><iq/><presence-in/><presence-out/></item>\
         </list></query>"
    );
}

/// XEP-0016 §2.3: the active and the default list in front.
#[test]
fn names_are_shown() {
    let rules = || Rules::new(vec![Item::block(1, "a@b".parse().unwrap())]).unwrap();
    let lists = Lists::default()
        .with("public", rules())
        .with("private", rules());
    let lists = lists.with_default(Some("public")).unwrap();
    let shown = |active| String::from_utf8(write_names(&lists, active).to_vec()).unwrap();
    assert_eq!(
        shown(Some("private")),
        "<query xmlns='jabber:iq:privacy'><active name='private'/><default name='public'/>\
         <list name='public'/><list name='private'/></query>"
    );
    assert!(!shown(Some("gone")).contains("active"));
    let none = write_names(&Lists::default(), None);
    assert_eq!(&none[..], b"<query xmlns='jabber:iq:privacy'/>");
    assert_eq!(
        &write_push("public")[..],
        b"<query xmlns='jabber:iq:privacy'><list name='public'/></query>"
    );
}
