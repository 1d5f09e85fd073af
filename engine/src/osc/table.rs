//! Every address the server answers: said once, for dispatch, for messages about wrong arguments, for help and OSCQuery.

use rosc::OscMessage;

use super::action::{Action, Fault, Leaf, Matching};
use super::args::Args;
use super::glob::Glob;
use super::handlers as h;

/// One address.
pub struct Address {
    /// As sent; `<id>` and `<param>` stand for any.
    pub pattern: &'static str,
    /// Types and names; `+` one or more, `*` none or more, `[]` may be left out.
    pub arguments: &'static str,
    /// One line of help.
    pub summary: &'static str,
    pub(super) read: fn(&mut Args) -> Result<Action, Fault>,
}

const fn on(
    pattern: &'static str,
    arguments: &'static str,
    summary: &'static str,
    read: fn(&mut Args) -> Result<Action, Fault>,
) -> Address {
    Address { pattern, arguments, summary, read }
}

/// The table.
pub static ADDRESSES: &[Address] = &[
    on("/create", "s:kind id [s:param v]*", "makes a module; the same again changes nothing", h::create),
    on("/destroy", "id+", "removes modules and their cables", h::destroy),
    on("/connect", "id s:out id s:in [f:gain]", "makes a cable; \"\" is the default port", h::connect),
    on("/disconnect", "id [s:out id s:in]", "removes a cable, or all of a module's", h::disconnect),
    on("/set", "id [s:param v]+", "moves params, in their units", h::set),
    on("/ramp", "id s:param v f:seconds", "moves a param in so many seconds", h::ramp),
    on(NOTE, "f:pitch [f:velocity]", "plays a pitch, in octaves from C4, and opens the gate", h::note),
    on(GATE, "f:level", "opens the gate above 0.5, closes it below", h::gate),
    on(TRIG, "[f:level]", "a short pulse; a level below 0.5 (a button let go) gives none", h::trig),
    on(PARAM, "v", "moves a param, in its unit", h::param),
    on(FRACTION, "f:fraction", "moves a param by 0..1 of its range and curve", h::fraction),
    on("/get", "id s:param*", "values of params, or of all", h::get),
    on("/list", "[s:glob]", "modules whose id matches", h::list),
    on("/kinds", "[s:glob]", "kinds whose name matches", h::kinds),
    on("/info", "id", "one module: ports, params, cables", h::info),
    on("/cables", "[s:glob]", "cables from or to a matching module", h::cables),
    on("/pool", "", "all workers", h::pool),
    on("/status", "", "load and rate, as scsynth says it", h::status),
    on("/stats", "", "counters and timings", h::stats),
    on("/version", "", "the program and its version, as scsynth says it", h::version),
    on("/sync", "i:number", "answers once everything before it is in effect", h::sync),
    on("/notify", "i:on [s:host i:port]", "events and echoes to the asker, or to another address", h::notify),
    on("/save", "s:path", "writes the patch to a file", h::save),
    on("/load", "s:path", "replaces the patch by a file's", h::load),
    on("/run", "s:path", "carries out a script", h::run),
    on("/undo", "[i:count]", "takes back the last changes", h::undo),
    on("/redo", "[i:count]", "does again what was taken back", h::redo),
    on("/snap/store", "s:name", "not there yet", h::unsupported),
    on("/snap/recall", "s:name [f:seconds]", "not there yet", h::unsupported),
    on("/record/start", "s:path", "records what out gives", h::record_start),
    on("/record/stop", "", "ends the recording", h::record_stop),
    on("/eval", "s:line", "carries out a line of the REPL", h::eval),
    on("/panic", "", "closes all gates and silences all tails", h::panic),
    on("/clearSched", "", "forgets all that waits for its time", h::clear_schedule),
    on("/quit", "", "ends the engine", h::quit),
    on(REQUEST, "i:token s:address args...", "the same, done once however often it is sent", h::nested_request),
];

const NOTE: &str = "/m/<id>/note";
const GATE: &str = "/m/<id>/gate";
const TRIG: &str = "/m/<id>/trig";
const PARAM: &str = "/m/<id>/<param>";
const FRACTION: &str = "/n/<id>/<param>";

/// Wraps another message; the one address that dispatch itself reads.
pub(super) const REQUEST: &str = "/req";

/// What a server says. Answering one that comes in would let two servers answer each other for ever.
const ANSWERS: &[&str] = &["/fail", "/done", "/late", "/synced"];

/// Whether this address is an answer or event of some server, not a question.
pub(super) fn is_answer(address: &str) -> bool {
    ANSWERS.contains(&address) || address.ends_with(".reply")
}

fn entry(pattern: &str) -> Option<&'static Address> {
    ADDRESSES.iter().find(|entry| entry.pattern == pattern)
}

/// What `message` asks for.
pub(super) fn read(message: &OscMessage) -> Result<Action, Fault> {
    let address = message.addr.as_str();
    let parts: Vec<&str> = address.split('/').skip(1).take(4).collect();
    match parts[..] {
        ["m", id, leaf] => {
            if Glob::is_pattern(id) || Glob::is_pattern(leaf) {
                return matching("/m/", id, leaf, message);
            }
            let entry = verb(leaf).or_else(|| entry(PARAM));
            read_as(entry, [id, leaf], message)
        }
        ["n", id, leaf] if Glob::is_pattern(id) || Glob::is_pattern(leaf) => matching("/n/", id, leaf, message),
        ["n", id, leaf] => read_as(entry(FRACTION), [id, leaf], message),
        _ => read_as(entry(address), ["", ""], message),
    }
}

/// What one of the modules and params that match is asked for.
pub(super) fn read_param(prefix: &str, id: &str, param: &str, args: &[rosc::OscType]) -> Result<Action, Fault> {
    let entry = entry(if prefix == "/n/" { FRACTION } else { PARAM }).expect("both stand in the table");
    (entry.read)(&mut Args::new(entry, [id, param], args))
}

fn verb(leaf: &str) -> Option<&'static Address> {
    [NOTE, GATE, TRIG].into_iter().find(|pattern| pattern.ends_with(&format!("/{leaf}"))).and_then(entry)
}

fn read_as(entry: Option<&'static Address>, parts: [&str; 2], message: &OscMessage) -> Result<Action, Fault> {
    let address = message.addr.as_str();
    let Some(entry) = entry else {
        // Only what begins alike: an answer much longer than its question would serve attacks on others.
        let similar = ADDRESSES.iter().map(|entry| entry.pattern).filter(|known| known.get(..3) == address.get(..3));
        let similar = similar.collect::<Vec<_>>().join(" ");
        let hint = if similar.is_empty() { similar } else { format!("; there is {similar}") };
        let message = format!("no address {:?}{hint}", shorten(address));
        return Err(Fault { code: "not_found", message });
    };
    let mut args = Args::new(entry, parts, &message.args);
    let action = (entry.read)(&mut args)?;
    args.end()?;
    Ok(action)
}

fn matching(prefix: &'static str, id: &str, leaf: &str, message: &OscMessage) -> Result<Action, Fault> {
    let glob = |part: &str| {
        Glob::new(part).ok_or_else(|| Fault {
            code: "parse",
            message: format!("a pattern is made of * ? [a-z] [!a-z] {{one,two}}, not {:?}", shorten(part)),
        })
    };
    let leaf = match verb(leaf) {
        Some(verb) if prefix == "/m/" => Leaf::Verb(verb),
        _ => Leaf::Params(glob(leaf)?),
    };
    Ok(Action::Matching(Matching { prefix, ids: glob(id)?, leaf, args: message.args.clone() }))
}

/// As much of a hostile string as fits an error message.
pub(super) fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_stands_once_and_is_found() {
        for address in ADDRESSES {
            assert_eq!(ADDRESSES.iter().filter(|other| other.pattern == address.pattern).count(), 1);
            assert!(!address.summary.is_empty());
            let addr = address.pattern.replace("<id>", "1").replace("<param>", "cutoff");
            let fault = read(&OscMessage { addr, args: vec![rosc::OscType::Nil; 9] }).err();
            assert!(fault.is_some_and(|fault| fault.code != "not_found"), "{}", address.pattern);
        }
    }
}
