//! The lines that a session's files consist of. Each carries its own checksum, so that a torn or spoilt one is told from a whole one.
//!
//! `1c291ca3 {"number":1,...}`: the CRC-32 of what follows the space, in eight hex digits; then JSON, which holds no line break. A
//! CRC-32 notices every change of up to 32 bits in a row, and of what is spoilt otherwise all but one in 2^32.

use std::io::Write;

/// Digits of the checksum, and a space.
const HEAD: usize = 9;

/// Adds `payload`, which holds no line break, as a line.
pub fn push(bytes: &mut Vec<u8>, payload: &[u8]) {
    debug_assert!(!payload.contains(&b'\n'));
    bytes.extend(head(payload));
    bytes.extend(payload);
    bytes.push(b'\n');
}

fn head(payload: &[u8]) -> [u8; HEAD] {
    let mut head = [b' '; HEAD];
    // Eight digits fit: a u32 has no more.
    let _ = write!(&mut head[..], "{:08x}", crc32fast::hash(payload));
    head
}

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// What it carries; `None` if the line is not whole.
    pub payload: Option<&'a [u8]>,
    /// Where it begins.
    pub at: usize,
    /// Whether its end is there: a tear leaves none.
    pub is_ended: bool,
}

/// The lines of a file, the last one too where it does not end.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut at = 0;
    bytes.split_inclusive(|&byte| byte == b'\n').map(move |line| {
        let begun = at;
        at += line.len();
        Line { payload: payload(line), at: begun, is_ended: line.ends_with(b"\n") }
    })
}

fn payload(line: &[u8]) -> Option<&[u8]> {
    let (found, payload) = line.strip_suffix(b"\n")?.split_at_checked(HEAD)?;
    // Compared as text: a digit in another case is a changed byte too.
    (found == head(payload)).then_some(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Vec<&[u8]> {
        lines(bytes).filter_map(|line| line.payload).collect()
    }

    #[test]
    fn what_was_written_is_read_and_what_was_cut_or_changed_is_not() {
        let mut bytes = Vec::new();
        push(&mut bytes, b"first");
        let second_at = bytes.len();
        push(&mut bytes, b"");
        let third_at = bytes.len();
        push(&mut bytes, "{\"thi\u{2028}rd\"}".as_bytes());
        assert_eq!(whole(&bytes).len(), 3);
        assert_eq!(lines(&bytes).map(|line| line.at).collect::<Vec<_>>(), [0, second_at, third_at]);
        for cut in 0..bytes.len() {
            let expected = [second_at, third_at].iter().filter(|&&end| end <= cut).count();
            assert_eq!(whole(&bytes[..cut]).len(), expected, "cut at {cut}");
        }
        for at in 0..bytes.len() {
            for flip in 1..=255u8 {
                let mut changed = bytes.clone();
                changed[at] ^= flip;
                assert!(whole(&changed).len() < 3, "byte {at} ^ {flip}");
            }
        }
    }
}
