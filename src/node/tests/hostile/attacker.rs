//! The stage of the catalogue: what hostile people can do beyond what honest ones do.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use play::{Play, Received, Stage, StageError};
use tokio::net::TcpStream;

use crate::catalogue::Input;
use crate::scram::Conversation;
use crate::stage::{Client, NodeStage, PASSWORD};

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";

/// A [`NodeStage`] with some directions more.
///
/// | direction | what happens |
/// |---|---|
/// | `Mallory sends: TEXT` | sends it; `\0`, `\n`, `\\` and `\xHH` are bytes |
/// | `Mallory sends hex: 16 03 01` | sends these bytes |
/// | `Mallory tries PLAIN: TEXT` | sends `<auth/>` with the text (escapes as above) in base 64 |
/// | `Mallory takes the challenge` | receives SCRAM's challenge |
/// | `Mallory answers: c=biws,r=NONCE,p=PROOF` | sends `<response/>`, nonce and proof the right ones |
/// | `Mallory answers as Romeo did` | sends the last `<response/>` of Romeo |
/// | `Mallory connects to the TLS port in the clear` | does no handshake there |
/// | `Mallory is refused by TLS` | gets an alert, or only the end of the connection |
/// | `Mallory is dropped` | gets the end, whatever comes before |
///
/// In all that is sent, `⟨TEXT×9⟩` is nine times the text. Who is sent off while he still sends may find
/// the connection closed, which is no failure: what he receives counts.
pub(crate) struct HostileStage {
    pub(crate) actors: NodeStage,
    conversations: HashMap<String, Conversation>,
    answers: HashMap<String, String>,
}

impl HostileStage {
    pub(crate) fn new(actors: NodeStage) -> HostileStage {
        HostileStage {
            actors,
            conversations: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    /// Performs an input, and clears the stage.
    pub(crate) async fn perform(&mut self, input: &Input) -> Result<(), String> {
        let title = input.title();
        let play = Play::parse(&input.play()).map_err(|error| format!("{title}: {error}"))?;
        let performed = play::perform(&play, self).await;
        self.actors.clear();
        self.conversations.clear();
        self.answers.clear();
        performed.map_err(|failure| format!("{title}\n{failure}"))
    }

    async fn send_bytes(&mut self, who: &str, bytes: &[u8]) -> Result<(), StageError> {
        // The connection may be closed by now; see above.
        let _ = self.actors.client(who)?.send_bytes(bytes).await;
        Ok(())
    }

    async fn answer(&mut self, who: &str, element: &str, message: &[u8]) -> Result<(), StageError> {
        let message = BASE64_STANDARD.encode(message);
        let text = format!("<{element}>{message}</{}>", first_word(element));
        self.answers.insert(who.into(), text.clone());
        self.send_bytes(who, text.as_bytes()).await
    }

    /// `NONCE` and `PROOF` filled in.
    fn fill(&self, who: &str, message: &str) -> Result<String, StageError> {
        let conversation = self.conversations.get(who).ok_or("no challenge came")?;
        let nonce = conversation.attribute("r").ok_or("no nonce came")?;
        let message = message.replace("NONCE", nonce);
        let (without_proof, _) = message.split_once(",p=").unwrap_or((&message, ""));
        let proof = conversation.proof(PASSWORD, without_proof);
        Ok(message.replace("PROOF", &proof.ok_or("no salt came")?))
    }

    async fn take_challenge(&mut self, who: &str) -> Result<(), StageError> {
        let Received::Text(text) = self.actors.receive(who).await? else {
            return Err("no challenge came".into());
        };
        let challenge = text.strip_prefix("<challenge").and_then(|rest| {
            let (_, rest) = rest.split_once('>')?;
            BASE64_STANDARD.decode(rest.split('<').next()?).ok()
        });
        let challenge = challenge.ok_or_else(|| format!("{text} is no challenge"))?;
        self.conversations
            .entry(who.into())
            .or_default()
            .server_first = String::from_utf8(challenge).map_err(|error| error.to_string())?;
        Ok(())
    }

    async fn refused_by_tls(&mut self, who: &str) -> Result<(), StageError> {
        match self.actors.client(who)?.rest().await?.as_slice() {
            // The type of a record with an alert (RFC 8446 §5.1).
            [] | [21, 3, ..] => Ok(()),
            other => Err(format!("what came is no alert: {other:?}").into()),
        }
    }
}

impl Stage for HostileStage {
    async fn send(&mut self, who: &str, text: &str) -> Result<(), StageError> {
        // The connection may be closed by now; see above.
        let _ = self.actors.client(who)?.send(&repeated(text)?).await;
        Ok(())
    }

    async fn receive(&mut self, who: &str) -> Result<Received, StageError> {
        self.actors.receive(who).await
    }

    async fn nothing(&mut self, who: &str) -> Result<Received, StageError> {
        self.actors.nothing(who).await
    }

    async fn direct(&mut self, who: &str, words: &str) -> Result<(), StageError> {
        if let Some(text) = words.strip_prefix("sends: ") {
            return self.send_bytes(who, &bytes(&repeated(text)?)?).await;
        }
        if let Some(hex) = words.strip_prefix("sends hex: ") {
            let bytes: Result<Vec<u8>, _> = hex
                .split_whitespace()
                .map(|byte| u8::from_str_radix(byte, 16))
                .collect();
            return self
                .send_bytes(who, &bytes.map_err(|e| e.to_string())?)
                .await;
        }
        if let Some((mechanism, message)) = words
            .strip_prefix("tries ")
            .and_then(|rest| rest.split_once(": "))
        {
            let message = bytes(&repeated(message)?)?;
            let text = String::from_utf8_lossy(&message);
            // Behind flag and identity of the GS2 header.
            let client_first = text.splitn(3, ',').nth(2).unwrap_or_default().to_owned();
            self.conversations
                .entry(who.into())
                .or_default()
                .client_first = client_first;
            let element = format!("auth xmlns='{SASL}' mechanism='{mechanism}'");
            return self.answer(who, &element, &message).await;
        }
        if let Some(message) = words.strip_prefix("answers: ") {
            let message = bytes(&self.fill(who, &repeated(message)?)?)?;
            return self
                .answer(who, &format!("response xmlns='{SASL}'"), &message)
                .await;
        }
        if let Some(other) = words
            .strip_prefix("answers as ")
            .and_then(|rest| rest.strip_suffix(" did"))
        {
            let text = self
                .answers
                .get(other)
                .cloned()
                .ok_or("there was no answer")?;
            return self.send_bytes(who, text.as_bytes()).await;
        }
        match words {
            "connects to the TLS port in the clear" => {
                let tcp = TcpStream::connect(self.actors.node.c2s_tls).await;
                let tcp = tcp.map_err(|error| error.to_string())?;
                self.actors.admit(who, Client::over(tcp));
                Ok(())
            }
            "takes the challenge" => self.take_challenge(who).await,
            "is refused by TLS" => self.refused_by_tls(who).await,
            "is dropped" => {
                self.actors.client(who)?.rest().await?;
                Ok(())
            }
            _ => self.actors.direct(who, words).await,
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

/// With `⟨TEXT×9⟩` written out.
fn repeated(text: &str) -> Result<String, StageError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('⟨') {
        let (inside, after) = after.split_once('⟩').ok_or("⟨ without ⟩")?;
        let (what, times) = inside.rsplit_once('×').ok_or("⟨⟩ without ×")?;
        out.push_str(before);
        out.push_str(&what.repeat(times.parse().map_err(|_| "× without a number")?));
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// With `\0`, `\n`, `\\` and `\xHH` as the bytes that they stand for.
fn bytes(text: &str) -> Result<Vec<u8>, StageError> {
    let mut out = Vec::with_capacity(text.len());
    let mut pieces = text.split('\\');
    out.extend(pieces.next().unwrap_or_default().bytes());
    while let Some(piece) = pieces.next() {
        let (byte, length) = match piece.as_bytes() {
            [b'0', ..] => (0, 1),
            [b'n', ..] => (b'\n', 1),
            [b'x', ..] => {
                let digits = piece.get(1..3).ok_or("\\x without two digits")?;
                (
                    u8::from_str_radix(digits, 16).map_err(|e| e.to_string())?,
                    3,
                )
            }
            [] => {
                // Two in a row: the text between them is empty.
                out.push(b'\\');
                out.extend(pieces.next().unwrap_or_default().bytes());
                continue;
            }
            _ => return Err(format!("\\{piece} is no escape").into()),
        };
        out.push(byte);
        out.extend(piece[length..].bytes());
    }
    Ok(out)
}
