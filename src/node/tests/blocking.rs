//! Blocking through the real node and its database.

mod stage;

use stage::NodeStage;

/// XEP-0191 §3.3: the block remains in force. What a client was told is on disk.
#[tokio::test]
async fn a_block_survives_the_node() {
    let mut stage = NodeStage::perform(
        "
        Juliet logs in
        Juliet: <iq type='set' id='b1'><block xmlns='urn:xmpp:blocking'><item jid='romeo@localhost'/><item jid='verona.lit'/></block></iq>
        Juliet gets: <iq type='result' id='b1' from='juliet@localhost' to='juliet@localhost/play'/>
        Juliet: <iq type='set' id='e1'><query xmlns='jabber:iq:privacy'><list name='work'>
            <item type='subscription' value='none' action='deny' order='9'><message/></item></list></query></iq>
        Juliet gets: <iq type='set' id='*' from='juliet@localhost' to='*'><query xmlns='jabber:iq:privacy'><list name='work'/></query></iq>
        Juliet gets: <iq type='result' id='e1' from='*' to='*'/>
        ",
    )
    .await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Romeo logs in
            Romeo: <message type='chat' id='m1' to='juliet@localhost'><body>Hist!</body></message>
            Romeo gets: <message type='error' id='m1' from='juliet@localhost' to='*'><body>Hist!</body>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
            Juliet logs in
            Romeo: <message type='chat' id='m2' to='juliet@localhost/play'><body>Hist!</body></message>
            Romeo gets: <message type='error' id='m2' from='juliet@localhost/play' to='*'><body>Hist!</body>
                <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
            Juliet: <message type='chat' id='m3' to='romeo@localhost'/>
            Juliet gets: <message type='error' id='m3' from='romeo@localhost' to='*'>
                <error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
                  <blocked xmlns='urn:xmpp:blocking:errors'/></error></message>
            Juliet: <iq type='get' id='l1'><blocklist xmlns='urn:xmpp:blocking'/></iq>
            Juliet gets: <iq type='result' id='l1' from='*' to='*'><blocklist xmlns='urn:xmpp:blocking'>
                <item jid='romeo@localhost'/><item jid='verona.lit'/></blocklist></iq>
            Juliet: <iq type='get' id='n1'><query xmlns='jabber:iq:privacy'/></iq>
            Juliet gets: <iq type='result' id='n1' from='*' to='*'><query xmlns='jabber:iq:privacy'>
                <default name='blocking'/><list name='blocking'/><list name='work'/></query></iq>
            Juliet: <iq type='set' id='u1'><unblock xmlns='urn:xmpp:blocking'/></iq>
            Juliet gets: <iq type='set' id='*' from='juliet@localhost' to='*'><unblock xmlns='urn:xmpp:blocking'/></iq>
            Juliet gets: <iq type='result' id='u1' from='*' to='*'/>
            Romeo: <message type='chat' id='m4' to='juliet@localhost/play'><body>Hist!</body></message>
            Juliet gets: <message type='chat' id='m4' from='romeo@localhost/play' to='*'><body>Hist!</body></message>
            ",
        )
        .await;
}
