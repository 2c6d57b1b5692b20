//! What is made of the list of modules in the registry.

use std::sync::Arc;

use router::{Module, PlanError, Planned, Router};

/// Builds a module and writes down what it wants.
pub(crate) type Plan = dyn Fn(&Router) -> Result<Arc<Planned>, PlanError> + Send + Sync;

/// A module as it is configured, to be planned at each start of its actor.
#[derive(Clone)]
pub(crate) struct ModuleSpec {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is done at each start.
    pub(crate) plan: Arc<Plan>,
}

impl ModuleSpec {
    pub(crate) fn new<M: Module>(config: &M::Config) -> Self {
        let config = Arc::new(config.clone());
        Self {
            name: M::NAME,
            plan: Arc::new(move |router| Planned::new::<M>(config.clone(), router)),
        }
    }
}

/// Makes the `modules` section of the configuration, the list of what is to be started, and the
/// list of what is implemented, from pairs of a key and a module. A module with `= off` behind it
/// runs only if the configuration names it.
macro_rules! module_list {
    ($( $key:ident: $module:ty $(= $off:ident)? ),+ $(,)?) => {
        config::module_sections! {
            /// What the server offers. A module that is not named runs with its defaults;
            /// `ping: (interval: "10m")` changes them, `ping: off` switches the module off.
            pub(crate) struct Modules {
                $( $key: <$module as router::Module>::Config $(= $off)? ),+
            }
        }

        /// The modules that `config` does not switch off, in the order of the list.
        pub(crate) fn enabled(config: &Modules) -> Vec<$crate::module_list::ModuleSpec> {
            let mut enabled = Vec::new();
            $(
                if config.$key.enabled {
                    enabled.push($crate::module_list::ModuleSpec::new::<$module>(&config.$key.settings));
                }
            )+
            enabled
        }

        /// Every module's key, name, and what it implements.
        #[cfg(test)]
        pub(crate) fn implemented() -> Vec<(&'static str, &'static str, &'static [router::Xep])> {
            vec![$(
                (
                    stringify!($key),
                    <$module as router::Module>::NAME,
                    <$module as router::Module>::XEPS,
                )
            ),+]
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write;
    use std::path::{Path, PathBuf};

    use crate::registry;

    fn project() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Compares a part of the project that is generated with what is to be there, or writes it
    /// when `UPDATE_EXPECT=1` says so.
    fn expect_generated(file: &Path, wanted: &str) {
        let is = std::fs::read_to_string(file).unwrap_or_default();
        if is == wanted {
            return;
        }
        assert!(
            std::env::var_os("UPDATE_EXPECT").is_some(),
            "{} is not what is generated now: run the tests with UPDATE_EXPECT=1",
            file.display()
        );
        std::fs::write(file, wanted).expect("written");
    }

    #[test]
    fn the_key_in_the_configuration_is_the_modules_name() {
        for (key, name, _) in registry::implemented() {
            assert_eq!(key, name);
        }
    }

    /// What streams and routing implement themselves, without a module.
    const CORE: [(u16, &str, &str); 3] = [
        (368, "SRV records for XMPP over TLS", "1.1.0"),
        (440, "SASL Channel-Binding Type Capability", "1.0.0"),
        (474, "SASL SCRAM Downgrade Protection", "0.5.0"),
    ];

    #[test]
    fn the_readmes_table_is_what_the_modules_declare() {
        const BEGIN: &str = "<!-- xeps: begin";
        const END: &str = "<!-- xeps: end -->";
        let mut rows = BTreeMap::new();
        for (number, title, version) in CORE {
            rows.insert(number, (title, version, "", "core"));
        }
        for (_, module, xeps) in registry::implemented() {
            for xep in xeps {
                rows.insert(xep.number, (xep.title, xep.version, xep.missing, module));
            }
        }
        let mut table =
            String::from("\n| XEP | title | version | status | where |\n|---|---|---|---|---|\n");
        for (number, (title, version, missing, place)) in rows {
            let status = if missing.is_empty() {
                "complete".into()
            } else {
                format!("without {missing}")
            };
            let _ = writeln!(
                table,
                "| {number:04} | {title} | {version} | {status} | `{place}` |"
            );
        }
        table.push('\n');
        let file = project().join("README.md");
        let readme = std::fs::read_to_string(&file).expect("the README");
        let begin = readme.find(BEGIN).expect("where the table begins");
        let begin = begin + readme[begin..].find('\n').expect("the line's end");
        let end = readme.find(END).expect("where the table ends");
        expect_generated(
            &file,
            &format!("{}\n{table}{}", &readme[..begin], &readme[end..]),
        );
    }

    #[test]
    fn the_full_example_is_made_of_the_types() {
        let file = project().join("config/examples/full.ron");
        expect_generated(&file, &config::render_full::<registry::Modules>());
    }

    #[test]
    fn the_examples_are_fine() {
        for name in ["minimal.ron", "full.ron"] {
            let file = project().join("config/examples").join(name);
            if let Err(error) = config::load::<registry::Modules>(&file) {
                panic!("{name}: {error}");
            }
        }
    }
}
