//! Served domains, and what the modules of their host type have put on the way of a stanza.

use std::any::{Any, TypeId};
use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use bytes::Bytes;
use parking_lot::Mutex;
use xmpp::{BareJid, StanzaError};

use crate::Router;
use crate::disco::Disco;
use crate::hooks::{Chains, Flow, Hook};
use crate::iq::{IqTable, To};
use crate::plan::{PlanError, Planned};

/// A domain that this node serves.
pub struct Host {
    domain: BareJid,
    host_type: Arc<HostType>,
}

impl Host {
    /// `domain`, served as `host_type` says.
    #[must_use]
    pub fn new(domain: BareJid, host_type: Arc<HostType>) -> Self {
        Self { domain, host_type }
    }

    /// The domain as an address: the server's own JID.
    #[must_use]
    pub fn domain(&self) -> &BareJid {
        &self.domain
    }

    /// How it is served.
    #[must_use]
    pub fn host_type(&self) -> &Arc<HostType> {
        &self.host_type
    }

    /// Runs the handlers of a hook point over `fold`.
    pub(crate) fn run<H: Hook>(&self, fold: &mut H::Fold<'_>) -> Flow {
        H::chain(&self.host_type.tables()).run(fold)
    }
}

/// A named group of domains that are served alike, by the same modules.
pub struct HostType {
    name: String,
    tables: ArcSwap<Tables>,
    installed: Mutex<Vec<Share>>,
}

/// What one module has put into the tables.
struct Share {
    module: &'static str,
    order: usize,
    planned: Arc<Planned>,
    /// Whether its words stand: false while its actor is dead and its hooks go on alone.
    words: bool,
}

/// What stands on the way of a stanza, made anew at each change and read without a lock.
#[derive(Default)]
pub struct Tables {
    pub(crate) chains: Chains,
    pub(crate) iq: IqTable,
    pub(crate) disco: HashMap<To, Disco>,
    /// The names of the host's services.
    pub(crate) services: BTreeSet<&'static str>,
    pub(crate) slots: Vec<LoadSlot>,
    pub(crate) removals: Vec<RemoveAccount>,
    pub(crate) registrations: Vec<AccountRegistered>,
    pub(crate) written: Vec<Written>,
    pub(crate) stream_features: Vec<MadeOf<Bytes>>,
    pub(crate) login_features: Vec<Bytes>,
    pub(crate) disco_nodes: Vec<MadeOf<String>>,
    /// What modules offer to the node, by its type.
    pub(crate) offered: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    /// What the stream features made.
    shown: Bytes,
}

/// Makes something of what the host says of itself.
pub(crate) type MadeOf<T> = Arc<dyn Fn(&Disco) -> T + Send + Sync>;

impl Tables {
    /// Makes what is made of the host's words, once all of them stand.
    fn complete(&mut self) {
        let host = self.disco.entry(To::Host).or_default();
        let shown: Vec<Bytes> = self.stream_features.iter().map(|make| make(host)).collect();
        self.shown = shown.concat().into();
        let nodes: Vec<String> = self.disco_nodes.iter().map(|name| name(host)).collect();
        nodes.into_iter().for_each(|node| host.add_node(node));
    }
}

/// Loads the state that a module keeps of an account.
#[derive(Clone)]
pub(crate) struct LoadSlot {
    pub(crate) of: TypeId,
    pub(crate) load: Arc<dyn Fn(BareJid) -> Loaded + Send + Sync>,
}

type Loaded = Pin<Box<dyn Future<Output = Result<Box<dyn Any + Send + Sync>, StanzaError>> + Send>>;

/// Tells a module of an account that was made.
pub(crate) type AccountRegistered = Arc<dyn Fn(&Router, &BareJid) + Send + Sync>;

/// Waits until what a module has changed is on disk.
pub(crate) type Written = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Deletes what a module keeps of an account.
#[derive(Clone)]
pub(crate) struct RemoveAccount {
    pub(crate) module: &'static str,
    pub(crate) remove: Arc<dyn Fn(BareJid) -> Removed + Send + Sync>,
}

type Removed = Pin<Box<dyn Future<Output = Result<(), StanzaError>> + Send>>;

/// How a module goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Withdraw {
    /// Its actor died: its IQs are answered with `service-unavailable` and its features leave
    /// disco until it is back, its hooks stay.
    Crashed,
    /// It was stopped: everything goes.
    Orderly,
}

impl HostType {
    /// A host type without modules.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            tables: ArcSwap::default(),
            installed: Mutex::default(),
        })
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn tables(&self) -> Guard<Arc<Tables>> {
        self.tables.load()
    }

    /// The modules that are installed, in their order.
    #[must_use]
    pub fn modules(&self) -> Vec<&'static str> {
        self.installed
            .lock()
            .iter()
            .map(|share| share.module)
            .collect()
    }

    /// What a module offers ([`Plan::offer`](crate::Plan::offer)), if there is one that does and
    /// it is not being started again.
    #[must_use]
    pub fn offered<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let offered = self.tables().offered.get(&TypeId::of::<T>()).cloned()?;
        offered.downcast().ok()
    }

    /// What addresses of the kind `to` say that they can do.
    #[must_use]
    pub fn features(&self, to: To) -> Vec<&'static str> {
        self.tables()
            .disco
            .get(&to)
            .map(|disco| disco.features().collect())
            .unwrap_or_default()
    }

    /// What streams show after login, whole elements one after another.
    #[must_use]
    pub fn stream_features(&self) -> Bytes {
        self.tables().shown.clone()
    }

    /// What streams show before login, whole elements one after another.
    #[must_use]
    pub fn login_features(&self) -> Bytes {
        self.tables().login_features.concat().into()
    }

    /// Puts a module on the way of a stanza, in the place of an earlier incarnation of itself.
    /// `order` is its place among the modules.
    ///
    /// # Errors
    /// When another module answers an IQ that it wants to answer.
    pub fn install(
        self: &Arc<Self>,
        planned: Arc<Planned>,
        order: usize,
    ) -> Result<Installed, PlanError> {
        let mut installed = self.installed.lock();
        for other in installed
            .iter()
            .filter(|other| other.module != planned.name())
        {
            planned.conflict_with(&other.planned)?;
        }
        installed.retain(|share| share.module != planned.name());
        let share = Share {
            module: planned.name(),
            order,
            planned: planned.clone(),
            words: true,
        };
        let at = installed.partition_point(|other| other.order <= order);
        installed.insert(at, share);
        self.rebuild(&installed);
        drop(installed);
        Ok(Installed {
            host_type: self.clone(),
            planned,
            gone: false,
        })
    }

    fn withdraw(&self, planned: &Arc<Planned>, how: Withdraw) {
        let mut installed = self.installed.lock();
        match how {
            Withdraw::Orderly => installed.retain(|share| !Arc::ptr_eq(&share.planned, planned)),
            Withdraw::Crashed => {
                for share in installed
                    .iter_mut()
                    .filter(|share| Arc::ptr_eq(&share.planned, planned))
                {
                    share.words = false;
                }
            }
        }
        self.rebuild(&installed);
    }

    fn rebuild(&self, installed: &[Share]) {
        let mut tables = Tables::default();
        for share in installed {
            share.planned.put_hooks(&mut tables);
            if share.words {
                share.planned.put_words(&mut tables);
            }
        }
        tables.complete();
        self.tables.store(Arc::new(tables));
    }
}

/// A module on the way of a stanza. Dropping it is a crash: see [`Withdraw::Crashed`].
pub struct Installed {
    host_type: Arc<HostType>,
    planned: Arc<Planned>,
    gone: bool,
}

impl Installed {
    /// What was installed.
    #[must_use]
    pub fn planned(&self) -> &Arc<Planned> {
        &self.planned
    }

    /// Takes everything of it back.
    pub fn withdraw(mut self) {
        self.gone = true;
        self.planned.lanes().close();
        self.host_type.withdraw(&self.planned, Withdraw::Orderly);
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if !self.gone {
            self.planned.lanes().close();
            self.host_type.withdraw(&self.planned, Withdraw::Crashed);
        }
    }
}
