//! Contacts over real sockets and a database that is killed.

mod stage;

use stage::NodeStage;

/// RFC 6121 §2 and §3: what a client was told is kept, or what follows from it, outlives the node.
#[tokio::test]
async fn contacts_and_requests_outlive_a_node_that_is_killed() {
    let mut stage = NodeStage::perform(
        "
        Juliet logs in
        Juliet: <iq type='get' id='g'><query xmlns='jabber:iq:roster' ver=''/></iq>
        Juliet gets: <iq type='result' id='g' from='juliet@localhost' to='juliet@localhost/play'><query xmlns='jabber:iq:roster' ver='0'/></iq>
        Romeo logs in
        Romeo: <presence type='subscribe' to='juliet@localhost'/>
        Romeo: <iq type='set' id='s'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='Juliet'><group>Capulets</group></item></query></iq>
        Romeo gets: <iq type='result' id='s' from='romeo@localhost' to='romeo@localhost/play'/>
        ",
    )
    .await;
    stage.clear();
    stage.node.kill_and_restart().await;
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets all of:
              <presence from='juliet@localhost/play' to='juliet@localhost'/>
              <presence type='subscribe' from='romeo@localhost' to='juliet@localhost'/>
            Romeo logs in
            Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
            Romeo gets:
              <iq type='result' id='g' from='romeo@localhost' to='romeo@localhost/play'>
                <query xmlns='jabber:iq:roster'><item jid='juliet@localhost' name='Juliet' subscription='none' ask='subscribe'><group>Capulets</group></item></query>
              </iq>
            Juliet: <presence type='subscribed' to='romeo@localhost'/>
            Romeo gets: <presence type='subscribed' from='juliet@localhost' to='romeo@localhost'/>
            Romeo gets: <iq type='set' id='*' from='romeo@localhost' to='romeo@localhost/play'><query xmlns='jabber:iq:roster' ver='*'><item jid='juliet@localhost' name='Juliet' subscription='to'><group>Capulets</group></item></query></iq>
            ",
        )
        .await;
    assert!(!stage.node.log().contains("ERROR"), "{}", stage.node.log());
}

/// RFC 6121 §4.5: however a client ends, its contacts see it leave.
#[tokio::test]
async fn contacts_see_a_client_leave_whose_connection_is_cut() {
    let mut stage = NodeStage::perform(
        "
        Juliet logs in
        Juliet: <presence type='subscribed' to='romeo@localhost'/>
        Romeo logs in
        Romeo: <presence type='subscribe' to='juliet@localhost'/>
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@localhost/play' to='romeo@localhost'/>
        Juliet: <presence/>
        Juliet gets: <presence from='juliet@localhost/play' to='juliet@localhost'/>
        Romeo gets: <presence from='juliet@localhost/play' to='romeo@localhost'/>
        Juliet is cut off
        Romeo gets: <presence type='unavailable' from='juliet@localhost/play' to='romeo@localhost'/>
        ",
    )
    .await;
    // And one that is removed takes its contacts along.
    stage
        .act(
            "
            Romeo: <iq type='get' id='g'><query xmlns='jabber:iq:roster'/></iq>
            Romeo gets: <iq type='result' id='g' from='*' to='*'><query xmlns='jabber:iq:roster'><item jid='juliet@localhost' subscription='to'/></query></iq>
            ",
        )
        .await;
    let removed = stage
        .node
        .graphql(r#"mutation { account { unregister(account: "juliet@localhost") { account } } }"#)
        .await
        .expect("removed");
    assert!(removed.contains("juliet@localhost"), "{removed}");
    stage
        .act(
            "
            Romeo gets: <presence type='unsubscribed' from='juliet@localhost' to='romeo@localhost'/>
            Romeo gets: <iq type='set' id='*' from='*' to='*'><query xmlns='jabber:iq:roster' ver='*'><item jid='juliet@localhost' subscription='none'/></query></iq>
            ",
        )
        .await;
}
