//! Actors, by the supervision tree.

use std::sync::{Arc, OnceLock};

use admin::AdminError;
use admin::api::{Actor, ActorStatus, Actors, Answer, Figure, TreeQuery};
use admin::scalar::Count;
use supervisors::snapshot::{ActorView, Extent, Snapshot};

/// The actors of this node.
pub(crate) struct NodeActors {
    /// The tree; set as soon as it stands.
    pub(crate) snapshot: Arc<OnceLock<Snapshot>>,
}

impl NodeActors {
    fn snapshot(&self) -> Result<&Snapshot, AdminError> {
        self.snapshot
            .get()
            .ok_or_else(|| AdminError::unavailable("the node is still starting"))
    }

    fn view(&self, path: &str, extent: Extent<'_>) -> Result<ActorView, AdminError> {
        self.snapshot()?
            .view(path, extent)
            .ok_or_else(|| nobody(path))
    }
}

impl Actors for NodeActors {
    fn tree(&self, query: TreeQuery) -> Answer<'_, Vec<Actor>> {
        Box::pin(async move {
            let root = self.snapshot()?.root();
            let path = query.path.as_deref().unwrap_or(root);
            let wide = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            let extent = Extent {
                levels: query.depth.map_or(usize::MAX, wide),
                page: wide(query.limit),
                after: query.after.as_deref(),
            };
            let mut actors = Vec::new();
            flatten(self.view(path, extent)?, 0, &mut actors);
            Ok(actors)
        })
    }

    fn show<'a>(&'a self, path: &'a str) -> Answer<'a, ActorStatus> {
        Box::pin(async move {
            let view = self.view(
                path,
                Extent {
                    levels: 0,
                    page: 0,
                    after: None,
                },
            )?;
            let figures = view.figures.iter();
            let figures = figures.map(|(name, value)| Figure {
                name: (*name).to_owned(),
                value: value.to_string(),
            });
            Ok(ActorStatus {
                figures: figures.collect(),
                actor: shown(&view, 0),
            })
        })
    }

    fn kill<'a>(&'a self, path: &'a str) -> Answer<'a, Actor> {
        Box::pin(async move {
            let snapshot = self.snapshot()?;
            if path == snapshot.root() {
                return Err(AdminError::refused(
                    "the root is not killed; stop the node instead",
                ));
            }
            let view = self.view(
                path,
                Extent {
                    levels: 0,
                    page: 0,
                    after: None,
                },
            )?;
            let cell = snapshot.cell(path).ok_or_else(|| nobody(path))?;
            tracing::warn!(what = "actor_killed_by_admin", path);
            cell.kill();
            Ok(shown(&view, 0))
        })
    }
}

fn nobody(path: &str) -> AdminError {
    AdminError::not_found(format!(
        "there is no actor at `{path}`; `actor tree` shows them all"
    ))
}

fn flatten(view: ActorView, depth: u32, into: &mut Vec<Actor>) {
    into.push(shown(&view, depth));
    for child in view.children {
        flatten(child, depth + 1, into);
    }
}

fn shown(view: &ActorView, depth: u32) -> Actor {
    let count = |number: usize| Count(u64::try_from(number).unwrap_or(u64::MAX));
    Actor {
        name: view.name.to_string(),
        path: view.path.clone(),
        depth,
        kind: view.kind.to_owned(),
        state: view.state.to_owned(),
        mailbox: Count(view.depth),
        handled: Count(view.handled),
        restarts: Count(view.restarts),
        children: count(view.child_count),
        omitted: count(view.child_count - view.children.len()),
        last_error: view.last_error.as_ref().map(ToString::to_string),
    }
}
