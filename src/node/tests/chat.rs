//! Two people chat through the real node.

mod stage;

use stage::NodeStage;

#[tokio::test]
async fn two_people_chat_and_leave() {
    NodeStage::perform(
        "
        Phone is juliet@localhost/phone
        Romeo logs in
        Juliet logs in
        Phone logs in

        Juliet: <presence><show>chat</show></presence>
        Juliet gets: <presence from='juliet@localhost/play' to='juliet@localhost'><show>chat</show></presence>
        Phone: <presence/>
        Phone gets all of:
          <presence from='juliet@localhost/phone' to='juliet@localhost'/>
          <presence from='juliet@localhost/play' to='juliet@localhost'><show>chat</show></presence>
        Juliet gets: <presence from='juliet@localhost/phone' to='juliet@localhost'/>

        Romeo: <message type='chat' id='m1' to='juliet@localhost'><body>But, soft! what light?</body></message>
        Juliet gets: <message type='chat' id='m1' from='romeo@localhost/play' to='juliet@localhost'><body>But, soft! what light?</body></message>
        Phone gets: <message type='chat' id='m1' from='romeo@localhost/play' to='juliet@localhost'><body>But, soft! what light?</body></message>

        Juliet: <message type='chat' id='m2' to='romeo@localhost/play'><body>O Romeo &amp; &lt;you&gt;</body></message>
        Romeo gets: <message type='chat' id='m2' from='juliet@localhost/play' to='romeo@localhost/play'><body>O Romeo &amp; &lt;you&gt;</body></message>

        Romeo: <iq type='get' id='v1' to='juliet@localhost/phone'><query xmlns='jabber:iq:version'/></iq>
        Phone gets: <iq type='get' id='v1' from='romeo@localhost/play' to='juliet@localhost/phone'><query xmlns='jabber:iq:version'/></iq>
        Phone: <iq type='result' id='v1' to='romeo@localhost/play'><query xmlns='jabber:iq:version'><name>Quill</name></query></iq>
        Romeo gets: <iq type='result' id='v1' from='juliet@localhost/phone' to='romeo@localhost/play'><query xmlns='jabber:iq:version'><name>Quill</name></query></iq>

        Phone is cut off
        Juliet gets: <presence type='unavailable' from='juliet@localhost/phone' to='juliet@localhost'/>

        Romeo: </stream:stream>
        Romeo gets: </stream:stream>
        Romeo gets the end
        Juliet: <message type='chat' id='m3' to='romeo@localhost/play'><body>Wilt thou be gone?</body></message>
        Juliet gets nothing
        Romeo logs in
        Romeo: <presence/>
        Romeo gets:
          <presence from='romeo@localhost/play' to='romeo@localhost'/>
          <message type='chat' id='m3' from='juliet@localhost/play' to='romeo@localhost/play'>
            <body>Wilt thou be gone?</body><delay xmlns='urn:xmpp:delay' from='localhost' stamp='*'/>
          </message>
        ",
    )
    .await;
}

#[tokio::test]
async fn the_server_answers_what_clients_ask_first() {
    NodeStage::perform(
        "
        Romeo logs in
        Romeo: <iq type='set' id='s'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>
        Romeo gets: <iq type='result' id='s' from='romeo@localhost' to='romeo@localhost/play'/>
        Romeo: <iq type='get' id='r'><query xmlns='jabber:iq:roster'/></iq>
        Romeo gets: <iq type='result' id='r' from='romeo@localhost' to='romeo@localhost/play'><query xmlns='jabber:iq:roster'/></iq>
        Romeo: <iq type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>
        Romeo gets: <iq type='result' id='p' from='localhost' to='romeo@localhost/play'/>
        Romeo: <iq type='get' id='t' to='localhost'><time xmlns='urn:xmpp:time'/></iq>
        Romeo gets: <iq type='result' id='t' from='localhost' to='romeo@localhost/play'><time xmlns='urn:xmpp:time'><tzo>+00:00</tzo><utc>*</utc></time></iq>
        Romeo: <iq type='get' id='d' to='localhost'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        Romeo gets:
          <iq type='result' id='d' from='localhost' to='romeo@localhost/play'>
            <query xmlns='http://jabber.org/protocol/disco#info'>
              <identity category='server' type='im' name='Mungo'/>
              <feature var='http://jabber.org/protocol/caps'/>
              <feature var='http://jabber.org/protocol/disco#info'/>
              <feature var='http://jabber.org/protocol/disco#items'/>
              <feature var='http://jabber.org/protocol/offline'/>
              <feature var='jabber:iq:privacy'/>
              <feature var='jabber:iq:private'/>
              <feature var='jabber:iq:last'/>
              <feature var='jabber:iq:version'/>
              <feature var='msgoffline'/>
              <feature var='urn:xmpp:blocking'/>
              <feature var='urn:xmpp:ping'/>
              <feature var='urn:xmpp:time'/>
              <feature var='vcard-temp'/>
              <x xmlns='jabber:x:data' type='result'><**/></x>
            </query>
          </iq>
        Romeo: <iq type='get' id='x' to='localhost'><query xmlns='nobody:knows'/></iq>
        Romeo gets:
          <iq type='error' id='x' from='localhost' to='romeo@localhost/play'>
            <query xmlns='nobody:knows'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    )
    .await;
}

#[tokio::test]
async fn the_newer_session_of_a_resource_replaces_the_older() {
    let mut stage = NodeStage::perform(
        "
        Old is romeo@localhost/orchard
        Old logs in
        Romeo is romeo@localhost/orchard
        Romeo logs in
        Old gets: <stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        Old gets: </stream:stream>
        Old gets the end
        Romeo: <presence/>
        Romeo gets: <presence from='romeo@localhost/orchard' to='romeo@localhost'/>
        ",
    )
    .await;
    assert!(!stage.node.log().contains("ERROR"), "{}", stage.node.log());
    stage.act("Romeo gets nothing").await;
}

#[tokio::test]
async fn what_is_addressed_wrongly_is_answered_as_the_rfc_says() {
    NodeStage::perform(
        "
        Romeo logs in
        Romeo: <message id='m1' to='@localhost'><body>x</body></message>
        Romeo gets:
          <message type='error' id='m1' to='romeo@localhost/play' *>
            <body>x</body>
            <error type='modify'><jid-malformed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/><**/></error>
          </message>
        Romeo: <message id='m2' from='juliet@localhost' to='romeo@localhost'><body>x</body></message>
        Romeo gets: <stream:error><invalid-from xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        Romeo gets: </stream:stream>
        Romeo gets the end
        ",
    )
    .await;
}
