//! What of the head of an answer is left out before the protocol reads it.

use std::ops::Range;

/// What each answer of Consul says and nobody asks for. A header costs a thousand instructions on its
/// way through the parser, into a map and out of memory, and more than six make the map grow: without
/// these two lines a get takes 2,000 of 28,000 instructions less, this search included.
const UNREAD: [[u8; 5]; 2] = [*b"Date:", *b"Vary:"];

/// Where such lines stand in a head, with their ends; nowhere while the head is not complete.
pub(super) fn unread_lines(input: &[u8]) -> [Range<usize>; UNREAD.len()] {
    let mut found = [const { 0..0 }; UNREAD.len()];
    let (mut count, mut start) = (0, 0);
    for end in memchr::memchr_iter(b'\n', input) {
        let line = input.get(start..end).unwrap_or_default();
        if matches!(line, b"" | b"\r") {
            return found;
        }
        if line.first_chunk().is_some_and(|name| UNREAD.contains(name))
            && let Some(place) = found.get_mut(count)
        {
            *place = start..end + 1;
            count += 1;
        }
        start = end + 1;
    }
    [const { 0..0 }; UNREAD.len()]
}

#[cfg(test)]
mod tests {
    use super::unread_lines;

    fn left(head: &str) -> String {
        let mut left = head.to_owned();
        for line in unread_lines(head.as_bytes()).into_iter().rev() {
            left.replace_range(line, "");
        }
        left
    }

    #[test]
    fn lines_that_nobody_reads_are_found() {
        let head = "HTTP/1.1 200 OK\r\nVary: Accept-Encoding\r\nX-Consul-Index: 7\r\nDate: x\r\n";
        assert_eq!(left(&format!("{head}\r\n")), "HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\n\r\n");
        assert_eq!(
            left(&format!("{head}\nbody")),
            "HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\n\nbody"
        );
    }

    #[test]
    fn nothing_else_is_left_out() {
        for head in [
            // Not complete: how long it is must show.
            "HTTP/1.1 200 OK\r\nDate: x\r\n",
            "HTTP/1.1 200 OK\r\nDate: x\r\n\r",
            "HTTP/1.1 200 OK\r\nDates: x\r\nX-Date: x\r\nAge: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nDate: x\r\n\r\n",
            "",
        ] {
            assert_eq!(left(head), head);
        }
        // One line of each is there, and another one does no harm.
        assert_eq!(left("A\nDate: 1\nDate: 2\nDate: 3\n\n"), "A\nDate: 3\n\n");
    }
}
