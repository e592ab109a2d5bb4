//! Times as people write them: seconds since 1970, a date, or an age.

use event::{Filter, Timestamp};

const DAY: u64 = 86_400;

/// Reads `1767225600`, `2026-01-31`, `2026-01-31T12:00:00Z`, or `30d`, `12h`, `5m`, `10s` before now.
pub(crate) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let expected = "expected seconds since 1970, a date (2026-01-31 or 2026-01-31T12:00:00Z) or an age (30d, 12h)";
    seconds(text).map(Timestamp::from_secs).ok_or_else(|| expected.to_owned())
}

/// Reads the same as an end: a date alone is the whole of that day.
pub(crate) fn parse_end(text: &str) -> Result<Timestamp, String> {
    let is_day = text.contains('-') && !text.contains('T');
    let rest = if is_day { DAY - 1 } else { 0 };
    parse_time(text).map(|time| Timestamp::from_secs(time.as_secs().saturating_add(rest)))
}

/// The filter, for no more than a span of time.
pub(crate) fn narrowed(
    filter: Filter,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Filter {
    Filter {
        since: filter.since.max(since),
        until: [filter.until, until].into_iter().flatten().min(),
        ..filter
    }
}

fn seconds(text: &str) -> Option<u64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    if let Some(days) = text.strip_suffix('d') {
        let age = days.parse::<u64>().ok()?.checked_mul(DAY)?;
        return Some(Timestamp::now().as_secs().saturating_sub(age));
    }
    if let Some(age) = daemon::parse_duration(text) {
        return Some(Timestamp::now().as_secs().saturating_sub(age.as_secs()));
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time.strip_suffix('Z')?, ':')?;
    let is_valid = (1970..10_000).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    is_valid.then(|| days_since_1970(year, month, day) * DAY + hour * 3600 + minute * 60 + second)
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    numbers?.try_into().ok()
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let years: u64 = (1970..year).map(|year| if is_leap(year) { 366 } else { 365 }).sum();
    let months: u64 = (1..month).map(|month| days_in_month(year, month)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_days_of_the_calendar() {
        let cases = [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400),
            ("2026-01-31", 1_769_817_600),
            ("2026-01-31T12:34:56Z", 1_769_862_896),
            ("1767225600", 1_767_225_600),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_time(text), Ok(Timestamp::from_secs(expected)), "{text}");
        }
    }

    #[test]
    fn a_day_that_is_an_end_is_meant_whole() {
        let cases = [
            ("2026-01-31", 1_769_817_600 + DAY - 1),
            ("2026-01-31T12:34:56Z", 1_769_862_896),
            ("1767225600", 1_767_225_600),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_end(text), Ok(Timestamp::from_secs(expected)), "{text}");
        }
        assert!(parse_end("2026-02-30").is_err());
    }

    #[test]
    fn ages_count_back_from_now() {
        for (text, age) in [("30d", 30 * DAY), ("12h", DAY / 2), ("1h30m", 5400)] {
            let expected = Timestamp::now().as_secs() - age;
            let found = parse_time(text).unwrap().as_secs();
            assert!((expected..=expected + 1).contains(&found), "{text}");
        }
    }

    #[test]
    fn days_that_are_not_there_are_refused() {
        for text in
            ["2026-02-29", "2026-13-01", "2026-00-01", "yesterday", "", "2026-01-31T24:00:00Z"]
        {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_filter_that_is_narrowed_never_grows() {
        let span = |since: Option<u64>, until: Option<u64>| {
            (since.map(Timestamp::from_secs), until.map(Timestamp::from_secs))
        };
        let (since, until) = span(Some(10), Some(20));
        let filter = Filter { since, until, ..Filter::default() };
        for (given, expected) in [
            (span(None, None), span(Some(10), Some(20))),
            (span(Some(5), Some(25)), span(Some(10), Some(20))),
            (span(Some(15), Some(18)), span(Some(15), Some(18))),
        ] {
            let narrowed = narrowed(filter.clone(), given.0, given.1);
            assert_eq!((narrowed.since, narrowed.until), expected);
        }
    }
}
