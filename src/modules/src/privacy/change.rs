//! What a request makes of an account's lists, or why it is refused (XEP-0016 §2.2, rule 11, and
//! §2.4 to §2.7).

use std::sync::Arc;

use xmpp::{Condition, StanzaError};

use super::lists::{Lists, UnknownList};
use super::query::too_many_rules;
use super::rule::Subject;
use super::rules::Rules;

/// How much one account may keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Lists.
    pub lists: usize,
    /// Rules in one list.
    pub items: usize,
}

/// The names of the active lists of those sessions that did not send the request, one each.
pub type OtherSessions = [Option<Arc<str>>];

fn in_use(lists: &Lists, name: &str, others: &OtherSessions) -> bool {
    others.iter().any(|active| {
        let in_force = lists.in_force(active.as_deref());
        in_force.is_some_and(|list| *list.name == *name)
    })
}

impl From<UnknownList> for StanzaError {
    fn from(_: UnknownList) -> Self {
        Self::new(Condition::ItemNotFound)
    }
}

impl Lists {
    /// Creates or replaces a list. `group` tells whether the roster has a group.
    ///
    /// # Errors
    /// `item-not-found`: a rule is about a group that the roster has not. `resource-constraint`:
    /// too many lists.
    pub fn put(
        &self,
        name: &str,
        rules: Rules,
        bounds: Bounds,
        group: impl Fn(&str) -> bool,
    ) -> Result<Self, StanzaError> {
        for item in rules.items() {
            match item.subject {
                Subject::Group(name) if !group(&name) => {
                    return Err(StanzaError::new(Condition::ItemNotFound));
                }
                _ => {}
            }
        }
        if self.get(name).is_none() && self.all().len() >= bounds.lists {
            return Err(StanzaError::new(Condition::ResourceConstraint).with_text("too many lists"));
        }
        Ok(self.with(name, rules))
    }

    /// Removes a list.
    ///
    /// # Errors
    /// `item-not-found`: there is none. `conflict`: it holds for another session.
    pub fn remove(&self, name: &str, others: &OtherSessions) -> Result<Self, StanzaError> {
        let changed = self.without(name)?;
        match in_use(self, name, others) {
            true => Err(StanzaError::new(Condition::Conflict)),
            false => Ok(changed),
        }
    }

    /// Makes a list the default, or none.
    ///
    /// # Errors
    /// `item-not-found`: there is none. `conflict`: what is the default now holds for another
    /// session.
    pub fn choose_default(
        &self,
        name: Option<&str>,
        others: &OtherSessions,
    ) -> Result<Self, StanzaError> {
        let changed = self.with_default(name)?;
        let Some(now) = self.default_list() else {
            return Ok(changed);
        };
        match Some(&*now.name) != name && in_use(self, &now.name, others) {
            true => Err(StanzaError::new(Condition::Conflict)),
            false => Ok(changed),
        }
    }

    /// `self`, if the list that blocking has changed is within `bounds`.
    ///
    /// # Errors
    /// `resource-constraint`: it has grown too long.
    pub fn within(self, bounds: Bounds) -> Result<Self, StanzaError> {
        let list = self.default_list();
        match list.is_some_and(|list| list.rules.len() > bounds.items) {
            true => Err(too_many_rules()),
            false => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests;
