//! Servers that are loaded, and the accounts on them.

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::rc::Rc;

use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use crate::failure::Failure;
use crate::scenario::{Mechanism, Target, Tls, Users};
use crate::tls;

/// A server, found.
pub(crate) struct Place {
    /// Where it is.
    pub(crate) address: SocketAddr,
    /// The domain of the accounts.
    pub(crate) domain: Box<str>,
    /// Whether and how streams are encrypted.
    pub(crate) tls: Tls,
    /// How users log in.
    pub(crate) mechanism: Mechanism,
    /// What makes TLS, if there is any.
    pub(crate) connector: Option<TlsConnector>,
    /// The addresses that users connect from, and whose turn it is.
    sources: Vec<IpAddr>,
    turn: Cell<usize>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("address", &self.address)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// Looks where a target is. Only this machine and private networks are loaded (RFC 1918, RFC 4193,
    /// link-local addresses) unless somebody says that the target is theirs. Users connect from `sources`
    /// in turns; without any, from where the system says.
    ///
    /// # Errors
    /// Its name leads nowhere, or out of here, or nowhere that can be had from the sources.
    pub(crate) fn find(
        target: &Target,
        owned: bool,
        sources: &[IpAddr],
    ) -> Result<Rc<Place>, Failure> {
        let nowhere = |reason: String| Failure::NoTarget {
            address: target.address.clone(),
            reason,
        };
        let address = target
            .address
            .to_socket_addrs()
            .map_err(|error| nowhere(error.to_string()))?
            .next()
            .ok_or_else(|| nowhere("the name has no address".to_owned()))?;
        if !owned && !is_near(address.ip()) {
            return Err(Failure::Foreign { address });
        }
        if let Some(source) = sources
            .iter()
            .find(|source| source.is_ipv4() != address.is_ipv4())
        {
            return Err(nowhere(format!("nobody gets to {address} from {source}")));
        }
        let connector = match target.tls {
            Tls::Off => None,
            Tls::Direct | Tls::Starttls => Some(tls::connector().map_err(std::io::Error::other)?),
        };
        Ok(Rc::new(Place {
            address,
            domain: target.domain.as_str().into(),
            tls: target.tls,
            mechanism: target.mechanism,
            connector,
            sources: sources.to_vec(),
            turn: Cell::default(),
        }))
    }

    /// Connects to it.
    ///
    /// # Errors
    /// Nobody takes the connection, or the source is none of our addresses.
    pub(crate) async fn connect(&self) -> io::Result<TcpStream> {
        if self.sources.is_empty() {
            return TcpStream::connect(self.address).await;
        }
        let turn = self.turn.get();
        self.turn.set(turn + 1);
        let source = self.sources[turn % self.sources.len()];
        let socket = match source {
            IpAddr::V4(_) => TcpSocket::new_v4()?,
            IpAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // The ports of those who went can be had again.
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(self.address).await
    }
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_near(v4.into()),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

/// Localparts and passwords by number, from 0.
#[derive(Debug)]
pub(crate) enum Accounts {
    /// Made of a pattern.
    Pattern {
        /// The localparts; `%d` is a number.
        pattern: String,
        /// The passwords.
        password: String,
        /// The number of the first.
        first: u32,
        /// How many.
        count: u32,
    },
    /// From a file.
    List(Vec<(Box<str>, Box<str>)>),
}

impl Accounts {
    /// Those of a scenario.
    ///
    /// # Errors
    /// Their file can't be read.
    pub(crate) fn of(users: &Users) -> Result<Accounts, Failure> {
        match &users.csv {
            Some(file) => Accounts::read(file),
            None => Ok(Accounts::Pattern {
                pattern: users.pattern.clone(),
                password: users.password.clone(),
                first: users.first,
                count: users.count,
            }),
        }
    }

    fn read(file: &Path) -> Result<Accounts, Failure> {
        let wrong = |what: String| Failure::Accounts(format!("{}: {what}", file.display()));
        let opened = File::open(file).map_err(|error| wrong(error.to_string()))?;
        let mut reader = csv::Reader::from_reader(opened);
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?;
        let column = |name: &str| header.iter().position(|column| column.trim() == name);
        let (Some(jid), Some(password)) = (column("jid"), column("password")) else {
            return Err(wrong(
                "the first line names the columns, and `jid` and `password` have to be among them"
                    .to_owned(),
            ));
        };
        let mut accounts = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| wrong(error.to_string()))?;
            let field = |place| record.get(place).unwrap_or_default();
            let localpart = field(jid).split('@').next().unwrap_or_default();
            if localpart.is_empty() {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(wrong(format!("line {line} has no localpart")));
            }
            accounts.push((localpart.into(), field(password).into()));
        }
        if accounts.is_empty() {
            return Err(wrong("there is nobody in it".to_owned()));
        }
        Ok(Accounts::List(accounts))
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        match self {
            Accounts::Pattern { count, .. } => *count,
            Accounts::List(list) => u32::try_from(list.len()).unwrap_or(u32::MAX),
        }
    }

    /// The localpart of the one with this number.
    pub(crate) fn localpart(&self, number: u32) -> String {
        match self {
            Accounts::Pattern { pattern, first, .. } => filled(pattern, *first, number),
            Accounts::List(list) => list
                .get(number as usize)
                .map_or_else(String::new, |(localpart, _)| localpart.to_string()),
        }
    }

    /// And its password.
    pub(crate) fn password(&self, number: u32) -> String {
        match self {
            Accounts::Pattern {
                password, first, ..
            } => filled(password, *first, number),
            Accounts::List(list) => list
                .get(number as usize)
                .map_or_else(String::new, |(_, password)| password.to_string()),
        }
    }
}

fn filled(pattern: &str, first: u32, number: u32) -> String {
    pattern.replace("%d", &(u64::from(first) + u64::from(number)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_numbered() {
        let accounts = Accounts::Pattern {
            pattern: "a%d.b".to_owned(),
            password: "p%d".to_owned(),
            first: 7,
            count: 5,
        };
        assert_eq!(accounts.localpart(3), "a10.b");
        assert_eq!(accounts.password(0), "p7");
    }

    #[test]
    fn only_what_is_near_is_loaded() {
        let find = |address: &str, owned| {
            let target = Target {
                address: address.to_owned(),
                ..Target::default()
            };
            Place::find(&target, owned, &[])
        };
        for near in [
            "127.0.0.1:5222",
            "[::1]:1",
            "10.1.2.3:5222",
            "[fd00::1]:5222",
        ] {
            assert!(find(near, false).is_ok(), "{near}");
        }
        for far in [
            "192.0.2.1:5222",
            "0.0.0.0:5222",
            "[2001:db8::1]:5222",
            "[::ffff:192.0.2.1]:1",
        ] {
            assert!(
                matches!(find(far, false), Err(Failure::Foreign { .. })),
                "{far}"
            );
            assert!(find(far, true).is_ok(), "{far}");
        }
    }

    #[test]
    fn a_file_has_a_header_and_somebody_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("users.csv");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("written");
            Accounts::read(&file)
        };
        let accounts = read("jid,password\nromeo@example.org,\"a,b\"\njuliet,x\n").expect("fine");
        assert_eq!(accounts.count(), 2);
        assert_eq!(
            (accounts.localpart(0), accounts.password(0)),
            ("romeo".into(), "a,b".into())
        );
        assert_eq!(accounts.localpart(1), "juliet");
        for bad in [
            "",
            "romeo,pw\n",
            "jid,password\n",
            "jid,password\n@x,y\n",
            "jid,password\na\n",
        ] {
            assert!(matches!(read(bad), Err(Failure::Accounts(_))), "{bad}");
        }
    }
}
