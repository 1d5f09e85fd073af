//! Cuts a line into words, arrows and semicolons. Knows no verb.

use super::error::ParseError;

/// Longest line, in bytes. Over the network a datagram ends sooner; in a file nobody types this much.
pub const LINE_MAX: usize = 65_536;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Anything between spaces.
    Word,
    /// A word in double quotes, which may hold spaces, `;`, `>` and `#`.
    Quoted,
    /// `>`
    Arrow,
    /// `;`
    Semicolon,
}

/// One token and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub sort: Sort,
    /// Its text, without quotes.
    pub text: String,
    /// Byte offset in the line.
    pub at: usize,
}

/// The tokens of a line, without its comment.
///
/// # Errors
/// If the line is too long or a quote is not closed.
pub fn lex(line: &str) -> Result<Vec<Token>, ParseError> {
    if line.len() > LINE_MAX {
        return Err(ParseError::new(0, format!("a line has at most {LINE_MAX} bytes; this one has {}", line.len())));
    }
    let mut tokens = Vec::new();
    let mut rest = line.char_indices().peekable();
    while let Some(&(at, first)) = rest.peek() {
        match first {
            space if space.is_whitespace() => {
                rest.next();
            }
            // Only where a word could start: `c#3` is a note.
            '#' => break,
            '>' | ';' => {
                rest.next();
                let sort = if first == '>' { Sort::Arrow } else { Sort::Semicolon };
                tokens.push(Token { sort, text: first.to_string(), at });
            }
            '"' => {
                rest.next();
                let text =
                    quoted(&mut rest).ok_or_else(|| ParseError::new(at, "a quote \" is opened here and not closed"))?;
                tokens.push(Token { sort: Sort::Quoted, text, at });
            }
            _ => {
                let mut text = String::new();
                while let Some(&(_, letter)) = rest.peek() {
                    if letter.is_whitespace() || letter == '>' || letter == ';' {
                        break;
                    }
                    rest.next();
                    // `file="my kick.wav"` is one word.
                    if letter == '"' && text.ends_with('=') {
                        text += &quoted(&mut rest)
                            .ok_or_else(|| ParseError::new(at, "a quote \" is opened here and not closed"))?;
                    } else {
                        text.push(letter);
                    }
                }
                tokens.push(Token { sort: Sort::Word, text, at });
            }
        }
    }
    Ok(tokens)
}

/// The text up to the closing quote; `\"` and `\\` stand for themselves. `None` if it never closes.
fn quoted(rest: &mut impl Iterator<Item = (usize, char)>) -> Option<String> {
    let mut text = String::new();
    loop {
        match rest.next()?.1 {
            '"' => return Some(text),
            '\\' => match rest.next()?.1 {
                escaped @ ('"' | '\\') => text.push(escaped),
                other => text.extend(['\\', other]),
            },
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        lex(line).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn a_hash_is_a_comment_only_where_a_word_could_start() {
        assert_eq!(words("set 1.freq c#3 # low"), ["set", "1.freq", "c#3"]);
        assert_eq!(words("# all of it"), [""; 0]);
        assert_eq!(words("a;b#c ;# d"), ["a", ";", "b#c", ";"]);
    }

    #[test]
    fn arrows_need_no_spaces() {
        assert_eq!(words("connect 1.saw>2>out"), ["connect", "1.saw", ">", "2", ">", "out"]);
    }

    #[test]
    fn quotes_keep_spaces_and_must_close() {
        assert_eq!(words(r#"save "a b;\"c\"" "#), ["save", "a b;\"c\""]);
        assert_eq!(lex("save \"a").unwrap_err().at, 5);
    }

    #[test]
    fn a_line_has_a_bound() {
        assert!(lex(&"x".repeat(LINE_MAX + 1)).is_err());
    }
}
