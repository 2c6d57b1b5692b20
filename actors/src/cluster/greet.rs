//! The first words between two nodes, over a connection.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use ::cluster::{Greeting, Handshake, Met, Millis, Refusal};
use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::calls::Who;
use super::connection::{Connection, Writer};
use super::gate::{Greet, Side};
use super::peers::Shared;

/// The versions of the protocol that this node speaks.
const VERSIONS: (u16, u16) = (1, 1);

/// Greets in the name of this node, and hands the connection over to its link.
pub(super) struct Greeter(pub(super) Arc<Shared>);

impl Greet for Greeter {
    type Met = Who;

    async fn greet(&self, mut connection: Connection, side: Side) -> Result<Who, String> {
        let broken = |error: io::Error| error.to_string();
        let (mut bytes, mut out) = (BytesMut::new(), BytesMut::new());
        let ours = self.greeting(connection.binding)?;
        let side = match side {
            Side::Caller => ::cluster::Side::Caller,
            Side::Called => ::cluster::Side::Called,
        };
        let mut handshake = Handshake::new(side, ours, &mut out);
        loop {
            say(&mut connection.writer, &mut out)
                .await
                .map_err(broken)?;
            let read = connection.reader.read_buf(&mut bytes).await;
            if read.map_err(broken)? == 0 {
                return Err("it closed the connection before it said who it is".to_owned());
            }
            let step = self.0.with_members(|now, members| {
                handshake.received(now, &mut bytes, &mut out, members)
            });
            match step {
                Ok(None) => {}
                Ok(Some(met)) => {
                    let name = met.peer.name.shared();
                    say(&mut connection.writer, &mut out)
                        .await
                        .map_err(broken)?;
                    self.warn_of(&met);
                    self.0.link(met, connection, bytes).await?;
                    return Ok(Who::Node(name));
                }
                Err(refusal) => {
                    // It should know why; that it is gone already is no matter.
                    let _ = say(&mut connection.writer, &mut out).await;
                    return match refusal {
                        Refusal::Ourselves => Ok(Who::Ourselves),
                        refusal => Err(refusal.to_string()),
                    };
                }
            }
        }
    }
}

impl Greeter {
    fn greeting(&self, binding: Option<[u8; 32]>) -> Result<Greeting, String> {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|error| format!("no random bytes: {error}"))?;
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            });
        Ok(Greeting {
            cluster: self.0.identity.cluster.clone(),
            us: self.0.identity.node.clone(),
            cookie: self.0.identity.cookie.clone(),
            versions: VERSIONS,
            features: 0,
            clock: Millis(clock),
            nonce,
            binding,
        })
    }

    fn warn_of(&self, met: &Met) {
        if let Some(Millis(apart)) = met.clocks_apart {
            tracing::warn!(what = "clocks_apart", node = %met.peer.name, seconds = apart / 1_000,
                "the clocks of the two nodes differ; set them by NTP, or what is newer is mistaken");
        }
    }
}

async fn say(writer: &mut Writer, out: &mut BytesMut) -> io::Result<()> {
    while out.has_remaining() {
        writer.write_buf(out).await?;
    }
    writer.flush().await
}
