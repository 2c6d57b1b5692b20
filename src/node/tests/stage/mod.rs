//! The stage for whole-node plays: the real binary behind real sockets.

#![allow(dead_code, reason = "each test binary uses a part of it")]

mod client;
mod node;

use std::collections::HashMap;

use play::{Play, Received, StageError};

pub(crate) use client::Client;
#[allow(unused_imports, reason = "each test binary uses a part of it")]
pub(crate) use node::{Node, PASSWORD, free_port};

/// A node and the people of a play.
///
/// | direction | what happens |
/// |---|---|
/// | `Romeo is romeo@localhost/orchard` | says who Romeo is (else `romeo@localhost/play`) |
/// | `Romeo connects` | opens a connection to the STARTTLS port and sends nothing |
/// | `Romeo connects with TLS` | the same to the direct TLS port |
/// | `Romeo starts TLS` | does the handshake, after `<proceed/>` |
/// | `Romeo logs in` | connects, encrypts, authenticates and binds; his account is made if need be |
/// | `Romeo is cut off` | his connection is dropped without a word |
pub(crate) struct NodeStage {
    /// The node on stage.
    pub(crate) node: Node,
    people: HashMap<String, Client>,
    names: HashMap<String, String>,
}

impl NodeStage {
    /// Starts a node with the default settings but free ports, and performs `play` with it.
    pub(crate) async fn perform(play: &str) -> NodeStage {
        let mut stage = NodeStage::new(Node::start().await);
        stage.act(play).await;
        stage
    }

    /// A stage around a node that runs.
    pub(crate) fn new(node: Node) -> NodeStage {
        NodeStage {
            node,
            people: HashMap::new(),
            names: HashMap::new(),
        }
    }

    /// Performs one more act.
    pub(crate) async fn act(&mut self, play: &str) {
        let play = Play::parse(play).unwrap_or_else(|error| panic!("{error}"));
        if let Err(failure) = play::perform(&play, self).await {
            panic!("{failure}\nthe node said:\n{}", self.node.log());
        }
    }

    /// Somebody whom the test has connected is on stage from now on.
    pub(crate) fn admit(&mut self, who: &str, client: Client) {
        self.people.insert(who.into(), client);
    }

    /// Everybody is cut off, and nobody has a name any more.
    pub(crate) fn clear(&mut self) {
        self.people.clear();
        self.names.clear();
    }

    fn jid(&self, who: &str) -> String {
        self.names
            .get(who)
            .cloned()
            .unwrap_or_else(|| format!("{}@localhost/play", who.to_lowercase()))
    }

    /// The client of `who`, who must be connected.
    pub(crate) fn client(&mut self, who: &str) -> Result<&mut Client, StageError> {
        self.people
            .get_mut(who)
            .ok_or_else(|| format!("{who} is not connected").into())
    }
}

impl play::Stage for NodeStage {
    async fn send(&mut self, who: &str, text: &str) -> Result<(), StageError> {
        self.client(who)?
            .send(text)
            .await
            .map_err(|error| error.to_string().into())
    }

    async fn receive(&mut self, who: &str) -> Result<Received, StageError> {
        self.client(who)?.receive().await.map_err(StageError::from)
    }

    /// Whoever sent something waits until the node has dealt with it; then `who` does.
    async fn nothing(&mut self, who: &str) -> Result<Received, StageError> {
        let others: Vec<String> = self
            .people
            .keys()
            .filter(|name| *name != who)
            .cloned()
            .collect();
        for other in others.iter().map(String::as_str).chain([who]) {
            if let Some(client) = self.people.get_mut(other).filter(|client| client.bound) {
                client.settle().await?;
            }
        }
        Ok(self.client(who)?.next_waiting())
    }

    async fn direct(&mut self, who: &str, words: &str) -> Result<(), StageError> {
        match words {
            "connects" => {
                let client = Client::connect(&self.node).await?;
                self.people.insert(who.into(), client);
            }
            "connects with TLS" => {
                let client = Client::connect_tls(&self.node).await?;
                self.people.insert(who.into(), client);
            }
            "starts TLS" => {
                let client = self.people.remove(who).ok_or("nobody is connected")?;
                let client = client.start_tls(&self.node).await?;
                self.people.insert(who.into(), client);
            }
            "logs in" => {
                let jid = self.jid(who);
                self.node
                    .register(jid.split('/').next().unwrap_or_default())
                    .await?;
                let client = Client::log_in(&self.node, &jid).await?;
                self.people.insert(who.into(), client);
            }
            "is cut off" => {
                self.people.remove(who).ok_or("nobody is connected")?;
            }
            _ => match words.strip_prefix("is ") {
                Some(jid) => {
                    self.names.insert(who.into(), jid.into());
                }
                None => return Err(format!("`{who} {words}` is no direction of this stage").into()),
            },
        }
        Ok(())
    }
}
