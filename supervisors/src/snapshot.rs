//! The tree as it stands, for those who look at it: `mungoctl actor tree` and the console.

use std::sync::Arc;

use actors::vitals::{Child, Children, Figure, Roll, Trouble};
use ractor::ActorCell;

/// Looks at the tree below a root, by paths such as `node/hosts/default/ping`.
#[derive(Clone)]
pub struct Snapshot {
    roll: Roll,
    root: Child,
}

/// How much of the tree is to be seen.
#[derive(Debug, Clone, Copy)]
pub struct Extent<'a> {
    /// Levels below the first actor.
    pub levels: usize,
    /// Unnamed children of one supervisor.
    pub page: usize,
    /// Of the first actor's children only those after this name.
    pub after: Option<&'a str>,
}

/// One actor as it stands.
#[derive(Debug, Clone)]
pub struct ActorView {
    /// Its name, the end of its path.
    pub name: Arc<str>,
    /// Where it is: the names from the root down, with slashes between.
    pub path: String,
    /// What sort of actor it is.
    pub kind: &'static str,
    /// `running`, `waiting` (for its restart) or `ended`.
    pub state: &'static str,
    /// Messages in its mailbox.
    pub depth: u64,
    /// Messages it has handled.
    pub handled: u64,
    /// How often it was started again.
    pub restarts: u64,
    /// Why it ended the last time, or what it last complained of.
    pub last_error: Option<Arc<str>>,
    /// Its own few figures.
    pub figures: Vec<Figure>,
    /// How many children it has, listed here or not.
    pub child_count: usize,
    /// Its children, so many as were asked for.
    pub children: Vec<ActorView>,
}

impl Snapshot {
    /// Looks at the tree below `root`.
    #[must_use]
    pub fn new(roll: Roll, name: impl Into<Arc<str>>, root: ActorCell) -> Self {
        let root = Child {
            name: name.into(),
            cell: Some(root),
            state: "running",
            restarts: 0,
            last_error: None,
        };
        Self { roll, root }
    }

    /// The path of the root.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root.name
    }

    /// The actor at `path` and what is below it; `None` when there is none.
    #[must_use]
    pub fn view(&self, path: &str, extent: Extent<'_>) -> Option<ActorView> {
        let child = self.find(path)?;
        Some(self.look(path.to_owned(), &child, extent))
    }

    /// The actor at `path`, if it is running.
    #[must_use]
    pub fn cell(&self, path: &str) -> Option<ActorCell> {
        self.find(path)?.cell
    }

    fn find(&self, path: &str) -> Option<Child> {
        let mut child = self.root.clone();
        let mut rest = path.strip_prefix(&*child.name)?;
        // Names may have slashes in them (a full JID has one): a child is found by what its
        // path begins with, the longest name first.
        while let Some(below) = rest.strip_prefix('/') {
            let fits = |child: &Child| {
                let behind = below.strip_prefix(&*child.name);
                behind.is_some_and(|behind| behind.is_empty() || behind.starts_with('/'))
            };
            let (_, children) = self.children(&child, usize::MAX, None);
            child = children
                .into_iter()
                .filter(fits)
                .max_by_key(|child| child.name.len())?;
            rest = &below[child.name.len()..];
        }
        rest.is_empty().then_some(child)
    }

    /// How many children there are, and those of the page.
    fn children(&self, child: &Child, page: usize, after: Option<&str>) -> (usize, Vec<Child>) {
        let Some(cell) = &child.cell else {
            return (0, Vec::new());
        };
        if let Some(Children::Named(mut children)) =
            self.roll.get(cell.get_id()).map(|s| s.children())
        {
            let count = children.len();
            if let Some(last) =
                after.and_then(|after| children.iter().position(|c| &*c.name == after))
            {
                children.drain(..=last);
            }
            return (count, children);
        }
        let mut children: Vec<Child> = cell
            .get_children()
            .into_iter()
            .map(|cell| self.unnamed(cell))
            .collect();
        let count = children.len();
        children.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        if let Some(after) = after {
            children.retain(|child| &*child.name > after);
        }
        children.truncate(page);
        (count, children)
    }

    fn unnamed(&self, cell: ActorCell) -> Child {
        let name = self
            .roll
            .get(cell.get_id())
            .map(|status| status.name().into_owned());
        Child {
            name: name.unwrap_or_else(|| cell.get_id().to_string()).into(),
            cell: Some(cell),
            state: "running",
            restarts: 0,
            last_error: None,
        }
    }

    fn look(&self, path: String, child: &Child, extent: Extent<'_>) -> ActorView {
        let status = child
            .cell
            .as_ref()
            .and_then(|cell| self.roll.get(cell.get_id()));
        let mut figures = status
            .as_ref()
            .map(|status| status.figures())
            .unwrap_or_default();
        let trouble = child.cell.as_ref().map(ActorCell::get_id);
        match trouble.and_then(|id| self.roll.trouble(id)) {
            Some(Trouble::Stuck(time)) => figures.push(("stuck_seconds", time.as_secs())),
            Some(Trouble::Grows(time)) => figures.push(("mailbox_grows_seconds", time.as_secs())),
            None => {}
        }
        let page = if extent.levels == 0 { 0 } else { extent.page };
        let (child_count, children) = self.children(child, page, extent.after);
        let below = Extent {
            levels: extent.levels.saturating_sub(1),
            after: None,
            ..extent
        };
        let children = if extent.levels == 0 {
            Vec::new()
        } else {
            children
        };
        ActorView {
            name: child.name.clone(),
            kind: status.as_ref().map_or("actor", |status| status.kind()),
            state: child.state,
            depth: status.as_ref().map_or(0, |status| status.depth()),
            handled: status.as_ref().map_or(0, |status| status.handled()),
            restarts: child.restarts,
            last_error: status
                .as_ref()
                .and_then(|s| s.last_error())
                .or_else(|| child.last_error.clone()),
            figures,
            child_count,
            children: children
                .iter()
                .map(|child| self.look(format!("{path}/{}", child.name), child, below))
                .collect(),
            path,
        }
    }
}
