//! JSON as Consul writes it: `null` where a list or a map is empty, values in base64.

use crate::client::{Call, Client, Style};
use crate::error::{Error, Result, Status};
use crate::transport::Response;
use base64_simd::STANDARD;
use serde::Serialize;
use serde::de::{
    self, Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use std::marker::PhantomData;

use super::answer::{Answer, Meta};

/// Sends a call, decodes its answer, and makes something else of it.
pub(super) fn fetch_map<S: Style, T: DeserializeOwned, U: Send + 'static>(
    client: &Client<S>,
    call: Call<'_>,
    change: impl FnOnce(T) -> U + Send + 'static,
) -> Result<S::Output<Answer<U>>> {
    fetch_with(client, call, |reply| decode(reply).map(change))
}

/// As [`fetch_map`], for a change that is answered with `true` or `false`.
pub(super) fn confirm<S: Style>(
    client: &Client<S>,
    call: Call<'_>,
) -> Result<S::Output<Answer<bool>>> {
    fetch_with(client, call, decode_bool)
}

/// As [`fetch_map`], for a list, or a map whose keys repeat what is in the values.
pub(super) fn fetch_list<S: Style, T: DeserializeOwned + Send + 'static>(
    client: &Client<S>,
    call: Call<'_>,
) -> Result<S::Output<Answer<Vec<T>>>> {
    fetch_map(client, call, |elements: Elements<T>| elements.0)
}

/// As [`fetch_map`], by a decoder of the caller's.
pub(super) fn fetch_with<S: Style, T: Send + 'static>(
    client: &Client<S>,
    call: Call<'_>,
    decode: impl FnOnce(&Reply<'_>) -> Result<T> + Send + 'static,
) -> Result<S::Output<Answer<T>>> {
    fetch_plain(client, call, |reply| {
        let value = decode(reply)?;
        Ok(Answer { value, meta: Meta::from_headers(&reply.response.headers) })
    })
}

/// As [`fetch_with`], where the headers say nothing. A change whose answer cannot be understood may
/// have been made all the same.
pub(super) fn fetch_plain<S: Style, T: Send + 'static>(
    client: &Client<S>,
    call: Call<'_>,
    decode: impl FnOnce(&Reply<'_>) -> Result<T> + Send + 'static,
) -> Result<S::Output<T>> {
    let changes = call.changes();
    client.exchange(call, move |endpoint, answer| {
        let reply = Reply { endpoint, response: &answer? };
        decode(&reply).map_err(|error| error.with_outcome_unknown(changes))
    })
}

/// As [`fetch_plain`], and judges what was decoded: an error of `judge` is Consul's own word.
pub(super) fn fetch_judged<S: Style, T, U: Send + 'static>(
    client: &Client<S>,
    call: Call<'_>,
    decode: impl FnOnce(&Reply<'_>) -> Result<T> + Send + 'static,
    judge: impl FnOnce(T) -> Result<U> + Send + 'static,
) -> Result<S::Output<U>> {
    let changes = call.changes();
    client.exchange(call, move |endpoint, answer| {
        let reply = Reply { endpoint, response: &answer? };
        judge(decode(&reply).map_err(|error| error.with_outcome_unknown(changes))?)
    })
}

/// An answer, and whose it is.
pub struct Reply<'a> {
    pub(super) endpoint: &'a str,
    pub(super) response: &'a Response,
}

/// A body of JSON.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Error::new(Status::Internal, error.to_string()))
}

/// JSON to be put together further.
pub(super) fn value<T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Error::new(Status::Internal, error.to_string()))
}

/// JSON with a field under another name, where Consul's endpoints do not agree on it.
pub(super) fn renamed<T: Serialize>(object: &T, from: &str, to: &str) -> Result<Value> {
    let mut json = value(object)?;
    if let Some(object) = json.as_object_mut()
        && let Some(field) = object.remove(from)
    {
        object.insert(to.to_string(), field);
    }
    Ok(json)
}

/// Decodes a body.
pub(super) fn decode<T: DeserializeOwned>(reply: &Reply<'_>) -> Result<T> {
    let response = reply.response;
    let not_json = |why: &dyn std::fmt::Display| {
        Error::new(Status::Decode, format!("the answer is not what the API promises: {why}"))
            .with_http_status(response.status)
            .with_endpoint(reply.endpoint)
    };
    // Checked as a whole: checking each string by itself costs ten times as much.
    let text = std::str::from_utf8(&response.body).map_err(|error| not_json(&error))?;
    serde_json::from_str(text).map_err(|error| not_json(&error))
}

/// Decodes a body that is `true` or `false`. A development agent ends it with a newline.
pub(super) fn decode_bool(reply: &Reply<'_>) -> Result<bool> {
    match reply.response.body.trim_ascii() {
        b"true" => Ok(true),
        b"false" => Ok(false),
        _ => decode(reply),
    }
}

/// Reads `null` as the type's default.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// What a list holds, or a map where its keys repeat what is in the values; `null` where there is
/// nothing.
#[derive(Debug)]
pub(super) struct Elements<T>(pub(super) Vec<T>);

// Derived, it would ask for `T: Default`.
impl<T> Default for Elements<T> {
    fn default() -> Elements<T> {
        Elements(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Listed<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Listed<T> {
            type Value = Elements<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list, a map or null")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut list: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = list.next_element()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some((IgnoredAny, element)) = map.next_entry()? {
                    elements.push(element);
                }
                Ok(Elements(elements))
            }

            fn visit_unit<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
                Ok(Elements::default())
            }
        }
        deserializer.deserialize_any(Listed(PhantomData))
    }
}

/// Reads a number that Consul takes unchecked, such as a port: one that does not fit reads as the
/// default, so that one odd registration does not spoil the whole answer.
pub(super) fn number<'de, D, T>(deserializer: D) -> std::result::Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + TryFrom<i64>,
{
    let number = Option::<i64>::deserialize(deserializer)?;
    Ok(number.and_then(|number| T::try_from(number).ok()).unwrap_or_default())
}

/// Reads base64 straight from the text, `null` as no bytes.
pub(super) fn base64_bytes<'de, D>(deserializer: D) -> std::result::Result<Vec<u8>, D::Error>
where
    D: Deserializer<'de>,
{
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("base64 or null")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Vec<u8>, E> {
            STANDARD.decode_to_vec(text).map_err(|_| E::custom("a value is not base64"))
        }

        fn visit_unit<E: de::Error>(self) -> std::result::Result<Vec<u8>, E> {
            Ok(Vec::new())
        }
    }
    deserializer.deserialize_any(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_a_map_and_nothing_are_read_alike() {
        for (text, elements) in
            [("[1,2]", &[1, 2][..]), ("{\"a\":1,\"b\":2}", &[1, 2]), ("null", &[])]
        {
            assert_eq!(serde_json::from_str::<Elements<u8>>(text).unwrap().0, elements, "{text}");
        }
        assert!(serde_json::from_str::<Elements<u8>>("7").is_err());
    }

    #[test]
    fn a_number_that_does_not_fit_reads_as_the_default() {
        for (text, expected) in [("80", 80_u16), ("70000", 0), ("-1", 0), ("null", 0)] {
            let mut deserializer = serde_json::Deserializer::from_str(text);
            assert_eq!(number::<_, u16>(&mut deserializer).unwrap(), expected, "{text}");
        }
    }
}
