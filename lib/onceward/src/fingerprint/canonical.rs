//! A JSON value in one form, whatever its text: RFC 8785 (<https://www.rfc-editor.org/rfc/rfc8785>), except for numbers.
//! The RFC makes them IEEE 754 doubles first, and two payloads that differ by one in the 17th digit would be one.

use std::fmt::Write as _;

use super::number;

/// The most arrays and objects in one another: as many as `serde_json` takes of a value that is not skipped.
const NESTING_MAX: usize = 127;

/// The most characters of a member's path in an error.
const PATH_CHARS_MAX: usize = 200;

/// Why a payload has no fingerprint of its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Which of the two counts, no standard says.
    #[error("this member is there twice: leave one of the two")]
    DuplicateName {
        /// The member, such as `lines[0].quantity`.
        path: String,
    },
    /// Arrays and objects in one another.
    #[error("there are more than {NESTING_MAX} arrays and objects in one another")]
    TooDeep {
        /// Where, such as `lines[0]`.
        path: String,
    },
    /// A number whose exponent has more than 15 digits.
    #[error("the number's exponent has more than {} digits", number::EXPONENT_DIGITS_MAX)]
    Exponent {
        /// Where, such as `lines[0].quantity`.
        path: String,
    },
    /// It is no JSON.
    #[error("it is no JSON")]
    NotJson,
}

impl FingerprintError {
    /// Where in the payload it is, such as `lines[0].quantity`; `None` if it is the whole.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::DuplicateName { path } | Self::TooDeep { path } | Self::Exponent { path } => {
                Some(path.as_str()).filter(|path| !path.is_empty())
            }
            Self::NotJson => None,
        }
    }

    /// Found in this part of something larger: an element, or the member of this name.
    fn inside(mut self, segment: &str) -> Self {
        if let Self::DuplicateName { path } | Self::TooDeep { path } | Self::Exponent { path } = &mut self {
            let separator = if path.is_empty() || path.starts_with('[') { "" } else { "." };
            let whole = format!("{segment}{separator}{path}");
            *path = whole.chars().take(PATH_CHARS_MAX).collect();
        }
        self
    }
}

/// The canonical text of a JSON text's value.
pub(super) fn text(json: &str) -> Result<String, FingerprintError> {
    let mut reader = Reader { json, at: 0 };
    let mut canonical = String::with_capacity(json.len());
    reader.value(0, &mut canonical)?;
    match reader.peek() {
        None => Ok(canonical),
        Some(_) => Err(FingerprintError::NotJson),
    }
}

struct Reader<'a> {
    json: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no white space; it stays.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.json.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
        self.json.as_bytes().get(self.at).copied()
    }

    /// Takes the next byte that is no white space, if it is this one.
    fn take(&mut self, expected: u8) -> bool {
        let taken = self.peek() == Some(expected);
        self.at += usize::from(taken);
        taken
    }

    fn expect(&mut self, expected: u8) -> Result<(), FingerprintError> {
        if self.take(expected) { Ok(()) } else { Err(FingerprintError::NotJson) }
    }

    fn value(&mut self, depth: usize, out: &mut String) -> Result<(), FingerprintError> {
        match self.peek().ok_or(FingerprintError::NotJson)? {
            b'{' | b'[' if depth == NESTING_MAX => Err(FingerprintError::TooDeep { path: String::new() }),
            b'{' => self.object(depth + 1, out),
            b'[' => self.array(depth + 1, out),
            b'"' => {
                write_string(&self.string()?, out);
                Ok(())
            }
            b'-' | b'0'..=b'9' => {
                let token = self.token(|byte| matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9'));
                let number = number::canonical(token);
                out.push_str(&number.ok_or(FingerprintError::Exponent { path: String::new() })?);
                Ok(())
            }
            _ => match self.token(|byte| byte.is_ascii_lowercase()) {
                literal @ ("true" | "false" | "null") => {
                    out.push_str(literal);
                    Ok(())
                }
                _ => Err(FingerprintError::NotJson),
            },
        }
    }

    fn token(&mut self, part: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.json[self.at..];
        let length = rest.bytes().take_while(|byte| part(*byte)).count();
        self.at += length;
        &rest[..length]
    }

    fn array(&mut self, depth: usize, out: &mut String) -> Result<(), FingerprintError> {
        self.expect(b'[')?;
        out.push('[');
        let mut count = 0_usize;
        while !self.take(b']') {
            if count > 0 {
                self.expect(b',')?;
                out.push(',');
            }
            self.value(depth, out).map_err(|error| error.inside(&format!("[{count}]")))?;
            count += 1;
        }
        out.push(']');
        Ok(())
    }

    fn object(&mut self, depth: usize, out: &mut String) -> Result<(), FingerprintError> {
        self.expect(b'{')?;
        let mut members: Vec<(Vec<u16>, String)> = Vec::new();
        while !self.take(b'}') {
            if !members.is_empty() {
                self.expect(b',')?;
            }
            self.peek();
            let name = self.string()?;
            self.expect(b':')?;
            let mut value = String::new();
            self.value(depth, &mut value).map_err(|error| error.inside(&shown(&name)))?;
            members.push((name, value));
        }
        // RFC 8785 orders names by their UTF-16 code units.
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        if let Some(twice) = members.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(FingerprintError::DuplicateName { path: String::new() }.inside(&shown(&twice[0].0)));
        }
        out.push('{');
        for (place, (name, value)) in members.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            write_string(name, out);
            out.push(':');
            out.push_str(value);
        }
        out.push('}');
        Ok(())
    }

    /// A string's UTF-16 code units: JSON can name half of a surrogate pair, which UTF-8 has no form for.
    fn string(&mut self) -> Result<Vec<u16>, FingerprintError> {
        let mut units = Vec::new();
        let mut chars = self.json[self.at..].char_indices();
        if chars.next().map(|(_, quote)| quote) != Some('"') {
            return Err(FingerprintError::NotJson);
        }
        while let Some((place, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += place + 1;
                    return Ok(units);
                }
                '\\' => {
                    let unit = match chars.next().ok_or(FingerprintError::NotJson)?.1 {
                        'b' => 0x8,
                        't' => 0x9,
                        'n' => 0xa,
                        'f' => 0xc,
                        'r' => 0xd,
                        'u' => {
                            let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                            u16::from_str_radix(&digits, 16).map_err(|_| FingerprintError::NotJson)?
                        }
                        literal @ ('"' | '\\' | '/') => literal as u16,
                        _ => return Err(FingerprintError::NotJson),
                    };
                    units.push(unit);
                }
                char => units.extend_from_slice(char.encode_utf16(&mut [0; 2])),
            }
        }
        Err(FingerprintError::NotJson)
    }
}

/// A string with the escapes of RFC 8785, section 3.2.2.2; half of a surrogate pair stays escaped.
fn write_string(units: &[u16], out: &mut String) {
    out.push('"');
    write_characters(units, out);
    out.push('"');
}

fn write_characters(units: &[u16], out: &mut String) {
    for char in char::decode_utf16(units.iter().copied()) {
        // Writing to a `String` cannot fail.
        let _ = match char {
            Ok('\u{8}') => out.write_str("\\b"),
            Ok('\t') => out.write_str("\\t"),
            Ok('\n') => out.write_str("\\n"),
            Ok('\u{c}') => out.write_str("\\f"),
            Ok('\r') => out.write_str("\\r"),
            Ok(char @ ('"' | '\\')) => write!(out, "\\{char}"),
            Ok(char @ '\0'..='\u{1f}') => write!(out, "\\u{:04x}", u32::from(char)),
            Ok(char) => out.write_char(char),
            Err(half) => write!(out, "\\u{:04x}", half.unpaired_surrogate()),
        };
    }
}

/// A name as an error shows it: escaped, so that it stays on its line.
fn shown(name: &[u16]) -> String {
    let mut text = String::new();
    write_characters(name, &mut text);
    text
}
