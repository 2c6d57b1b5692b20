//! Plays of XEP-0077 for people who have logged in; what strangers ask needs a stream, and is played
//! against a whole node.

use std::collections::HashMap;

use router::AccountAnswer;
use router::check::Stage;

use super::*;

/// Accounts and their passwords.
#[derive(Clone, Default)]
struct Book(Arc<Mutex<HashMap<BareJid, String>>>);

impl Accounts for Book {
    fn exists(&self, account: BareJid) -> AccountAnswer<bool> {
        let exists = self.0.lock().contains_key(&account);
        Box::pin(async move { Ok(exists) })
    }

    fn register(&self, account: BareJid, password: String) -> AccountAnswer<()> {
        self.0.lock().insert(account, password);
        Box::pin(async { Ok(()) })
    }

    fn change_password(&self, account: BareJid, password: String) -> AccountAnswer<()> {
        self.0.lock().insert(account, password);
        Box::pin(async { Ok(()) })
    }

    fn unregister(&self, account: BareJid) -> AccountAnswer<()> {
        self.0.lock().remove(&account);
        Box::pin(async { Ok(()) })
    }
}

fn perform(settings: RegisterSettings, play: &str) -> Book {
    let book = Book::default();
    let romeo = "romeo@montague.lit".parse().expect("a JID");
    book.0.lock().insert(romeo, "old".to_owned());
    let service = Arc::new(AccountService(Arc::new(book.clone())));
    // Alone: what a second performance finds is what the first one left.
    Stage::perform_alone(
        |stage| stage.offering(service).with::<Register>(settings),
        play,
    );
    book
}

/// §3.3.
#[test]
fn a_password_is_changed() {
    let book = perform(
        RegisterSettings::default(),
        "
        Romeo: <iq type='get' id='g' to='montague.lit'><query xmlns='jabber:iq:register'/></iq>
        Romeo gets:
          <iq type='result' id='g' from='montague.lit' to='romeo@montague.lit/orchard'>
            <query xmlns='jabber:iq:register'><registered/><username>romeo</username><password/></query>
          </iq>
        Romeo: <iq type='set' id='c' to='montague.lit'><query xmlns='jabber:iq:register'><username>ROMEO</username><password>new</password></query></iq>
        Romeo gets: <iq type='result' id='c' from='montague.lit' to='romeo@montague.lit/orchard'/>
        # Somebody else's.
        Romeo: <iq type='set' id='x' to='montague.lit'><query xmlns='jabber:iq:register'><username>mercutio</username><password>new</password></query></iq>
        Romeo gets: <iq type='error' id='x' from='montague.lit' to='*'><query xmlns='jabber:iq:register'><**/></query><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Romeo: <iq type='set' id='n' to='montague.lit'><query xmlns='jabber:iq:register'><username>romeo</username><password/></query></iq>
        Romeo gets: <iq type='error' id='n' from='montague.lit' to='*'><query xmlns='jabber:iq:register'><**/></query><error type='modify'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        # Another server's.
        Romeo: <iq type='set' id='o' to='capulet.lit'><query xmlns='jabber:iq:register'><username>romeo</username><password>x</password></query></iq>
        Romeo gets: <iq type='error' id='o' from='capulet.lit' to='*'><query xmlns='jabber:iq:register'><**/></query><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
    let romeo: BareJid = "romeo@montague.lit".parse().expect("a JID");
    assert_eq!(book.0.lock()[&romeo], "new");
}

/// §3.2.
#[test]
fn an_account_is_given_up_and_its_sessions_end() {
    let book = perform(
        RegisterSettings::default(),
        "
        Phone is romeo@montague.lit/phone
        Romeo: <iq type='set' id='b'><query xmlns='jabber:iq:register'><remove/><username>romeo</username></query></iq>
        Romeo gets: <iq type='error' id='b' from='romeo@montague.lit' to='*'><query xmlns='jabber:iq:register'><**/></query><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        Romeo: <iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>
        Romeo gets: <iq type='result' id='r' from='romeo@montague.lit' to='romeo@montague.lit/orchard'/>
        Romeo gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        Phone gets: <stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>
        T: 10s
        Romeo gets nothing
        ",
    );
    assert!(book.0.lock().is_empty());
}

#[test]
fn where_accounts_stay_nobody_gives_one_up() {
    let settings = RegisterSettings {
        removal: false,
        ..RegisterSettings::default()
    };
    let book = perform(
        settings,
        "
        Romeo: <iq type='set' id='r'><query xmlns='jabber:iq:register'><remove/></query></iq>
        Romeo gets: <iq type='error' id='r' from='romeo@montague.lit' to='*'><query xmlns='jabber:iq:register'><**/></query><error type='cancel'><not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
    assert_eq!(book.0.lock().len(), 1);
}
