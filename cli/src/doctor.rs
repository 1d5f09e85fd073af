//! What stands in the way of low latency on a machine, and the command that mends each. Judges facts; changes nothing.

use tine_engine::device::{Backend, DeviceInfo};

use crate::machine::Machine;
use crate::words::Style;

/// Oldest kernel that has what Tine needs (DESIGN 8).
const KERNEL_MIN: (u32, u32) = (5, 16);

/// What one worker maps and so locks at most, as the kernel counts it: nobody raises the limit to less than all of it.
const LOCK_ENOUGH: u64 = 64 << 30;

/// What Linux leaves to real-time threads unless told otherwise: 95 % of each second.
const REALTIME_US_USUAL: u64 = 950_000;

/// One thing looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// How it is.
    pub says: String,
    /// What mends it; `None`: nothing needs mending.
    pub mend: Option<String>,
}

fn fine(what: &'static str, says: impl Into<String>) -> Finding {
    Finding { what, says: says.into(), mend: None }
}

fn wrong(what: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { what, says: says.into(), mend: Some(mend.into()) }
}

/// Everything that matters, in the order of what it costs.
pub fn judge(machine: &Machine, devices: &[DeviceInfo]) -> Vec<Finding> {
    vec![
        real_time(machine),
        locked_memory(machine),
        governor(machine),
        throttling(machine),
        timeout(machine),
        sound(machine, devices),
        cores(machine),
        kernel(machine),
        timer_slack(machine),
        swap(machine),
    ]
}

/// The findings as lines: `ok` or `!!`, what, how it is, and the command.
pub fn text(findings: &[Finding], style: Style) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let lines = findings.iter().map(|Finding { what, says, mend }| match mend {
        None => format!("ok  {what:<width$}  {says}"),
        Some(mend) => format!("{}  {what:<width$}  {says}: {mend}", style.bad("!!")),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Sets a limit of pam_limits for whoever logs in as a member of `audio`.
fn raise(limit: &str) -> String {
    format!(
        "echo '@audio - {limit}' | sudo tee -a /etc/security/limits.d/95-tine.conf; sudo usermod -aG audio $USER; \
         then log in again"
    )
}

fn real_time(machine: &Machine) -> Finding {
    match machine.is_realtime {
        true => fine("real time", "granted"),
        false => wrong("real time", "refused, so that any program may delay the sound", raise("rtprio 95")),
    }
}

fn locked_memory(machine: &Machine) -> Finding {
    match machine.locked_bytes_max {
        Some(bytes) if bytes < LOCK_ENOUGH => {
            let says = format!("{} MiB may be locked, which is too little to keep workers in memory", bytes >> 20);
            wrong("locked memory", says, raise("memlock unlimited"))
        }
        _ => fine("locked memory", "as much as is needed"),
    }
}

fn governor(machine: &Machine) -> Finding {
    match machine.governors.as_slice() {
        [] => fine("clock", "not ours to choose (the machine outside this one does, or it is fixed)"),
        [one] if one == "performance" => fine("clock", "always full (governor performance)"),
        some => {
            let says = format!("slows down between blocks (governor {})", some.join(", "));
            wrong("clock", says, "sudo cpupower frequency-set -g performance")
        }
    }
}

fn throttling(machine: &Machine) -> Finding {
    let mend = format!("sudo sysctl -w kernel.sched_rt_runtime_us={REALTIME_US_USUAL}");
    match machine.realtime_us_per_s {
        Some(us) if us < REALTIME_US_USUAL => {
            let says = format!("real-time threads are stopped after {} % of each second", us as f64 / 10_000.0);
            wrong("throttling", says, mend)
        }
        Some(us) if us < 1_000_000 => {
            fine("throttling", format!("only above {} % load of a core", us as f64 / 10_000.0))
        }
        _ => fine("throttling", "none"),
    }
}

fn timeout(machine: &Machine) -> Finding {
    match machine.realtime_timeout_us {
        Some(us) => {
            let says = format!("a thread that computes for {us} us at one go is killed (RLIMIT_RTTIME)");
            wrong("time limit", says, "sudo prlimit --pid $$ --rttime=unlimited, in the shell that starts tine")
        }
        None => fine("time limit", "none"),
    }
}

fn sound(machine: &Machine, devices: &[DeviceInfo]) -> Finding {
    // ALSA's own `null` discards what it is given: nobody hears that.
    let has = |backend| devices.iter().any(|device| device.backend == backend && device.name != "null");
    match (has(Backend::Alsa), has(Backend::Jack)) {
        (true, true) => fine("sound", "ALSA devices and a JACK server (tine devices lists them)"),
        (true, false) => fine("sound", "ALSA devices (tine devices lists them)"),
        (false, true) => fine("sound", "a JACK server"),
        (false, false) if machine.has_card => {
            let says = "there is a card, but it cannot be opened (no right to it, or another program holds it)";
            wrong("sound", says, "sudo usermod -aG audio $USER, log in again; fuser -v /dev/snd/* shows who holds it")
        }
        (false, false) => {
            let says = "no card and no JACK server: tine runs on null, in real time but unheard";
            wrong("sound", says, "plug in a card (aplay -l shows what the system sees), or start a JACK server")
        }
    }
}

fn cores(machine: &Machine) -> Finding {
    let count = machine.cores;
    match (count, machine.is_virtual) {
        (0 | 1, _) => {
            let says = "one core for conductor, workers and everything else";
            wrong("cores", says, "taskset -pc 0-255 $$ allows this shell all that there are")
        }
        (_, true) => {
            let says = format!("{count} virtual cores, which others may take away for milliseconds");
            wrong(
                "cores",
                says,
                "tine --lead 4 hides stalls of some milliseconds; for playing, run on the machine itself",
            )
        }
        _ => fine("cores", format!("{count}")),
    }
}

fn kernel(machine: &Machine) -> Finding {
    let (major, minor) = KERNEL_MIN;
    let mut numbers = machine.kernel.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= KERNEL_MIN {
        return fine("kernel", format!("{}.{}", version.0, version.1));
    }
    let says = format!("{} is older than {major}.{minor}, which has what tine needs", machine.kernel);
    wrong("kernel", says, "sudo apt full-upgrade, or your distribution's way to a newer kernel")
}

fn timer_slack(machine: &Machine) -> Finding {
    let Some(slack_ns) = machine.timer_slack_ns else { return fine("timers", "exact") };
    let slack_us = slack_ns as f64 / 1000.0;
    match machine.is_realtime {
        // Real-time threads have none (prctl(2), PR_SET_TIMERSLACK).
        true => fine("timers", "exact for real-time threads"),
        false => {
            wrong("timers", format!("up to {slack_us} us late for ordinary threads"), "real-time rights, as above")
        }
    }
}

fn swap(machine: &Machine) -> Finding {
    let is_locked = machine.locked_bytes_max.is_none_or(|bytes| bytes >= LOCK_ENOUGH);
    match (machine.has_swap, is_locked) {
        (false, _) => fine("swap", "none"),
        (true, true) => fine("swap", "in use, but workers lock their memory"),
        (true, false) => {
            wrong("swap", "memory may go to disk while it sounds", "sudo swapoff -a, or lock memory as above")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tine_engine::device::null;

    fn good() -> Machine {
        Machine {
            cores: 8,
            kernel: "6.1.0-13-amd64".to_owned(),
            governors: vec!["performance".to_owned()],
            is_realtime: true,
            realtime_us_per_s: Some(950_000),
            timer_slack_ns: Some(50_000),
            ..Machine::default()
        }
    }

    fn card() -> DeviceInfo {
        DeviceInfo { backend: Backend::Alsa, name: "hw:0".to_owned(), ..null::info() }
    }

    /// What is found wrong.
    fn complaints(machine: &Machine, devices: &[DeviceInfo]) -> Vec<&'static str> {
        judge(machine, devices).iter().filter(|finding| finding.mend.is_some()).map(|finding| finding.what).collect()
    }

    #[test]
    fn on_a_machine_made_for_sound_nothing_is_wrong() {
        assert_eq!(complaints(&good(), &[card(), null::info()]), [""; 0]);
    }

    #[test]
    fn each_obstacle_is_named_by_itself() {
        let mends = |change: fn(&mut Machine)| {
            let mut machine = good();
            change(&mut machine);
            complaints(&machine, &[card()])
        };
        assert_eq!(mends(|machine| machine.is_realtime = false), ["real time", "timers"]);
        assert_eq!(mends(|machine| machine.locked_bytes_max = Some(8 << 20)), ["locked memory"]);
        assert_eq!(mends(|machine| machine.governors = vec!["powersave".into()]), ["clock"]);
        assert_eq!(mends(|machine| machine.realtime_us_per_s = Some(0)), ["throttling"]);
        assert_eq!(mends(|machine| machine.realtime_timeout_us = Some(200_000)), ["time limit"]);
        assert_eq!(mends(|machine| machine.cores = 1), ["cores"]);
        assert_eq!(mends(|machine| machine.is_virtual = true), ["cores"]);
        assert_eq!(mends(|machine| machine.kernel = "5.15.0-91".into()), ["kernel"]);
        assert_eq!(mends(|machine| machine.kernel = "6.0".into()), [""; 0]);
        assert_eq!(mends(|machine| machine.has_swap = true), [""; 0], "locked memory is not swapped");
        let both = mends(|machine| (machine.has_swap, machine.locked_bytes_max) = (true, Some(0)));
        assert_eq!(both, ["locked memory", "swap"]);
    }

    #[test]
    fn a_card_that_does_not_open_is_told_from_none_at_all() {
        let sound = |machine: &Machine| judge(machine, &[null::info()]).swap_remove(5);
        assert!(sound(&good()).says.contains("no card"));
        assert!(sound(&Machine { has_card: true, ..good() }).says.contains("cannot be opened"));
    }

    #[test]
    fn each_finding_is_one_line_that_ends_with_its_command() {
        let machine = Machine { is_realtime: false, ..good() };
        let findings = judge(&machine, &[card()]);
        let text = text(&findings, Style::PLAIN);
        assert_eq!(text.lines().count(), findings.len());
        assert!(text.starts_with("!!  real time"), "{text}");
        assert!(text.lines().next().is_some_and(|line| line.contains("rtprio 95")), "{text}");
    }
}
