//! What an environment variable can hold.

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::parse_duration;

/// A value that is read from the text of an environment variable.
pub trait Setting: Sized {
    /// Whether the text is shown to nobody.
    const IS_SECRET: bool = false;

    /// What is allowed, to follow "expected": `a port number (1 to 65535)`.
    fn expected() -> String;

    /// Reads the text; `None` if it is not what is expected.
    fn parse(text: &str) -> Option<Self>;

    /// What no text stands for; `None` if there must be one.
    fn empty() -> Option<Self> {
        None
    }
}

/// Finds the choice of this name: the body of [`Setting::parse`] for an enum.
pub fn choice<T: Copy>(choices: &[(&str, T)], text: &str) -> Option<T> {
    let text = text.to_ascii_lowercase();
    choices.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice)
}

impl Setting for String {
    fn expected() -> String {
        "text".into()
    }

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn empty() -> Option<Self> {
        Some(Self::new())
    }
}

impl Setting for bool {
    fn expected() -> String {
        "true or false (also 1, 0, yes, no)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        let choices = [
            ("true", true),
            ("1", true),
            ("yes", true),
            ("false", false),
            ("0", false),
            ("no", false),
        ];
        choice(&choices, text)
    }
}

macro_rules! numbers {
    ($($number:ty: $smallest:literal),*) => { $(
        impl Setting for $number {
            fn expected() -> String {
                concat!("a whole number (", $smallest, " or more)").into()
            }

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )* };
}

numbers!(u32: 0, u64: 0, usize: 0, NonZeroU64: 1, NonZeroUsize: 1);

impl Setting for u16 {
    fn expected() -> String {
        "a port number (0 to 65535)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for Duration {
    fn expected() -> String {
        "a duration such as 250ms, 30s, 5m or 1h30m".into()
    }

    fn parse(text: &str) -> Option<Self> {
        parse_duration(text)
    }
}

impl Setting for IpAddr {
    fn expected() -> String {
        "an IP address such as 127.0.0.1, 0.0.0.0 or ::".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

impl Setting for SocketAddr {
    fn expected() -> String {
        "an address and port such as 127.0.0.1:3334".into()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl Setting for PathBuf {
    fn expected() -> String {
        "a path (only a shell knows what ~ and $HOME stand for)".into()
    }

    fn parse(text: &str) -> Option<Self> {
        (!text.starts_with(['~', '$'])).then(|| text.into())
    }
}

/// Nothing is a value too.
impl<T: Setting> Setting for Option<T> {
    const IS_SECRET: bool = T::IS_SECRET;

    fn expected() -> String {
        T::expected()
    }

    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Some)
    }

    fn empty() -> Option<Self> {
        Some(None)
    }
}

/// Separated by commas.
impl<T: Setting> Setting for Vec<T> {
    const IS_SECRET: bool = T::IS_SECRET;

    fn expected() -> String {
        format!("a list, separated by commas, each {}", T::expected())
    }

    fn parse(text: &str) -> Option<Self> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::parse).collect()
    }

    fn empty() -> Option<Self> {
        Some(Self::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_words_or_digits_in_any_case() {
        for (text, value) in [("true", true), ("YES", true), ("1", true), ("no", false)] {
            assert_eq!(bool::parse(text), Some(value), "{text}");
        }
        assert_eq!(bool::parse("on"), None);
    }

    #[test]
    fn lists_take_spaces_and_a_comma_at_the_end() {
        assert_eq!(Vec::<u64>::parse("1, 2,3,"), Some(vec![1, 2, 3]));
        assert_eq!(Vec::<u64>::parse("1,x"), None);
        assert_eq!(Vec::<String>::parse(" a , b"), Some(vec!["a".into(), "b".into()]));
    }

    #[test]
    fn addresses_may_stand_in_brackets() {
        assert_eq!(IpAddr::parse("[::1]"), IpAddr::parse("::1"));
        assert!(IpAddr::parse("::1").is_some_and(|addr| addr.is_loopback()));
        assert_eq!(IpAddr::parse("localhost"), None);
    }

    #[test]
    fn paths_that_wait_for_a_shell_are_refused() {
        assert_eq!(PathBuf::parse("~/data"), None);
        assert_eq!(PathBuf::parse("/data"), Some("/data".into()));
    }
}
