//! XEP-0077: In-Band Registration.
//!
//! Who has no account asks before login, on a stream that bears passwords; who has one changes its
//! password or gives it up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use config::Span;
use parking_lot::Mutex;
use router::{
    AccountService, Accounts, IqAnswer, IqRequest, Module, OwnedIq, Plan, PlanError, To, Xep,
};
use xml::{Tree, Writer};
use xmpp::{BareJid, Condition, StanzaError, ns};

const FEATURE: &[u8] = b"<register xmlns='http://jabber.org/features/iq-register'/>";

config::settings! {
    /// In-Band Registration (XEP-0077): people make accounts for themselves. Off until it is named
    /// here.
    pub struct RegisterSettings {
        /// What people are told who ask what is wanted of them.
        instructions: String = "Choose a name and a password for this server.".into(),
        /// Whether people who have no account may make one.
        new_accounts: bool = true,
        /// Whether people may give up their account.
        removal: bool = true,
        /// Accounts that may be made from one address (of IPv6, one network of 64 bits) within
        /// `period`.
        per_address: u32 = 5,
        /// See `per_address`.
        period: Span = Span::minutes(60),
        /// Characters that a name has at least.
        min_length: u32 = 1,
        /// Names that nobody gets.
        reserved: Vec<String> = RESERVED.map(str::to_owned).to_vec(),
        /// The only names that may be taken; any if this is empty.
        allowed: Vec<String> = Vec::new(),
    }
    check |register, problems| {
        problems.at_least("period", register.period, Span::seconds(1));
    }
}

/// Names that people take for those who run the server (RFC 2142).
const RESERVED: [&str; 14] = [
    "abuse",
    "admin",
    "administrator",
    "hostmaster",
    "info",
    "noc",
    "operator",
    "postmaster",
    "root",
    "security",
    "support",
    "sysadmin",
    "webmaster",
    "xmpp",
];

/// Makes and removes accounts.
pub struct Register {
    settings: Arc<RegisterSettings>,
    accounts: Option<Arc<AccountService>>,
    /// How many accounts were made, from where, in this period.
    made: Mutex<HashMap<IpAddr, u32>>,
}

impl Module for Register {
    const NAME: &'static str = "register";
    const XEPS: &'static [Xep] =
        &[Xep::new(77, "In-Band Registration", "2.4").without("data forms and redirection")];
    type Config = RegisterSettings;

    fn plan(settings: Arc<RegisterSettings>, plan: &mut Plan<'_, Self>) -> Result<Self, PlanError> {
        if settings.new_accounts {
            plan.login_feature(FEATURE);
            plan.iq_async(To::Stranger, ns::REGISTER, |register, iq| async move {
                register.stranger(&iq).await
            });
        }
        plan.feature(To::Host, ns::REGISTER);
        for to in [To::Host, To::Account] {
            plan.iq_async(to, ns::REGISTER, |register, iq| async move {
                register.owner(&iq).await
            });
        }
        plan.every(settings.period.get(), |register, _| {
            *register.made.lock() = HashMap::new();
        });
        Ok(Self {
            accounts: plan.uses(),
            settings,
            made: Mutex::default(),
        })
    }
}

/// What a set wants.
enum Wish {
    Remove,
    /// A name and a password: a new account, or the new password of one's own.
    Account(String, String),
}

fn error(condition: Condition) -> StanzaError {
    StanzaError::new(condition)
}

fn read(iq: &OwnedIq) -> Result<Wish, StanzaError> {
    let bad = || error(Condition::BadRequest);
    let payload = iq.stanza.payload().ok_or_else(bad)?;
    let query = payload.tree().map_err(|_| bad())?;
    if payload.name() != "query" {
        return Err(bad());
    }
    if query.child("remove", ns::REGISTER).is_some() {
        // §3.2: alone.
        return match query.children().count() {
            1 => Ok(Wish::Remove),
            _ => Err(bad()),
        };
    }
    let text = |name| query.child(name, ns::REGISTER).map(Tree::text);
    match (text("username"), text("password")) {
        (Some(name), Some(password)) if !name.is_empty() && !password.is_empty() => {
            Ok(Wish::Account(name, password))
        }
        _ => Err(error(Condition::NotAcceptable)),
    }
}

/// Addresses that belong to one customer, as a rule.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

impl Register {
    fn accounts(&self) -> Result<&dyn Accounts, StanzaError> {
        match &self.accounts {
            Some(service) => Ok(&*service.0),
            None => Err(error(Condition::ServiceUnavailable)),
        }
    }

    /// §3.1: somebody who has not logged in.
    async fn stranger(&self, iq: &OwnedIq) -> IqAnswer {
        if !iq.set {
            let mut w = Writer::new();
            w.start("query", ns::REGISTER);
            w.leaf("instructions", &self.settings.instructions);
            w.empty("username").empty("password").end();
            return Ok(Some(w.finish()));
        }
        let Wish::Account(name, password) = read(iq)? else {
            // §3.2: who has none can't give one up.
            return Err(error(Condition::UnexpectedRequest));
        };
        let account = BareJid::from_parts(Some(&name), iq.host.domain().domain());
        let account = account.map_err(|_| error(Condition::NotAcceptable))?;
        self.may_be_taken(&account)?;
        let peer = iq.stranger.map(network);
        let peer = peer.ok_or_else(|| error(Condition::UnexpectedRequest))?;
        self.count(peer)?;
        let made = self.accounts()?.register(account, password).await;
        if made.is_err() {
            self.uncount(peer);
        }
        made.map(|()| None)
    }

    fn may_be_taken(&self, account: &BareJid) -> Result<(), StanzaError> {
        let name = account.localpart().unwrap_or_default();
        let among = |names: &[String]| names.iter().any(|there| there == name);
        let allowed = self.settings.allowed.is_empty() || among(&self.settings.allowed);
        if !allowed || among(&self.settings.reserved) {
            return Err(error(Condition::NotAllowed).with_text("this name cannot be taken"));
        }
        if name.chars().count() < self.settings.min_length as usize {
            return Err(error(Condition::NotAcceptable).with_text("the name is too short"));
        }
        Ok(())
    }

    /// Counts an account before it is made, so that many at a time don't slip through.
    fn count(&self, peer: IpAddr) -> Result<(), StanzaError> {
        let mut made = self.made.lock();
        let made = made.entry(peer).or_default();
        if *made >= self.settings.per_address {
            tracing::info!(what = "too_many_registrations", %peer);
            return Err(error(Condition::ResourceConstraint)
                .with_text("too many accounts were made from this address, try again later"));
        }
        *made += 1;
        Ok(())
    }

    /// It was not made.
    fn uncount(&self, peer: IpAddr) {
        if let Some(made) = self.made.lock().get_mut(&peer) {
            *made = made.saturating_sub(1);
        }
    }

    /// §3.2 and §3.3: somebody who has logged in.
    async fn owner(&self, iq: &OwnedIq) -> IqAnswer {
        let from = iq.stanza.from().map(|from| from.to_bare());
        let account = from.filter(|from| from.domain() == iq.host.domain().domain());
        let account = account.ok_or_else(|| error(Condition::Forbidden))?;
        if iq.account.is_some() && !iq.own() {
            return Err(error(Condition::Forbidden));
        }
        let name = account.localpart().unwrap_or_default();
        if !iq.set {
            let mut w = Writer::new();
            w.start("query", ns::REGISTER).empty("registered");
            w.leaf("username", name).empty("password").end();
            return Ok(Some(w.finish()));
        }
        match read(iq)? {
            Wish::Remove if !self.settings.removal => Err(IqRequest::not_allowed()),
            Wish::Remove => self.remove(iq, &account).await,
            Wish::Account(of, password) => {
                let same = BareJid::from_parts(Some(&of), account.domain());
                if same.as_ref() != Ok(&account) {
                    return Err(IqRequest::not_allowed());
                }
                let changed = self.accounts()?.change_password(account, password).await;
                changed.map(|()| None)
            }
        }
    }

    /// From here on nobody logs in to it. The answer goes out before the sessions are closed, this
    /// one too; what modules keep is deleted when they are gone.
    async fn remove(&self, iq: &OwnedIq, account: &BareJid) -> IqAnswer {
        self.accounts()?.unregister(account.clone()).await?;
        iq.answer(Ok(None));
        if let Err(left) = iq.router.remove_account(account).await {
            // The next account of this name is not made before it is gone.
            tracing::error!(what = "account_not_removed", error = %left);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
