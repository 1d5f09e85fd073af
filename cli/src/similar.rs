//! Finds what a mistyped word was meant to be. Small closed vocabularies only: it compares with every word.

use tine_engine::similar::similar;

/// The candidate nearest to `word`, if one is near enough to be meant by it; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    similar(word, candidates.into_iter()).into_iter().next()
}

/// `; did you mean "x"?`, or `; there are a, b, c` where nothing is near.
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, candidates.clone()) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => match candidates.into_iter().collect::<Vec<_>>() {
            none if none.is_empty() => String::new(),
            some => format!("; there are {}", some.join(", ")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let words = ["create", "connect", "destroy"];
        assert_eq!(nearest("craete", words), Some("create"));
        assert_eq!(nearest("conect", words), Some("connect"));
        assert_eq!(nearest("play", words), None);
        assert_eq!(nearest("vfo1", ["vco1", "vcf1"]), Some("vco1"));
        assert_eq!(nearest("x", ["1"]), None);
    }

    #[test]
    fn where_nothing_is_near_all_are_named() {
        assert_eq!(hint("sine", ["saw", "pulse"]), "; there are saw, pulse");
        assert_eq!(hint("swa", ["saw", "pulse"]), "; did you mean \"saw\"?");
        assert_eq!(hint("swa", []), "");
    }
}
