//! Ids of modules.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest id, in bytes.
pub const NAME_MAX: usize = 31;

/// The id of a module: a number or a name, `[a-z0-9_-]+`, at most [`NAME_MAX`] bytes. All share one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(String);

impl Name {
    /// `text` as an id, or `None` if it has another form.
    pub fn new(text: &str) -> Option<Name> {
        let is_legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        let fits = (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(is_legal);
        fits.then(|| Name(text.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    /// What was written down may have been changed since: an id is looked at again.
    fn try_from(text: String) -> Result<Name, String> {
        Name::new(&text).ok_or_else(|| format!("{text:?} is no id: a to z, 0 to 9, _ and -, at most {NAME_MAX}"))
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_lower_case_words_or_numbers() {
        for good in ["1", "vco1", "a-b_c", &"x".repeat(NAME_MAX)] {
            assert_eq!(Name::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "VCO", "a.b", "a b", "ü", &"x".repeat(NAME_MAX + 1)] {
            assert_eq!(Name::new(bad), None, "{bad:?}");
        }
    }
}
