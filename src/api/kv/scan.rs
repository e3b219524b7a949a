//! The answer of `/v1/kv/` as Consul writes it, read in one pass and without copies.
//!
//! With the general decoder and its copies a list of a thousand keys takes two million instructions
//! more, half of what it takes now (docs/performance.md). Whatever is not plainly what is expected
//! here is left to it: an escape in a key, a nested field, a mistake.

use super::found::{Collect, Found, FoundValue};

/// How far the lines of a development agent are indented, once or twice.
const INDENT: &[u8; 4] = b"    ";

/// The pairs of an answer; `None` when it is not as plain as this reads it.
pub(super) fn pairs<C: Collect>(text: &str) -> Option<C> {
    let mut scan = Scan { text, at: 0 };
    let mut pairs = C::default();
    scan.white_space();
    scan.expect(b'[')?;
    if !scan.skip(b']') {
        pairs.add(&scan.pair()?)?;
        // The others are about as long as the first; of one alone only the bracket is left.
        pairs.reserve((text.len() - scan.at / 2) / scan.at);
        while scan.skip(b',') {
            pairs.add(&scan.pair()?)?;
        }
        scan.expect(b']')?;
    }
    (scan.at == text.len()).then_some(pairs)
}

/// A field of a pair.
enum Field {
    Key,
    Value,
    Session,
    Flags,
    LockIndex,
    CreateIndex,
    ModifyIndex,
    /// Of another version or edition of Consul, such as its namespace.
    Other,
}

/// What was read ends at `at`, where no white space stands. It goes by bytes: by characters, it
/// would be slower than the general decoder.
struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn pair(&mut self) -> Option<Found<'a>> {
        let mut pair = Found::default();
        self.expect(b'{')?;
        loop {
            self.field(&mut pair)?;
            if self.skip(b'}') {
                return Some(pair);
            }
            self.expect(b',')?;
        }
    }

    fn field(&mut self, pair: &mut Found<'a>) -> Option<()> {
        match self.name()? {
            Field::Key => pair.key = self.short()?,
            Field::Value if self.peek() == Some(b'n') => self.null()?,
            Field::Value => pair.value = FoundValue::Encoded(self.long()?),
            Field::Session => pair.session = Some(self.short()?),
            Field::Flags => pair.flags = self.number()?,
            Field::LockIndex => pair.lock_index = self.number()?,
            Field::CreateIndex => pair.create_index = self.number()?,
            Field::ModifyIndex => pair.modify_index = self.number()?,
            Field::Other => drop(self.short()?),
        }
        Some(())
    }

    /// The name of a field, and the colon after it. To compare them as a whole, and not to look for
    /// their ends first, spares a list of 1,000 keys a tenth of its instructions.
    fn name(&mut self) -> Option<Field> {
        let field = match self.text.as_bytes().get(self.at + 1)? {
            b'K' if self.reads(br#""Key":"#) => Field::Key,
            b'V' if self.reads(br#""Value":"#) => Field::Value,
            b'S' if self.reads(br#""Session":"#) => Field::Session,
            b'F' if self.reads(br#""Flags":"#) => Field::Flags,
            b'L' if self.reads(br#""LockIndex":"#) => Field::LockIndex,
            b'C' if self.reads(br#""CreateIndex":"#) => Field::CreateIndex,
            b'M' if self.reads(br#""ModifyIndex":"#) => Field::ModifyIndex,
            // Perhaps one of these, but not as Consul writes it.
            b'K' | b'V' | b'S' | b'F' | b'L' | b'C' | b'M' => return None,
            _ => {
                self.short()?;
                self.expect(b':')?;
                Field::Other
            }
        };
        Some(field)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// A string without escapes.
    fn short(&mut self) -> Option<&'a str> {
        let start = self.opened()?;
        let text = self.text.as_bytes().get(start..)?;
        let length = text.iter().position(|&byte| !is_plain(byte))?;
        self.closed(start, start + length)
    }

    /// A string without escapes whose characters are looked at elsewhere.
    fn long(&mut self) -> Option<&'a str> {
        let start = self.opened()?;
        let length = memchr::memchr(b'"', self.text.as_bytes().get(start..)?)?;
        self.closed(start, start + length)
    }

    fn opened(&self) -> Option<usize> {
        (self.peek()? == b'"').then_some(self.at + 1)
    }

    fn closed(&mut self, start: usize, end: usize) -> Option<&'a str> {
        self.at = end;
        self.expect(b'"')?;
        self.text.get(start..end)
    }

    /// A number of digits alone.
    fn number(&mut self) -> Option<u64> {
        let start = self.at;
        let mut number = 0_u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            self.at += 1;
        }
        let length = self.at - start;
        let has_zero_in_front = length > 1 && self.text.as_bytes().get(start) == Some(&b'0');
        self.white_space();
        (length > 0 && !has_zero_in_front).then_some(number)
    }

    fn null(&mut self) -> Option<()> {
        let end = self.at + "null".len();
        if self.text.get(self.at..end)? != "null" {
            return None;
        }
        self.at = end;
        self.white_space();
        Some(())
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.skip(byte).then_some(())
    }

    /// As [`Scan::skip`], for more than one byte.
    #[inline]
    fn reads<const N: usize>(&mut self, literal: &[u8; N]) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let comes = rest.first_chunk() == Some(literal);
        if comes {
            self.at += N;
            self.white_space();
        }
        comes
    }

    /// True when this comes next; it is then read.
    #[inline]
    fn skip(&mut self, byte: u8) -> bool {
        let comes = self.peek() == Some(byte);
        if comes {
            self.at += 1;
            self.white_space();
        }
        comes
    }

    /// Past JSON's white space, of which a development agent writes much: a third of its answers.
    #[inline]
    fn white_space(&mut self) {
        if self.peek() == Some(b'\n') {
            self.at += 1;
            while self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(INDENT)) {
                self.at += INDENT.len();
            }
        }
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }
}

fn is_plain(byte: u8) -> bool {
    !matches!(byte, b'"' | b'\\' | 0..b' ')
}

#[cfg(test)]
mod tests {
    use crate::api::kv::KvPair;

    const PLAIN: &str = r#"[ {"LockIndex":0,"Key":"a/b","Flags":18446744073709551615,"Value":"YmM=",
        "Session":"s","CreateIndex":1,"ModifyIndex":2}, {"Key":"ä","Value":null,"Partition":"p"} ]
"#;

    fn pairs(text: &str) -> Option<Vec<KvPair>> {
        super::pairs(text)
    }

    fn general(text: &str) -> Option<Vec<KvPair>> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn what_consul_writes_is_read() {
        let read = pairs(PLAIN).unwrap();
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].value.as_slice(), read[0].flags), (&b"bc"[..], u64::MAX));
        assert_eq!(Some(read), general(PLAIN));
        assert_eq!(pairs("[]"), Some(Vec::new()));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_general_decoder() {
        for text in [
            r#"[{"Key":"a\"b"}]"#,
            r#"[{"Key" :"a"}]"#,
            r#"[{"Kind":"a"}]"#,
            r#"[{"Key":"a","Extra":{"b":1}}]"#,
            r#"[{"Key":"a","Session":null}]"#,
            r#"[{"Flags":1.0}]"#,
            r#"[{}]"#,
            "null",
            "",
        ] {
            assert_eq!(pairs(text), None, "{text}");
        }
    }

    /// With one byte left out, doubled or replaced, both read the same, or this one leaves it alone.
    #[test]
    fn it_reads_nothing_that_the_general_decoder_reads_otherwise() {
        for position in 0..PLAIN.len() {
            for replacement in
                ["", ": ", " :", "\"", "\\", "0", "-", "}", ",", " ", "\u{1}", "A", "=", "n"]
            {
                let mut text = PLAIN.as_bytes().to_vec();
                text.splice(position..position + 1, replacement.bytes());
                let Ok(text) = String::from_utf8(text) else { continue };
                if let Some(read) = pairs(&text) {
                    assert_eq!(Some(read), general(&text), "{text}");
                }
            }
        }
    }
}
