//! Where the node is, and the secret that opens its admin interface.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ArgMatches;
use hyper::Uri;

use crate::failure::Failure;

/// The folder a node keeps its data in when nothing else is said.
const DATA: &str = "data";

/// The environment variable that may hold the secret.
const SECRET_VARIABLE: &str = "MUNGO_ADMIN_SECRET";

/// How long to wait for an answer when nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A node as it is addressed.
#[derive(Debug)]
pub(crate) struct Node {
    /// As it is named in messages.
    pub(crate) url: String,
    /// Host name or address, as `Host` has it.
    pub(crate) authority: String,
    /// For the socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Where GraphQL is.
    pub(crate) path: String,
    pub(crate) secret: String,
    pub(crate) timeout: Duration,
}

impl Node {
    /// Finds the node that the options mean.
    pub(crate) fn find(matches: &ArgMatches) -> Result<Node, Failure> {
        let path = |name| matches.get_one::<PathBuf>(name);
        let data = path("data").cloned().unwrap_or_else(|| DATA.into());
        let url = match matches.get_one::<String>("url") {
            Some(url) => url.clone(),
            None => url_of(&data)?,
        };
        let secret = secret(path("secret-file"), &data)?;
        let timeout = matches.get_one("timeout").copied();
        Node::new(&url, secret, timeout.map_or(TIMEOUT, Duration::from_secs))
    }

    /// Takes a URL apart.
    fn new(url: &str, secret: String, timeout: Duration) -> Result<Node, Failure> {
        let wrong = |what: &str| {
            Failure::Usage(format!(
                "`{url}` {what}; the address of an admin interface looks like http://127.0.0.1:5551"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong("is no URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("does not begin with http://"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names a user"));
        }
        let path = match uri.path() {
            "" | "/" => "/graphql",
            path => path,
        };
        Ok(Node {
            url: url.trim_end_matches('/').to_owned(),
            authority: authority.to_string(),
            host: authority.host().trim_matches(['[', ']']).to_owned(),
            port: authority.port_u16().unwrap_or(80),
            path: path.to_owned(),
            secret,
            timeout,
        })
    }
}

/// The address that a running node has written into its data folder.
fn url_of(data: &Path) -> Result<String, Failure> {
    let file = data.join("admin.url");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Err(Failure::NotThere(format!(
            "there is no node with the data folder {} (it has no admin.url): start one, or name \
             another by --data or --url",
            data.display()
        ))),
        Err(e) => Err(unreadable(&file, &e)),
    }
}

/// The secret: of the file that was named, of the environment, of the data folder.
fn secret(named: Option<&PathBuf>, data: &Path) -> Result<String, Failure> {
    let text = match (named, env::var(SECRET_VARIABLE)) {
        (Some(file), _) => fs::read_to_string(file).map_err(|e| unreadable(file, &e))?,
        (None, Ok(text)) => text,
        (None, Err(_)) => {
            let file = data.join("admin.secret");
            match fs::read_to_string(&file) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    return Err(Failure::Usage(format!(
                        "there is no admin secret in {}: name the data folder by --data, a file \
                         with the secret by --secret-file, or put it into {SECRET_VARIABLE}",
                        file.display()
                    )));
                }
                read => read.map_err(|e| unreadable(&file, &e))?,
            }
        }
    };
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Failure::Usage(
            "the admin secret is empty or has characters that no secret has".to_owned(),
        ));
    }
    Ok(text.to_owned())
}

fn unreadable(file: &Path, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => ": run as the user whom the node runs as",
        _ => "",
    };
    Failure::refused(format!("{} can't be read: {error}{hint}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Node;

    fn node(url: &str) -> Result<(String, String, u16, String), String> {
        Node::new(url, "s".to_owned(), Duration::from_secs(1))
            .map(|n| (n.authority, n.host, n.port, n.path))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn urls_are_taken_apart() {
        let parts = |a: &str, h: &str, port, p: &str| Ok((a.into(), h.into(), port, p.into()));
        assert_eq!(
            node("http://127.0.0.1:5551"),
            parts("127.0.0.1:5551", "127.0.0.1", 5551, "/graphql")
        );
        assert_eq!(
            node("http://[::1]:5551/"),
            parts("[::1]:5551", "::1", 5551, "/graphql")
        );
        assert_eq!(
            node("http://admin.example/mungo"),
            parts("admin.example", "admin.example", 80, "/mungo")
        );
        for (url, what) in [
            ("https://localhost:5551", "does not begin with http://"),
            ("localhost:5551", "does not begin with http://"),
            ("http://", "is no URL"),
            ("http://me@localhost", "names a user"),
        ] {
            let error = node(url).expect_err(url);
            assert!(error.contains(what), "{error}");
        }
    }
}
