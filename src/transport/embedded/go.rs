//! What Go's standard library reads and writes, which Consul's answers show.

/// Nanoseconds of a unit of time, by its name (<https://pkg.go.dev/time#ParseDuration>).
const UNITS: &[(&str, f64)] = &[
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("μs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
];

/// Nanoseconds of a duration such as `1m30s`, negative ones included. An error is Go's own text.
pub(super) fn parse_duration(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration {}", quoted(text));
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(end);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted(text)));
        }
        let known = UNITS.iter().find(|(name, _)| *name == unit);
        let Some((_, nanos)) = known else {
            let (unit, text) = (quoted(unit), quoted(text));
            return Err(format!("time: unknown unit {unit} in duration {text}"));
        };
        total += number * nanos;
        rest = tail;
    }
    if total >= 9.3e18 {
        return Err(invalid());
    }
    #[allow(clippy::cast_possible_truncation)] // Checked above.
    let nanos = total.round() as i64;
    Ok(if negative { -nanos } else { nanos })
}

/// A duration as Go writes it: `1h0m0s`, `1.5s`, `10ms`.
pub(super) fn duration(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let part = |unit: u64| {
        let fraction = format!("{:0width$}", size % unit, width = unit.ilog10() as usize);
        match fraction.trim_end_matches('0') {
            "" => format!("{}", size / unit),
            rest => format!("{}.{rest}", size / unit),
        }
    };
    match size {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", part(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", part(1_000_000)),
        _ => {
            let (hours, rest) = (size / 3_600_000_000_000, size % 3_600_000_000_000);
            let (minutes, rest) = (rest / 60_000_000_000, rest % 60_000_000_000);
            let fraction = format!("{:09}", rest % 1_000_000_000);
            let seconds = match fraction.trim_end_matches('0') {
                "" => format!("{}s", rest / 1_000_000_000),
                fraction => format!("{}.{fraction}s", rest / 1_000_000_000),
            };
            match (hours, minutes) {
                (0, 0) => format!("{sign}{seconds}"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}"),
            }
        }
    }
}

/// A whole number without a sign. An error is Go's own text.
pub(super) fn parse_u64(text: &str) -> Result<u64, String> {
    let failed = |cause| format!("strconv.ParseUint: parsing {}: {cause}", quoted(text));
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(failed("invalid syntax"));
    }
    text.parse().map_err(|_| failed("value out of range"))
}

/// A text in quotes, as `%q` writes it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) > 0xffff => out.push_str(&format!("\\U{:08x}", u32::from(c))),
            c => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

/// The 16 bytes of a UUID, or Consul's own words for what is wrong with it.
pub(super) fn parse_uuid(text: &str) -> Result<Vec<u8>, String> {
    if text.len() != 36 {
        return Err("UUID must be 36 characters".into());
    }
    let hyphens = text.matches('-').count();
    if hyphens > 4 {
        return Err(format!("UUID should have maximum of 4 \"-\"; got {hyphens}"));
    }
    let plain: Vec<char> = text.chars().filter(|&c| c != '-').collect();
    if !plain.len().is_multiple_of(2) {
        return Err("Input (without hyphens) must be even length".into());
    }
    let digit = |c: &char| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[char]| Some(digit(pair.first()?)? * 16 + digit(pair.get(1)?)?);
    plain.chunks(2).map(byte).collect::<Option<Vec<u8>>>().ok_or_else(|| {
        let wrong = plain.iter().find(|c| digit(c).is_none()).copied().unwrap_or_default();
        let number = u32::from(wrong);
        format!("Invalid UUID: encoding/hex: invalid byte: U+{number:04X} '{wrong}'")
    })
}

/// Go's `unicode.IsPrint`. Rust knows the same for what it writes in debug output, where a mark that
/// joins the character before it is printable.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '"' | '\'' | '\\') || {
        let mut joined = [0; 5];
        joined[0] = b'a';
        let end = 1 + c.encode_utf8(&mut joined[1..]).len();
        let text = std::str::from_utf8(&joined[..end]).unwrap_or_default();
        text.escape_debug().nth(1) != Some('\\')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_by_go() {
        assert_eq!(parse_duration("1m30s"), Ok(90_000_000_000));
        assert_eq!(parse_duration("1.5ms"), Ok(1_500_000));
        assert_eq!(parse_duration("-1s"), Ok(-1_000_000_000));
        assert_eq!(parse_duration("0"), Ok(0));
        assert_eq!(parse_duration("10"), Err("time: missing unit in duration \"10\"".into()));
        assert_eq!(parse_duration("abc"), Err("time: invalid duration \"abc\"".into()));
        assert_eq!(parse_duration("1x"), Err("time: unknown unit \"x\" in duration \"1x\"".into()));
    }

    #[test]
    fn durations_are_written_as_by_go() {
        let cases = [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (10_000_000, "10ms"),
            (1_500_000_000, "1.5s"),
            (60_000_000_000, "1m0s"),
            (5_400_000_000_000, "1h30m0s"),
            (-3_600_000_000_000, "-1h0m0s"),
        ];
        for (nanos, text) in cases {
            assert_eq!(duration(nanos), text);
        }
    }

    #[test]
    fn numbers_are_read_as_by_go() {
        assert_eq!(parse_u64("18446744073709551615"), Ok(u64::MAX));
        let out = "strconv.ParseUint: parsing \"18446744073709551616\": value out of range";
        assert_eq!(parse_u64("18446744073709551616"), Err(out.into()));
        let syntax = "strconv.ParseUint: parsing \"\": invalid syntax";
        assert_eq!(parse_u64(""), Err(syntax.into()));
        assert!(parse_u64("+1").is_err());
    }

    #[test]
    fn identifiers_are_refused_in_consuls_words() {
        let id = "AF1D204D-d268-3d44-3071-f0231ddf8e6e";
        assert_eq!(parse_uuid(id).unwrap().first(), Some(&0xaf));
        assert_eq!(parse_uuid("x"), Err("UUID must be 36 characters".into()));
        let odd = "Invalid UUID: encoding/hex: invalid byte: U+007A 'z'";
        assert_eq!(parse_uuid("zzzzzzzz-aaaa-aaaa-aaaa-aaaaaaaaaaaa"), Err(odd.into()));
        let hyphens = "UUID should have maximum of 4 \"-\"; got 36";
        assert_eq!(parse_uuid(&"-".repeat(36)), Err(hyphens.into()));
    }

    #[test]
    fn what_cannot_be_printed_is_told_apart() {
        for c in ['a', ' ', '"', '\\', 'é', '€', '\u{301}'] {
            assert!(is_printable(c), "{c:?}");
        }
        for c in ['\n', '\0', '\u{a0}', '\u{2028}', '\u{200b}', '\u{7f}'] {
            assert!(!is_printable(c), "{c:?}");
        }
        assert_eq!(quoted("a\"\n\u{1}é\u{a0}"), "\"a\\\"\\n\\x01é\\u00a0\"");
        assert_eq!(quoted("\u{7}\u{8}\u{b}\u{c}"), "\"\\a\\b\\v\\f\"");
    }
}
