//! AMF0, read with bounds.
//!
//! rml_amf0 recurses as deep as the peer nests, fills up strings that were cut short and knows no dates. Commands are
//! therefore read here and written anew with rml_amf0's serialiser, so that rml_rtmp never parses a peer's bytes.

use std::collections::HashMap;

use rml_rtmp::rml_amf0::Amf0Value;

/// Deepest nesting; encoders use two levels.
const MAX_DEPTH: usize = 8;
/// Most values in one message, nested ones included.
const MAX_VALUES: usize = 1024;

/// The message is no AMF0, or beyond the bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

/// Reads all values of a message, in order.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Amf0Value>, Broken> {
    let mut reader = Reader {
        bytes,
        left: MAX_VALUES,
    };
    let mut values = Vec::new();
    while !reader.bytes.is_empty() {
        values.push(reader.value(0)?);
    }
    Ok(values)
}

struct Reader<'a> {
    bytes: &'a [u8],
    /// Values that may still be read.
    left: usize,
}

// === impl Reader ===

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Amf0Value, Broken> {
        self.left = self.left.checked_sub(1).ok_or(Broken)?;
        if depth > MAX_DEPTH {
            return Err(Broken);
        }
        Ok(match self.take::<1>()? {
            [0] => Amf0Value::Number(f64::from_be_bytes(self.take()?)),
            [1] => Amf0Value::Boolean(self.take::<1>()? != [0]),
            [2] => Amf0Value::Utf8String(self.short_string()?),
            [3] => Amf0Value::Object(self.properties(depth)?),
            [5] => Amf0Value::Null,
            [6] => Amf0Value::Undefined,
            [7] => {
                self.take::<2>()?; // a reference to an earlier object: nothing we use
                Amf0Value::Undefined
            }
            [8] => {
                self.take::<4>()?; // the announced count is advice; the end marker counts
                Amf0Value::Object(self.properties(depth)?)
            }
            [10] => Amf0Value::StrictArray(self.array(depth)?),
            [11] => {
                let [.., _, _] = self.take::<10>()?; // milliseconds and a time zone
                Amf0Value::Undefined
            }
            [12 | 15] => {
                let length = u32::from_be_bytes(self.take()?);
                Amf0Value::Utf8String(self.string(length as usize)?)
            }
            [16] => {
                self.short_string()?;
                Amf0Value::Object(self.properties(depth)?)
            }
            _ => return Err(Broken),
        })
    }

    /// Names and values up to the end marker. Some encoders end the message instead.
    fn properties(&mut self, depth: usize) -> Result<HashMap<String, Amf0Value>, Broken> {
        let mut properties = HashMap::new();
        while !self.bytes.is_empty() {
            if let Some(rest) = self.bytes.strip_prefix(&[0, 0, 9]) {
                self.bytes = rest;
                break;
            }
            let name = self.short_string()?;
            let value = self.value(depth + 1)?;
            properties.insert(name, value);
        }
        Ok(properties)
    }

    fn array(&mut self, depth: usize) -> Result<Vec<Amf0Value>, Broken> {
        let count = u32::from_be_bytes(self.take()?);
        (0..count).map(|_| self.value(depth + 1)).collect()
    }

    fn short_string(&mut self) -> Result<String, Broken> {
        let length = u16::from_be_bytes(self.take()?);
        self.string(length.into())
    }

    fn string(&mut self, length: usize) -> Result<String, Broken> {
        let (head, tail) = self.bytes.split_at_checked(length).ok_or(Broken)?;
        self.bytes = tail;
        String::from_utf8(head.to_vec()).map_err(|_| Broken)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Broken> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(Broken)?;
        self.bytes = tail;
        Ok(*head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rml_rtmp::rml_amf0;

    fn value() -> impl Strategy<Value = Amf0Value> {
        let leaf = prop_oneof![
            any::<f64>()
                .prop_filter("NaN is not equal to itself", |n| !n.is_nan())
                .prop_map(Amf0Value::Number),
            any::<bool>().prop_map(Amf0Value::Boolean),
            "\\PC{0,20}".prop_map(Amf0Value::Utf8String),
            Just(Amf0Value::Null),
            Just(Amf0Value::Undefined),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Amf0Value::StrictArray),
                prop::collection::hash_map("[a-z]{1,8}", inner, 0..6).prop_map(Amf0Value::Object),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_rml_writes_is_read_back(values in prop::collection::vec(value(), 0..6)) {
            let bytes = rml_amf0::serialize(&values).expect("short strings");
            prop_assert_eq!(read(&bytes), Ok(values));
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }

    #[test]
    fn nesting_and_counts_are_bounded() {
        let deep = [10, 0, 0, 0, 1].repeat(10_000);
        assert_eq!(read(&deep), Err(Broken));
        assert_eq!(read(&[5; MAX_VALUES + 1]), Err(Broken));
        assert_eq!(
            read(&[10, 255, 255, 255, 255]),
            Err(Broken),
            "a count is not believed"
        );
        assert_eq!(read(&[12, 255, 255, 255, 255]), Err(Broken), "nor a length");
    }

    #[test]
    fn an_array_may_end_with_the_message() {
        let bytes = [8, 0, 0, 0, 1, 0, 1, b'w', 1, 1];
        let expected = HashMap::from([("w".to_owned(), Amf0Value::Boolean(true))]);
        assert_eq!(read(&bytes), Ok(vec![Amf0Value::Object(expected)]));
    }
}
