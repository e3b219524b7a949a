//! What is sent and answered as JSON, either typed or as its text: for the C functions, whose hosts
//! have tables of their own to put it in.

use super::json::{self, Reply};
use crate::error::{Error, Result};
use std::marker::PhantomData;

/// A body that is JSON, one way or the other.
pub trait Document: Sized + Send + 'static {
    /// Its text.
    #[doc(hidden)]
    fn encode(&self) -> Result<Vec<u8>>;

    #[doc(hidden)]
    fn decode(reply: &Reply<'_>) -> Result<Self>;
}

/// A `T` as the JSON that it is, its fields unknown here included.
#[derive(Clone, PartialEq, Eq)]
pub struct Text<T> {
    json: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T> Text<T> {
    /// Takes a JSON object; what is in it is Consul's to judge.
    pub fn object(json: &[u8], what: &str) -> Result<Text<T>> {
        // Not with the text of the error: it may quote what is secret.
        let parsed = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(json);
        let place = |error: serde_json::Error| {
            let (line, column) = (error.line(), error.column());
            let place = format!("line {line}, column {column}");
            Error::argument(format!("the {what} is not a JSON object ({place})"))
        };
        parsed.map_err(place)?;
        Ok(Text { json: json.to_vec(), of: PhantomData })
    }

    /// The JSON.
    pub fn into_bytes(self) -> Vec<u8> {
        self.json
    }
}

// It may hold a secret.
impl<T> std::fmt::Debug for Text<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({} bytes)", self.json.len())
    }
}

impl<T: 'static> Document for Text<T> {
    fn encode(&self) -> Result<Vec<u8>> {
        Ok(self.json.clone())
    }

    /// Checked to be JSON, so that what a proxy says is not taken for Consul's word.
    fn decode(reply: &Reply<'_>) -> Result<Text<T>> {
        let _: serde::de::IgnoredAny = json::decode(reply)?;
        Ok(Text { json: reply.response.body.clone(), of: PhantomData })
    }
}

/// Makes documents of types with serde.
macro_rules! documents {
    ($($name:ty),+) => {
        $(impl crate::api::document::Document for $name {
            fn encode(&self) -> crate::error::Result<Vec<u8>> {
                crate::api::json::encode(self)
            }

            fn decode(reply: &crate::api::json::Reply<'_>) -> crate::error::Result<$name> {
                crate::api::json::decode(reply)
            }
        })+
    };
}
pub(super) use documents;
