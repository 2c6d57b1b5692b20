//! The account file: CSV (RFC 4180) with a line that names the columns.

use std::io::Read;

use csv::ByteRecord;
use serde_json::{Map, Value};

use super::lines::LineStarts;

/// The most bytes a field may have: no address, password or key is longer. A
/// quote that is never closed makes a field of all the rest of a file.
const FIELD_LIMIT: usize = 8 * 1024;

/// The columns a file may have, with the field of `ImportAccount` they fill.
const COLUMNS: [(&str, &str); 5] = [
    ("jid", "account"),
    ("password", "password"),
    ("scram_sha_1", "scramSha1"),
    ("scram_sha_256", "scramSha256"),
    ("scram_sha_512", "scramSha512"),
];

/// The accounts of a file, one after the other.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: csv::Reader<LineStarts<R>>,
    /// For each column of the file its place in [`COLUMNS`].
    columns: Vec<usize>,
    jid: usize,
    record: ByteRecord,
}

/// One account of a file.
#[derive(Debug)]
pub(crate) struct Line {
    /// The number of the line it begins on, from 1.
    pub(crate) number: u64,
    /// Its address as it stands there; empty when there is none.
    pub(crate) account: String,
    /// The account, or what is wrong with the line.
    pub(crate) entry: Result<Entry, String>,
}

/// An account as it is sent.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) account: String,
    /// About how many bytes it takes.
    pub(crate) size: usize,
    fields: Map<String, Value>,
}

impl Entry {
    /// As an `ImportAccount` of the schema.
    pub(crate) fn json(&self) -> Value {
        Value::Object(self.fields.clone())
    }
}

impl<R: Read> Lines<R> {
    /// Reads the line that names the columns. The error says what is wrong with it.
    pub(crate) fn new(input: R) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(true)
            .from_reader(LineStarts::new(input));
        let header = reader.byte_headers().map_err(|e| e.to_string())?.clone();
        let expected = "the first line names the columns: `jid,password` or \
                        `jid,scram_sha_1,scram_sha_256,scram_sha_512`";
        let mut columns = Vec::new();
        for name in &header {
            let name = String::from_utf8_lossy(name);
            let place = COLUMNS
                .iter()
                .position(|(column, _)| *column == name.trim())
                // Not repeated: without a header it may be a password.
                .ok_or_else(|| format!("{expected}; a column has another name"))?;
            if columns.contains(&place) {
                return Err(format!("the column `{}` is there twice", name.trim()));
            }
            columns.push(place);
        }
        let jid = columns
            .iter()
            .position(|place| *place == 0)
            .ok_or(expected)?;
        if columns.len() < 2 {
            return Err(expected.to_owned());
        }
        Ok(Lines {
            reader,
            columns,
            jid,
            record: ByteRecord::new(),
        })
    }

    /// How many bytes of the file have been used up.
    pub(crate) fn bytes(&self) -> u64 {
        self.reader.position().byte()
    }

    fn entry(&self, account: &str) -> Result<Entry, String> {
        if self.record.len() != self.columns.len() {
            return Err(format!(
                "{} fields where the first line has {}",
                self.record.len(),
                self.columns.len()
            ));
        }
        let mut fields = Map::new();
        let mut size = 0;
        for (field, place) in self.record.iter().zip(&self.columns) {
            let (column, name) = COLUMNS[*place];
            if field.len() > FIELD_LIMIT {
                return Err(format!(
                    "{column} has more than {FIELD_LIMIT} bytes; is a quote left open?"
                ));
            }
            let text = std::str::from_utf8(field).map_err(|_| format!("{column} is not UTF-8"))?;
            if !text.is_empty() {
                size += text.len();
                fields.insert(name.to_owned(), Value::String(text.to_owned()));
            }
        }
        if account.is_empty() {
            return Err("jid is empty".to_owned());
        }
        if fields.len() < 2 {
            return Err("there is neither a password nor a key".to_owned());
        }
        Ok(Entry {
            account: account.to_owned(),
            size,
            fields,
        })
    }
}

impl<R: Read> Iterator for Lines<R> {
    /// The error is one of the file, after which nothing more comes.
    type Item = Result<Line, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut record = std::mem::take(&mut self.record);
        let read = self.reader.read_byte_record(&mut record);
        self.record = record;
        match read {
            Ok(true) => {}
            Ok(false) => return None,
            Err(e) => return Some(Err(e)),
        }
        let start = self.record.position().map_or(0, csv::Position::byte);
        let number = self.reader.get_mut().line_from(start);
        let account = self
            .record
            .get(self.jid)
            .map(|field| &field[..field.len().min(FIELD_LIMIT)])
            .map(|field| String::from_utf8_lossy(field).into_owned())
            .unwrap_or_default();
        Some(Ok(Line {
            number,
            entry: self.entry(&account),
            account,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    /// Each line as `number account: fields or error`.
    fn read(file: &[u8]) -> Result<Vec<String>, String> {
        let lines = Lines::new(file)?;
        Ok(lines
            .map(|line| {
                let line = line.expect("a readable file");
                let entry = match line.entry {
                    Ok(entry) => entry.json().to_string(),
                    Err(e) => e,
                };
                format!("{} {}: {entry}", line.number, line.account)
            })
            .collect())
    }

    #[test]
    fn passwords_may_be_quoted_and_columns_in_any_order() {
        let file =
            "password,jid\npencil,a@localhost\n\"a \"\"b\"\", c\nd \",b@localhost\n x ,c@localhost";
        assert_eq!(
            read(file.as_bytes()).expect("a header"),
            [
                r#"2 a@localhost: {"password":"pencil","account":"a@localhost"}"#,
                r#"3 b@localhost: {"password":"a \"b\", c\nd ","account":"b@localhost"}"#,
                r#"5 c@localhost: {"password":" x ","account":"c@localhost"}"#,
            ]
        );
    }

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        let file = b"\xef\xbb\xbfjid,password\r\n\r\na@localhost,x\r\n\r\n\r\nb@localhost,y\r\n";
        assert_eq!(
            read(file).expect("a header"),
            [
                r#"3 a@localhost: {"account":"a@localhost","password":"x"}"#,
                r#"6 b@localhost: {"account":"b@localhost","password":"y"}"#,
            ]
        );
    }

    #[test]
    fn a_bad_line_does_not_end_the_file() {
        let mut file =
            b"jid,password,scram_sha_1\na@localhost\n,x,\nb@localhost,,\nc@localhost,\xff,\n"
                .to_vec();
        file.extend([b'x'; 8193]);
        file.extend(b",p,\nd@localhost,,1:a:b:c\n");
        let lines = read(&file).expect("a header");
        assert_eq!(
            lines[0],
            "2 a@localhost: 1 fields where the first line has 3"
        );
        assert_eq!(lines[1], "3 : jid is empty");
        assert_eq!(
            lines[2],
            "4 b@localhost: there is neither a password nor a key"
        );
        assert_eq!(lines[3], "5 c@localhost: password is not UTF-8");
        assert!(lines[4].ends_with(": jid has more than 8192 bytes; is a quote left open?"));
        assert_eq!(
            lines[5],
            r#"7 d@localhost: {"account":"d@localhost","scramSha1":"1:a:b:c"}"#
        );
    }

    #[test]
    fn the_first_line_has_to_name_the_columns_and_is_not_repeated() {
        for (file, what) in [
            (
                "alice@localhost,sesame\n",
                "the first line names the columns",
            ),
            ("jid\na@localhost\n", "the first line names the columns"),
            ("password\nx\n", "the first line names the columns"),
            ("", "the first line names the columns"),
            ("jid,password,jid\n", "the column `jid` is there twice"),
        ] {
            let error = read(file.as_bytes()).expect_err(file);
            assert!(error.starts_with(what), "{error}");
            assert!(!error.contains("sesame"), "{error}");
        }
    }
}
