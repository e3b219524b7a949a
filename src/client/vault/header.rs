//! What stands before an encrypted value. The format never changes: another one gets another
//! version.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `00 43 46 45`: an encrypted value of this library |
//! | 1 | the version, 1 |
//! | 8 | the id of the key |
//! | 32 | the salt, from which and from the key the value's own key is made |

use crate::error::{Error, Result, Status};

/// Nothing that people or JSON writers write begins with a NUL.
const MAGIC: [u8; 4] = *b"\0CFE";
const VERSION: u8 = 1;

/// How many bytes a header has.
pub(super) const LENGTH: usize = 45;

/// Names a key without saying anything about it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct KeyId(pub(super) [u8; 8]);

/// The salt of one value.
pub(super) type Salt = [u8; 32];

/// A header, taken apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key: KeyId,
    pub(super) salt: Salt,
}

impl Header {
    pub(super) fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5..13].copy_from_slice(&self.key.0);
        bytes[13..].copy_from_slice(&self.salt);
        bytes
    }

    /// Whether a value begins as one does.
    pub(super) fn is_begun_by(value: &[u8]) -> bool {
        value.starts_with(&MAGIC)
    }

    /// The header of a value; `None` when the value is not encrypted.
    pub(super) fn of(stored: &[u8]) -> Result<Option<Header>> {
        let Some(rest) = stored.strip_prefix(&MAGIC) else { return Ok(None) };
        match rest.split_first() {
            Some((&VERSION, rest)) => match (rest.first_chunk(), rest.get(8..)) {
                (Some(&key), Some(rest)) => match rest.first_chunk() {
                    Some(&salt) => Ok(Some(Header { key: KeyId(key), salt })),
                    None => Err(cut_off()),
                },
                _ => Err(cut_off()),
            },
            Some((version, _)) => Err(Error::new(
                Status::Crypto,
                format!("it is encrypted in the format {version}, this library knows {VERSION}"),
            )),
            None => Err(cut_off()),
        }
    }
}

impl std::fmt::Display for KeyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn cut_off() -> Error {
    Error::new(Status::Crypto, "it is encrypted and cut off")
}
