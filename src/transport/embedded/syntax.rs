//! What Go's `encoding/json` says of a text that is no JSON (its scanner.go).

use super::go;

/// Go's words for what is wrong with the first value of a text that is known not to be one.
pub(super) fn complaint(text: &[u8]) -> String {
    match (Scanner { text, at: 0 }).value() {
        Err(Wrong::End) => "unexpected EOF".to_owned(),
        Err(Wrong::Character(byte, context)) => {
            format!("invalid character {} {context}", shown(byte))
        }
        // Our parser and this one do not agree.
        Ok(()) => "invalid JSON".to_owned(),
    }
}

fn shown(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let quoted = go::quoted(&char::from(byte).to_string());
            format!("'{}'", quoted.trim_matches('"'))
        }
    }
}

enum Wrong {
    End,
    Character(u8, String),
}

type Scan = Result<(), Wrong>;

struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// The next character, which Go's scanner looks at in this context.
    fn next(&mut self) -> Result<u8, Wrong> {
        let byte = self.peek().ok_or(Wrong::End)?;
        self.at += 1;
        Ok(byte)
    }

    fn next_word(&mut self) -> Result<u8, Wrong> {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
        self.next()
    }

    fn value(&mut self) -> Scan {
        match self.next_word()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => self.string(),
            b't' => self.literal("true"),
            b'f' => self.literal("false"),
            b'n' => self.literal("null"),
            b'-' => match self.next()? {
                digit @ b'0'..=b'9' => self.number(digit),
                byte => wrong(byte, "in numeric literal"),
            },
            digit @ b'0'..=b'9' => self.number(digit),
            byte => wrong(byte, "looking for beginning of value"),
        }
    }

    fn object(&mut self) -> Scan {
        let mut is_first = true;
        loop {
            match self.next_word()? {
                b'}' if is_first => return Ok(()),
                b'"' => self.string()?,
                byte => return wrong(byte, "looking for beginning of object key string"),
            }
            match self.next_word()? {
                b':' => self.value()?,
                byte => return wrong(byte, "after object key"),
            }
            match self.next_word()? {
                b'}' => return Ok(()),
                b',' => is_first = false,
                byte => return wrong(byte, "after object key:value pair"),
            }
        }
    }

    fn array(&mut self) -> Scan {
        if self.next_word()? == b']' {
            return Ok(());
        }
        self.at -= 1;
        loop {
            self.value()?;
            match self.next_word()? {
                b']' => return Ok(()),
                b',' => {}
                byte => return wrong(byte, "after array element"),
            }
        }
    }

    fn string(&mut self) -> Scan {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                byte if byte < b' ' => return wrong(byte, "in string literal"),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Scan {
        match self.next()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => return Ok(()),
            b'u' => {}
            byte => return wrong(byte, "in string escape code"),
        }
        for _ in 0..4 {
            match self.next()? {
                byte if byte.is_ascii_hexdigit() => {}
                byte => return wrong(byte, r"in \u hexadecimal character escape"),
            }
        }
        Ok(())
    }

    fn literal(&mut self, word: &str) -> Scan {
        for expected in word.chars().skip(1) {
            match self.next()? {
                byte if char::from(byte) == expected => {}
                byte => return wrong(byte, &format!("in literal {word} (expecting '{expected}')")),
            }
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Scan {
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            match self.next()? {
                b'0'..=b'9' => self.digits(),
                byte => return wrong(byte, "after decimal point in numeric literal"),
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            match self.next()? {
                b'0'..=b'9' => self.digits(),
                byte => return wrong(byte, "in exponent of numeric literal"),
            }
        }
        Ok(())
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }
}

fn wrong(byte: u8, context: &str) -> Scan {
    Err(Wrong::Character(byte, context.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::complaint;

    /// As a Consul 1.8.7 answers these bodies.
    #[test]
    fn each_mistake_has_gos_words() {
        let cases = [
            ("{", "unexpected EOF"),
            ("nul", "unexpected EOF"),
            ("\"abc", "unexpected EOF"),
            ("not json", "invalid character 'o' in literal null (expecting 'u')"),
            ("falsy", "invalid character 'y' in literal false (expecting 'e')"),
            ("{\"a\"x", "invalid character 'x' after object key"),
            ("{\"a\":1 x", "invalid character 'x' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("{a", "invalid character 'a' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            (r#"{"a":"\x"}"#, "invalid character 'x' in string escape code"),
            (r#"["\u12x4"]"#, r"invalid character 'x' in \u hexadecimal character escape"),
            ("[\"b\n\"]", r"invalid character '\n' in string literal"),
            ("{\"a\":x}", "invalid character 'x' looking for beginning of value"),
            ("'", r"invalid character '\'' looking for beginning of value"),
        ];
        for (text, words) in cases {
            assert_eq!(complaint(text.as_bytes()), words, "{text}");
        }
    }
}
