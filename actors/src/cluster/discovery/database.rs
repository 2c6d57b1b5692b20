//! Nodes that are found in the database they share.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store::{NodeRow, Nodes, StoreError};
use tokio::time::Instant;

use super::names::resolve;
use super::{Look, Seen};

/// What a node says of itself in the database.
#[derive(Debug, Clone)]
pub struct OwnRow {
    /// Its name.
    pub name: String,
    /// Host and port where others reach it.
    pub address: String,
    /// The row of another node that stood still for so long is deleted.
    pub forget_after: Duration,
}

/// The table, written and read at each look.
pub(super) struct Table {
    nodes: Nodes,
    own: OwnRow,
    /// What was last said.
    said: Option<NodeRow>,
    /// What others said, and since when it stands. Clocks of other nodes play no part.
    standing: HashMap<String, (i64, Instant)>,
}

impl Table {
    pub(super) fn new(nodes: Nodes, own: OwnRow) -> Self {
        Self {
            nodes,
            own,
            said: None,
            standing: HashMap::new(),
        }
    }

    async fn say(&mut self) -> Result<(), StoreError> {
        // Above the last one, and above those of the node's earlier lives.
        let clock = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            });
        let last = self.said.as_ref().map_or(0, |row| row.beat);
        let row = NodeRow {
            name: self.own.name.clone(),
            address: self.own.address.clone(),
            beat: clock.max(last.saturating_add(1)),
        };
        self.nodes.say(row.clone()).await?;
        self.said = Some(row);
        Ok(())
    }

    /// The others that are there, and another node that has our name.
    async fn others(&mut self) -> Result<(Vec<NodeRow>, Option<NodeRow>), StoreError> {
        let rows = self.nodes.all().await?;
        let now = Instant::now();
        let (own, others): (Vec<NodeRow>, _) =
            rows.into_iter().partition(|row| row.name == self.own.name);
        let namesake = own.into_iter().find(|row| {
            let said = self.said.as_ref();
            said.is_some_and(|said| said != row) && row.address != self.own.address
        });
        self.standing
            .retain(|name, _| others.iter().any(|row| row.name == *name));
        let mut there = Vec::new();
        for row in others {
            let (beat, since) = self
                .standing
                .entry(row.name.clone())
                .or_insert((row.beat, now));
            if *beat != row.beat {
                (*beat, *since) = (row.beat, now);
            }
            if now.duration_since(*since) < self.own.forget_after {
                there.push(row);
            } else {
                self.nodes.forget(&row).await?;
                tracing::info!(what = "node_row_deleted", node = %row.name, address = %row.address,
                    "nothing was heard of it for long");
            }
        }
        Ok((there, namesake))
    }
}

impl Look for Table {
    async fn look(&mut self) -> Seen {
        let looked = async {
            let others = self.others().await?;
            self.say().await?;
            Ok::<_, StoreError>(others)
        };
        match looked.await {
            Ok((others, namesake)) => {
                let seen = resolve(others.iter().map(|row| row.address.as_str())).await;
                let namesake = namesake.map(|row| {
                    format!(
                        "another node, at {}, is called {} as well; give one of them another name",
                        row.address, row.name
                    )
                });
                Seen {
                    trouble: namesake.or(seen.trouble),
                    ..seen
                }
            }
            Err(error) => Seen {
                trouble: Some(format!("the database doesn't tell: {error}")),
                ..Seen::default()
            },
        }
    }

    async fn leave(&mut self) {
        if let Some(said) = self.said.take()
            && let Err(error) = self.nodes.forget(&said).await
        {
            tracing::debug!(what = "node_row_stays", %error);
        }
    }
}
