//! Announcements through the real node, its database and its sudden death.

mod stage;

use stage::{Node, NodeStage};

async fn stage() -> NodeStage {
    let settings = "domains: [\"localhost\", \"example.org\"], \
                    modules: (announce: (admins: [\"romeo@localhost\"]))";
    NodeStage::new(Node::start_with(settings).await)
}

/// Whoever has heard it knows that it is kept: a kill takes it from nobody.
#[tokio::test]
async fn a_message_of_the_day_outlives_a_node_that_is_killed() {
    let mut stage = stage().await;
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Romeo: <message type='headline' to='localhost/announce/motd' xml:lang='en'><subject>Today</subject><body>Be merry &amp; dance</body></message>
            Romeo gets: <message type='headline' id='*' from='localhost' to='romeo@localhost' xml:lang='en'><subject>Today</subject><body>Be merry &amp; dance</body></message>
            ",
        )
        .await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets: <presence *><**/></presence>
            Juliet gets: <message type='headline' id='*' from='localhost' to='juliet@localhost' xml:lang='en'><subject>Today</subject><body>Be merry &amp; dance</body></message>
            Nurse is nurse@example.org/play
            Nurse logs in
            Nurse: <presence/>
            Nurse gets: <presence *><**/></presence>
            Nurse gets nothing
            # Let in when it is on disk who has heard it.
            Peter logs in
            ",
        )
        .await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets: <presence *><**/></presence>
            Juliet gets nothing
            Romeo logs in
            Romeo: <message to='localhost/announce/motd/update'><body>Be sad</body></message>
            Romeo: <presence type='unavailable'/>
            # An order is carried out behind those before it.
            Romeo: <message to='localhost/announce/online'><body>Hear!</body></message>
            Juliet gets: <message id='*' from='localhost' to='juliet@localhost'><body>Hear!</body></message>
            ",
        )
        .await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Juliet logs in
            Juliet: <presence/>
            Juliet gets: <presence *><**/></presence>
            Juliet gets: <message id='*' from='localhost' to='juliet@localhost'><body>Be sad</body></message>
            Romeo logs in
            Romeo: <message to='localhost/announce/motd/delete'/>
            Romeo: <message to='localhost/announce/online'><body>Hear!</body></message>
            Juliet gets: <message id='*' from='localhost' to='juliet@localhost'><body>Hear!</body></message>
            ",
        )
        .await;
    stage.node.kill_and_restart().await;
    stage.clear();
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Romeo gets nothing
            ",
        )
        .await;
    assert!(!stage.node.log().contains("ERROR"), "{}", stage.node.log());
}

/// A module that is killed goes on where it was.
#[tokio::test]
async fn a_module_that_is_killed_knows_what_it_knew() {
    let mut stage = stage().await;
    stage
        .act(
            "
            Romeo logs in
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Romeo: <message to='localhost/announce/all-hosts/motd'><body>Be merry</body></message>
            Romeo gets: <message id='*' from='localhost' to='romeo@localhost'><body>Be merry</body></message>
            ",
        )
        .await;
    let killed = stage
        .node
        .graphql(r#"mutation { actor { kill(path: "node/hosts/default/announce") { state } } }"#)
        .await
        .expect("killed");
    assert!(!killed.contains("errors"), "{killed}");
    stage
        .act(
            "
            Nurse is nurse@example.org/play
            Nurse logs in
            Nurse: <presence/>
            Nurse gets: <presence *><**/></presence>
            Nurse gets: <message id='*' from='example.org' to='nurse@example.org'><body>Be merry</body></message>
            Romeo: <presence type='unavailable'/>
            Romeo gets: <presence *><**/></presence>
            Romeo: <presence/>
            Romeo gets: <presence *><**/></presence>
            Romeo: <message to='localhost/announce/online'><body>Hear!</body></message>
            Romeo gets: <message id='*' from='localhost' to='romeo@localhost'><body>Hear!</body></message>
            ",
        )
        .await;
}
