//! A datagram to messages. Takes any bytes: no panic, no recursion, bounded memory.
//!
//! Bundles are walked here with an explicit stack and only single messages go to rosc, because rosc recurses into
//! nested bundles (50 kB of them overflow the stack and abort), and takes truncated bundles and trailing bytes as good.

use std::time::{SystemTime, UNIX_EPOCH};

use rosc::{OscMessage, OscPacket, OscTime};
use thiserror::Error;

use crate::command::When;

/// Largest datagram, in bytes: what UDP over IPv4 can carry.
pub const DATAGRAM_MAX: usize = 65_507;

/// Bundles within bundles. Deeper than any client nests, and far from any stack's end.
pub const DEPTH_MAX: usize = 8;

/// Messages and bundles in one datagram.
pub const ELEMENTS_MAX: usize = 1024;

/// Arguments of one message.
pub const ARGUMENTS_MAX: usize = 1024;

/// Seconds from OSC's epoch, 1900, to Unix's (RFC 5905).
const UNIX_OFFSET_S: u32 = 2_208_988_800;

const BUNDLE_TAG: &[u8] = b"#bundle\0";
/// Tag and timetag.
const BUNDLE_HEADER: usize = 16;

/// Messages that take effect together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The timetag.
    pub when: When,
    /// In order; never empty.
    pub messages: Vec<OscMessage>,
}

/// Why a datagram cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing in it.
    #[error("an empty datagram")]
    Empty,
    /// Longer than [`DATAGRAM_MAX`].
    #[error("a datagram has at most {DATAGRAM_MAX} bytes")]
    TooLong,
    /// OSC counts in fours.
    #[error("the length of every OSC element is a multiple of 4")]
    Misaligned,
    /// Ends before it should.
    #[error("a bundle or message is cut short")]
    Truncated,
    /// Goes on after its end.
    #[error("there are bytes after the last argument")]
    Trailing,
    /// More than [`DEPTH_MAX`].
    #[error("bundles nest at most {DEPTH_MAX} deep")]
    TooDeep,
    /// More than [`ELEMENTS_MAX`].
    #[error("a datagram holds at most {ELEMENTS_MAX} messages and bundles")]
    TooManyElements,
    /// More than [`ARGUMENTS_MAX`].
    #[error("a message has at most {ARGUMENTS_MAX} arguments")]
    TooManyArguments,
    /// Does not begin with `/`.
    #[error("an address begins with /")]
    NoAddress,
    /// The arguments are not what the type tags say, or of a type that no address takes.
    #[error("the arguments do not fit their type tags, or are arrays")]
    BadArguments,
}

/// The messages of a datagram, by the moment at which they are to take effect, in the order in which bundles open.
///
/// # Errors
/// If any part of it is wrong: then nothing of it is used.
pub fn decode(datagram: &[u8]) -> Result<Vec<Group>, Malformed> {
    check_length(datagram.len())?;
    if !datagram.starts_with(BUNDLE_TAG) {
        return Ok(vec![Group { when: When::Now, messages: vec![message(datagram)?] }]);
    }
    let mut groups = bundle(datagram)?;
    groups.retain(|group| !group.messages.is_empty());
    Ok(groups)
}

fn check_length(length: usize) -> Result<(), Malformed> {
    match length {
        0 => Err(Malformed::Empty),
        _ if length > DATAGRAM_MAX => Err(Malformed::TooLong),
        _ if !length.is_multiple_of(4) => Err(Malformed::Misaligned),
        _ => Ok(()),
    }
}

/// An open bundle: where it ends, and which group its messages belong to.
struct Open {
    end: usize,
    group: usize,
    timetag: OscTime,
}

fn bundle(datagram: &[u8]) -> Result<Vec<Group>, Malformed> {
    let timetag = header(datagram)?;
    let mut groups = vec![Group { when: when(timetag), messages: Vec::new() }];
    let mut open = vec![Open { end: datagram.len(), group: 0, timetag }];
    let mut at = BUNDLE_HEADER;
    let mut elements = 0;
    while let Some(Open { end, group, timetag: outer }) = open.last() {
        let (end, group, outer) = (*end, *group, *outer);
        if at == end {
            open.pop();
            continue;
        }
        elements += 1;
        if elements > ELEMENTS_MAX {
            return Err(Malformed::TooManyElements);
        }
        let start = at + 4;
        let length = word(&datagram[at..end])? as usize;
        if length > end.saturating_sub(start) {
            return Err(Malformed::Truncated);
        }
        check_length(length)?;
        let element = &datagram[start..start + length];
        if !element.starts_with(BUNDLE_TAG) {
            groups[group].messages.push(message(element)?);
            at = start + length;
            continue;
        }
        if open.len() >= DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        let timetag = header(element)?;
        let group = if timetag == outer {
            group
        } else {
            groups.push(Group { when: when(timetag), messages: Vec::new() });
            groups.len() - 1
        };
        open.push(Open { end: start + length, group, timetag });
        at = start + BUNDLE_HEADER;
    }
    Ok(groups)
}

/// The timetag of a bundle; 0 reads as 1, as both mean now.
fn header(bundle: &[u8]) -> Result<OscTime, Malformed> {
    if bundle.len() < BUNDLE_HEADER {
        return Err(Malformed::Truncated);
    }
    let (seconds, fractional) = (word(&bundle[8..])?, word(&bundle[12..])?);
    Ok(OscTime { seconds, fractional: if seconds == 0 { fractional.max(1) } else { fractional } })
}

fn word(bytes: &[u8]) -> Result<u32, Malformed> {
    let (word, _) = bytes.split_first_chunk::<4>().ok_or(Malformed::Truncated)?;
    Ok(u32::from_be_bytes(*word))
}

fn when(timetag: OscTime) -> When {
    match timetag {
        OscTime { seconds: 0, fractional: 0 | 1 } => When::Now,
        // rosc panics on times before 1970. All of them are late alike.
        OscTime { seconds, .. } if seconds < UNIX_OFFSET_S => When::At(UNIX_EPOCH),
        timetag => When::At(SystemTime::from(timetag)),
    }
}

fn message(bytes: &[u8]) -> Result<OscMessage, Malformed> {
    if bytes.first() != Some(&b'/') {
        return Err(Malformed::NoAddress);
    }
    let (address, rest) = padded(bytes)?;
    if rest.is_empty() {
        // OSC 1.0: old senders leave the type tags out; then there are no arguments here.
        let addr = String::from_utf8(address.to_vec()).map_err(|_| Malformed::NoAddress)?;
        return Ok(OscMessage { addr, args: Vec::new() });
    }
    let (tags, _) = padded(rest)?;
    // Arrays are refused before rosc builds them: dropping thousands of nested ones would recurse.
    if tags.first() != Some(&b',') || tags.contains(&b'[') {
        return Err(Malformed::BadArguments);
    }
    if tags.len() - 1 > ARGUMENTS_MAX {
        return Err(Malformed::TooManyArguments);
    }
    match rosc::decoder::decode_udp(bytes) {
        Ok(([], OscPacket::Message(message))) => Ok(message),
        Ok(_) => Err(Malformed::Trailing),
        Err(_) => Err(Malformed::BadArguments),
    }
}

/// A zero-ended string and what follows its padding.
fn padded(bytes: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let length = bytes.iter().position(|&byte| byte == 0).ok_or(Malformed::Truncated)?;
    let next = (length / 4 + 1) * 4;
    let rest = bytes.get(next..).ok_or(Malformed::Truncated)?;
    Ok((&bytes[..length], rest))
}
