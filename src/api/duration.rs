//! Durations as Consul writes them: text in Go's syntax (`10s`, `1m30s`), or nanoseconds as a number
//! (<https://pkg.go.dev/time#ParseDuration>).

use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;
use std::time::Duration;

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// The text for the wire, whole milliseconds at least: a part of one becomes one, since Consul reads
/// nothing as "the default".
pub(crate) fn text(duration: Duration) -> String {
    let ms = duration.as_nanos().div_ceil(1_000_000);
    match ms % 1000 {
        0 => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// Reads a text; empty is none, which is zero.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut total = Duration::ZERO;
    if rest == "0" {
        return Some(total);
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (name, tail) = tail.split_at(unit);
        let &(_, nanos) = UNITS.iter().find(|(unit, _)| *unit == name)?;
        total = total.checked_add(times(number, nanos)?)?;
        rest = tail;
    }
    Some(total)
}

/// So many units of `nanos` nanoseconds: exact before the point and, cut to whole nanoseconds,
/// after it.
fn times(number: &str, nanos: u64) -> Option<Duration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut total = whole.checked_mul(nanos)?;
    let mut unit = nanos;
    for digit in fraction.bytes() {
        unit /= 10;
        total = total.checked_add(u64::from(digit.checked_sub(b'0')?) * unit)?;
    }
    Some(Duration::from_nanos(total))
}

/// Writes the text.
pub(crate) fn serialize<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

/// Reads text, nanoseconds or `null`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Duration, D::Error> {
    struct Written;
    impl Visitor<'_> for Written {
        type Value = Duration;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a duration such as \"10s\", or nanoseconds")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Duration, E> {
            parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
        }

        fn visit_u64<E: de::Error>(self, nanos: u64) -> std::result::Result<Duration, E> {
            Ok(Duration::from_nanos(nanos))
        }

        fn visit_unit<E: de::Error>(self) -> std::result::Result<Duration, E> {
            Ok(Duration::ZERO)
        }
    }
    deserializer.deserialize_any(Written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gos_syntax_is_read() {
        let cases = [
            ("", 0),
            ("0", 0),
            ("0s", 0),
            ("10s", 10_000_000_000),
            ("1m30s", 90_000_000_000),
            ("24h0m0s", 86_400_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("100ms", 100_000_000),
            ("2us", 2_000),
            ("2µs", 2_000),
        ];
        for (text, nanos) in cases {
            assert_eq!(parse(text), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["10", "s", "-1s", "1x", ".s", "1s1", "1..5s", "1 s", "99999999999h"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (ms, written) in [(0, "0s"), (10_000, "10s"), (1_500, "1500ms"), (86_400_000, "86400s")]
        {
            let duration = Duration::from_millis(ms);
            assert_eq!(text(duration), written);
            assert_eq!(parse(written), Some(duration));
        }
    }

    #[test]
    fn less_than_a_millisecond_is_not_written_as_nothing() {
        assert_eq!(text(Duration::from_micros(1)), "1ms");
    }
}
