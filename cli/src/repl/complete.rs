//! What Tab offers: from the verbs' table, the catalogue and what is in the patch now. Changes nothing.

use tine_engine::answer::ModuleInfo;
use tine_modules::CATALOGUE;
use tine_protocol::spec::{KindSpec, ParamSpec, PortSpec, Role, Unit};

use crate::catalog::signal;
use crate::grammar::lexer::{Sort, Token, lex};
use crate::grammar::verbs::{Place, find};
use crate::grammar::{Mode, VERBS, Verb};
use crate::patchfile::literal;
use crate::words::number::{quantity, range};

/// What only a running session and the disk know. `tine connect` knows neither, and offers static words.
pub trait Live {
    /// The modules of the patch, `out` included; empty where nobody can be asked.
    fn modules(&self) -> Vec<ModuleInfo>;
    /// Files whose path starts so.
    fn files(&self, start: &str) -> Vec<String>;
}

/// One thing that could stand here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What is put into the line.
    pub text: String,
    /// What is shown in the list.
    pub display: String,
    /// More of the same word may follow, so no space does.
    pub open: bool,
}

impl Candidate {
    fn new(text: impl Into<String>, about: &str) -> Candidate {
        let text = text.into();
        let display = if about.is_empty() { text.clone() } else { format!("{text}  {about}") };
        Candidate { open: text.ends_with(['=', '/']), text, display }
    }
}

/// Where the word before the cursor starts, and what it could become. `before` is the line up to the cursor.
pub fn complete(before: &str, live: &dyn Live) -> (usize, Vec<Candidate>) {
    let nothing = (before.len(), Vec::new());
    let Ok(tokens) = lex(before) else { return nothing };
    let end = tokens.last().map_or(0, |token| token.at + token.text.len());
    let quoted = tokens.last().is_some_and(|token| token.sort == Sort::Quoted);
    if quoted || before[end.min(before.len())..].trim_start().starts_with('#') {
        return nothing;
    }
    let statement = tokens.rsplit(|token| token.sort == Sort::Semicolon).next().unwrap_or_default();
    let (words, word, at) = match statement.split_last() {
        Some((last, words)) if end == before.len() && last.sort == Sort::Word => (words, last.text.as_str(), last.at),
        _ => (statement, "", before.len()),
    };
    let Some((head, rest)) = words.split_first() else {
        let verbs = VERBS.iter().map(|verb| Candidate::new(verb.word, verb.summary));
        return (at, starting(word, verbs));
    };
    let Ok(verb) = find(head, Mode::Interactive) else { return nothing };
    let (skip, candidates) = after_verb(verb, rest, word, live);
    (at + skip, starting(&word[skip..], candidates))
}

fn starting(word: &str, candidates: impl IntoIterator<Item = Candidate>) -> Vec<Candidate> {
    candidates.into_iter().filter(|candidate| candidate.text.starts_with(word)).collect()
}

/// Candidates for a word after a verb, and how many bytes of the word stay as they are.
fn after_verb(verb: &Verb, rest: &[Token], word: &str, live: &dyn Live) -> (usize, Vec<Candidate>) {
    if word.starts_with("--") {
        let is_given = |flag: &str| rest.iter().any(|token| token.text == flag);
        return (0, verb.flags.iter().filter(|flag| !is_given(flag)).map(|&flag| Candidate::new(flag, "")).collect());
    }
    if let Some(last) = rest.last()
        && verb.flags.contains(&last.text.as_str())
    {
        let ids = if last.text == "--with" { ids(live, |_| true) } else { Vec::new() };
        return (0, ids);
    }
    let taken = positional(verb, rest);
    let index = taken.iter().filter(|token| token.sort != Sort::Arrow).count();
    // Params and values alternate; elsewhere the last place repeats.
    let place = match verb.places {
        places if places.contains(&Place::Value) => places[index % places.len()],
        places => places[index.min(places.len() - 1)],
    };
    at_place(place, &taken, word, live)
}

/// The words that are neither flags nor their values.
fn positional<'a>(verb: &Verb, rest: &'a [Token]) -> Vec<&'a Token> {
    let mut taken = Vec::new();
    let mut tokens = rest.iter();
    while let Some(token) = tokens.next() {
        if verb.flags.contains(&token.text.as_str()) {
            tokens.next();
        } else if !token.text.starts_with("--") {
            taken.push(token);
        }
    }
    taken
}

fn at_place(place: Place, taken: &[&Token], word: &str, live: &dyn Live) -> (usize, Vec<Candidate>) {
    let kinds = |creatable_only: bool| {
        let fits = move |kind: &&KindSpec| !creatable_only || kind.role == Role::Lane;
        CATALOGUE.iter().map(|kind| kind.spec).filter(fits).map(|kind| Candidate::new(kind.name, kind.summary))
    };
    match place {
        Place::Free => (0, Vec::new()),
        Place::Kind => (0, kinds(true).collect()),
        Place::AnyKind => (0, kinds(false).collect()),
        Place::Topic => {
            let verbs = VERBS.iter().map(|verb| Candidate::new(verb.word, verb.summary));
            (0, verbs.chain(kinds(false)).collect())
        }
        Place::Switch => (0, ["on", "off"].map(|word| Candidate::new(word, "")).to_vec()),
        Place::File => (0, live.files(word).into_iter().map(|file| Candidate::new(file, "")).collect()),
        Place::Id => (0, ids(live, |_| true)),
        Place::Assignment => assignment(taken, word),
        Place::Param => dotted(word, live, |module| {
            let shown = |(spec, &value): (&ParamSpec, &f32)| {
                Candidate::new(spec.name, &format!("{}  ({})", quantity(value, spec), range(spec)))
            };
            module.kind.params.iter().zip(&module.params).map(shown).collect()
        }),
        Place::Value => (0, values(taken, live)),
        Place::Output => dotted(word, live, outputs),
        Place::Path => match taken.last() {
            None => dotted(word, live, outputs),
            Some(last) if last.sort == Sort::Arrow => dotted(word, live, inputs),
            Some(_) => (0, vec![Candidate::new(">", "")]),
        },
    }
}

fn ids(live: &dyn Live, fits: impl Fn(&ModuleInfo) -> bool) -> Vec<Candidate> {
    let modules = live.modules();
    modules
        .iter()
        .filter(|module| fits(module))
        .map(|module| Candidate::new(module.id.as_str(), module.kind.name))
        .collect()
}

/// Ids of modules that have such parts, or after a dot the parts of one.
fn dotted(word: &str, live: &dyn Live, parts: impl Fn(&ModuleInfo) -> Vec<Candidate>) -> (usize, Vec<Candidate>) {
    match word.split_once('.') {
        None => {
            let ids = ids(live, |module| !parts(module).is_empty());
            (0, ids.into_iter().map(|id| Candidate { open: true, ..id }).collect())
        }
        Some((id, _)) => {
            let modules = live.modules();
            let found = modules.iter().find(|module| module.id.as_str() == id);
            (id.len() + 1, found.map(parts).unwrap_or_default())
        }
    }
}

fn port(port: &PortSpec) -> Candidate {
    Candidate::new(port.name, &format!("{}, {}", signal(port.signal), port.summary))
}

fn outputs(module: &ModuleInfo) -> Vec<Candidate> {
    module.kind.outputs.iter().map(port).collect()
}

fn inputs(module: &ModuleInfo) -> Vec<Candidate> {
    // No cable sweeps the tempo.
    let params = module.kind.params.iter().zip(&module.params).filter(|(spec, _)| spec.unit != Unit::BeatsPerMinute);
    let params = params.map(|(spec, &value)| Candidate::new(spec.name, &format!("param, {}", quantity(value, spec))));
    module.kind.inputs.iter().map(port).chain(params).collect()
}

/// `PARAM=` of the kind that is being created, or after `=` its choices.
fn assignment(taken: &[&Token], word: &str) -> (usize, Vec<Candidate>) {
    let kind = taken.first().and_then(|token| tine_modules::kind(token.text.split('*').next()?));
    let Some((_, kind)) = kind else { return (0, Vec::new()) };
    match word.split_once('=') {
        Some((param, _)) => {
            let spec = kind.spec.param(param).map(|index| &kind.spec.params[index]);
            (param.len() + 1, spec.map(|spec| choices(spec, spec.default)).unwrap_or_default())
        }
        None => {
            let is_given = |name: &str| taken.iter().any(|token| token.text.split('=').next() == Some(name));
            let params = kind.spec.params.iter().filter(|spec| !is_given(spec.name));
            let shown = params.map(|spec| {
                let about = format!("{}  ({})", quantity(spec.default, spec), range(spec));
                Candidate::new(format!("{}=", spec.name), &about)
            });
            (0, shown.collect())
        }
    }
}

/// Values for the param named by the word before.
fn values(taken: &[&Token], live: &dyn Live) -> Vec<Candidate> {
    let named = taken.last().and_then(|token| token.text.split_once('.'));
    let Some((id, param)) = named else { return Vec::new() };
    let modules = live.modules();
    let Some(module) = modules.iter().find(|module| module.id.as_str() == id) else { return Vec::new() };
    let Some(index) = module.kind.param(param) else { return Vec::new() };
    choices(&module.kind.params[index], module.params[index])
}

/// The words of a choice; of a number, the one it has now.
fn choices(spec: &ParamSpec, now: f32) -> Vec<Candidate> {
    match spec.unit {
        Unit::Choice => spec.choices.iter().map(|&choice| Candidate::new(choice, "")).collect(),
        Unit::File => Vec::new(),
        _ => {
            vec![Candidate::new(literal(now, spec), &format!("now; {}", range(spec)))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_engine::name::Name;

    struct Fake;

    impl Live for Fake {
        fn modules(&self) -> Vec<ModuleInfo> {
            let module = |id: &str, kind: &str| {
                let kind = tine_modules::kind(kind).unwrap().1.spec;
                let params = kind.params.iter().map(|spec| spec.default).collect();
                ModuleInfo {
                    id: Name::new(id).unwrap(),
                    kind,
                    channels: 1,
                    worker: None,
                    bypassed: false,
                    params,
                    files: Vec::new(),
                }
            };
            vec![module("amp", "vca"), module("out", "out")]
        }

        fn files(&self, start: &str) -> Vec<String> {
            vec![format!("{start}.tine")]
        }
    }

    fn offered(before: &str) -> Vec<String> {
        complete(before, &Fake).1.into_iter().map(|candidate| candidate.text).collect()
    }

    #[test]
    fn each_place_offers_what_may_stand_there() {
        for (before, offers) in [
            ("conn", &["connect"][..]),
            ("pool; conn", &["connect"]),
            ("create vc", &["vca"]),
            ("create ou", &[]),
            ("create vca ", &["gain="]),
            ("create vca*2 gain=2 ", &[]),
            ("create vca --", &["--id", "--with", "--worker"]),
            ("create vca --id 1 --w", &["--with", "--worker"]),
            ("create vca --with a", &["amp"]),
            ("connect a", &["amp"]),
            ("connect amp.", &["out"]),
            ("connect amp.out ", &[">"]),
            ("connect amp > ", &["amp", "out"]),
            ("connect amp >", &["amp", "out"]),
            ("connect amp > out.", &["left", "right"]),
            ("connect amp > amp.", &["in", "gain"]),
            ("set ", &["amp", "out"]),
            ("set amp.", &["gain"]),
            ("set amp.gain ", &["1"]),
            ("set amp.gain 2 am", &["amp"]),
            ("bypass amp ", &["on", "off"]),
            ("dest am", &["amp"]),
            ("load so", &["so.tine"]),
            ("help conn", &["connect"]),
            ("xyzzy ", &[]),
            ("set # a", &[]),
            ("save \"a", &[]),
        ] {
            let got = offered(before);
            let got: Vec<&str> = got.iter().map(String::as_str).filter(|text| !is_other_kind(text)).collect();
            assert_eq!(got, offers, "{before}");
        }
    }

    /// Kinds that were added to the catalogue since.
    fn is_other_kind(text: &str) -> bool {
        tine_modules::kind(text).is_some() && !["vca", "out", "in"].contains(&text)
    }

    #[test]
    fn params_show_their_value_and_range() {
        let (at, offers) = complete("set amp.ga", &Fake);
        assert_eq!((at, offers[0].display.as_str()), (8, "gain  1  (-8 .. 8)"));
    }

    proptest::proptest! {
        #[test]
        fn no_line_makes_completion_panic(before in ".{0,40}") {
            complete(&before, &Fake);
        }

        #[test]
        fn nor_one_that_looks_like_the_language(
            before in r#"(create|connect|set|get) (vca|amp|\.|>|=|;|"|#|--|gain|é|\*| ){0,8}"#,
        ) {
            let (at, _) = complete(&before, &Fake);
            proptest::prop_assert!(before.is_char_boundary(at));
        }
    }
}
