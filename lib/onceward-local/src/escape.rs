//! Text from outside, where a person reads it.
//!
//! What others say (subjects, types, ids, errors that quote input, what functions print) may hold line breaks that forge
//! a line of our own, terminal escapes that hide one, and characters that turn the direction of what follows
//! (<https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>, CVE-2021-42574). None of them reaches a
//! terminal: each is written as Rust writes it, `\n` or `\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` as one line: what is not to be seen is written out.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// `text` with its line breaks. Whoever prints it lets further lines begin where none of ours does. Colours are left out:
/// functions may colour what they print.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    let text = text.strip_suffix('\r').unwrap_or(text);
    match without_colours(text) {
        Cow::Borrowed(text) => escaped(text, |c| is_hidden(c) && c != '\n'),
        Cow::Owned(text) => Cow::Owned(escaped(&text, |c| is_hidden(c) && c != '\n').into_owned()),
    }
}

/// What is about to be printed: only line breaks and colours are left as they are. The last gate; what comes from
/// outside has been through [`line`] or [`lines`].
pub(crate) fn output(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.find(|c| is_hidden(c) && c != '\n') {
        let (before, special) = rest.split_at(at);
        shown.push_str(before);
        let taken = match colour(special) {
            Some(length) => {
                shown.push_str(&special[..length]);
                length
            }
            None => write_out(&mut shown, special),
        };
        rest = &special[taken..];
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

/// `json`, a JSON text, on one line and with nothing hidden: the same value. Only its strings can hold such characters,
/// and between its tokens white space.
pub(crate) fn json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_hidden) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        match c {
            c if c.is_ascii_control() && c != '\u{7f}' => shown.push(' '),
            c if is_hidden(c) => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(shown, "\\u{unit:04x}");
            }),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn escaped(text: &str, hidden: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if hidden(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// Writes the first character out; answers its length.
fn write_out(shown: &mut String, text: &str) -> usize {
    let first = text.chars().next();
    shown.extend(first.into_iter().flat_map(char::escape_default));
    first.map_or(0, char::len_utf8)
}

fn without_colours(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find('\u{1b}') {
        kept.push_str(&rest[..at]);
        let length = colour(&rest[at..]);
        if length.is_none() {
            kept.push('\u{1b}');
        }
        rest = &rest[at + length.unwrap_or(1)..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// The length of the colour that `text` begins with, if it does: `ESC [ … m`, of digits and `;`.
/// ECMA-48, SELECT GRAPHIC RENDITION.
fn colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// Control characters (C0, DEL, C1), what ends a line elsewhere, and what turns or hides what follows. Joiners are not:
/// scripts and emoji need them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forges_or_hides_a_line_is_written_out() {
        for (text, shown) in [
            ("ord_1\n10:00:00.123  pay", r"ord_1\n10:00:00.123  pay"),
            ("a\r\tb", r"a\r\tb"),
            ("\u{1b}[2K\u{1b}]0;title\u{7}", r"\u{1b}[2K\u{1b}]0;title\u{7}"),
            ("\u{1b}[31mred", r"\u{1b}[31mred"),
            ("\u{9b}2K\u{7f}\u{0}", r"\u{9b}2K\u{7f}\u{0}"),
            ("a\u{202e}b\u{2066}c\u{2028}d\u{200b}e\u{e0041}", r"a\u{202e}b\u{2066}c\u{2028}d\u{200b}e\u{e0041}"),
            ("größe 漢字 👩\u{200d}🚒 \\n", "größe 漢字 👩\u{200d}🚒 \\n"),
        ] {
            assert_eq!(line(text), shown);
        }
    }

    #[test]
    fn a_message_keeps_its_lines_and_loses_its_colours() {
        assert_eq!(lines("a\n\u{1b}[1;31mb\u{1b}[0m\u{1b}[2Kc\r"), "a\nb\\u{1b}[2Kc");
        assert_eq!(lines("\u{1b}\u{1b}[31"), r"\u{1b}\u{1b}[31");
    }

    #[test]
    fn the_last_gate_lets_colours_and_lines_through_and_nothing_else() {
        assert_eq!(output("\u{1b}[1mReady\u{1b}[0m\nab"), "\u{1b}[1mReady\u{1b}[0m\nab");
        assert_eq!(output("\u{1b}[1mR\u{1b}[0m\u{1b}[2J\u{202e}x\r"), "\u{1b}[1mR\u{1b}[0m\\u{1b}[2J\\u{202e}x\\r");
    }

    #[test]
    fn json_stays_the_same_value_on_one_line() {
        let text = "{\"a\":\r\n\t\"x\u{9b}2K\u{202e}\u{7f}\u{e0041}ü\\n\"}";
        let shown = json(text);
        assert_eq!(shown, "{\"a\":   \"x\\u009b2K\\u202e\\u007f\\udb40\\udc41ü\\n\"}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(text));
    }
}
