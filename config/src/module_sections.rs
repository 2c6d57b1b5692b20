//! The `modules` section: one key per module, its settings or `off`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{Problems, Setting, Settings, Shape};

/// What is said about one module.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleSection<T> {
    /// False if the module is switched off.
    pub enabled: bool,
    /// The module's own settings.
    pub settings: T,
}

impl<T: Default> Default for ModuleSection<T> {
    fn default() -> Self {
        Self {
            enabled: true,
            settings: T::default(),
        }
    }
}

impl<T: Default> ModuleSection<T> {
    /// A module that is off unless the file names it.
    #[must_use]
    pub fn off() -> Self {
        Self {
            enabled: false,
            ..Self::default()
        }
    }
}

/// Declares the `modules` section: a struct with a [`ModuleSection`](crate::ModuleSection) per
/// module. A module that is left out of the file runs with its defaults, `ping: (…)` changes
/// these, `ping: off` switches the module off. One that is declared with `= off` runs only if
/// the file names it: `echo: ()`.
///
/// ```
/// # config::settings! {
/// #     /// Asks.
/// #     pub struct PingSettings {}
/// # }
/// # config::settings! {
/// #     /// Sends back.
/// #     pub struct EchoSettings {}
/// # }
/// config::module_sections! {
///     /// What the server offers.
///     pub struct Modules {
///         ping: PingSettings,
///         echo: EchoSettings = off,
///     }
/// }
/// assert!(Modules::default().ping.enabled);
/// assert!(!Modules::default().echo.enabled);
/// ```
#[macro_export]
macro_rules! module_sections {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident {
            $( $(#[doc = $key_doc:literal])* $key:ident : $ty:ty $(= $off:ident)? ),* $(,)?
        }
    ) => {
        $crate::settings! {
            $(#[doc = $doc])*
            $vis struct $name {
                $( $(#[doc = $key_doc])* $key: $crate::ModuleSection<$ty>
                    $(= $crate::ModuleSection::$off())?, )*
            }
        }
    };
}

/// Stands for the word `off` in the text that RON reads. RON's self-describing mode drops the
/// name of a bare word, so `off` would not differ from a misspelt one nor from `()`; this
/// character is as wide, so that no place in the text moves.
pub(crate) const OFF: &str = "'-'";

impl<'de, T: Settings> Deserialize<'de> for ModuleSection<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SettingsOrOff<T>(PhantomData<T>);
        impl<'de, T: Settings> Visitor<'de> for SettingsOrOff<T> {
            type Value = ModuleSection<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the settings of a module in parentheses, or off")
            }
            fn visit_char<E: Error>(self, _off: char) -> Result<Self::Value, E> {
                Ok(ModuleSection {
                    enabled: false,
                    settings: T::default(),
                })
            }
            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(ModuleSection::default())
            }
            // How RON sees parentheses with nothing but white space between them.
            fn visit_seq<A: SeqAccess<'de>>(self, _nothing: A) -> Result<Self::Value, A::Error> {
                Ok(ModuleSection::default())
            }
            fn visit_map<A: MapAccess<'de>>(self, keys: A) -> Result<Self::Value, A::Error> {
                let settings = T::deserialize(MapAccessDeserializer::new(keys))?;
                Ok(ModuleSection {
                    enabled: true,
                    settings,
                })
            }
        }
        deserializer.deserialize_any(SettingsOrOff(PhantomData))
    }
}

impl<T: Settings> Setting for ModuleSection<T> {
    fn expects() -> String {
        "the settings of the module in parentheses, or off".into()
    }

    fn shape(&self) -> Shape {
        let shape = self.settings.shape().or("off");
        if self.enabled { shape } else { shape.away() }
    }

    fn blank() -> Shape {
        T::blank().or("off")
    }

    fn check(&self, problems: &mut Problems) {
        if self.enabled {
            self.settings.check(problems);
        }
    }
}
