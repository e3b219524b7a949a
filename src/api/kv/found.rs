//! The pairs of an answer on their way from its text to where they are kept.

use super::KvPair;
use base64_simd::{AsOut, STANDARD};

/// A pair that stands in the text of an answer.
#[derive(Debug, Default)]
#[allow(missing_docs)]
pub(crate) struct Found<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: FoundValue<'a>,
    pub(crate) session: Option<&'a str>,
    pub(crate) flags: u64,
    pub(crate) lock_index: u64,
    pub(crate) create_index: u64,
    pub(crate) modify_index: u64,
}

/// A value, decoded or still to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FoundValue<'a> {
    /// In base64.
    Encoded(&'a str),
    Bytes(&'a [u8]),
}

impl Default for FoundValue<'_> {
    fn default() -> Self {
        FoundValue::Bytes(&[])
    }
}

impl FoundValue<'_> {
    /// How many bytes the value has; `None` when it is not base64.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            FoundValue::Encoded(text) => STANDARD.decoded_length(text.as_bytes()).ok(),
            FoundValue::Bytes(bytes) => Some(bytes.len()),
        }
    }

    /// Writes the value to a place of its length; `None` when it is not base64.
    pub(crate) fn write(&self, place: &mut [u8]) -> Option<()> {
        match self {
            FoundValue::Encoded(text) => {
                STANDARD.decode(text.as_bytes(), place.as_out()).ok().map(drop)
            }
            FoundValue::Bytes(bytes) if bytes.len() == place.len() => {
                place.copy_from_slice(bytes);
                Some(())
            }
            FoundValue::Bytes(_) => None,
        }
    }
}

/// Where the pairs of an answer are kept.
pub(crate) trait Collect: Default + Send + 'static {
    /// About so many are to come.
    fn reserve(&mut self, pairs: usize);

    /// Takes a pair in; `None` when its value is not base64.
    fn add(&mut self, found: &Found<'_>) -> Option<()>;
}

impl Collect for Vec<KvPair> {
    fn reserve(&mut self, pairs: usize) {
        Vec::reserve(self, pairs);
    }

    fn add(&mut self, found: &Found<'_>) -> Option<()> {
        let mut value = vec![0; found.value.len()?];
        found.value.write(&mut value)?;
        self.push(KvPair {
            key: found.key.to_owned(),
            value,
            flags: found.flags,
            session: found.session.map(str::to_owned),
            lock_index: found.lock_index,
            create_index: found.create_index,
            modify_index: found.modify_index,
        });
        Some(())
    }
}

impl<'a> From<&'a KvPair> for Found<'a> {
    fn from(pair: &'a KvPair) -> Found<'a> {
        Found {
            key: &pair.key,
            value: FoundValue::Bytes(&pair.value),
            session: pair.session.as_deref(),
            flags: pair.flags,
            lock_index: pair.lock_index,
            create_index: pair.create_index,
            modify_index: pair.modify_index,
        }
    }
}
