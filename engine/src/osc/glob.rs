//! OSC address patterns for one part of an address: `*`, `?`, `[a-z]`, `[!a-z]`, `{one,two}`. Linear in time, no recursion.
//!
//! Not rosc's `Matcher`: its `vcf*` does not match `vcf`, its `[0-9]` takes several characters, and it can panic by
//! its own comments. OSC 1.0, "OSC Message Dispatching and Pattern Matching".

/// Longest text that is matched: its positions are the bits of a word.
const TEXT_MAX: usize = 63;

/// Longest pattern, in bytes.
const PATTERN_MAX: usize = 256;

/// A pattern for one part of an address.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Glob(Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Byte(u8),
    One,
    Any,
    Class { negated: bool, ranges: Vec<(u8, u8)> },
    Choice(Vec<Vec<u8>>),
}

impl Glob {
    /// Whether `text` is a pattern rather than a name.
    pub fn is_pattern(text: &str) -> bool {
        text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b']' | b'{' | b'}'))
    }

    /// Reads a pattern; `None` if a bracket is not closed or it is too long.
    pub fn new(pattern: &str) -> Option<Glob> {
        if pattern.len() > PATTERN_MAX {
            return None;
        }
        let mut parts = Vec::new();
        let mut rest = pattern.as_bytes();
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            let closing = match byte {
                b'[' => b']',
                b'{' => b'}',
                b']' | b'}' => return None,
                b'*' => {
                    parts.push(Part::Any);
                    continue;
                }
                b'?' => {
                    parts.push(Part::One);
                    continue;
                }
                byte => {
                    parts.push(Part::Byte(byte));
                    continue;
                }
            };
            let end = rest.iter().position(|&byte| byte == closing)?;
            let inner = &rest[..end];
            rest = &rest[end + 1..];
            parts.push(if byte == b'[' { class(inner) } else { choice(inner) });
        }
        Some(Glob(parts))
    }

    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if text.len() > TEXT_MAX {
            return false;
        }
        // Bit p: the parts so far can end at byte p.
        let mut ends: u64 = 1;
        for part in &self.0 {
            ends = (0..=text.len()).filter(|&at| ends >> at & 1 == 1).fold(0, |ends, at| ends | part.step(text, at));
        }
        ends >> text.len() & 1 == 1
    }
}

impl Part {
    /// Where the part can end when it begins at `at`.
    fn step(&self, text: &[u8], at: usize) -> u64 {
        let next = |fits: bool| if fits { 1 << (at + 1) } else { 0 };
        match self {
            Part::Byte(byte) => next(text.get(at) == Some(byte)),
            Part::One => next(at < text.len()),
            Part::Any => (at..=text.len()).fold(0, |ends, end| ends | 1 << end),
            Part::Class { negated, ranges } => next(text.get(at).is_some_and(|byte| {
                let is_in = ranges.iter().any(|(first, last)| (*first..=*last).contains(byte));
                is_in != *negated
            })),
            Part::Choice(words) => words
                .iter()
                .filter(|word| text[at..].starts_with(word))
                .fold(0, |ends, word| ends | 1 << (at + word.len())),
        }
    }
}

fn class(inner: &[u8]) -> Part {
    let (negated, mut rest) = match inner.split_first() {
        Some((b'!', rest)) => (true, rest),
        _ => (false, inner),
    };
    let mut ranges = Vec::new();
    while let Some(&first) = rest.first() {
        // A dash at the end stands for itself.
        let taken = if rest.len() >= 3 && rest[1] == b'-' { 3 } else { 1 };
        ranges.push((first, rest[taken - 1]));
        rest = &rest[taken..];
    }
    Part::Class { negated, ranges }
}

fn choice(inner: &[u8]) -> Part {
    Part::Choice(inner.split(|&byte| byte == b',').map(<[u8]>::to_vec).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_osc_says() {
        for (pattern, text, expected) in [
            ("vcf*", "vcf", true),
            ("vcf*", "vcf12", true),
            ("*f*1", "vcf11", true),
            ("v?f", "vcf", true),
            ("v?f", "vf", false),
            ("vco[0-9]", "vco12", false),
            ("vco[0-9]", "vco1", true),
            ("vco[!0-9]", "vco1", false),
            ("vc[o-]", "vc-", true),
            ("{vco,vcf}1", "vcf1", true),
            ("{vco,vcf}1", "vca1", false),
            ("{v,vc}{cf,f}", "vcf", true),
            ("", "", true),
            ("*", "", true),
            ("[]", "a", false),
            ("{}a", "a", true),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn an_unclosed_bracket_is_no_pattern() {
        for pattern in ["[", "{", "a]", "}", "[a", "{a,b", &"*".repeat(PATTERN_MAX + 1)] {
            assert_eq!(Glob::new(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn many_stars_take_no_longer_than_few() {
        let glob = Glob::new(&"*a".repeat(PATTERN_MAX / 2)).unwrap();
        assert!(!glob.matches(&"a".repeat(TEXT_MAX)));
        assert!(!glob.matches(&"a".repeat(TEXT_MAX + 1)), "too long is no match");
    }
}
