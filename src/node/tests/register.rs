//! XEP-0077 before login, over real sockets: whoever has no account makes one and chats.

mod stage;

use stage::{Node, NodeStage};

const HEADER: &str = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='localhost' version='1.0'>";

async fn stage(settings: &str) -> NodeStage {
    NodeStage::new(Node::start_with(settings).await)
}

/// §3.1, and §3.2 with all that was kept.
#[tokio::test]
async fn somebody_makes_an_account_uses_it_and_gives_it_up() {
    let mut stage = stage("modules: (register: ())").await;
    stage
        .act(&format!(
            "
            Romeo connects with TLS
            Romeo: {HEADER}
            Romeo gets: <stream:stream *>
            Romeo gets: <stream:features><register xmlns='http://jabber.org/features/iq-register'/><**/></stream:features>
            Romeo: <iq type='get' id='reg1' to='localhost'><query xmlns='jabber:iq:register'/></iq>
            Romeo gets:
              <iq type='result' id='reg1' from='localhost'>
                <query xmlns='jabber:iq:register'><instructions>*</instructions><username/><password/></query>
              </iq>
            Romeo: <iq type='set' id='reg2'><query xmlns='jabber:iq:register'><username>romeo</username></query></iq>
            Romeo gets: <iq type='error' id='reg2'><query xmlns='jabber:iq:register'><**/></query><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
            Romeo: <iq type='set' id='reg3'><query xmlns='jabber:iq:register'><username>Admin</username><password>wherefore art thou</password></query></iq>
            Romeo gets: <iq type='error' id='reg3'><query xmlns='jabber:iq:register'><**/></query><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
            Romeo: <iq type='set' id='reg4'><query xmlns='jabber:iq:register'><username>newcomer</username><password>wherefore art thou</password></query></iq>
            Romeo gets: <iq type='result' id='reg4'/>
            Romeo: <iq type='set' id='reg5'><query xmlns='jabber:iq:register'><username>NEWCOMER</username><password>wherefore art thou</password></query></iq>
            Romeo gets: <iq type='error' id='reg5'><query xmlns='jabber:iq:register'><**/></query><error type='cancel'><conflict xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
            Romeo: <auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AG5ld2NvbWVyAHdoZXJlZm9yZSBhcnQgdGhvdQ==</auth>
            Romeo gets: <success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>
            Newcomer is newcomer@localhost/play
            Newcomer logs in
            Newcomer: <iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost'/></query></iq>
            Newcomer gets: <iq type='result' id='s' from='newcomer@localhost' to='newcomer@localhost/play'/>
            Newcomer: <iq type='set' id='unreg1'><query xmlns='jabber:iq:register'><remove/></query></iq>
            Newcomer gets: <iq type='result' id='unreg1' from='newcomer@localhost' to='newcomer@localhost/play'/>
            Newcomer gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            "
        ))
        .await;
    stage.clear();
    // The next one of this name begins with nothing.
    stage
        .node
        .register("newcomer@localhost")
        .await
        .expect("registered");
    stage
        .act(
            "
            Newcomer is newcomer@localhost/play
            Newcomer logs in
            Newcomer: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
            Newcomer gets: <iq type='result' id='g' from='newcomer@localhost' to='newcomer@localhost/play'><query xmlns='jabber:iq:roster'/></iq>
            ",
        )
        .await;
    assert!(
        !stage.node.log().contains("wherefore"),
        "{}",
        stage.node.log()
    );
}

#[tokio::test]
async fn from_one_address_come_so_many_accounts_and_no_more() {
    let mut stage = stage("modules: (register: (per_address: 1))").await;
    let set = |id: &str, name: &str| {
        format!(
            "<iq type='set' id='{id}'><query xmlns='jabber:iq:register'><username>{name}</username><password>wherefore art thou</password></query></iq>"
        )
    };
    stage
        .act(&format!(
            "
            Mallory connects with TLS
            Mallory: {HEADER}
            Mallory gets: <stream:stream *>
            Mallory gets: <stream:features><**/></stream:features>
            Mallory: {}
            Mallory gets: <iq type='result' id='a'/>
            Mallory: {}
            Mallory gets: <iq type='error' id='b'><query xmlns='jabber:iq:register'><**/></query><error type='wait'><resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error></iq>
            ",
            set("a", "one"),
            set("b", "two")
        ))
        .await;
    // Nor are questions without end answered.
    let get = "
            Mallory: <iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>
            Mallory gets: <iq type='result' id='g'><**/></iq>";
    stage
        .act(&format!(
            "{}
            Mallory: <iq type='get' id='g'><query xmlns='jabber:iq:register'/></iq>
            Mallory gets: <stream:error><policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
            ",
            get.repeat(7)
        ))
        .await;
}

/// Off by default, and never where a password can be read on the way.
#[tokio::test]
async fn nobody_registers_unless_it_is_configured_and_the_stream_is_encrypted() {
    let ask = format!(
        "
        Romeo: {HEADER}
        Romeo gets: <stream:stream *>
        Romeo gets: <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>
        Romeo: <iq type='get' id='reg1'><query xmlns='jabber:iq:register'/></iq>
        Romeo gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        "
    );
    let mut outside = stage("modules: (register: ())").await;
    outside.act(&format!("\n        Romeo connects{ask}")).await;
    let mut off = NodeStage::new(Node::start().await);
    off.act(&format!(
        "
        Romeo connects with TLS
        Romeo: {HEADER}
        Romeo gets: <stream:stream *>
        Romeo gets: <stream:features><**/></stream:features>
        Romeo: <iq type='get' id='reg1'><query xmlns='jabber:iq:register'/></iq>
        Romeo gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        "
    ))
    .await;
}

/// Who is new is welcomed once, at the first login.
#[tokio::test]
async fn a_new_account_is_welcomed() {
    let welcome = r#"modules: (welcome: (subject: "Hello", text: "Be <welcome> & well"))"#;
    let mut stage = stage(welcome).await;
    let play = |words: &str| {
        format!(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence from='romeo@localhost/play' to='romeo@localhost'/>{words}
            Romeo gets nothing
            "
        )
    };
    stage
        .act(&play(
            "
            Romeo gets:
              <message from='localhost' to='romeo@localhost' id='*'>
                <subject>Hello</subject><body>Be &lt;welcome&gt; &amp; well</body>
                <delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>
              </message>",
        ))
        .await;
    stage.clear();
    stage.act(&play("")).await;
}
