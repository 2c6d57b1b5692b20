//! What a module wants, written down before anything of it runs.

use std::any::{Any, TypeId};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;
use xmpp::{BareJid, StanzaError};

use crate::Router;
use crate::disco::{Disco, Form, Identity};
use crate::hooks::{Flow, Handler, Hook, OnFault, Phase};
use crate::host::{AccountRegistered, LoadSlot, MadeOf, RemoveAccount, Tables, Written};
use crate::iq::{Answering, AsyncIq, Handle, IqAnswer, IqRequest, IqTable, OwnedIq, To};
use crate::lanes::Lanes;
use crate::module::{Module, ModuleFigures};

/// Why a module can't be had as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two modules want to answer the same IQs.
    #[error(
        "modules `{first}` and `{second}` both answer {to:?} IQs of `{ns}`: switch one of them off"
    )]
    SameIq {
        /// The one that was there.
        first: &'static str,
        /// The one that came.
        second: &'static str,
        /// To whom the IQs go.
        to: To,
        /// Their namespace.
        ns: &'static str,
    },
    /// Settings that contradict each other.
    #[error("module `{module}`: {problem}")]
    Settings {
        /// The module.
        module: &'static str,
        /// What is wrong and what to write in its place.
        problem: String,
    },
}

type Put = Box<dyn Fn(&mut Tables) + Send + Sync>;
type MakePut<M> = Box<dyn FnOnce(&Arc<M>, &Arc<ModuleFigures>, &Arc<Lanes>) -> Put>;
type MakeTimer<M> = Box<dyn FnOnce(&Arc<M>) -> Timer>;
type MakeTask<M> = Box<dyn FnOnce(&Arc<M>) -> Task>;

/// What a module writes its wishes into.
pub struct Plan<'a, M: Module> {
    node: &'a Router,
    hooks: Vec<MakePut<M>>,
    words: Vec<MakePut<M>>,
    iqs: Vec<(To, &'static str)>,
    timers: Vec<MakeTimer<M>>,
    tasks: Vec<MakeTask<M>>,
}

/// Work that a module has beside it as long as it lives; its actor runs it in an actor of its
/// own.
#[derive(Clone)]
pub struct Task {
    /// Its name: one segment of a path.
    pub name: &'static str,
    /// Starts it. It is to end soon after the receiver resolves, and not before.
    pub run: RunTask,
}

/// Starts a [`Task`].
pub type RunTask =
    Arc<dyn Fn(oneshot::Receiver<()>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Something a module does again and again; its actor calls it.
#[derive(Clone)]
pub struct Timer {
    /// How long from one time to the next.
    pub every: Duration,
    /// What is done. It must not block.
    pub run: Arc<dyn Fn(&Router) + Send + Sync>,
}

impl<M: Module> Plan<'_, M> {
    /// The node that it is planned for: for settings that depend on it, not to act.
    #[must_use]
    pub fn node(&self) -> &Router {
        self.node
    }

    /// Says that addresses of the kind `to` have `feature` (XEP-0030).
    pub fn feature(&mut self, to: To, feature: &'static str) {
        self.words.push(Box::new(move |_, _, _| {
            Box::new(move |tables| tables.disco.entry(to).or_default().add_feature(feature))
        }));
    }

    /// Says that addresses of the kind `to` have `identity` (XEP-0030).
    pub fn identity(&mut self, to: To, identity: Identity) {
        self.words.push(Box::new(move |_, _, _| {
            Box::new(move |tables| {
                let identity = identity.clone();
                tables.disco.entry(to).or_default().add_identity(identity);
            })
        }));
    }

    /// Says more of addresses of the kind `to`, in a form (XEP-0128).
    pub fn form(&mut self, to: To, form: Form) {
        self.words.push(Box::new(move |_, _, _| {
            Box::new(move |tables| tables.disco.entry(to).or_default().add_form(form.clone()))
        }));
    }

    /// Offers a service of the host at `name.DOMAIN`: it answers the IQs and has the features that
    /// are planned for [`To::Service`] of that name. A domain of that name that is served as such
    /// goes before it.
    pub fn service(&mut self, name: &'static str) {
        self.words.push(Box::new(move |_, _, _| {
            Box::new(move |tables| _ = tables.services.insert(name))
        }));
    }

    /// Shows clients a feature of the stream after login: what `write` makes, one whole element, of
    /// what the host says of itself. It is made anew whenever a module comes or goes.
    pub fn stream_feature(&mut self, write: fn(&M, &Disco) -> Bytes) {
        self.words.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let write: MadeOf<Bytes> = Arc::new(move |disco: &Disco| write(&module, disco));
            Box::new(move |tables| tables.stream_features.push(write.clone()))
        }));
    }

    /// Shows clients a feature of the stream before login, where a password may be sent: one whole
    /// element.
    pub fn login_feature(&mut self, element: &'static [u8]) {
        self.words.push(Box::new(move |_, _, _| {
            Box::new(move |tables| tables.login_features.push(Bytes::from_static(element)))
        }));
    }

    /// Names a node at which the host tells the same as without a node (XEP-0030): `name` makes it
    /// of what the host says of itself, anew whenever a module comes or goes.
    pub fn disco_node(&mut self, name: fn(&M, &Disco) -> String) {
        self.words.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let name: MadeOf<String> = Arc::new(move |disco: &Disco| name(&module, disco));
            Box::new(move |tables| tables.disco_nodes.push(name.clone()))
        }));
    }

    /// Answers get and set IQs to `to` whose payload is in the namespace `ns`, at once, where
    /// the stanza is. For what needs no I/O.
    pub fn iq(&mut self, to: To, ns: &'static str, answer: fn(&M, &IqRequest<'_>) -> IqAnswer) {
        self.iqs.push((to, ns));
        self.words.push(Box::new(move |module, figures, _| {
            let (module, figures) = (module.clone(), figures.clone());
            let handle = Handle::Sync {
                call: Arc::new(move |request: &IqRequest<'_>| answer(&module, request)),
                figures,
            };
            Box::new(move |tables| tables.iq.insert(to, ns, handle.clone()))
        }));
    }

    /// The same for what is done at once, in order with all that the client sends, while the answer
    /// may wait: for a change to reach the disk.
    pub fn iq_later(
        &mut self,
        to: To,
        ns: &'static str,
        answer: fn(&M, &IqRequest<'_>) -> Answering,
    ) {
        self.iqs.push((to, ns));
        self.words.push(Box::new(move |module, figures, lanes| {
            let module = module.clone();
            let handle = Handle::Later {
                call: Arc::new(move |request: &IqRequest<'_>| answer(&module, request)),
                lanes: lanes.clone(),
                figures: figures.clone(),
            };
            Box::new(move |tables| tables.iq.insert(to, ns, handle.clone()))
        }));
    }

    /// The same for what takes time: the answer runs as a task, in order for each client, under
    /// the module's bound; later stanzas don't wait for it.
    pub fn iq_async<F, A>(&mut self, to: To, ns: &'static str, answer: F)
    where
        F: Fn(Arc<M>, OwnedIq) -> A + Send + Sync + 'static,
        A: Future<Output = IqAnswer> + Send + 'static,
    {
        self.put_async(to, ns, answer, IqTable::insert);
    }

    /// Answers service discovery (XEP-0030), information as well as items, at the node `node` of
    /// `to`, in the place of who answers it for all nodes.
    pub fn node_async<F, A>(&mut self, to: To, node: &'static str, answer: F)
    where
        F: Fn(Arc<M>, OwnedIq) -> A + Send + Sync + 'static,
        A: Future<Output = IqAnswer> + Send + 'static,
    {
        self.put_async(to, node, answer, IqTable::insert_node);
    }

    fn put_async<F, A>(
        &mut self,
        to: To,
        name: &'static str,
        answer: F,
        insert: fn(&mut IqTable, To, &'static str, Handle),
    ) where
        F: Fn(Arc<M>, OwnedIq) -> A + Send + Sync + 'static,
        A: Future<Output = IqAnswer> + Send + 'static,
    {
        self.iqs.push((to, name));
        self.words.push(Box::new(move |module, figures, lanes| {
            let module = module.clone();
            let call: AsyncIq = Arc::new(move |request| Box::pin(answer(module.clone(), request)));
            let handle = Handle::Async {
                call,
                lanes: lanes.clone(),
                figures: figures.clone(),
            };
            Box::new(move |tables| insert(&mut tables.iq, to, name, handle.clone()))
        }));
    }

    /// Takes part in the hook point `H`. When the handler panics, `on_fault` holds.
    pub fn on<H: Hook>(
        &mut self,
        phase: Phase,
        on_fault: OnFault,
        handler: fn(&M, &mut H::Fold<'_>) -> Flow,
    ) {
        self.hooks.push(Box::new(move |module, figures, _| {
            let module = module.clone();
            let handler = Handler::<H> {
                phase,
                on_fault,
                figures: figures.clone(),
                call: Arc::new(move |fold: &mut H::Fold<'_>| handler(&module, fold)),
            };
            Box::new(move |tables| H::chain_mut(tables).add(handler.clone()))
        }));
    }

    /// Calls `run` every `every`, first after one such time.
    pub fn every(&mut self, every: Duration, run: fn(&M, &Router)) {
        self.timers.push(Box::new(move |module| {
            let module = module.clone();
            Timer {
                every,
                run: Arc::new(move |router| run(&module, router)),
            }
        }));
    }

    /// What the node offers to modules by its type: its database, for one. In the plays of a
    /// module there is nothing, unless the stage offers it.
    #[must_use]
    pub fn uses<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.node.services().get()
    }

    /// Offers something of this module to the node, by its type
    /// ([`HostType::offered`](crate::HostType::offered)): for what an operator asks of it.
    pub fn offer<T: Send + Sync + 'static>(&mut self, make: fn(&Arc<M>) -> T) {
        self.words.push(Box::new(move |module, _, _| {
            let offered: Arc<dyn Any + Send + Sync> = Arc::new(make(module));
            Box::new(move |tables| {
                tables.offered.insert(TypeId::of::<T>(), offered.clone());
            })
        }));
    }

    /// What this module keeps as long as the node runs, over all its incarnations: a queue of
    /// writes. Made at the first time.
    pub fn lasting<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.node.services().lasting(M::NAME, make)
    }

    /// A store in memory for where there is no database: kept as long as the node runs and, in plays
    /// with several nodes, shared by all of them.
    pub fn memory<T: Send + Sync + 'static>(&self, make: impl FnOnce() -> T) -> Arc<T> {
        self.node.services().memory(M::NAME, make)
    }

    /// Runs `run` beside the module, in an actor of its own, until the receiver resolves. When it
    /// ends before, or panics, the module starts anew.
    pub fn task<F, R>(&mut self, name: &'static str, run: F)
    where
        F: Fn(Arc<M>, oneshot::Receiver<()>) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        self.tasks.push(Box::new(move |module| {
            let module = module.clone();
            Task {
                name,
                run: Arc::new(move |stop| Box::pin(run(module.clone(), stop))),
            }
        }));
    }

    /// Keeps a state of type `T` of each account ([`Account::slot`](crate::Account::slot)): `load`
    /// makes it before any stanza of the account or to it is dealt with. Its error is what those
    /// are told who wait.
    pub fn account_slot<T, F, L>(&mut self, load: F)
    where
        T: Send + Sync + 'static,
        F: Fn(Arc<M>, BareJid) -> L + Send + Sync + 'static,
        L: Future<Output = Result<T, StanzaError>> + Send + 'static,
    {
        self.hooks.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let load = Arc::new(load);
            let slot = LoadSlot {
                of: TypeId::of::<T>(),
                load: Arc::new(move |account| {
                    let (module, load) = (module.clone(), load.clone());
                    Box::pin(async move {
                        let loaded = load(module, account).await?;
                        Ok(Box::new(loaded) as Box<dyn Any + Send + Sync>)
                    })
                }),
            };
            Box::new(move |tables| tables.slots.push(slot.clone()))
        }));
    }

    /// Tells the module of an account that was made, when it can log in already. Those that are
    /// imported are not new.
    pub fn account_registered(&mut self, told: fn(&M, &Router, &BareJid)) {
        self.words.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let told: AccountRegistered =
                Arc::new(move |router, account| told(&module, router, account));
            Box::new(move |tables| tables.registrations.push(told.clone()))
        }));
    }

    /// Says how to wait until what the module has changed of accounts is on disk, or was given up: before
    /// another node loads one of them.
    pub fn written<F, W>(&mut self, written: F)
    where
        F: Fn(Arc<M>) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        self.hooks.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let written: Written = Arc::new(move || Box::pin(written(module.clone())));
            Box::new(move |tables| tables.written.push(written.clone()))
        }));
    }

    /// Deletes all that the module keeps of an account that is removed; it has no session any
    /// more.
    pub fn account_removed<F, R>(&mut self, remove: F)
    where
        F: Fn(Arc<M>, BareJid) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), StanzaError>> + Send + 'static,
    {
        self.hooks.push(Box::new(move |module, _, _| {
            let module = module.clone();
            let removal = RemoveAccount {
                module: M::NAME,
                remove: Arc::new(move |account| Box::pin(remove(module.clone(), account))),
            };
            Box::new(move |tables| tables.removals.push(removal.clone()))
        }));
    }
}

/// A module that is built and whose wishes are known, ready to be installed.
pub struct Planned {
    name: &'static str,
    hooks: Vec<Put>,
    words: Vec<Put>,
    iqs: Vec<(To, &'static str)>,
    timers: Vec<Timer>,
    tasks: Vec<Task>,
    figures: Arc<ModuleFigures>,
    lanes: Arc<Lanes>,
}

impl Planned {
    /// Builds the module `M` for `node`.
    ///
    /// # Errors
    /// What [`Module::plan`] says.
    pub fn new<M: Module>(config: Arc<M::Config>, node: &Router) -> Result<Arc<Self>, PlanError> {
        let mut plan = Plan {
            node,
            hooks: Vec::new(),
            words: Vec::new(),
            iqs: Vec::new(),
            timers: Vec::new(),
            tasks: Vec::new(),
        };
        let module = Arc::new(M::plan(config, &mut plan)?);
        let figures = Arc::new(ModuleFigures::new(M::NAME));
        let lanes = Lanes::new();
        let make = |wishes: Vec<MakePut<M>>| {
            wishes
                .into_iter()
                .map(|w| w(&module, &figures, &lanes))
                .collect()
        };
        Ok(Arc::new(Self {
            name: M::NAME,
            hooks: make(plan.hooks),
            words: make(plan.words),
            iqs: plan.iqs,
            timers: plan
                .timers
                .into_iter()
                .map(|timer| timer(&module))
                .collect(),
            tasks: plan.tasks.into_iter().map(|task| task(&module)).collect(),
            figures,
            lanes,
        }))
    }

    /// The module's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What its handlers have done.
    #[must_use]
    pub fn figures(&self) -> &Arc<ModuleFigures> {
        &self.figures
    }

    /// What its actor does again and again.
    #[must_use]
    pub fn timers(&self) -> &[Timer] {
        &self.timers
    }

    /// What runs beside it.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    /// Its asynchronous IQs under way.
    #[must_use]
    pub fn lanes(&self) -> &Arc<Lanes> {
        &self.lanes
    }

    pub(crate) fn put_hooks(&self, tables: &mut Tables) {
        self.hooks.iter().for_each(|put| put(tables));
    }

    pub(crate) fn put_words(&self, tables: &mut Tables) {
        self.words.iter().for_each(|put| put(tables));
    }

    pub(crate) fn conflict_with(&self, there: &Planned) -> Result<(), PlanError> {
        match self.iqs.iter().find(|iq| there.iqs.contains(iq)) {
            Some(&(to, ns)) => Err(PlanError::SameIq {
                first: there.name,
                second: self.name,
                to,
                ns,
            }),
            None => Ok(()),
        }
    }
}
