//! Plays on a small stage: an echo that knows a few words.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use play::{Failure, Play, Received, Stage, StageError, perform_now};

/// Whatever somebody sends comes back to them; directions and time are written down.
#[derive(Default)]
struct Echo {
    coming: HashMap<String, VecDeque<String>>,
    closed: bool,
    time: Duration,
    heard: Vec<String>,
}

impl Stage for Echo {
    async fn send(&mut self, who: &str, text: &str) -> Result<(), StageError> {
        self.heard.push(text.to_owned());
        self.coming
            .entry(who.to_owned())
            .or_default()
            .push_back(text.to_owned());
        Ok(())
    }

    async fn receive(&mut self, who: &str) -> Result<Received, StageError> {
        match self.coming.get_mut(who).and_then(VecDeque::pop_front) {
            None if self.closed => Ok(Received::End),
            came => Ok(came.into()),
        }
    }

    async fn advance(&mut self, by: Duration) -> Result<(), StageError> {
        self.time += by;
        Ok(())
    }

    async fn direct(&mut self, _: &str, words: &str) -> Result<(), StageError> {
        match words {
            "is cut off" => self.closed = true,
            words => self.heard.push(words.to_owned()),
        }
        Ok(())
    }
}

fn on_echo(play: &str) -> Result<Echo, Failure> {
    let mut stage = Echo::default();
    perform_now(&Play::parse(play).expect("a play"), &mut stage).map(|()| stage)
}

#[test]
fn a_play_with_every_kind_of_step_passes() {
    let stage = on_echo(
        "
        # The echo knows no XMPP: what is sent comes back.
        Romeo: <?xml version='1.0'?><stream:stream xmlns='jabber:server'
            xmlns:stream='http://etherx.jabber.org/streams' id='a&amp;b'>
        Romeo gets: <stream:stream xmlns='jabber:server' id='{id}'>
        Romeo: <iq xmlns='jabber:server' type='get' id='{id}'><ping xmlns='urn:xmpp:ping'/></iq>
        Romeo gets:
          <iq type='get' id='{id}'>
            <ping xmlns='urn:xmpp:ping'/>
          </iq>
        Juliet: <a/>
        Juliet: <b/>
        Juliet gets all of: <b/><a/>
        Juliet gets nothing
        Juliet whispers {id}
        T: 60s
        T: 500ms
        Romeo: </stream:stream>
        Romeo gets in order: </stream:stream>
        Romeo is cut off
        Romeo gets the end
        ",
    )
    .unwrap();
    assert_eq!(stage.time, Duration::from_millis(60_500));
    assert!(
        stage.heard.contains(&"whispers a&b".to_owned()),
        "{:?}",
        stage.heard
    );
    assert!(
        stage.heard.iter().any(|h| h.contains("id='a&amp;b'><ping")),
        "{:?}",
        stage.heard
    );
}

#[test]
fn a_failure_shows_the_step_the_difference_and_the_way_there() {
    let failure = on_echo(
        "
        Romeo: <presence/>
        Romeo gets: <presence/>
        Romeo: <message to='juliet@localhost'><body>hi</body><x xmlns='urn:x'/></message>
        Romeo gets: <message to='*'><body>ho</body><x xmlns='urn:x'/></message>
        ",
    )
    .map(|_| ())
    .expect_err("the texts differ");
    assert_eq!(failure.line(), 5);
    assert_eq!(
        failure.to_string(),
        "\
the play fails at line 5: Romeo gets: <message to='*'><body>ho</body><x xmlns='urn:x'/></message>
because the text of <body xmlns='jabber:client'> is \"hi\", not \"ho\"
expected (-) and came (+):
  - <message to='*'>
  -   <body>ho</body>
  + <message to='juliet@localhost'>
  +   <body>hi</body>
      <x xmlns='urn:x'/>
    </message>
the play so far, by line:
     2  Romeo sent: <presence/>
     3  Romeo got:  <presence/>
     4  Romeo sent: <message to='juliet@localhost'><body>hi</body><x xmlns='urn:x'/></message>
     5  Romeo got:  <message to='juliet@localhost'><body>hi</body><x xmlns='urn:x'/></message>
"
    );
}

#[track_caller]
fn fails(play: &str, why: &str) {
    let failure = on_echo(play).map(|_| ()).expect_err("fails");
    assert!(failure.why().contains(why), "{failure}");
}

#[test]
fn every_kind_of_failure_says_why() {
    fails("Romeo gets: <a/>", "nothing came");
    fails(
        "Romeo is cut off\nRomeo gets: <a/>",
        "the connection was closed",
    );
    fails(
        "Romeo: <a/>\nRomeo gets nothing",
        "Romeo got something else",
    );
    fails(
        "Romeo is cut off\nRomeo gets nothing",
        "Romeo got the connection is closed",
    );
    fails("Romeo gets the end", "Romeo got nothing");
    fails("Romeo: <a>\nRomeo gets: <a/>", "<a> is not closed");
    fails("Romeo: <a/><b/>\nRomeo gets: <a/>", "not one thing");
    fails("Romeo: <a id='{id}'/>", "nothing was captured as {id}");
    fails(
        "Romeo: <a/>\nRomeo: <c/>\nRomeo gets all of: <a/><b/>",
        "came, not <b",
    );
    fails("Romeo: <c/>\nRomeo gets all of: <a/><b/>", "none of the 2");
}

/// A stage with nothing but the two methods that every stage has.
struct Bare;

impl Stage for Bare {
    async fn send(&mut self, _: &str, _: &str) -> Result<(), StageError> {
        Err("no voice".into())
    }

    async fn receive(&mut self, _: &str) -> Result<Received, StageError> {
        Ok(Received::Nothing)
    }
}

#[test]
fn what_a_stage_cannot_do_is_a_failure() {
    for (play, why) in [
        ("Romeo: <a/>", "no voice"),
        ("T: 1s", "time does not go by"),
        ("Romeo closes", "`Romeo closes`"),
    ] {
        let play = Play::parse(play).expect("a play");
        let failure = perform_now(&play, &mut Bare).expect_err("fails");
        assert!(failure.why().contains(why), "{failure}");
    }
    perform_now(
        &Play::parse("Romeo gets nothing").expect("a play"),
        &mut Bare,
    )
    .unwrap();
}
