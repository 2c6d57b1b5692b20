//! HTTP to the admin interface.

use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};
use tokio::{net::TcpStream, time};

use crate::{failure::Failure, node::Node};

/// A connection to a node; it is made anew when the node has closed it.
pub(crate) struct Client {
    node: Node,
    connection: Option<http1::SendRequest<Full<Bytes>>>,
}

impl Client {
    /// A client that has not connected yet.
    pub(crate) fn new(node: Node) -> Self {
        Client {
            node,
            connection: None,
        }
    }

    /// Sends a GraphQL request and returns its `data`.
    pub(crate) async fn ask(
        &mut self,
        document: &str,
        variables: &Map<String, Value>,
    ) -> Result<Value, Failure> {
        let body = json!({"query": document, "variables": variables}).to_string();
        let limit = self.node.timeout;
        let answer = time::timeout(limit, self.post(body)).await;
        let (status, body) = answer.unwrap_or_else(|_| {
            Err(Failure::NotThere(format!(
                "the node at {} has not answered within {} s",
                self.node.url,
                limit.as_secs()
            )))
        })?;
        self.read(status, &body)
    }

    async fn post(&mut self, body: String) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::post(&self.node.path)
            .header(header::HOST, &self.node.authority)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.node.secret),
            )
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| Failure::Usage(format!("the request can't be made: {e}")))?;
        let url = self.node.url.clone();
        let cut = |e: hyper::Error| {
            Failure::NotThere(format!(
                "the node at {url} closed the connection before it answered ({e})"
            ))
        };
        // Taken, and put back only when the answer is whole: a request that
        // was given up must not leave its answer to the next one.
        let mut connection = match self.connection.take() {
            Some(connection) if !connection.is_closed() => connection,
            _ => self.connect().await?,
        };
        let answer = connection.send_request(request).await.map_err(cut)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(cut)?.to_bytes();
        self.connection = Some(connection);
        Ok((status, body))
    }

    async fn connect(&self) -> Result<http1::SendRequest<Full<Bytes>>, Failure> {
        let node = &self.node;
        let absent = |e: &dyn std::fmt::Display| {
            Failure::NotThere(format!(
                "there is no node at {} ({e}): is it running?",
                node.url
            ))
        };
        let stream = TcpStream::connect((node.host.as_str(), node.port))
            .await
            .map_err(|e| absent(&e))?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| absent(&e))?;
        // It ends with the connection; its error is the request's too.
        tokio::spawn(driver);
        Ok(connection)
    }

    /// What an answer means.
    fn read(&self, status: StatusCode, body: &[u8]) -> Result<Value, Failure> {
        let url = &self.node.url;
        match status {
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED => {
                return Err(Failure::refused(format!(
                    "the node at {url} does not accept the admin secret: it is that of another \
                     node or another start"
                )));
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
                return Err(Failure::NotThere(format!(
                    "what answers at {url} is no admin interface (HTTP status {status})"
                )));
            }
            status => {
                let text = String::from_utf8_lossy(body);
                return Err(Failure::refused(format!(
                    "the node at {url} answered with HTTP status {status}: {}",
                    text.trim()
                )));
            }
        }
        let mut answer: Value = serde_json::from_slice(body).map_err(|_| {
            Failure::NotThere(format!("what answers at {url} is no admin interface"))
        })?;
        let Some(error) = answer["errors"].get(0) else {
            return Ok(answer["data"].take());
        };
        let message = error["message"].as_str().unwrap_or("it does not say why");
        Err(match error["extensions"]["code"].as_str() {
            Some(code) => Failure::Refused {
                code: Some(code.to_owned()),
                message: message.to_owned(),
            },
            // Not a refusal of the node but of its GraphQL.
            None => Failure::refused(format!(
                "the node does not take this command; is it of another version than mungoctl {}? \
                 ({message})",
                env!("CARGO_PKG_VERSION")
            )),
        })
    }
}
