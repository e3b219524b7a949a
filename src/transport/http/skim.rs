//! What of the head of an answer is kept as it came, and what the protocol reads.

use crate::transport::Headers;
use std::ops::Range;

/// What Consul says of an answer, and what does not matter for where it ends. Through the protocol's
/// parser and its map each of these costs a thousand instructions.
const SAID: [&[u8]; 4] = [b"Content-Type:", b"Date:", b"Vary:", b"Age:"];
const CONSULS: &[u8] = b"X-Consul-";

/// More pieces than a Consul sends: its own lines stand together.
const PIECES: usize = 4;

/// A head that is complete.
#[derive(Debug, Default)]
pub(super) struct Skimmed {
    /// All its headers.
    pub(super) headers: Headers,
    /// Where lines stand that the protocol need not read, with their ends.
    pub(super) unread: [Range<usize>; PIECES],
}

/// None while the head is not complete.
pub(super) fn skim(input: &[u8]) -> Option<Skimmed> {
    let mut unread = [const { 0..0 }; PIECES];
    let (mut piece, mut first, mut start) = (0, 0, 0);
    for end in memchr::memchr_iter(b'\n', input) {
        let line = input.get(start..end)?;
        if matches!(line, b"" | b"\r") {
            return Some(Skimmed { headers: Headers::of_lines(input.get(first..start)?), unread });
        }
        if start == 0 {
            first = end + 1;
        } else if is_said(line)
            && let Some(place) = unread.get_mut(piece)
        {
            if place.end != start {
                place.start = start;
            }
            place.end = end + 1;
        } else if unread.get(piece).is_some_and(|place| !place.is_empty()) {
            piece += 1;
        }
        start = end + 1;
    }
    None
}

/// As Consul spells them. Whatever else there is, a line that is none included, is for the parser to
/// judge.
fn is_said(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(CONSULS) else {
        return SAID.iter().any(|name| line.starts_with(name));
    };
    let is_in_name = |byte: &u8| *byte == b'-' || byte.is_ascii_alphabetic();
    rest.iter().find(|byte| !is_in_name(byte)) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::skim;

    /// What the protocol reads.
    fn read(head: &str) -> String {
        let mut left = head.to_owned();
        for line in skim(head.as_bytes()).unwrap_or_default().unread.into_iter().rev() {
            left.replace_range(line, "");
        }
        left
    }

    #[test]
    fn what_does_not_matter_for_the_end_of_an_answer_is_left_out() {
        let head = "HTTP/1.1 200 OK\r\nVary: Accept-Encoding\r\nX-Consul-Index: 7\r\n\
                    Content-Length: 4\r\nDate: x\r\n";
        for rest in ["\r\n", "\nbody"] {
            let left = format!("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n{rest}");
            assert_eq!(read(&format!("{head}{rest}")), left);
        }
    }

    #[test]
    fn every_header_is_kept() {
        let skimmed = skim(b"HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nServer: x\r\n\r\nA: b\r\n");
        let headers = skimmed.unwrap().headers;
        assert_eq!((headers.get("x-consul-index"), headers.get("server")), (Some("7"), Some("x")));
        assert_eq!(headers.get("A"), None);
    }

    #[test]
    fn the_protocol_reads_all_else() {
        for head in [
            // Not complete: how long it is must show.
            "HTTP/1.1 200 OK\r\nDate: x\r\n",
            "HTTP/1.1 200 OK\r\nDate: x\r\n\r",
            "HTTP/1.1 200 OK\r\nDates: x\r\nX-Date: x\r\nX-Consul-Index 3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nX-Consul-In dex: x\r\nX-Consul-\0: x\r\n folded\r\n\r\n",
            "Date: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nDate: x\r\n\r\n",
            "",
        ] {
            assert_eq!(read(head), head);
        }
    }

    #[test]
    fn what_is_in_more_pieces_than_expected_is_read_too() {
        let head = "A\n".to_owned() + &"Date: 1\nB: 2\n".repeat(6) + "\n";
        assert_eq!(
            read(&head),
            "A\n".to_owned() + &"B: 2\n".repeat(4) + &"Date: 1\nB: 2\n".repeat(2) + "\n"
        );
    }
}
