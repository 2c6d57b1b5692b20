use router::check::{Stage, check};

use super::*;
use crate::disco::{Disco, DiscoSettings};
use crate::undertaker::{Undertaker, UndertakerSettings};

/// What Juliet's photo is, and its hash (`hello`).
const PHOTO: &str = "<PHOTO><TYPE>image/png</TYPE><BINVAL>aGVsbG8=</BINVAL></PHOTO>";
const HASH: &str = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";

fn perform(play: &str) {
    check::<Vcard>(VcardSettings::default(), play);
}

/// XEP-0054 §3.1 to §3.3.
#[test]
fn a_vcard_is_told_to_everybody_as_it_was_sent() {
    perform(
        "
        Juliet: <iq type='set' id='v2'><vCard xmlns='vcard-temp' version='3.0'><FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><MIDDLE/></N><x:y xmlns:x='a:b'/></vCard></iq>
        Juliet gets: <iq type='result' id='v2' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'/>
        Juliet: <iq type='get' id='v1'><vCard xmlns='vcard-temp'/></iq>
        Juliet gets:
          <iq type='result' id='v1' from='juliet@capulet.lit' to='juliet@capulet.lit/balcony'>
            <vCard xmlns='vcard-temp' version='3.0'><FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><MIDDLE/></N><x:y xmlns:x='a:b'/></vCard>
          </iq>
        Juliet closes
        Romeo: <iq type='get' id='v3' to='juliet@capulet.lit'><vCard xmlns='vcard-temp'/></iq>
        Romeo gets:
          <iq type='result' id='v3' from='juliet@capulet.lit' to='romeo@montague.lit/orchard'>
            <vCard xmlns='vcard-temp' version='3.0'><FN>Juliet Capulet</FN><N><FAMILY>Capulet</FAMILY><MIDDLE/></N><x:y xmlns:x='a:b'/></vCard>
          </iq>
        ",
    );
}

/// XEP-0054 §3.1 and §3.3: an account without one, to itself and to others, and no account at all.
#[test]
fn who_has_no_vcard_is_to_others_as_if_not_there() {
    perform(
        "
        Juliet: <iq type='get' id='v1'><vCard xmlns='vcard-temp'/></iq>
        Juliet gets:
          <iq type='error' id='v1' from='juliet@capulet.lit' to='*'>
            <vCard xmlns='vcard-temp'/>
            <error type='cancel'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        Romeo: <iq type='get' id='v2' to='juliet@capulet.lit'><vCard xmlns='vcard-temp'/></iq>
        Romeo gets:
          <iq type='error' id='v2' from='juliet@capulet.lit' to='*'>
            <vCard xmlns='vcard-temp'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        Romeo: <iq type='get' id='v3' to='nobody@capulet.lit'><vCard xmlns='vcard-temp'/></iq>
        Romeo gets:
          <iq type='error' id='v3' from='nobody@capulet.lit' to='*'>
            <vCard xmlns='vcard-temp'/>
            <error type='cancel'><service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// XEP-0054 §3.2.
#[test]
fn nobody_changes_somebody_elses_vcard() {
    perform(
        "
        Romeo: <iq type='set' id='v2' to='juliet@capulet.lit'><vCard xmlns='vcard-temp'><FN>Mine</FN></vCard></iq>
        Romeo gets:
          <iq type='error' id='v2' from='juliet@capulet.lit' to='*'>
            <vCard xmlns='vcard-temp'><FN>Mine</FN></vCard>
            <error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        Romeo: <iq type='set' id='v3'><vcard xmlns='vcard-temp'/></iq>
        Romeo gets:
          <iq type='error' id='v3' from='romeo@montague.lit' to='*'>
            <vcard xmlns='vcard-temp'/>
            <error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// Ours: the XEP knows no limit. Over the limit of stanzas the stream ends before this.
#[test]
fn a_photo_of_five_mebibytes_is_refused_and_nothing_of_it_kept() {
    let binval = "QUJD".repeat(5 * 256 * 1024);
    perform(&format!(
        "
        Juliet: <iq type='set' id='v1'><vCard xmlns='vcard-temp'><NICKNAME>small</NICKNAME></vCard></iq>
        Juliet gets: <iq type='result' id='v1' from='*' to='*'/>
        Juliet: <iq type='set' id='v2'><vCard xmlns='vcard-temp'><PHOTO><BINVAL>{binval}</BINVAL></PHOTO></vCard></iq>
        Juliet gets:
          <iq type='error' id='v2' from='juliet@capulet.lit' to='*'>
            <error type='modify'>
              <not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>
              <text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas' xml:lang='en'>a vCard may be at most 128KiB large</text>
            </error>
          </iq>
        Juliet: <iq type='get' id='v3'><vCard xmlns='vcard-temp'/></iq>
        Juliet gets: <iq type='result' id='v3' from='*' to='*'><vCard xmlns='vcard-temp'><NICKNAME>small</NICKNAME></vCard></iq>
        "
    ));
}

/// XEP-0153 §4.1: in broadcasts and in directed presence, as long as there is a photo.
#[test]
fn the_photos_hash_is_put_into_presence() {
    perform(&format!(
        "
        Juliet: <iq type='set' id='v1'><vCard xmlns='vcard-temp'>{PHOTO}</vCard></iq>
        Juliet gets: <iq type='result' id='v1' from='*' to='*'/>
        Juliet: <presence><show>away</show></presence>
        Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'><show>away</show><x xmlns='vcard-temp:x:update'><photo>{HASH}</photo></x></presence>
        Romeo connects
        Juliet: <presence to='romeo@montague.lit/orchard'/>
        Romeo gets: <presence from='juliet@capulet.lit/balcony' to='romeo@montague.lit/orchard'><x xmlns='vcard-temp:x:update'><photo>{HASH}</photo></x></presence>
        Juliet: <presence type='unavailable'/>
        Juliet gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
        Romeo gets: <presence type='unavailable' from='juliet@capulet.lit/balcony' to='*'/>
        Juliet closes
        Phone is juliet@capulet.lit/phone
        Phone: <presence/>
        Phone gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'><x xmlns='vcard-temp:x:update'><photo>{HASH}</photo></x></presence>
        Phone: <iq type='set' id='v2'><vCard xmlns='vcard-temp'><FN>Juliet</FN></vCard></iq>
        Phone gets: <iq type='result' id='v2' from='*' to='*'/>
        Phone: <presence/>
        Phone gets: <presence from='juliet@capulet.lit/phone' to='juliet@capulet.lit'/>
        "
    ));
}

/// XEP-0153 §4.1: a client that says it itself is left alone. XEP-0398 §5: one that is not ready
/// is not.
#[test]
fn what_a_client_says_of_its_photo_stays() {
    let x = |inside: &str| format!("<x xmlns='vcard-temp:x:update'>{inside}</x>");
    let hash = format!("<photo>{HASH}</photo>");
    for (said, told) in [
        ("<photo/>", "<photo/>"),
        (
            "<photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo>",
            "<photo>01b87fcd030b72895ff8e88db57ec525450f000d</photo>",
        ),
        ("", &*hash),
    ] {
        let (said, told) = (x(said), x(told));
        perform(&format!(
            "
            Juliet: <iq type='set' id='v1'><vCard xmlns='vcard-temp'>{PHOTO}</vCard></iq>
            Juliet gets: <iq type='result' id='v1' from='*' to='*'/>
            Juliet: <presence>{said}<priority>1</priority></presence>
            Juliet gets all of:
              <presence from='juliet@capulet.lit/balcony' to='*'><**/></presence>
            Juliet: <presence>{said}</presence>
            Juliet gets: <presence from='juliet@capulet.lit/balcony' to='*'>{told}</presence>
            "
        ));
    }
}

#[test]
fn photos_can_be_left_to_clients() {
    let settings = VcardSettings {
        photo_in_presence: false,
        ..VcardSettings::default()
    };
    check::<Vcard>(
        settings,
        &format!(
            "
            Juliet: <iq type='set' id='v1'><vCard xmlns='vcard-temp'>{PHOTO}</vCard></iq>
            Juliet gets: <iq type='result' id='v1' from='*' to='*'/>
            Juliet: <presence/>
            Juliet gets: <presence from='juliet@capulet.lit/balcony' to='juliet@capulet.lit'/>
            "
        ),
    );
}

/// What XEP-0398 will convert.
#[test]
fn other_modules_learn_of_photos() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    Stage::perform_alone(
        |stage| {
            let seen = seen.clone();
            PhotoChanges::of(stage.router()).watch("avatar", move |_, account, photo| {
                let photo = photo.map(|photo| (photo.media_type.clone(), photo.data.to_vec()));
                seen.lock().push((account.to_string(), photo));
            });
            stage.with::<Vcard>(VcardSettings::default())
        },
        &format!(
            "
            Juliet: <iq type='set' id='v1'><vCard xmlns='vcard-temp'>{PHOTO}</vCard></iq>
            Juliet gets: <iq type='result' id='v1' from='*' to='*'/>
            Juliet: <iq type='set' id='v2'><vCard xmlns='vcard-temp'/></iq>
            Juliet gets: <iq type='result' id='v2' from='*' to='*'/>
            "
        ),
    );
    let juliet = || "juliet@capulet.lit".to_owned();
    let photo = ("image/png".to_owned(), b"hello".to_vec());
    assert_eq!(*seen.lock(), [(juliet(), Some(photo)), (juliet(), None)]);
}

/// Three people with vCards: two of Romeo's house, and Juliet of another domain.
const PEOPLE: &str = "
    Romeo: <iq type='set' id='c1'><vCard xmlns='vcard-temp'><FN>Romeo Montague</FN><N><FAMILY>Montague</FAMILY><GIVEN>Romeo</GIVEN></N><EMAIL><USERID>r@verona.lit</USERID></EMAIL></vCard></iq>
    Romeo gets: <iq type='result' id='c1' from='*' to='*'/>
    Benvolio is benvolio@montague.lit/street
    Benvolio: <iq type='set' id='c2'><vCard xmlns='vcard-temp'><N><FAMILY>Montague</FAMILY><GIVEN>Benvolio</GIVEN></N></vCard></iq>
    Benvolio gets: <iq type='result' id='c2' from='*' to='*'/>
    Juliet: <iq type='set' id='c3'><vCard xmlns='vcard-temp'><N><FAMILY>Montague</FAMILY><GIVEN>Juliet</GIVEN></N></vCard></iq>
    Juliet gets: <iq type='result' id='c3' from='*' to='*'/>
";

/// Performs `play` after [`PEOPLE`].
fn among_people(settings: VcardSettings, play: &str) {
    let blank = play.len() - play.trim_start().len();
    let indent = play[..blank].rsplit('\n').next().unwrap_or_default();
    let people = PEOPLE
        .lines()
        .map(|line| format!("{indent}{}\n", line.trim()));
    let people: String = people.collect();
    check::<Vcard>(settings, &(people + play.trim_start_matches('\n')));
}

/// XEP-0055 §2.1, examples 1 to 5.
#[test]
fn people_are_searched_without_a_form() {
    among_people(
        VcardSettings::default(),
        "
        Romeo: <iq type='set' id='s2' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><last>MONTAGUE</last><nick/></query></iq>
        Romeo gets:
          <iq type='result' id='s2' from='vjud.montague.lit' to='romeo@montague.lit/orchard'>
            <query xmlns='jabber:iq:search'>
              <item jid='benvolio@montague.lit'><first>Benvolio</first><last>Montague</last><nick/><email/></item>
              <item jid='romeo@montague.lit'><first>Romeo</first><last>Montague</last><nick/><email>r@verona.lit</email></item>
            </query>
          </iq>
        Romeo: <iq type='set' id='s3' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><first>Juliet</first></query></iq>
        Romeo gets: <iq type='result' id='s3' from='vjud.montague.lit' to='*'><query xmlns='jabber:iq:search'/></iq>
        Romeo: <iq type='set' id='s4' to='vjud.montague.lit'><query xmlns='jabber:iq:search'/></iq>
        Romeo gets: <iq type='result' id='s4' from='vjud.montague.lit' to='*'><query xmlns='jabber:iq:search'/></iq>
        Romeo: <iq type='set' id='s5' to='vjud.montague.lit'><ask xmlns='jabber:iq:search'/></iq>
        Romeo gets: <iq type='error' id='s5' from='vjud.montague.lit' to='*'><ask xmlns='jabber:iq:search'/><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        ",
    );
}

/// XEP-0055 §3, examples 6 to 9.
#[test]
fn people_are_searched_with_a_form() {
    let type_field = "<field var='FORM_TYPE' type='hidden'><value>jabber:iq:search</value></field>";
    among_people(VcardSettings::default(), &format!(
        "
        Romeo: <iq type='get' id='s3' to='vjud.montague.lit'><query xmlns='jabber:iq:search'/></iq>
        Romeo gets:
          <iq type='result' id='s3' from='vjud.montague.lit' to='*'>
            <query xmlns='jabber:iq:search'>
              <instructions>*</instructions><first/><last/><nick/><email/>
              <x xmlns='jabber:x:data' type='form'>
                <title>*</title><instructions>*</instructions>{type_field}
                <field var='user' type='text-single' label='*'/>
                <field var='fn' type='text-single' label='*'/>
                <**/>
                <field var='orgunit' type='text-single' label='*'/>
              </x>
            </query>
          </iq>
        Romeo: <iq type='set' id='s4' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'>{type_field}<field var='user'><value>ro*</value></field><field var='x-gender'><value>male</value></field></x></query></iq>
        Romeo gets:
          <iq type='result' id='s4' from='vjud.montague.lit' to='*'>
            <query xmlns='jabber:iq:search'>
              <x xmlns='jabber:x:data' type='result'>
                {type_field}
                <reported><field var='jid' type='jid-single' label='*'/><**/></reported>
                <item>
                  <field var='jid'><value>romeo@montague.lit</value></field>
                  <field var='user'><value>romeo</value></field>
                  <field var='fn'><value>Romeo Montague</value></field>
                  <field var='last'><value>Montague</value></field>
                  <field var='first'><value>Romeo</value></field>
                  <field var='email'><value>r@verona.lit</value></field>
                </item>
              </x>
            </query>
          </iq>
        Romeo: <iq type='set' id='s5' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>a:b</value></field></x></query></iq>
        Romeo gets: <iq type='error' id='s5' from='vjud.montague.lit' to='*'><**/><error type='modify'><bad-request xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>
        "
    ));
}

#[test]
fn of_many_who_are_found_some_are_told() {
    let settings = VcardSettings {
        max_results: 1,
        ..VcardSettings::default()
    };
    among_people(
        settings,
            "
            Romeo: <iq type='set' id='s2' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><last>M*</last></query></iq>
            Romeo gets:
              <iq type='result' id='s2' from='vjud.montague.lit' to='*'>
                <query xmlns='jabber:iq:search'><item jid='benvolio@montague.lit'><**/></item></query>
              </iq>
            ",
    );
}

#[test]
fn who_wants_no_directory_has_none() {
    let settings = VcardSettings {
        search: false,
        ..VcardSettings::default()
    };
    check::<Vcard>(
        settings,
        "
        Romeo: <iq type='get' id='s1' to='vjud.montague.lit'><query xmlns='jabber:iq:search'/></iq>
        Romeo gets:
          <iq type='error' id='s1' from='vjud.montague.lit' to='*'>
            <query xmlns='jabber:iq:search'/>
            <error type='cancel'><remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>
          </iq>
        ",
    );
}

/// XEP-0055: the directory is an item of the server, and says what it is (XEP-0030).
#[test]
fn the_directory_is_discovered() {
    Stage::perform(
        |stage| {
            stage
                .with::<Disco>(DiscoSettings::default())
                .with::<Vcard>(VcardSettings::default())
        },
        "
        Romeo: <iq type='get' id='d1' to='montague.lit'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        Romeo gets:
          <iq type='result' id='d1' from='montague.lit' to='*'>
            <query xmlns='http://jabber.org/protocol/disco#items'><item jid='vjud.montague.lit' name='Search of users'/></query>
          </iq>
        Romeo: <iq type='get' id='d2' to='vjud.montague.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        Romeo gets:
          <iq type='result' id='d2' from='vjud.montague.lit' to='*'>
            <query xmlns='http://jabber.org/protocol/disco#info'>
              <identity category='directory' type='user' name='Search of users'/>
              <feature var='http://jabber.org/protocol/disco#info'/>
              <feature var='http://jabber.org/protocol/disco#items'/>
              <feature var='jabber:iq:search'/>
            </query>
          </iq>
        Romeo: <iq type='get' id='d3' to='vjud.montague.lit'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        Romeo gets: <iq type='result' id='d3' from='vjud.montague.lit' to='*'><query xmlns='http://jabber.org/protocol/disco#items'/></iq>
        Romeo: <iq type='get' id='d4' to='montague.lit'><query xmlns='http://jabber.org/protocol/disco#info'/></iq>
        Romeo gets:
          <iq type='result' id='d4' from='montague.lit' to='*'>
            <query xmlns='http://jabber.org/protocol/disco#info'>
              <identity category='server' type='im' name='Mungo'/>
              <feature var='http://jabber.org/protocol/disco#info'/>
              <feature var='http://jabber.org/protocol/disco#items'/>
              <feature var='vcard-temp'/>
            </query>
          </iq>
        ",
    );
}

#[test]
fn an_account_that_is_removed_leaves_nothing() {
    Stage::perform(
        |stage| {
            stage
                .with::<Vcard>(VcardSettings::default())
                .with::<Undertaker>(UndertakerSettings {})
        },
        &format!(
            "
            Romeo: <iq type='set' id='1'><vCard xmlns='vcard-temp'>{PHOTO}<NICKNAME>Ro</NICKNAME></vCard></iq>
            Romeo gets: <iq type='result' from='*' to='*' id='1'/>
            Romeo closes
            Juliet: <iq type='set' id='2' to='montague.lit'><bury xmlns='check:undertaker' jid='romeo@montague.lit'/></iq>
            Juliet gets: <iq type='result' from='*' to='*' id='2'/>
            Juliet: <iq type='set' id='3' to='vjud.montague.lit'><query xmlns='jabber:iq:search'><nick>ro</nick></query></iq>
            Juliet gets: <iq type='result' from='*' to='*' id='3'><query xmlns='jabber:iq:search'/></iq>
            Benvolio is romeo@montague.lit/again
            Benvolio: <iq type='get' id='4'><vCard xmlns='vcard-temp'/></iq>
            Benvolio gets: <iq type='error' from='*' to='*' id='4'><**/></iq>
            Benvolio: <presence/>
            Benvolio gets: <presence from='romeo@montague.lit/again' to='romeo@montague.lit'/>
            "
        ),
    );
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let settings = VcardSettings {
        max_size: Size::of(1000),
        max_results: 501,
        ..VcardSettings::default()
    };
    let mut problems = config::Problems::default();
    config::Setting::check(&settings, &mut problems);
    let lines = problems.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("max_size"), "{lines:?}");
    assert!(
        lines[1].starts_with("max_results: 501 is more"),
        "{lines:?}"
    );
}
