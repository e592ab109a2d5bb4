//! Durations as Go writes them: `30s`, `1h30m`, `250ms`, `1.5h`.

use std::time::Duration;

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration: numbers, each with its unit, or a bare `0`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number);
        let unit = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(scale(number, *nanos)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// A decimal number of units, exactly, without floating point.
fn scale(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let digits = format!("{:0<9.9}", fraction);
    let fraction: u64 = digits.parse().ok()?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part = u128::from(fraction) * u128::from(nanos) / 1_000_000_000;
    let nanos = whole.checked_mul(nanos)?.checked_add(u64::try_from(part).ok()?)?;
    Some(Duration::from_nanos(nanos))
}

/// Writes a duration so that [`parse_duration`] reads the same, without parts that are zero.
pub fn format_duration(duration: Duration) -> String {
    let mut nanos = duration.as_nanos();
    if nanos == 0 {
        return "0s".into();
    }
    let mut text = String::new();
    for (unit, size) in UNITS.iter().rev().filter(|(unit, _)| *unit != "µs") {
        let size = u128::from(*size);
        if nanos >= size {
            text.push_str(&format!("{}{unit}", nanos / size));
            nanos %= size;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_add_up_and_come_back() {
        let cases = [
            ("30s", 30_000, "30s"),
            ("5m", 300_000, "5m"),
            ("1h30m", 5_400_000, "1h30m"),
            ("250ms", 250, "250ms"),
            ("1.5h", 5_400_000, "1h30m"),
            (".5s", 500, "500ms"),
            ("90m", 5_400_000, "1h30m"),
            ("0", 0, "0s"),
            ("0s", 0, "0s"),
        ];
        for (text, millis, written) in cases {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(format_duration(Duration::from_millis(millis)), written);
        }
        assert_eq!(parse_duration("1us2ns"), Some(Duration::from_nanos(1002)));
    }

    #[test]
    fn all_else_is_refused() {
        for text in ["", "5", "s", "-5s", "5 s", "5d", "1.2.3s", "5s6", ".s", "99999999999999h"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }
}
