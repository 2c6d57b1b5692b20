//! `account`: who may log in.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    answer, api,
    import::{ImportAccount, ImportResult},
    page, page_limit,
};
use crate::{
    AdminError,
    api::Account,
    scalar::{Count, Jid, Secret},
};

/// A page of accounts.
#[derive(SimpleObject)]
pub struct AccountPage {
    /// The accounts of this page.
    pub accounts: Vec<Account>,
    /// How many there are on all pages.
    pub total: Count,
    /// The `after` of the next page; none on the last one.
    pub next: Option<Jid>,
}

/// What can be asked of accounts.
pub struct AccountQuery;

/// What can be asked of accounts.
#[Object]
impl AccountQuery {
    /// List the accounts of the node or of one domain.
    async fn list(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only the accounts of this domain")] domain: Option<String>,
        #[graphql(desc = "Begin after this account")] after: Option<Jid>,
        #[graphql(desc = "At most so many", default = 1000)] limit: u32,
    ) -> async_graphql::Result<AccountPage> {
        let list = async {
            let limit = page_limit(limit)?;
            let after = after.as_ref().map(Jid::account).transpose()?;
            let domain = domain.as_deref().map(domain_name).transpose()?;
            let store = &api(ctx).accounts;
            let total = store.count(domain.as_deref()).await?;
            let found = store
                .list(domain.as_deref(), after.as_ref(), limit + 1)
                .await?;
            let (accounts, next) = page(found, limit, |a| a.account.clone());
            Ok(AccountPage {
                accounts,
                total: total.into(),
                next,
            })
        };
        answer(list.await)
    }

    /// Check that a password is an account's.
    ///
    /// Refused with `REFUSED` when it is not, with `NOT_FOUND` when there is no such account.
    async fn check_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, localpart@domain")] account: Jid,
        #[graphql(desc = "The password to try")] password: Secret,
    ) -> async_graphql::Result<AccountName> {
        let check = async {
            let jid = account.account()?;
            let name = AccountName::of(&jid);
            if api(ctx).accounts.check_password(jid, password.0).await? {
                Ok(name)
            } else {
                Err(AdminError::refused(format!(
                    "that is not the password of `{}`",
                    name.account
                )))
            }
        };
        answer(check.await)
    }
}

/// What can be changed about accounts.
pub struct AccountMutation;

/// What can be changed about accounts.
#[Object]
impl AccountMutation {
    /// Make an account.
    async fn register(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, localpart@domain")] account: Jid,
        #[graphql(desc = "Its password")] password: Secret,
    ) -> async_graphql::Result<Account> {
        let register = async {
            let jid = account.account()?;
            api(ctx).accounts.register(jid, password.0).await
        };
        answer(register.await)
    }

    /// Remove an account with all that is kept for it, and close its sessions.
    async fn unregister(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, localpart@domain")] account: Jid,
    ) -> async_graphql::Result<AccountName> {
        let unregister = async {
            let jid = account.account()?;
            let name = AccountName::of(&jid);
            api(ctx).accounts.unregister(jid).await?;
            Ok(name)
        };
        answer(unregister.await)
    }

    /// Give an account a new password. Its sessions stay.
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The account, localpart@domain")] account: Jid,
        #[graphql(desc = "Its new password")] password: Secret,
    ) -> async_graphql::Result<AccountName> {
        let change = async {
            let jid = account.account()?;
            let name = AccountName::of(&jid);
            api(ctx).accounts.change_password(jid, password.0).await?;
            Ok(name)
        };
        answer(change.await)
    }

    /// Make up to 1000 accounts at once, with passwords or ready SCRAM keys.
    ///
    /// Each stands for itself: those that can't be made are told, the others
    /// are made. Equal passwords in one batch are derived once.
    async fn import_batch(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The accounts to make")] accounts: Vec<ImportAccount>,
    ) -> async_graphql::Result<ImportResult> {
        answer(super::import::import(&api(ctx).accounts, accounts).await)
    }
}

/// The account that was acted on.
#[derive(SimpleObject)]
pub struct AccountName {
    /// Its address, as the node writes it.
    pub account: Jid,
}

impl AccountName {
    fn of(jid: &xmpp::BareJid) -> Self {
        AccountName {
            account: Jid::from(jid),
        }
    }
}

/// A domain as the node writes it.
pub(super) fn domain_name(text: &str) -> Result<String, AdminError> {
    let jid = Jid(text.to_owned()).any()?;
    if jid.localpart().is_some() || jid.resource().is_some() {
        return Err(AdminError::invalid(format!("`{text}` is no domain")));
    }
    Ok(jid.domain().to_owned())
}
