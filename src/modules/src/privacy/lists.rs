//! All lists of an account, as a value: a change makes a new one that shares what stays.
//!
//! The block list (XEP-0191 §5) is no list of its own: it is those rules of the default list that
//! deny everything of an address.

use std::collections::HashSet;
use std::sync::Arc;

use xmpp::Jid;

use super::rule::Item;
use super::rules::{BadRules, Rules};

/// The name of the list that blocking makes when there is no default list.
const BLOCKING: &str = "blocking";

/// A list.
#[derive(Debug, Clone)]
pub struct List {
    /// Its name.
    pub name: Arc<str>,
    /// Its rules.
    pub rules: Arc<Rules>,
}

/// The lists of an account.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    lists: Vec<List>,
    /// Where the default list is.
    default: Option<usize>,
}

/// There is no list of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no list of this name")]
pub struct UnknownList;

impl Lists {
    /// The lists in their order, and the name of the one that is the default.
    #[must_use]
    pub fn new(lists: Vec<List>, default: Option<&str>) -> Self {
        let default = default.and_then(|name| lists.iter().position(|list| *list.name == *name));
        Self { lists, default }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// All of them, the oldest first.
    #[must_use]
    pub fn all(&self) -> &[List] {
        &self.lists
    }

    /// The list of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&List> {
        self.lists.iter().find(|list| *list.name == *name)
    }

    /// The default list.
    #[must_use]
    pub fn default_list(&self) -> Option<&List> {
        self.lists.get(self.default?)
    }

    /// The list that holds for a session: its active one, else the default one (XEP-0016 §2.2,
    /// rules 1 and 2). An active list that is gone is none.
    #[must_use]
    pub fn in_force(&self, active: Option<&str>) -> Option<&List> {
        active
            .and_then(|name| self.get(name))
            .or_else(|| self.default_list())
    }

    /// Puts a list in the place of the one of its name, or behind all.
    #[must_use]
    pub fn with(&self, name: &str, rules: Rules) -> Self {
        let mut changed = self.clone();
        let rules = Arc::new(rules);
        match changed.lists.iter_mut().find(|list| *list.name == *name) {
            Some(list) => list.rules = rules,
            None => changed.lists.push(List {
                name: name.into(),
                rules,
            }),
        }
        changed
    }

    /// Takes a list away. If it was the default, there is no default after that.
    ///
    /// # Errors
    /// If there is no such list.
    pub fn without(&self, name: &str) -> Result<Self, UnknownList> {
        let at = self.lists.iter().position(|list| *list.name == *name);
        let at = at.ok_or(UnknownList)?;
        let mut changed = self.clone();
        changed.lists.remove(at);
        changed.default = match changed.default {
            Some(default) if default == at => None,
            Some(default) if default > at => Some(default - 1),
            default => default,
        };
        Ok(changed)
    }

    /// Makes a list the default, or none.
    ///
    /// # Errors
    /// If there is no such list.
    pub fn with_default(&self, name: Option<&str>) -> Result<Self, UnknownList> {
        let at = |name: &str| self.lists.iter().position(|list| *list.name == *name);
        let default = match name {
            Some(name) => Some(at(name).ok_or(UnknownList)?),
            None => None,
        };
        Ok(Self {
            lists: self.lists.clone(),
            default,
        })
    }

    /// The addresses on the block list, each once, as text.
    #[must_use]
    pub fn blocked(&self) -> Vec<&str> {
        let mut blocked: Vec<&str> = Vec::new();
        if let Some(list) = self.default_list() {
            let mut seen = HashSet::new();
            blocked.extend(list.rules.blocked().filter(|jid| seen.insert(*jid)));
        }
        blocked
    }

    /// Puts `jids` on the block list: they become rules of the default list, in front of all that
    /// do something else. Without a default list one is made; a list of the same name that is not
    /// the default stays what it is.
    ///
    /// # Errors
    /// None that a caller could cause; the orders are given here.
    pub fn block(&self, jids: &[Jid]) -> Result<Self, BadRules> {
        let (name, items): (Arc<str>, Vec<Item>) = match self.default_list() {
            Some(list) => (list.name.clone(), list.rules.items().collect()),
            None => (self.free_name(), Vec::new()),
        };
        let mut there: HashSet<&Jid> = items.iter().filter_map(Item::blocks).collect();
        let new = jids.iter().filter(|jid| there.insert(jid));
        let new: Vec<Jid> = new.cloned().collect();
        if new.is_empty() {
            return Ok(self.clone());
        }
        let changed = self.with(&name, Rules::new(put_in_front(items, new))?);
        Ok(changed.with_default(Some(&name)).unwrap_or(changed))
    }

    /// Takes `jids` from the block list, or all if they are `None`. A list that is empty after
    /// that is taken away.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn unblock(&self, jids: Option<&[Jid]>) -> Result<Self, BadRules> {
        let Some(list) = self.default_list() else {
            return Ok(self.clone());
        };
        let before = list.rules.len();
        let jids: Option<HashSet<&Jid>> = jids.map(|jids| jids.iter().collect());
        let goes = |item: &Item| match (item.blocks(), &jids) {
            (Some(jid), Some(jids)) => jids.contains(jid),
            (Some(_), None) => true,
            (None, _) => false,
        };
        let left: Vec<Item> = list.rules.items().filter(|item| !goes(item)).collect();
        if left.len() == before {
            return Ok(self.clone());
        }
        if left.is_empty() {
            return Ok(self.without(&list.name).unwrap_or_default());
        }
        Ok(self.with(&list.name, Rules::new(left)?))
    }

    fn free_name(&self) -> Arc<str> {
        let free = |name: &String| self.get(name).is_none();
        let mut names = std::iter::once(BLOCKING.to_owned())
            .chain((2_u64..).map(|n| format!("{BLOCKING}-{n}")));
        names.find(free).unwrap_or_default().into()
    }
}

/// `items` with blocks of `jids` behind the blocks that stand in front already. Their orders are
/// taken from the gap that is there; if it is too small, all are numbered anew (the places of
/// rules are not fixed, XEP-0016 §2.6).
fn put_in_front(mut items: Vec<Item>, jids: Vec<Jid>) -> Vec<Item> {
    let count = jids.len() as u64;
    let front = items.iter().take_while(|item| item.blocks().is_some());
    let front = front.count();
    let before = items[..front]
        .last()
        .map_or(0, |item| u64::from(item.order));
    let behind = items
        .get(front)
        .map_or(1 << 32, |item| u64::from(item.order));
    let fits = before + count < behind;
    let blocks = jids.into_iter().zip(before + 1..);
    let blocks = blocks.map(|(jid, order)| Item::block(order as u32, jid));
    items.splice(front..front, blocks);
    if !fits {
        for (item, order) in items.iter_mut().zip(1..) {
            item.order = order;
        }
    }
    items
}

#[cfg(test)]
mod tests;
