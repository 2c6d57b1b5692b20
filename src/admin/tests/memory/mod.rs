//! A node in memory: the admin interface's traits over maps.
//!
//! The tests of `mungoctl` use it too, by path.
#![allow(dead_code)] // each test uses its part

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use admin::{
    AdminError, AdminSchema, AdminSecret, Api,
    api::{
        Account, Accounts, Actor, ActorStatus, Actors, Announcements, Answer, Certificate,
        ClusterView, Credentials, Family, Figure, FigureKind, FigureValue, Health, Listener, Motd,
        NewAccount, NodeControl, NodeStatus, Notice, Presence, Session, Sessions, TlsMode,
        TreeQuery,
    },
    scalar::Time,
};
use stream::Secret;
use tokio::{net::TcpListener, sync::oneshot};
use xmpp::{BareJid, FullJid, Jid};

mod cluster;

/// The domains it serves.
pub(crate) const DOMAINS: [&str; 2] = ["example.org", "localhost"];

/// The secret it is opened with.
pub(crate) const SECRET: &str = "correct-horse-battery-staple";

/// 2026-03-01T12:00:00Z, the moment at which everything here happened.
pub(crate) fn moment() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_366_400)
}

/// The node. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// By domain and localpart.
    pub(crate) accounts: BTreeMap<(String, String), Kept>,
    pub(crate) sessions: Vec<Session>,
    pub(crate) actors: Vec<Actor>,
    /// Why certificates can't be read, if they can't.
    pub(crate) broken_tls: Option<String>,
    /// What clients were told when they were kicked.
    pub(crate) reasons: Vec<Option<String>>,
    /// What was said to whom.
    pub(crate) said: Vec<(Option<String>, Notice)>,
    /// By domain.
    pub(crate) motds: BTreeMap<String, Notice>,
    /// The cluster, if it is part of one.
    pub(crate) cluster: Option<ClusterView>,
    /// How many batches were imported.
    pub(crate) batches: usize,
    /// What keeps it from being ready.
    pub(crate) missing: Vec<String>,
}

/// What an account logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Password(String),
    /// Which hashes there are keys for: SHA-1, SHA-256, SHA-512.
    Keys([bool; 3]),
}

impl Memory {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }

    pub(crate) fn api(&self) -> Api {
        let me = Arc::new(self.clone());
        Api {
            accounts: me.clone(),
            sessions: me.clone(),
            announcements: me.clone(),
            cluster: me.clone(),
            actors: me.clone(),
            node: me,
        }
    }

    pub(crate) fn schema(&self) -> AdminSchema {
        admin::schema(self.api())
    }

    pub(crate) fn with_accounts(self, addresses: &[&str]) -> Self {
        for address in addresses {
            let jid: BareJid = address.parse().expect("a bare JID");
            self.lock()
                .accounts
                .insert(key(&jid), Kept::Password("pencil".to_owned()));
        }
        self
    }

    pub(crate) fn with_session(self, jid: &str, presence: Presence) -> Self {
        let session = Session {
            jid: admin::scalar::Jid(jid.to_owned()),
            peer: Some("127.0.0.1".to_owned()),
            tls: true,
            since: moment().into(),
            idle: Duration::from_secs(75).into(),
            priority: 5,
            presence,
        };
        self.lock().sessions.push(session);
        self
    }

    pub(crate) fn with_actors(self, paths: &[&str]) -> Self {
        let actors = paths.iter().map(|path| Actor {
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            path: (*path).to_owned(),
            depth: path.matches('/').count() as u32,
            kind: "supervisor".to_owned(),
            state: "running".to_owned(),
            mailbox: 0.into(),
            handled: 7.into(),
            restarts: 0.into(),
            children: 0.into(),
            omitted: 0.into(),
            last_error: None,
        });
        self.lock().actors.extend(actors);
        self
    }

    /// Serves the node on a free port of the loopback; it stops when the guard is dropped.
    pub(crate) async fn serve(&self) -> Served {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        self.serve_on(listener)
    }

    /// Serves the node on `listener`.
    pub(crate) fn serve_on(&self, listener: TcpListener) -> Served {
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let secret = AdminSecret::new(SECRET).expect("not empty");
        let task = tokio::spawn(admin::serve(
            Arc::new(listener),
            admin::Served {
                schema: self.schema(),
                secret,
                health: Arc::new(self.clone()),
            },
            async {
                let _ = stopped.await;
            },
        ));
        Served {
            address,
            stop: Some(stop),
            task,
        }
    }
}

/// A served node.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) task: tokio::task::JoinHandle<()>,
}

fn key(jid: &BareJid) -> (String, String) {
    (
        jid.domain().to_owned(),
        jid.localpart().unwrap_or_default().to_owned(),
    )
}

fn served(jid: &BareJid) -> Result<(), AdminError> {
    if DOMAINS.contains(&jid.domain()) {
        Ok(())
    } else {
        Err(AdminError::invalid(format!(
            "the domain of `{jid}` is not served here"
        )))
    }
}

fn account((domain, localpart): &(String, String)) -> Account {
    Account {
        account: admin::scalar::Jid(format!("{localpart}@{domain}")),
        registered: Some(Time(moment())),
    }
}

fn missing(jid: &BareJid) -> AdminError {
    AdminError::not_found(format!("there is no account `{jid}`"))
}

impl Health for Memory {
    fn missing(&self) -> Vec<String> {
        self.lock().missing.clone()
    }

    fn figures(&self) -> Vec<Family> {
        let sessions = self.lock().sessions.len() as u64;
        vec![Family::one(
            "mungo_sessions",
            "Sessions",
            FigureKind::Gauge,
            FigureValue::Count(sessions),
        )]
    }
}

impl Accounts for Memory {
    fn list<'a>(
        &'a self,
        domain: Option<&'a str>,
        after: Option<&'a BareJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Account>> {
        let after = after.map(key);
        let found = self
            .lock()
            .accounts
            .keys()
            .filter(|k| domain.is_none_or(|d| d == k.0))
            .filter(|k| after.as_ref().is_none_or(|a| *k > a))
            .take(limit as usize)
            .map(account)
            .collect();
        Box::pin(async { Ok(found) })
    }

    fn count<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, u64> {
        let accounts = &self.lock().accounts;
        let count = accounts
            .keys()
            .filter(|k| domain.is_none_or(|d| d == k.0))
            .count() as u64;
        Box::pin(async move { Ok(count) })
    }

    fn register(&self, jid: BareJid, password: Secret) -> Answer<'_, Account> {
        Box::pin(async move {
            served(&jid)?;
            if password.expose().len() < 3 {
                return Err(AdminError::invalid("the password is too short"));
            }
            let mut state = self.lock();
            if state.accounts.contains_key(&key(&jid)) {
                return Err(AdminError::already_exists(format!(
                    "there is an account `{jid}` already"
                )));
            }
            let kept = Kept::Password(password.expose().to_owned());
            state.accounts.insert(key(&jid), kept);
            Ok(account(&key(&jid)))
        })
    }

    fn unregister(&self, jid: BareJid) -> Answer<'_, ()> {
        let removed = self.lock().accounts.remove(&key(&jid));
        Box::pin(async move { removed.map(|_| ()).ok_or_else(|| missing(&jid)) })
    }

    fn change_password(&self, jid: BareJid, password: Secret) -> Answer<'_, ()> {
        Box::pin(async move {
            match self.lock().accounts.get_mut(&key(&jid)) {
                Some(kept) => {
                    *kept = Kept::Password(password.expose().to_owned());
                    Ok(())
                }
                None => Err(missing(&jid)),
            }
        })
    }

    fn check_password(&self, jid: BareJid, password: Secret) -> Answer<'_, bool> {
        Box::pin(async move {
            match self.lock().accounts.get(&key(&jid)) {
                Some(Kept::Password(kept)) => Ok(kept == password.expose()),
                Some(Kept::Keys(_)) => Ok(false),
                None => Err(missing(&jid)),
            }
        })
    }

    fn import(&self, accounts: Vec<NewAccount>) -> Answer<'_, Vec<Result<(), AdminError>>> {
        Box::pin(async move {
            self.lock().batches += 1;
            let mut results = Vec::new();
            for NewAccount {
                account,
                credentials,
            } in accounts
            {
                results.push(match credentials {
                    Credentials::Password(p) => self.register(account, p).await.map(|_| ()),
                    Credentials::Keys(k) => served(&account).map(|()| {
                        let there = [k.sha1.is_some(), k.sha256.is_some(), k.sha512.is_some()];
                        let keys = Kept::Keys(there);
                        self.lock().accounts.insert(key(&account), keys);
                    }),
                });
            }
            Ok(results)
        })
    }
}

fn concerns(of: Option<&Jid>, session: &Session) -> bool {
    of.is_none_or(|of| {
        let jid: FullJid = session.jid.0.parse().expect("a full JID");
        if of.localpart().is_some() {
            of.bare_str() == jid.bare_str()
        } else {
            jid.bare_str().ends_with(&format!("@{}", of.domain()))
        }
    })
}

impl Sessions for Memory {
    fn list<'a>(
        &'a self,
        of: Option<&'a Jid>,
        after: Option<&'a FullJid>,
        limit: u32,
    ) -> Answer<'a, Vec<Session>> {
        let mut found: Vec<Session> = self
            .lock()
            .sessions
            .iter()
            .filter(|s| concerns(of, s))
            .filter(|s| after.is_none_or(|a| s.jid.0 > a.to_string()))
            .cloned()
            .collect();
        found.sort_by(|a, b| a.jid.0.cmp(&b.jid.0));
        found.truncate(limit as usize);
        Box::pin(async { Ok(found) })
    }

    fn count<'a>(&'a self, of: Option<&'a Jid>) -> Answer<'a, u64> {
        let sessions = &self.lock().sessions;
        let count = sessions.iter().filter(|s| concerns(of, s)).count() as u64;
        Box::pin(async move { Ok(count) })
    }

    fn kick<'a>(&'a self, jid: &'a Jid, reason: Option<&'a str>) -> Answer<'a, Vec<FullJid>> {
        Box::pin(async move {
            let mut state = self.lock();
            let (kicked, stay): (Vec<_>, Vec<_>) =
                state
                    .sessions
                    .drain(..)
                    .partition(|s| match jid.resource() {
                        Some(_) => s.jid.0 == jid.to_string(),
                        None => concerns(Some(jid), s),
                    });
            state.sessions = stay;
            state.reasons.push(reason.map(str::to_owned));
            if kicked.is_empty() {
                return Err(AdminError::not_found(format!("`{jid}` has no session")));
            }
            Ok(kicked
                .iter()
                .map(|s| s.jid.0.parse().expect("a full JID"))
                .collect())
        })
    }
}

fn served_domains(domain: Option<&str>) -> Result<Vec<&str>, AdminError> {
    match domain {
        None => Ok(DOMAINS.to_vec()),
        Some(domain) if DOMAINS.contains(&domain) => Ok(vec![domain]),
        Some(domain) => Err(AdminError::invalid(format!(
            "`{domain}` is not served here"
        ))),
    }
}

impl Announcements for Memory {
    fn say<'a>(&'a self, domain: Option<&'a str>, notice: Notice) -> Answer<'a, u64> {
        Box::pin(async move {
            served_domains(domain)?;
            let mut state = self.lock();
            state.said.push((domain.map(str::to_owned), notice));
            Ok(state.sessions.len() as u64)
        })
    }

    fn motds<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>> {
        Box::pin(async move {
            let domains = served_domains(domain)?;
            let state = self.lock();
            let found = domains.iter().filter_map(|domain| {
                let notice = state.motds.get(*domain)?.clone();
                Some(Motd {
                    domain: (*domain).to_owned(),
                    since: moment().into(),
                    subject: notice.subject,
                    text: Some(notice.text),
                })
            });
            Ok(found.collect())
        })
    }

    fn set_motd<'a>(
        &'a self,
        domain: Option<&'a str>,
        notice: Notice,
        later: bool,
    ) -> Answer<'a, u64> {
        Box::pin(async move {
            for domain in served_domains(domain)? {
                let mut state = self.lock();
                state.motds.insert(domain.to_owned(), notice.clone());
            }
            match later {
                true => Ok(0),
                false => self.say(domain, notice).await,
            }
        })
    }

    fn delete_motd<'a>(&'a self, domain: Option<&'a str>) -> Answer<'a, Vec<Motd>> {
        Box::pin(async move {
            let deleted = self.motds(domain).await?;
            if deleted.is_empty() {
                return Err(AdminError::not_found("there is no message of the day"));
            }
            for motd in &deleted {
                self.lock().motds.remove(&motd.domain);
            }
            Ok(deleted)
        })
    }
}

impl Actors for Memory {
    fn tree(&self, query: TreeQuery) -> Answer<'_, Vec<Actor>> {
        Box::pin(async move {
            let root = query.path.as_deref().unwrap_or("node");
            let below = format!("{root}/");
            let levels = root.matches('/').count() as u32;
            let found: Vec<Actor> = self
                .lock()
                .actors
                .iter()
                .filter(|a| a.path == root || a.path.starts_with(&below))
                .filter(|a| query.depth.is_none_or(|d| a.depth - levels <= d))
                .map(|a| Actor {
                    depth: a.depth - levels,
                    ..a.clone()
                })
                .collect();
            if found.is_empty() {
                return Err(AdminError::not_found(format!("there is no actor `{root}`")));
            }
            Ok(found)
        })
    }

    fn show<'a>(&'a self, path: &'a str) -> Answer<'a, ActorStatus> {
        Box::pin(async move {
            let query = TreeQuery {
                path: Some(path.to_owned()),
                depth: Some(0),
                limit: 1,
                after: None,
            };
            let actor = self.tree(query).await?.remove(0);
            Ok(ActorStatus {
                actor,
                figures: vec![Figure {
                    name: "connections".to_owned(),
                    value: "3".to_owned(),
                }],
            })
        })
    }

    fn kill<'a>(&'a self, path: &'a str) -> Answer<'a, Actor> {
        Box::pin(async move {
            if path == "node" {
                return Err(AdminError::refused("the root is not killed; stop the node"));
            }
            let mut state = self.lock();
            match state.actors.iter_mut().find(|a| a.path == path) {
                Some(actor) => {
                    let before = actor.clone();
                    actor.restarts.0 += 1;
                    Ok(before)
                }
                None => Err(AdminError::not_found(format!("there is no actor `{path}`"))),
            }
        })
    }
}

impl NodeControl for Memory {
    fn status(&self) -> Answer<'_, NodeStatus> {
        let sessions = self.lock().sessions.len() as u64;
        Box::pin(async move {
            Ok(NodeStatus {
                version: "0.0.0".to_owned(),
                process: 4711,
                started: moment().into(),
                uptime: Duration::from_secs(93_784).into(),
                data_folder: "/srv/mungo".to_owned(),
                domains: DOMAINS.map(str::to_owned).to_vec(),
                sessions: sessions.into(),
                memory: Some((12 << 20).into()),
                listeners: vec![Listener {
                    kind: "c2s".to_owned(),
                    address: "127.0.0.1:5222".to_owned(),
                    tls: TlsMode::StartTls,
                    connections: 2.into(),
                }],
            })
        })
    }

    fn reload_tls(&self) -> Answer<'_, Vec<Certificate>> {
        let broken = self.lock().broken_tls.clone();
        Box::pin(async move {
            match broken {
                Some(why) => Err(AdminError::refused(why)),
                None => Ok(vec![Certificate {
                    domain: Some("localhost".to_owned()),
                    names: vec!["localhost".to_owned()],
                    expires: Some(moment().into()),
                    self_signed: true,
                    file: Some("/srv/mungo/localhost.pem".to_owned()),
                }]),
            }
        })
    }
}
