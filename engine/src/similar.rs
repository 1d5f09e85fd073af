//! Which of the words that exist was probably meant.

/// Up to three of `words` that are near enough to `word` to be meant by it, nearest first.
pub fn similar<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    // One slip in a short word, two in a longer one: beyond that a guess misleads more than it helps.
    let allowed = if word.chars().count() <= 3 { 1 } else { 2 };
    let mut near: Vec<(usize, &str)> = words
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= allowed && distance < candidate.len())
        .collect();
    near.sort_by_key(|&(distance, _)| distance);
    near.into_iter().map(|(_, candidate)| candidate).take(3).collect()
}

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment) to make `a` from `b`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(LONGEST).collect(), b.chars().take(LONGEST).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

/// Longer words are compared by their beginning: what is typed is short, and a hostile word costs no more.
const LONGEST: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_another_word_is_not() {
        let words = ["vco", "vcf", "delay", "noise"];
        assert_eq!(similar("dleay", words.into_iter()), ["delay"]);
        assert_eq!(similar("vcp", words.into_iter()), ["vco", "vcf"]);
        assert!(similar("reverb", words.into_iter()).is_empty());
    }
}
