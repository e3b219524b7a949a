//! A look into an X.509 certificate, as far as messages and version 1 certificates need it:
//! webpki refuses to open those at all.
//!
//! The layout is that of RFC 5280, section 4.1, in DER (ITU-T X.690).

/// Tags: SEQUENCE, BIT STRING, OBJECT IDENTIFIER, and the optional fields \[0\] and \[3\].
const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const OBJECT_IDENTIFIER: u8 = 0x06;
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

/// 2.5.29.17 (RFC 5280, section 4.2.1.6).
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// What a certificate says about itself. Nothing of it is verified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate<'a> {
    /// Written without a version, so of version 1: such a one has no extensions.
    pub(super) is_version_1: bool,
    pub(super) has_alternative_name: bool,
    /// The whole SubjectPublicKeyInfo.
    pub(super) public_key_info: &'a [u8],
    /// The contents of its AlgorithmIdentifier.
    pub(super) key_algorithm: &'a [u8],
    pub(super) public_key: &'a [u8],
}

impl<'a> Certificate<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Certificate<'a>> {
        let mut body = Reader(Reader(Reader(der).content(SEQUENCE)?).content(SEQUENCE)?);
        let is_version_1 = body.peek()? != VERSION;
        if !is_version_1 {
            body.item()?;
        }
        // Serial number, signature algorithm, issuer, validity, subject.
        for _ in 0..5 {
            body.item()?;
        }
        let info = body.item()?;
        let mut parts = Reader(info.content);
        let key_algorithm = parts.content(SEQUENCE)?;
        // The first byte counts the unused bits; keys have none.
        let public_key = parts.content(BIT_STRING)?.strip_prefix(&[0])?;
        Some(Certificate {
            is_version_1,
            has_alternative_name: has_alternative_name(body),
            public_key_info: info.whole,
            key_algorithm,
            public_key,
        })
    }
}

fn has_alternative_name(mut rest: Reader<'_>) -> bool {
    while let Some(field) = rest.item() {
        if field.tag != EXTENSIONS {
            continue;
        }
        let mut extensions = Reader(Reader(field.content).content(SEQUENCE).unwrap_or_default());
        while let Some(extension) = extensions.content(SEQUENCE) {
            if Reader(extension).content(OBJECT_IDENTIFIER) == Some(SUBJECT_ALT_NAME) {
                return true;
            }
        }
    }
    false
}

/// Reads one item of DER after the other.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a [u8]);

struct Item<'a> {
    tag: u8,
    content: &'a [u8],
    /// Tag and length included.
    whole: &'a [u8],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    fn content(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.item().filter(|item| item.tag == tag).map(|item| item.content)
    }

    fn item(&mut self) -> Option<Item<'a>> {
        let (&tag, &first) = (self.0.first()?, self.0.get(1)?);
        let (length, head) = match first {
            // The long form: that many bytes of length follow.
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let bytes = self.0.get(2..2 + count)?;
                (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), 2 + count)
            }
            0x00..=0x7f => (usize::from(first), 2),
            _ => return None,
        };
        let end = head.checked_add(length)?;
        let item = Item { tag, content: self.0.get(head..end)?, whole: self.0.get(..end)? };
        self.0 = self.0.get(end..)?;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::Certificate;

    #[test]
    fn nonsense_is_no_certificate() {
        let nested = [0x30, 0x04, 0x30, 0x02, 0xa0, 0x00];
        for der in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &nested]
        {
            assert_eq!(Certificate::read(der), None, "{der:?}");
        }
    }
}
