//! The heart: hooks, IQ table, disco, directory, route(), and the contract of modules.
