//! Performs a play on a stage.

use std::collections::HashMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use quick_xml::escape::escape;

use crate::failure::{Failure, Transcript, Trouble};
use crate::matching;
use crate::pattern::Captured;
use crate::script::{Act, How, Play, Step};
use crate::xml::{self, CLIENT, Item};

/// What a stage answers when somebody listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// One thing as it came: an element, a stream header (an XML declaration in front is fine), or
    /// `</stream:stream>`.
    Text(String),
    /// The other side closed the connection, and nothing is left to read.
    End,
    /// Nothing came (in the time the stage gives it).
    Nothing,
}

impl From<Option<String>> for Received {
    fn from(came: Option<String>) -> Received {
        came.map_or(Received::Nothing, Received::Text)
    }
}

/// Why a stage could not do what the play asks of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StageError(String);

impl<E: Into<String>> From<E> for StageError {
    fn from(why: E) -> StageError {
        StageError(why.into())
    }
}

/// Where a play is performed: the code of one module, a session over a duplex stream, a whole node
/// behind sockets. Names are the play's own; who they are is the stage's business.
///
/// The methods are asynchronous for the sake of sockets; a stage that never waits is performed by
/// [`perform_now`] with no executor.
#[allow(
    async_fn_in_trait,
    reason = "stages are used by value in tests, never sent or boxed"
)]
pub trait Stage {
    /// `who` sends `text` as it stands.
    async fn send(&mut self, who: &str, text: &str) -> Result<(), StageError>;

    /// The next thing that comes to `who`.
    async fn receive(&mut self, who: &str) -> Result<Received, StageError>;

    /// Makes sure that all that was sent so far had its effects, then tells what came to `who`
    /// beyond what was received: [`Received::Nothing`] if all is well.
    async fn nothing(&mut self, who: &str) -> Result<Received, StageError> {
        self.receive(who).await
    }

    /// Time goes by.
    async fn advance(&mut self, by: Duration) -> Result<(), StageError> {
        Err(format!("time does not go by on this stage (asked for {by:?})").into())
    }

    /// A stage direction: `Romeo is cut off` gives `Romeo` and `is cut off`.
    async fn direct(&mut self, who: &str, words: &str) -> Result<(), StageError> {
        Err(format!("this stage does not know what `{who} {words}` means").into())
    }
}

/// Performs a play to its end or to the first step that fails.
///
/// # Errors
///
/// The step that failed, what was expected, what came instead, and what happened before.
pub async fn perform<S: Stage>(play: &Play, stage: &mut S) -> Result<(), Failure> {
    let mut performance = Performance::default();
    for step in &play.steps {
        if let Err(trouble) = performance.step(step, stage).await {
            return Err(performance.fail(step, trouble));
        }
    }
    Ok(())
}

/// Performs a play whose people are at several nodes of a cluster. What comes from one sender comes in its
/// order; what comes from others may come before it or after it, whatever order the play has them in.
///
/// # Errors
///
/// As [`perform`].
pub async fn perform_spread<S: Stage>(play: &Play, stage: &mut S) -> Result<(), Failure> {
    let mut performance = Performance {
        aside: Some(HashMap::new()),
        ..Performance::default()
    };
    for step in &play.steps {
        if let Err(trouble) = performance.step(step, stage).await {
            return Err(performance.fail(step, trouble));
        }
    }
    Ok(())
}

/// Performs a play on a stage that never waits, with no executor.
///
/// # Errors
///
/// As [`perform`].
///
/// # Panics
///
/// When the stage waits after all.
pub fn perform_now<S: Stage>(play: &Play, stage: &mut S) -> Result<(), Failure> {
    match pin!(perform(play, stage)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("the stage waits: it needs an executor and `perform`"),
    }
}

#[derive(Default)]
struct Performance {
    captured: Captured,
    /// The default namespace of the stream that each name listens to, once its header came.
    default_ns: HashMap<String, String>,
    transcript: Transcript,
    /// When people are at several nodes: what came to each name before its turn, in the order in which
    /// it came.
    aside: Option<HashMap<String, Vec<Item>>>,
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble {
            why,
            expected: String::new(),
            came: String::new(),
        }
    }
}

impl From<StageError> for Trouble {
    fn from(StageError(why): StageError) -> Trouble {
        why.into()
    }
}

impl Performance {
    async fn step<S: Stage>(&mut self, step: &Step, stage: &mut S) -> Result<(), Trouble> {
        match &step.act {
            Act::Send { who, text } => {
                let text = self
                    .captured
                    .fill(text, |value| escape(value).into_owned())?;
                self.transcript.sent(step.line, who, &text);
                stage.send(who, &text).await?;
            }
            Act::Direct { who, words } => {
                let words = self.captured.fill(words, str::to_owned)?;
                self.transcript.note(step.line, &format!("{who} {words}"));
                stage.direct(who, &words).await?;
            }
            Act::Wait(by) => {
                self.transcript.note(step.line, &format!("T: {by:?}"));
                stage.advance(*by).await?;
            }
            Act::Nothing { who } => match stage.nothing(who).await? {
                Received::Nothing => self.nothing_aside(who)?,
                came => return Err(self.unexpected("nothing", step, who, came)),
            },
            Act::End { who } => match stage.receive(who).await? {
                Received::End => self
                    .transcript
                    .note(step.line, &format!("{who} gets the end")),
                came => return Err(self.unexpected("the connection is closed", step, who, came)),
            },
            Act::Get {
                who,
                expected,
                how: How::AllOf,
            } => {
                self.all_of(step, who, expected, stage).await?;
            }
            Act::Get { who, expected, how } => {
                self.one_by_one(step, who, expected, *how == How::InOrder, stage)
                    .await?;
            }
        }
        Ok(())
    }

    async fn one_by_one<S: Stage>(
        &mut self,
        step: &Step,
        who: &str,
        expected: &str,
        ordered: bool,
        stage: &mut S,
    ) -> Result<(), Trouble> {
        let count = self.expected(who, expected)?.len();
        for at in 0..count {
            if self.take_aside(who, &self.expected(who, expected)?[at], ordered) {
                continue;
            }
            let came = match self.aside {
                None => self.receive(step, who, stage).await,
                Some(_) => {
                    let wanted = self.expected(who, expected)?;
                    self.receive_in_turn(step, who, &wanted[at], ordered, stage)
                        .await
                }
            };
            // Read anew for each: a stream header that came just now sets the namespace of the rest.
            let wanted = &self.expected(who, expected)?[at];
            let ns = self.ns(who);
            let came = came.map_err(|t| Trouble {
                expected: wanted.pretty(&ns),
                ..t
            })?;
            matching::item(wanted, &came, ordered, &mut self.captured).map_err(|why| Trouble {
                why,
                expected: wanted.pretty(&ns),
                came: came.pretty(&ns),
            })?;
        }
        Ok(())
    }

    async fn all_of<S: Stage>(
        &mut self,
        step: &Step,
        who: &str,
        expected: &str,
        stage: &mut S,
    ) -> Result<(), Trouble> {
        let ns = self.ns(who);
        let mut wanted = self.expected(who, expected)?;
        while !wanted.is_empty() {
            if let Some(at) = (0..wanted.len()).find(|at| self.take_aside(who, &wanted[*at], false))
            {
                wanted.remove(at);
                continue;
            }
            let left: String = wanted.iter().map(|w| w.pretty(&ns)).collect();
            let came = self.receive(step, who, stage).await;
            let came = came.map_err(|t| Trouble {
                expected: left.clone(),
                ..t
            })?;
            let captured = &mut self.captured;
            let verdicts: Vec<_> = wanted
                .iter()
                .map(|w| matching::item(w, &came, false, captured))
                .collect();
            let Some(at) = verdicts.iter().position(Result::is_ok) else {
                if let Some(aside) = &mut self.aside {
                    aside.entry(who.to_owned()).or_default().push(came);
                    continue;
                }
                let why = match verdicts.into_iter().next() {
                    Some(Err(why)) if wanted.len() == 1 => why,
                    _ => format!(
                        "this is none of the {} that are still expected",
                        wanted.len()
                    ),
                };
                return Err(Trouble {
                    why,
                    expected: left,
                    came: came.pretty(&ns),
                });
            };
            wanted.remove(at);
        }
        Ok(())
    }

    /// Takes what is wanted out of what came before its turn, if nothing came before it from the same
    /// sender.
    fn take_aside(&mut self, who: &str, wanted: &Item, ordered: bool) -> bool {
        let Some(aside) = self.aside.as_mut().and_then(|aside| aside.get_mut(who)) else {
            return false;
        };
        let mut passed = Vec::new();
        for at in 0..aside.len() {
            let from = aside[at].from();
            if !passed.contains(&from)
                && matching::item(wanted, &aside[at], ordered, &mut self.captured).is_ok()
            {
                aside.remove(at);
                return true;
            }
            passed.push(from);
        }
        false
    }

    /// Receives until what is wanted comes; what comes before it from others is put aside. What is
    /// returned when it does not come is the first that came.
    async fn receive_in_turn<S: Stage>(
        &mut self,
        step: &Step,
        who: &str,
        wanted: &Item,
        ordered: bool,
        stage: &mut S,
    ) -> Result<Item, Trouble> {
        loop {
            let came = match self.receive(step, who, stage).await {
                Ok(came) => came,
                Err(trouble) => {
                    let aside = self.aside.as_mut().and_then(|aside| aside.get_mut(who));
                    return match aside {
                        Some(aside) if !aside.is_empty() => Ok(aside.remove(0)),
                        _ => Err(trouble),
                    };
                }
            };
            let fits = matching::item(wanted, &came, ordered, &mut self.captured).is_ok();
            let aside = self.aside.iter_mut().flat_map(|aside| aside.get_mut(who));
            let after_its_like = aside.flatten().any(|before| before.from() == came.from());
            if fits && !after_its_like {
                return Ok(came);
            }
            if let Some(aside) = &mut self.aside {
                aside.entry(who.to_owned()).or_default().push(came);
            }
        }
    }

    fn nothing_aside(&self, who: &str) -> Result<(), Trouble> {
        let aside = self.aside.as_ref().and_then(|aside| aside.get(who));
        match aside.and_then(|aside| aside.first()) {
            None => Ok(()),
            Some(came) => Err(Trouble {
                why: format!("{who} got something else"),
                expected: "nothing\n".to_owned(),
                came: came.pretty(&self.ns(who)),
            }),
        }
    }

    fn expected(&self, who: &str, expected: &str) -> Result<Vec<Item>, String> {
        xml::pattern(expected, &self.ns(who))
    }

    fn ns(&self, who: &str) -> String {
        self.default_ns
            .get(who)
            .cloned()
            .unwrap_or_else(|| CLIENT.to_owned())
    }

    async fn receive<S: Stage>(
        &mut self,
        step: &Step,
        who: &str,
        stage: &mut S,
    ) -> Result<Item, Trouble> {
        let text = match stage.receive(who).await? {
            Received::Text(text) => text,
            Received::End => return Err("the connection was closed instead".to_owned().into()),
            Received::Nothing => return Err("nothing came".to_owned().into()),
        };
        self.transcript.came(step.line, who, &text);
        let broken = |why| Trouble {
            why,
            expected: String::new(),
            came: text.clone(),
        };
        let mut items = xml::literal(&text, &self.ns(who)).map_err(broken)?;
        let item = match items.pop() {
            Some(item) if items.is_empty() => item,
            _ => {
                return Err(broken(
                    "the stage handed over what is not one thing".to_owned(),
                ));
            }
        };
        if let Item::Open {
            default_ns: Some(ns),
            ..
        } = &item
        {
            self.default_ns.insert(who.to_owned(), ns.clone());
        }
        Ok(item)
    }

    fn unexpected(&mut self, expected: &str, step: &Step, who: &str, came: Received) -> Trouble {
        let came = match came {
            Received::Nothing => "nothing\n".to_owned(),
            Received::End => "the connection is closed\n".to_owned(),
            Received::Text(text) => {
                self.transcript.came(step.line, who, &text);
                let ns = self.ns(who);
                let items = xml::literal(&text, &ns);
                items.map_or(text, |items| items.iter().map(|i| i.pretty(&ns)).collect())
            }
        };
        let why = match came.trim_end() {
            short if !short.contains('<') => format!("{who} got {short}"),
            _ => format!("{who} got something else"),
        };
        Trouble {
            why,
            expected: format!("{expected}\n"),
            came,
        }
    }

    fn fail(self, step: &Step, trouble: Trouble) -> Failure {
        Failure {
            line: step.line,
            step: step.source.clone(),
            trouble: Box::new(trouble),
            transcript: self.transcript,
        }
    }
}
