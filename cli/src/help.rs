//! `help`: the table of verbs as a page, or one verb, or one kind.

use crate::grammar::{VERBS, verbs};
use crate::words::Style;
use crate::words::table::Table;
use crate::{catalog, similar};

/// What stands below the list: the forms of values, which no verb's line has room for.
const VALUES: &str = "values: 440 440hz 1.2khz c#3 -6db 20ms 1.5s 1/8 50% on saw
\";\" separates, \"#\" starts a comment, Tab completes, Ctrl-R searches what was typed";

/// Help about everything, a verb or a kind.
///
/// # Errors
/// If `word` is neither; the message says what is near.
pub fn text(word: Option<&str>, style: Style) -> Result<String, String> {
    let Some(word) = word else {
        let mut table = Table::new(&["command", "what it does"]);
        for verb in VERBS {
            table.row([verb.usage.to_owned(), verb.summary.to_owned()]);
        }
        return Ok(format!("{}\n{VALUES}", table.text(style)));
    };
    if let Some(verb) = verbs::exact(word) {
        return Ok(format!("{}\n{}", style.head(verb.usage), verb.summary));
    }
    if tine_modules::kind(word).is_some() {
        return catalog::text(Some(word), style);
    }
    let kinds = tine_modules::CATALOGUE.iter().map(|kind| kind.spec.name);
    Err(match similar::nearest(word, VERBS.iter().map(|verb| verb.word).chain(kinds)) {
        Some(near) => format!("no help on {word:?}; did you mean {near:?}?"),
        None => format!("no help on {word:?}; \"help\" lists the commands, \"modules\" the kinds"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_and_each_has_its_page() {
        let all = text(None, Style::PLAIN).unwrap();
        for verb in VERBS {
            assert!(all.contains(verb.usage) && all.contains(verb.summary), "{}", verb.word);
            assert!(text(Some(verb.word), Style::PLAIN).unwrap().starts_with(verb.usage));
        }
        assert!(text(Some("vca"), Style::PLAIN).unwrap().starts_with("vca: "));
        assert_eq!(text(Some("conect"), Style::PLAIN).unwrap_err(), "no help on \"conect\"; did you mean \"connect\"?");
    }
}
