//! The headers of an answer.

use std::fmt::{self, Display};
use std::io::Write;

/// The header lines of an answer as they came, since few are ever asked for: to take one apart, into a
/// map and out of memory again costs a thousand instructions.
#[derive(Clone, Default)]
pub struct Headers(Vec<u8>);

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Headers").field(&String::from_utf8_lossy(&self.0)).finish()
    }
}

impl Headers {
    /// The lines between the first one of a head and the empty one.
    pub(super) fn of_lines(lines: &[u8]) -> Headers {
        Headers(lines.to_vec())
    }

    /// The same with one more at the end. It stands before those of its name that came earlier.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Display) -> Headers {
        // Into memory it does not fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// The lines, with their ends.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (line, after) = rest.split_at_checked(memchr::memchr(b'\n', rest)? + 1)?;
            rest = after;
            Some(Line(line))
        })
    }

    /// The value of the last header of this name, whatever its case, where it is plain text.
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.lines().filter_map(|line| line.value(name)).last()?;
        let is_plain = value.iter().all(|&byte| byte == b'\t' || (b' '..=b'~').contains(&byte));
        std::str::from_utf8(value).ok().filter(|_| is_plain)
    }
}

/// A header.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a>(&'a [u8]);

impl<'a> Line<'a> {
    /// Its value, if it has this name, whatever its case. To look for the colon where it then is takes
    /// less than to find it.
    pub fn value(self, name: &str) -> Option<&'a [u8]> {
        let value = self.0.get(name.len()..)?.strip_prefix(b":")?;
        self.begins_with(name).then(|| value.trim_ascii())
    }

    /// Whether its name begins like this, whatever its case.
    pub fn begins_with(self, text: &str) -> bool {
        let first = self.0.get(..text.len());
        first.is_some_and(|first| first.eq_ignore_ascii_case(text.as_bytes()))
    }
}

/// A number in decimal digits and nothing else, as far as it fits.
pub(crate) fn number(digits: &[u8]) -> Option<u64> {
    let (first, rest) = digits.split_first()?;
    let digit = |byte: &u8| char::from(*byte).to_digit(10).map(u64::from);
    rest.iter()
        .try_fold(digit(first)?, |number, next| number.checked_mul(10)?.checked_add(digit(next)?))
}

impl From<&ureq::http::HeaderMap> for Headers {
    fn from(map: &ureq::http::HeaderMap) -> Headers {
        let mut lines = Vec::new();
        for (name, value) in map {
            lines.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        Headers(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::{Headers, number};

    #[test]
    fn a_number_has_digits_and_nothing_else() {
        for (text, expected) in [("0", 0), ("007", 7), ("18446744073709551615", u64::MAX)] {
            assert_eq!(number(text.as_bytes()), Some(expected));
        }
        for text in ["", "+7", "-7", " 7", "7 ", "0x7", "18446744073709551616"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        let headers = Headers::of_lines(b"Age:  7\t\r\nX-Cache:HIT\nbroken\r\nEmpty:\r\n");
        assert_eq!(headers.get("age"), Some("7"));
        assert_eq!(headers.get("X-CACHE"), Some("HIT"));
        assert_eq!(headers.get("empty"), Some(""));
        assert_eq!(headers.get("broken"), None);
        assert_eq!(headers.get("ag"), None);
    }

    #[test]
    fn of_several_the_last_one_counts() {
        let headers = Headers::default().with("a", 1).with("b", true).with("A", 2);
        assert_eq!(headers.get("a"), Some("2"));
        assert_eq!(headers.lines().count(), 3);
    }

    #[test]
    fn a_value_that_is_no_text_is_none() {
        for value in [b"a: \0\r\n".as_slice(), b"a: \xff\r\n", b"a: \x1b[1m\r\n"] {
            assert_eq!(Headers::of_lines(value).get("a"), None);
        }
    }

    #[test]
    fn a_map_becomes_its_lines() {
        let mut map = ureq::http::HeaderMap::new();
        map.insert("x-consul-index", 7.into());
        let headers = Headers::from(&map);
        assert_eq!(headers.get("X-Consul-Index"), Some("7"));
        assert_eq!(format!("{headers:?}"), r#"Headers("x-consul-index: 7\r\n")"#);
    }
}
