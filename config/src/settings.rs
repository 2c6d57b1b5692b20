//! The macro that makes a section of the configuration out of its declaration.

/// Declares a section: a struct whose fields are keys with a comment and a default.
///
/// Makes the struct (all fields public), `Default`, `Deserialize` (absent keys take their
/// default, unknown ones are errors), [`Setting`](crate::Setting) and
/// [`Settings`](crate::Settings). A field without `= …` takes the default of its type.
/// The comment of a key is what an operator reads in `full.ron`: say what it does, in which unit
/// or range, and what happens at the limit.
///
/// `check |settings, problems| { … }` behind the struct says what is wrong with values that are
/// well written but make no sense; the checks of nested sections run by themselves.
#[macro_export]
macro_rules! settings {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident $(<$generic:ident>)? {
            $( $(#[doc = $key_doc:literal])* $key:ident : $ty:ty $(= $default:expr)? ),* $(,)?
        }
        $( check |$this:ident, $problems:ident| $check:block )?
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq)]
        // A key that is a section of its own may leave its description to that section.
        #[allow(missing_docs)]
        $vis struct $name $(<$generic>)? {
            $( $(#[doc = $key_doc])* pub $key: $ty, )*
        }

        impl $(<$generic: $crate::Settings>)? ::core::default::Default for $name $(<$generic>)? {
            fn default() -> Self {
                Self { $( $key: $crate::settings!(@default $($default)?), )* }
            }
        }

        impl<'de $(, $generic: $crate::Settings)?> $crate::macro_support::Deserialize<'de> for $name $(<$generic>)? {
            fn deserialize<D: $crate::macro_support::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                const KEYS: &[&str] = &[$( ::core::stringify!($key) ),*];
                struct Keys $(<$generic>)? ($( ::core::marker::PhantomData<$generic> )?);
                impl<'de $(, $generic: $crate::Settings)?> $crate::macro_support::Visitor<'de> for Keys $(<$generic>)? {
                    type Value = $name $(<$generic>)?;
                    fn expecting(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        f.write_str("keys in parentheses")
                    }
                    #[allow(unused_mut, unused_variables)]
                    fn visit_map<A: $crate::macro_support::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> ::core::result::Result<Self::Value, A::Error> {
                        let mut settings = <Self::Value as ::core::default::Default>::default();
                        let mut seen: ::std::vec::Vec<&'static str> = ::std::vec::Vec::new();
                        while let Some($crate::macro_support::Word(key)) = map.next_key()? {
                            let Some(key) = KEYS.iter().copied().find(|known| *known == key) else {
                                return Err($crate::macro_support::Error::unknown_field(&key, KEYS));
                            };
                            if seen.contains(&key) {
                                return Err($crate::macro_support::Error::duplicate_field(key));
                            }
                            seen.push(key);
                            match key {
                                $( ::core::stringify!($key) => settings.$key = map.next_value()?, )*
                                _ => {}
                            }
                        }
                        Ok(settings)
                    }
                }
                deserializer.deserialize_struct(
                    ::core::stringify!($name),
                    KEYS,
                    Keys($( ::core::marker::PhantomData::<$generic> )?),
                )
            }
        }

        impl $(<$generic: $crate::Settings>)? $crate::Setting for $name $(<$generic>)? {
            fn expects() -> ::std::string::String {
                "keys in parentheses: ( … )".into()
            }
            fn shape(&self) -> $crate::Shape {
                $crate::Shape::Section($crate::Section {
                    doc: ::std::vec![$( ::std::string::String::from($doc) ),*],
                    keys: ::std::vec![$( $crate::Key {
                        name: ::core::stringify!($key),
                        doc: ::std::vec![$( ::std::string::String::from($key_doc) ),*],
                        shape: $crate::Setting::shape(&self.$key),
                    } ),*],
                    instead: ::core::option::Option::None,
                    away: false,
                })
            }
            fn blank() -> $crate::Shape {
                $crate::Setting::shape(&<Self as ::core::default::Default>::default())
            }
            #[allow(unused_variables)]
            fn check(&self, problems: &mut $crate::Problems) {
                $( problems.within(::core::stringify!($key), |problems| {
                    $crate::Setting::check(&self.$key, problems);
                }); )*
                $( {
                    let ($this, $problems) = (self, problems);
                    $check
                } )?
            }
        }

        impl $(<$generic: $crate::Settings>)? $crate::Settings for $name $(<$generic>)? {}
    };
    (@default) => { ::core::default::Default::default() };
    (@default $default:expr) => { $default };
}
