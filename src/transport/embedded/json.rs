//! JSON as Go writes it, which Consul is made with: indented as by an agent in development mode.

use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};
use std::io::{self, Write};

/// A value as the body of an answer, with the line end that an agent in development mode adds.
pub(super) fn written(value: &impl Serialize) -> Vec<u8> {
    let mut out = Vec::new();
    let formatter = Go(PrettyFormatter::with_indent(b"    "));
    // Writing to memory does not fail, and nothing here refuses to be written.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    out.push(b'\n');
    out
}

/// Go's way of escaping: what HTML could take for its own, and the two line ends that JavaScript
/// did not allow, are escaped as well.
struct Go(PrettyFormatter<'static>);

impl Formatter for Go {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        let escaped = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
        while let Some((at, found)) = rest.char_indices().find(|&(_, c)| escaped(c)) {
            let (plain, after) = rest.split_at(at);
            write!(writer, "{plain}\\u{:04x}", u32::from(found))?;
            rest = after.get(found.len_utf8()..).unwrap_or_default();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::Backspace => writer.write_all(b"\\u0008"),
            CharEscape::FormFeed => writer.write_all(b"\\u000c"),
            escape => self.0.write_char_escape(writer, escape),
        }
    }

    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{value:e}");
            // Go gives the exponent its sign.
            let signed = if text.contains("e-") { text } else { text.replace('e', "e+") };
            return writer.write_all(signed.as_bytes());
        }
        write!(writer, "{value}")
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(w, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, w: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(w, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::written;
    use std::collections::BTreeMap;

    fn text(value: &impl serde::Serialize) -> String {
        String::from_utf8(written(value)).unwrap()
    }

    #[test]
    fn it_is_indented_by_four_and_ends_its_line() {
        let value = BTreeMap::from([("a", vec![1, 2]), ("b", vec![])]);
        let expected = "{\n    \"a\": [\n        1,\n        2\n    ],\n    \"b\": []\n}\n";
        assert_eq!(text(&value), expected);
        assert_eq!(text(&true), "true\n");
    }

    #[test]
    fn characters_are_escaped_as_by_go() {
        let escaped = r#""\u003ca\u003e\u0026\u0008\u000c\n\u2028é""#;
        assert_eq!(text(&"<a>&\u{8}\u{c}\n\u{2028}é"), format!("{escaped}\n"));
    }
}
