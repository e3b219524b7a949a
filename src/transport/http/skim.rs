//! What of the head of an answer is kept as it came, and what the protocol reads: nothing at all where
//! the answer is plain, as nearly all of Consul's short ones are.

use crate::transport::{Headers, number};
use std::ops::Range;

/// What Consul says of an answer, and what does not matter for where it ends. Through the protocol's
/// parser and its map each of these costs a thousand instructions.
const SAID: [&[u8]; 4] = [b"Content-Type:", b"Date:", b"Vary:", b"Age:"];
const CONSULS: &[u8] = b"X-Consul-";
const LENGTH: &[u8] = b"Content-Length:";

/// More pieces than a Consul sends: its own lines stand together.
const PIECES: usize = 4;

/// A head that is complete.
#[derive(Debug, Default)]
pub(super) struct Skimmed {
    /// All its headers.
    pub(super) headers: Headers,
    /// Where lines stand that the protocol need not read, with their ends.
    pub(super) unread: [Range<usize>; PIECES],
    /// None where only the protocol can tell how the answer ends, or whether it is one.
    pub(super) plain: Option<Plain>,
}

/// An answer whose body is as long as it says, on a connection that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plain {
    pub(super) status: u16,
    /// The length of the head.
    pub(super) head: usize,
    /// The length of the body.
    pub(super) body: u64,
}

/// What has been seen of the lines that say where the answer ends.
#[derive(Clone, Copy)]
enum Framing {
    /// The status.
    Open(u16),
    /// The status and the length of the body.
    Counted(u16, u64),
    /// Something else.
    Other,
}

impl Framing {
    /// Takes in a line that says something of it, and perhaps of more.
    fn and(self, line: &[u8]) -> Framing {
        match (self, length(line)) {
            (Framing::Open(status), Some(length)) => Framing::Counted(status, length),
            _ => Framing::Other,
        }
    }

    fn plain(self, head: usize) -> Option<Plain> {
        match self {
            Framing::Counted(status, body) => Some(Plain { status, head, body }),
            _ => None,
        }
    }
}

/// None while the head is not complete.
pub(super) fn skim(input: &[u8]) -> Option<Skimmed> {
    let mut unread = [const { 0..0 }; PIECES];
    let mut framing = Framing::Other;
    let (mut piece, mut first, mut start) = (0, 0, 0);
    for end in memchr::memchr_iter(b'\n', input) {
        let line = input.get(start..end)?;
        if matches!(line, b"" | b"\r") {
            let headers = Headers::of_lines(input.get(first..start)?);
            return Some(Skimmed { headers, unread, plain: framing.plain(end + 1) });
        }
        if start == 0 {
            first = end + 1;
            framing = status(line).map_or(Framing::Other, Framing::Open);
        } else if is_said(line)
            && let Some(place) = unread.get_mut(piece)
        {
            if place.end != start {
                place.start = start;
            }
            place.end = end + 1;
        } else {
            framing = framing.and(line);
            if unread.get(piece).is_some_and(|place| !place.is_empty()) {
                piece += 1;
            }
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

/// A status with which the length of the body alone matters (RFC 9112, section 6.3); of another version
/// of HTTP, of redirects and of all that is no status the protocol knows more.
fn status(line: &[u8]) -> Option<u16> {
    let (digits, rest) = line.strip_prefix(b"HTTP/1.1 ")?.split_first_chunk::<3>()?;
    let has_body = !matches!(digits, b"204" | [b'0' | b'1' | b'3', ..]);
    let reason = without_end(rest).strip_prefix(b" ")?;
    let is_text = reason.iter().all(|byte| matches!(byte, b' '..=b'~'));
    let status = number(digits).filter(|_| has_body && is_text)?;
    u16::try_from(status).ok()
}

fn length(line: &[u8]) -> Option<u64> {
    let value = without_end(line.strip_prefix(LENGTH)?);
    number(value.strip_prefix(b" ").unwrap_or(value))
}

/// Without the half of its end that a line may have left.
fn without_end(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::{Plain, skim};

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
    fn an_answer_that_says_its_length_and_nothing_else_of_its_end_is_plain() {
        let plain = |head: &str| skim(head.as_bytes()).and_then(|skimmed| skimmed.plain);
        for (head, status, body) in [
            ("HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nContent-Length: 4\r\n\r\n", 200, 4),
            ("HTTP/1.1 404 Not Found\nDate: x\nContent-Length:0\nVary: y\n\n", 404, 0),
            ("HTTP/1.1 500 \r\nContent-Length: 20\r\n\r\n", 500, 20),
        ] {
            assert_eq!(plain(head), Some(Plain { status, head: head.len(), body }), "{head}");
            assert_eq!(plain(&format!("{head}body")), plain(head));
        }
        let length = "Content-Length: 4\r\n";
        for head in [
            "HTTP/1.1 200 OK\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            &format!("HTTP/1.1 200 OK\r\n{length}{length}\r\n"),
            &format!("HTTP/1.1 200 OK\r\n{length}Connection: close\r\n\r\n"),
            &format!("HTTP/1.1 200 OK\r\n{length}no colon\r\n\r\n"),
            &format!("HTTP/1.0 200 OK\r\n{length}\r\n"),
            &format!("HTTP/1.1 204 No Content\r\n{length}\r\n"),
            &format!("HTTP/1.1 304 Not Modified\r\n{length}\r\n"),
            &format!("HTTP/1.1 100 Continue\r\n{length}\r\n"),
            &format!("HTTP/1.1 200\r\n{length}\r\n"),
            &format!("HTTP/1.1 2x0 OK\r\n{length}\r\n"),
            &format!("HTTP/1.1 200 O\0K\r\n{length}\r\n"),
            &format!("HTTP/1.1 2000 OK\r\n{length}\r\n"),
            "HTTP/1.1 200 OK\r\nContent-Length: +4\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4 \r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4\r\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 4, 4\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
            &length.repeat(2),
            &format!("HTTP/1.1 200 OK\r\n{length}"),
        ] {
            assert_eq!(plain(head), None, "{head}");
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
