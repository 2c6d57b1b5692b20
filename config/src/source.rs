//! A text that is being read: its values, and where what is wrong with them stands.

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};

use ron::error::SpannedError;
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;

use crate::load::ConfigError;
use crate::outline::Outline;
use crate::parameters::Edits;
use crate::problem::{Finding, Place};
use crate::{Path, Problem, Problems, Setting, Severity, Shape, Step};

/// A text that is being read.
pub(crate) struct Source<'a> {
    pub(crate) text: &'a str,
    pub(crate) file: &'a FilePath,
    pub(crate) outline: Outline,
    /// What the whole text looks like.
    pub(crate) shape: Shape,
    /// What helps where nothing better can be said.
    pub(crate) help: &'static str,
    /// What was written in place of parameters.
    pub(crate) edits: Edits<'a>,
}

/// What is wrong in a place, before it is a [`Problem`].
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) field: Path,
    pub(crate) what: String,
    pub(crate) mend: String,
}

impl<'a> Source<'a> {
    /// A text without parameters.
    pub(crate) fn new(
        text: &'a str,
        file: &'a FilePath,
        shape: Shape,
        help: &'static str,
    ) -> Source<'a> {
        Source {
            text,
            file,
            outline: Outline::of(text),
            shape,
            help,
            edits: Edits::default(),
        }
    }

    /// Reads `readable`, which has the places of the text.
    pub(crate) fn read<T: DeserializeOwned>(
        &self,
        readable: &str,
        extensions: Extensions,
    ) -> Result<T, ConfigError> {
        let options = ron::Options::default().with_default_extension(
            Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | extensions,
        );
        let refuse = |error: SpannedError, path: Path| ConfigError {
            problems: vec![self.explain(&error, &path)],
        };
        let mut deserializer = ron::Deserializer::from_str_with_options(readable, &options)
            .map_err(|error| refuse(error, Path::default()))?;
        let mut track = serde_path_to_error::Track::new();
        let value = T::deserialize(serde_path_to_error::Deserializer::new(
            &mut deserializer,
            &mut track,
        ))
        .map_err(|error| refuse(deserializer.span_error(error), steps(&track.path())))?;
        deserializer
            .end()
            .map_err(|error| refuse(deserializer.span_error(error), Path::default()))?;
        Ok(value)
    }

    /// Runs the checks of what was read; gives the warnings, in the order of the text.
    pub(crate) fn check(&self, value: &impl Setting) -> Result<Vec<Problem>, ConfigError> {
        let mut found = Problems::default();
        value.check(&mut found);
        let mut problems: Vec<Problem> = found
            .found
            .into_iter()
            .map(|finding| self.locate(finding))
            .collect();
        problems.sort_by_key(|problem| {
            problem
                .place
                .as_ref()
                .map(|place| (place.line, place.column))
        });
        if problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
        {
            return Err(ConfigError { problems });
        }
        Ok(problems)
    }

    pub(crate) fn problem(
        &self,
        Fault {
            at,
            field,
            what,
            mend,
        }: Fault,
    ) -> Problem {
        Problem {
            severity: Severity::Error,
            file: PathBuf::from(self.file),
            place: Some(self.place(at)),
            field,
            what,
            mend,
        }
    }

    /// Where a stretch of the text stands in what the operator wrote.
    fn place(&self, at: Range<usize>) -> Place {
        match self.edits.written {
            Some(written) => Place::of(written, self.edits.before(at)),
            None => Place::of(self.text, at),
        }
    }

    fn locate(
        &self,
        Finding {
            severity,
            field,
            what,
            mend,
        }: Finding,
    ) -> Problem {
        let place = self.outline.nearest(&field).map(|at| self.place(at));
        Problem {
            severity,
            file: PathBuf::from(self.file),
            place,
            field,
            what,
            mend,
        }
    }
}

fn steps(path: &serde_path_to_error::Path) -> Path {
    use serde_path_to_error::Segment;
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Item(*index)),
        Segment::Map { key } => Some(Step::Key(key.clone())),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    Path(path.iter().filter_map(step).collect())
}
