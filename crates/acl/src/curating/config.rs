//! The configuration: the tags of a kind 30078 with the `d` tag `curating-config`.

use event::{EventId, EventRef, Kind, Pubkey, Timestamp, unescaped};
use serde_json::{Value, json};

use super::{decide, kinds};

/// How many kinds, ranges or categories a configuration may name.
const MAX_NAMED: usize = 1000;
/// The longest ban: ten years.
const MAX_HOURS: u32 = 87_600;

/// What newcomers may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CuratingConfig {
    /// The event it is from.
    pub event: EventId,
    /// Who published it.
    pub author: Pubkey,
    /// When it was made.
    pub configured_at: Timestamp,
    /// Events of one newcomer in a day.
    pub daily_limit: u32,
    /// Events from one address in a day.
    pub ip_daily_limit: u32,
    /// How long an address is banned that floods for the first time.
    pub first_ban_hours: u32,
    /// How long it is banned when it does so again.
    pub second_ban_hours: u32,
    /// Categories of kinds that may be stored.
    pub categories: Vec<String>,
    /// Ranges of kinds that may be stored, both ends included.
    pub ranges: Vec<(u16, u16)>,
    /// Kinds that may be stored. Without categories, ranges and kinds nothing may.
    pub kinds: Vec<Kind>,
}

/// Why an event is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CuratingConfigError {
    /// Its kind or `d` tag is another.
    #[error("the configuration is a kind 30078 with the d tag curating-config")]
    NotAConfig,
    /// A tag has a value that is not allowed.
    #[error("{tag} {value:?}: expected {expected}")]
    Value {
        /// The name of the tag.
        tag: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// More is named than is looked through.
    #[error("more than {MAX_NAMED} kinds, ranges and categories are named")]
    TooLong,
}

impl CuratingConfig {
    /// Reads the configuration that an event is.
    pub fn of(event: EventRef<'_>) -> Result<Self, CuratingConfigError> {
        if !decide::is_config(event) {
            return Err(CuratingConfigError::NotAConfig);
        }
        let mut config = Self {
            event: event.id(),
            author: event.pubkey(),
            configured_at: event.created_at(),
            daily_limit: 50,
            ip_daily_limit: 500,
            first_ban_hours: 1,
            second_ban_hours: 168,
            categories: Vec::new(),
            ranges: Vec::new(),
            kinds: Vec::new(),
        };
        for tag in event.tags().iter() {
            if let (Some(name), Some(value)) = (tag.name(), tag.value()) {
                config.read(name, &unescaped(value))?;
            }
        }
        if config.categories.len() + config.ranges.len() + config.kinds.len() > MAX_NAMED {
            return Err(CuratingConfigError::TooLong);
        }
        Ok(config)
    }

    fn read(&mut self, name: &str, value: &str) -> Result<(), CuratingConfigError> {
        match name {
            "daily_limit" => self.daily_limit = count("daily_limit", value)?,
            "ip_daily_limit" => self.ip_daily_limit = count("ip_daily_limit", value)?,
            "first_ban_hours" => self.first_ban_hours = hours("first_ban_hours", value)?,
            "second_ban_hours" => self.second_ban_hours = hours("second_ban_hours", value)?,
            "kind_category" => match kinds::of_category(value) {
                Some(_) => self.categories.push(value.to_owned()),
                None => {
                    let expected = format!("one of {}", kinds::names());
                    return Err(wrong("kind_category", value, &expected));
                }
            },
            "kind" => match value.parse() {
                Ok(kind) => self.kinds.push(Kind::new(kind)),
                Err(_) => return Err(wrong("kind", value, "a number up to 65535")),
            },
            "kind_range" => match range(value) {
                Some(range) => self.ranges.push(range),
                None => return Err(wrong("kind_range", value, "two kinds such as 1000-1999")),
            },
            _ => {}
        }
        Ok(())
    }

    /// Whether a kind may be stored.
    pub fn allows(&self, kind: Kind) -> bool {
        let number = kind.as_u16();
        let is_in = |ranges: &[(u16, u16)]| {
            ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
        };
        let categories = self.categories.iter().filter_map(|name| kinds::of_category(name));
        self.kinds.contains(&kind) || is_in(&self.ranges) || { categories }.any(is_in)
    }

    /// How long an address is banned that flooded so often before.
    pub(super) const fn ban_hours(&self, earlier: u32) -> u32 {
        if earlier == 0 { self.first_ban_hours } else { self.second_ban_hours }
    }

    /// The value of its marker.
    pub(super) fn to_marker(&self) -> Vec<u8> {
        let kinds: Vec<u16> = self.kinds.iter().map(|kind| kind.as_u16()).collect();
        json!({
            "event": self.event.to_string(),
            "author": self.author.to_string(),
            "configured_at": self.configured_at.as_secs(),
            "daily_limit": self.daily_limit,
            "ip_daily_limit": self.ip_daily_limit,
            "first_ban_hours": self.first_ban_hours,
            "second_ban_hours": self.second_ban_hours,
            "categories": self.categories,
            "ranges": self.ranges,
            "kinds": kinds,
        })
        .to_string()
        .into_bytes()
    }

    /// Reads the value of its marker.
    pub(super) fn from_marker(value: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(value).ok()?;
        let number = |name: &str| value[name].as_u64().and_then(|number| number.try_into().ok());
        let list = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        let kind = |value: &Value| value.as_u64().and_then(|number| u16::try_from(number).ok());
        let strings = list("categories");
        Some(Self {
            event: value["event"].as_str()?.parse().ok()?,
            author: value["author"].as_str()?.parse().ok()?,
            configured_at: Timestamp::from_secs(value["configured_at"].as_u64()?),
            daily_limit: number("daily_limit")?,
            ip_daily_limit: number("ip_daily_limit")?,
            first_ban_hours: number("first_ban_hours")?,
            second_ban_hours: number("second_ban_hours")?,
            categories: strings.iter().filter_map(|name| name.as_str().map(Into::into)).collect(),
            ranges: list("ranges")
                .iter()
                .filter_map(|pair| Some((kind(&pair[0])?, kind(&pair[1])?)))
                .collect(),
            kinds: list("kinds").iter().filter_map(kind).map(Kind::new).collect(),
        })
    }
}

fn wrong(tag: &'static str, value: &str, expected: &str) -> CuratingConfigError {
    let value = value.chars().take(100).collect();
    CuratingConfigError::Value { tag, value, expected: expected.to_owned() }
}

fn count(tag: &'static str, value: &str) -> Result<u32, CuratingConfigError> {
    let count = value.parse().ok().filter(|count| (1..=i32::MAX.unsigned_abs()).contains(count));
    count.ok_or_else(|| wrong(tag, value, "a number from 1 on"))
}

fn hours(tag: &'static str, value: &str) -> Result<u32, CuratingConfigError> {
    let hours = value.parse().ok().filter(|hours| (1..=MAX_HOURS).contains(hours));
    hours.ok_or_else(|| wrong(tag, value, "a number of hours, 87600 at most"))
}

fn range(value: &str) -> Option<(u16, u16)> {
    let (first, last) = value.split_once('-')?;
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event::{Draft, Keys};

    fn read(tags: &[[&str; 2]]) -> Result<CuratingConfig, String> {
        let mut all = vec![vec!["d".to_owned(), "curating-config".to_owned()]];
        all.extend(tags.iter().map(|tag| tag.map(String::from).to_vec()));
        let draft = Draft {
            created_at: Timestamp::from_secs(7),
            kind: Kind::new(30_078),
            tags: all,
            content: String::new(),
        };
        let event = Keys::from_secret([7; 32]).unwrap().sign(&draft);
        CuratingConfig::of(event.as_ref()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_is_the_default() {
        let config = read(&[]).unwrap();
        let hours = (config.first_ban_hours, config.second_ban_hours);
        assert_eq!((config.daily_limit, config.ip_daily_limit, hours), (50, 500, (1, 168)));
        assert!(!config.allows(Kind::new(1)), "no kind is named");
    }

    #[test]
    fn kinds_are_named_alone_by_range_and_by_category() {
        let tags = [["kind", "5"], ["kind_range", "1000-1999"], ["kind_category", "social"]];
        let config = read(&tags).unwrap();
        for (kind, expected) in
            [(0, true), (1, true), (2, false), (5, true), (1000, true), (1999, true), (2000, false)]
        {
            assert_eq!(config.allows(Kind::new(kind)), expected, "{kind}");
        }
        assert_eq!(CuratingConfig::from_marker(&config.to_marker()), Some(config));
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        let cases = [
            (["daily_limit", "0"], "daily_limit \"0\": expected a number from 1 on"),
            (
                ["first_ban_hours", "87601"],
                "first_ban_hours \"87601\": expected a number of hours, 87600 at most",
            ),
            (["kind", "70000"], "kind \"70000\": expected a number up to 65535"),
            (["kind_range", "9-1"], "kind_range \"9-1\": expected two kinds such as 1000-1999"),
        ];
        for (tag, expected) in cases {
            assert_eq!(read(&[tag]).unwrap_err(), expected);
        }
        assert!(read(&[["kind_category", "cats"]]).unwrap_err().contains("longform"));
    }
}
