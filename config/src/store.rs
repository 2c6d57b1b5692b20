//! Where what lasts is kept.

use crate::{Span, settings};

settings! {
    /// Where what lasts is kept: accounts and what belongs to them.
    pub struct Store {
        /// The database. None: an SQLite file in the data folder, which needs no other service.
        /// `"sqlite:/path/of/file.sqlite"` puts that file elsewhere.
        url: Option<String>,
        /// How many connections to the database are open at most. 1 to 256.
        max_connections: u32 = 8,
        /// A request that has not got a connection after so long fails.
        acquire_timeout: Span = Span::seconds(5),
    }
    check |store, problems| {
        if let Some(url) = &store.url {
            if !url.contains(':') {
                problems.error("url", "this is not a URL", "write \"sqlite:/path/of/file.sqlite\", or None");
            } else if !url.starts_with("sqlite:") {
                let scheme = url.split(':').next().unwrap_or_default();
                problems.error("url", format!("\"{scheme}\" is not a database that this node knows"),
                    "write \"sqlite:/path/of/file.sqlite\", or None");
            }
        }
        if !(1..=256).contains(&store.max_connections) {
            problems.error("max_connections", format!("{} is out of range", store.max_connections), "write a number from 1 to 256");
        }
        problems.at_least("acquire_timeout", store.acquire_timeout, Span::millis(100));
    }
}
