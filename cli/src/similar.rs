//! Finds what a mistyped word was meant to be. Small closed vocabularies only: it compares with every word.

/// The candidate nearest to `word`, if one is near enough to be meant by it; the first of equals.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in a short word, two in a longer one: beyond that a guess misleads more than it helps.
    let allowed = if word.chars().count() <= 3 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.len())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
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

/// Edits between two words: a letter more, less or other, or two neighbours swapped (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let other = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (above[j] + 1).min(row[j - 1] + 1).min(above[j - 1] + other);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
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
