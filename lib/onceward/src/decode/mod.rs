//! Payloads and command bodies, from JSON to the handler's type: a struct is an object, never a list.
//!
//! serde's derived code also takes a list for a struct, by the places of its elements: `["a", 1]` would be
//! `Order { name: "a", quantity: 1 }`, and another order of fields in the code would be another order of elements.
//! [`ByName`] refuses that, at any depth: in structs, options, lists, maps, newtypes and the variants of enums. What
//! is a list in Rust (vectors, sets, tuples, tuple structs and variants) is one in JSON, and values without a type of
//! their own (`serde_json::Value`, `RawValue`) hold what there is.
//!
//! Not caught: what serde keeps in a buffer of its own before it knows the type, and reads from there. There a list is
//! still taken for a struct:
//!
//! - internally tagged enums (`tag = "type"`): the enum itself, the tag first, and what is in its variants;
//! - untagged enums: a struct variant or a struct in a variant, and what is in it;
//! - flattened fields (`flatten`): what is in them. The struct around them and its other fields are read by name;
//! - adjacently tagged enums (`tag` and `content`), whose content is before the tag: what is in the content.
//!
//! The same is true of a type whose own `Deserialize` reads a `serde_json::Value` first, or the JSON in a text.
//!
//! An adjacently tagged enum and the structs of the standard library (`Duration`, ranges) are structs here too.

mod access;
mod visitor;

use serde::de::{Deserialize, Deserializer, Visitor};
use serde_path_to_error::Track;

use visitor::Lists;

/// The value that a JSON text is, and nothing after it.
pub(crate) fn from_json<'de, T: Deserialize<'de>>(text: &'de str) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(ByName(&mut json))?;
    json.end()?;
    Ok(value)
}

/// Like [`from_json`]; the error says where. To follow the path costs time and memory for each field.
pub(crate) fn from_json_with_path<'de, T: Deserialize<'de>>(
    text: &'de str,
) -> Result<T, serde_path_to_error::Error<serde_json::Error>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    T::deserialize(serde_path_to_error::Deserializer::new(ByName(&mut json), &mut track))
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| serde_path_to_error::Error::new(track.path(), error))
}

/// A part of a deserializer that reads structs by the names of their fields only, and so does all that it hands on.
struct ByName<T>(T);

/// The methods that take a visitor and nothing else; none of them is for a struct.
macro_rules! hand_on {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$method(Lists::Taken.of(visitor))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByName<D> {
    type Error = D::Error;

    hand_on! {
        deserialize_any deserialize_ignored_any deserialize_identifier
        deserialize_bool deserialize_char deserialize_unit deserialize_option
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_seq deserialize_map
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Lists::Taken.of(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Lists::Taken.of(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Lists::Taken.of(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, Lists::Taken.of(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, Lists::Refused.of(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Lists::Taken.of(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

#[cfg(test)]
mod tests;
