//! HTTP: `POST /graphql` behind the node's secret, and what monitoring asks for.
//!
//! | path | who may ask | answer |
//! |---|---|---|
//! | `/healthz` | everybody | 200 as long as the process answers |
//! | `/readyz` | everybody | 200, or 503 with what is missing to serve clients |
//! | `/metrics` | on loopback everybody, elsewhere with the secret | the node's figures for Prometheus |

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use async_graphql::Request;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, sync::Semaphore, task::JoinSet, time};
use tracing::{debug, warn};
use warp::{
    Filter, Rejection, Reply,
    http::{HeaderMap, StatusCode, header},
    hyper::body::Bytes,
    reject::{LengthRequired, MethodNotAllowed, PayloadTooLarge, Reject},
    reply::Response,
};

use crate::{
    AdminSchema, AdminSecret,
    api::{Family, Health},
    metrics,
};

/// The most bytes a request may have; a full import batch with all keys fits.
pub const BODY_LIMIT: u64 = 4 * 1024 * 1024;

/// How long requests under way may still take when the interface shuts down.
pub const GRACE: Duration = Duration::from_secs(5);

/// Connections served at once; more wait in the listener's backlog.
const CONNECTIONS: usize = 256;

/// How long a client may take to send a request's header, or stay idle before it.
const HEADER_DEADLINE: Duration = Duration::from_secs(30);

/// How long to wait after a failed accept: it fails for want of files or
/// memory, and would at once fail again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What is served over HTTP. Cloning counts.
#[derive(Clone)]
pub struct Served {
    /// What is behind `/graphql`.
    pub schema: AdminSchema,
    /// What opens it.
    pub secret: AdminSecret,
    /// How the node does.
    pub health: Arc<dyn Health>,
}

/// Serves the interface on `listener` until `shutdown` resolves; then requests
/// under way have [`GRACE`]. Dropping the future closes everything at once.
///
/// The listener is shared so that an actor that is started again takes up the
/// same socket.
pub async fn serve(
    listener: Arc<TcpListener>,
    served: Served,
    shutdown: impl Future<Output = ()> + Send,
) {
    // Whoever reaches loopback is on this machine, and the figures name nobody. Not knowing where
    // we listen counts as elsewhere.
    let figures_for_all = listener.local_addr().is_ok_and(|at| at.ip().is_loopback());
    let service = TowerToHyperService::new(warp::service(routes(served, figures_for_all)));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next() => continue,
        };
        let (stream, place) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(what = "admin_accept_failed", %error);
                time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_DEADLINE)
            .serve_connection(TokioIo::new(stream), service.clone());
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                debug!(what = "admin_connection_failed", %error);
            }
            drop(place);
        });
    }
    if time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        warn!(what = "admin_requests_cut", cut = connections.len());
    }
}

/// The next connection, with its place among those served at once.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(tokio::net::TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// What is served: the order of the filters is the order of the checks, so
/// that nothing is read of the body of a stranger.
fn routes(
    served: Served,
    figures_for_all: bool,
) -> impl Filter<Extract = (Response,), Error = Infallible> + Clone {
    let Served {
        schema,
        secret,
        health,
    } = served;
    let graphql = warp::path("graphql")
        .and(warp::path::end())
        .and(warp::post())
        .and(authorized(Some(secret.clone())))
        .and(warp::body::content_length_limit(BODY_LIMIT))
        .and(warp::body::bytes())
        .then(move |body: Bytes| {
            let schema = schema.clone();
            async move {
                match serde_json::from_slice::<Request>(&body) {
                    Ok(request) => json(&schema.execute(request).await),
                    Err(e) => sentence(
                        StatusCode::BAD_REQUEST,
                        format!("The body is no GraphQL request in JSON: {e}."),
                    ),
                }
            }
        });
    let asked = |path: &'static str| {
        let asks = warp::get().or(warp::head()).unify();
        warp::path(path).and(warp::path::end()).and(asks)
    };
    let alive = asked("healthz").map(|| sentence(StatusCode::OK, "The node answers."));
    let of_ready = health.clone();
    let ready = asked("readyz").map(move || readiness(&of_ready.missing()));
    let metrics = asked("metrics")
        .and(authorized((!figures_for_all).then_some(secret)))
        .map(move || figures(health.figures()));
    let served = graphql.or(alive).unify().or(ready).unify();
    served.or(metrics).unify().recover(refused).unify()
}

fn readiness(missing: &[String]) -> Response {
    if missing.is_empty() {
        return sentence(StatusCode::OK, "The node is ready.");
    }
    let mut reasons = missing.join(".\n");
    reasons.push('.');
    sentence(StatusCode::SERVICE_UNAVAILABLE, reasons)
}

fn figures(families: Vec<Family>) -> Response {
    match metrics::text(families) {
        Ok(text) => warp::reply::with_header(text, header::CONTENT_TYPE, metrics::CONTENT_TYPE)
            .into_response(),
        Err(error) => {
            warn!(what = "metrics_not_written", %error);
            sentence(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The figures can't be written.",
            )
        }
    }
}

/// The header `Authorization: Bearer <secret>` is missing or wrong.
#[derive(Debug)]
struct Unauthorized;

impl Reject for Unauthorized {}

/// Passes whoever shows the secret; everybody, where there is none to be shown.
fn authorized(secret: Option<AdminSecret>) -> impl Filter<Extract = (), Error = Rejection> + Clone {
    warp::header::headers_cloned()
        .and_then(move |headers: HeaderMap| {
            let shown = headers
                .get(header::AUTHORIZATION)
                .and_then(|value| bearer(value.as_bytes()));
            let known = secret
                .as_ref()
                .is_none_or(|secret| shown.is_some_and(|shown| secret.matches(shown)));
            async move {
                if known {
                    Ok(())
                } else {
                    Err(warp::reject::custom(Unauthorized))
                }
            }
        })
        .untuple_one()
}

/// The token of a `Bearer` credential (RFC 6750 §2.1); the scheme is case-insensitive.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
}

/// Says in a sentence why a request did not reach the schema.
async fn refused(rejection: Rejection) -> Result<Response, Infallible> {
    let response = if rejection.find::<Unauthorized>().is_some() {
        let mut response = sentence(
            StatusCode::UNAUTHORIZED,
            "The header `Authorization: Bearer <secret>` with this node's secret is missing or \
             wrong; the secret is in the file `admin.secret` of its data folder.",
        );
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            header::HeaderValue::from_static("Bearer realm=\"mungo\""),
        );
        response
    } else if rejection.find::<PayloadTooLarge>().is_some() {
        sentence(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A request has at most {BODY_LIMIT} bytes."),
        )
    } else if rejection.find::<LengthRequired>().is_some() {
        sentence(
            StatusCode::LENGTH_REQUIRED,
            "The header `Content-Length` is missing.",
        )
    } else if rejection.find::<MethodNotAllowed>().is_some() {
        sentence(
            StatusCode::METHOD_NOT_ALLOWED,
            "GraphQL is asked by POST, everything else by GET.",
        )
    } else if rejection.is_not_found() {
        sentence(
            StatusCode::NOT_FOUND,
            "There is nothing here; GraphQL is at /graphql, figures are at /metrics.",
        )
    } else {
        debug!(what = "admin_request_refused", ?rejection);
        sentence(StatusCode::BAD_REQUEST, "The request can't be read.")
    };
    Ok(response)
}

fn sentence(status: StatusCode, text: impl Into<String>) -> Response {
    let mut text = text.into();
    text.push('\n');
    warp::reply::with_status(text, status).into_response()
}

fn json(answer: &async_graphql::Response) -> Response {
    warp::reply::json(answer).into_response()
}
