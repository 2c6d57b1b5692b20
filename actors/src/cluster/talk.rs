//! Two nodes talk over one connection: a reading half, a writing half that puts all that waits into
//! one write, and a watch that ends both when nothing is heard any more.
//!
//! What is said is a value of its own that knows no sockets and outlives its connections.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::connection::{Connection, Reader, Writer};

/// Bytes that are put into one write; a longer letter makes it longer.
const ONE_WRITE: usize = 64 << 10;
/// Bytes that are asked for at once.
const ONE_READ: usize = 64 << 10;
/// Buffers that grew larger than this are given back when they are empty.
const KEPT: usize = 256 << 10;

/// One side of what two nodes say to each other: bytes in, bytes out. Both halves of a connection use
/// it at once, and neither waits for the other's system calls.
pub(super) trait Talk: Send + Sync {
    /// Bytes have come. Takes whole frames from the front of `bytes` and leaves the rest.
    ///
    /// # Errors
    /// Why the connection is to end.
    fn received(&self, now: Instant, bytes: &mut BytesMut) -> Result<(), String>;

    /// Puts what waits into `out`, until that holds `most` bytes or more.
    ///
    /// # Errors
    /// Why the connection is to end.
    fn write(&self, now: Instant, most: usize, out: &mut BytesMut) -> Result<(), String>;

    /// When there will be something to write, though nobody has asked for it.
    fn due(&self) -> Instant;

    /// When the other side is dead, if nothing is heard until then.
    fn deadline(&self) -> Instant;
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The other side closed it.
    #[error("the other node closed the connection")]
    Closed,
    /// The system ended it.
    #[error("{0}")]
    Broken(#[from] io::Error),
    /// What is said makes it end.
    #[error("{0}")]
    Said(String),
    /// Nothing was heard for too long.
    #[error("nothing is heard of the other node: it is stopped, or the network is")]
    Silent,
    /// The actor that talked is gone.
    #[error("the link was stopped")]
    Stopped,
}

/// Talks until the connection is over. `wake` is notified by whoever gives `talk` something to say.
pub(super) async fn talk<T: Talk>(
    connection: Connection,
    said: BytesMut,
    talk: &T,
    wake: &Notify,
) -> Ended {
    let Connection {
        mut reader,
        mut writer,
        ..
    } = connection;
    tokio::select! {
        ended = read(&mut reader, said, talk, wake) => ended,
        ended = write(&mut writer, talk, wake) => ended,
        ended = watch(talk) => ended,
    }
}

async fn read<T: Talk>(reader: &mut Reader, mut bytes: BytesMut, talk: &T, wake: &Notify) -> Ended {
    loop {
        // What the handshake left comes first.
        if !bytes.is_empty()
            && let Err(error) = talk.received(Instant::now(), &mut bytes)
        {
            return Ended::Said(error);
        }
        // There may be something to confirm, or an answer.
        wake.notify_one();
        if bytes.is_empty() && bytes.capacity() > KEPT {
            bytes = BytesMut::new();
        }
        bytes.reserve(ONE_READ);
        match reader.read_buf(&mut bytes).await {
            Ok(0) => return Ended::Closed,
            Ok(_) => {}
            Err(error) => return Ended::Broken(error),
        }
    }
}

async fn write<T: Talk>(writer: &mut Writer, talk: &T, wake: &Notify) -> Ended {
    let mut out = BytesMut::with_capacity(ONE_WRITE);
    loop {
        if let Err(error) = talk.write(Instant::now(), ONE_WRITE, &mut out) {
            return Ended::Said(error);
        }
        if out.is_empty() {
            tokio::select! {
                () = wake.notified() => {}
                () = sleep_until(talk.due()) => {}
            }
            continue;
        }
        while out.has_remaining() {
            if let Err(error) = writer.write_buf(&mut out).await {
                return Ended::Broken(error);
            }
        }
        // TLS holds back what does not fill a record.
        if let Err(error) = writer.flush().await {
            return Ended::Broken(error);
        }
        if out.capacity() > KEPT {
            out = BytesMut::with_capacity(ONE_WRITE);
        }
    }
}

/// A write may wait for ever for a node that is stopped, and so may a read.
async fn watch<T: Talk>(talk: &T) -> Ended {
    loop {
        let deadline = talk.deadline();
        if deadline <= Instant::now() {
            return Ended::Silent;
        }
        sleep_until(deadline).await;
    }
}

#[cfg(test)]
mod tests;
