//! What this machine is, as /proc and /sys tell it: for `doctor` and for the reports of `bench`. Names no host, no user, no path.

use std::fs;

use serde::Serialize;
use tine_protocol::sys::sched;

/// One machine. What cannot be known is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Machine {
    /// The processor's name.
    pub cpu: Option<String>,
    /// Cores that this process may use.
    pub cores: usize,
    /// The system runs in a virtual machine: its cores are shared with others, and stall now and then.
    pub is_virtual: bool,
    /// Version of the kernel.
    pub kernel: String,
    /// How the cores' clocks are chosen; several where they differ.
    pub governors: Vec<String>,
    /// A thread was given real-time priority.
    pub is_realtime: bool,
    /// The most memory that may be locked, in bytes; absent: any amount.
    pub locked_bytes_max: Option<u64>,
    /// What real-time threads may use of each second, in microseconds; absent: all of it, or not known.
    pub realtime_us_per_s: Option<u64>,
    /// The most that a real-time thread may compute without sleeping, in microseconds; absent: any time.
    pub realtime_timeout_us: Option<u64>,
    /// How late an ordinary thread's timer may be, in nanoseconds.
    pub timer_slack_ns: Option<u64>,
    /// Some memory may be moved to disk.
    pub has_swap: bool,
    /// The system knows a sound card.
    pub has_card: bool,
}

/// The capability that goes beyond the limit on locked memory (capabilities(7)).
const CAP_IPC_LOCK: u32 = 14;

impl Machine {
    /// This one.
    pub fn here() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let limits = read("/proc/self/limits");
        let may_lock_all = has_capability(&read("/proc/self/status"), CAP_IPC_LOCK);
        let runtime = read("/proc/sys/kernel/sched_rt_runtime_us");
        Machine {
            cpu: field(&cpuinfo, "model name").or_else(|| field(&cpuinfo, "Model")),
            cores: sched::cores().len(),
            is_virtual: field(&cpuinfo, "flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            governors: governors(),
            is_realtime: may_be_realtime(),
            locked_bytes_max: limit(&limits, "Max locked memory").filter(|_| !may_lock_all),
            realtime_us_per_s: runtime.trim().parse().ok(),
            realtime_timeout_us: limit(&limits, "Max realtime timeout"),
            timer_slack_ns: read("/proc/self/timerslack_ns").trim().parse().ok(),
            // The first line is the head of the table.
            has_swap: read("/proc/swaps").lines().count() > 1,
            has_card: read("/proc/asound/cards").lines().any(|line| line.trim_start().starts_with(char::is_numeric)),
        }
    }

    /// One line for a report.
    pub fn text(&self) -> String {
        let mut parts = vec![self.cpu.clone().unwrap_or_else(|| "unknown processor".to_owned())];
        let shared = if self.is_virtual { " (virtual, shared)" } else { "" };
        parts.push(format!("{} core{}{shared}", self.cores, if self.cores == 1 { "" } else { "s" }));
        parts.push(format!("Linux {}", self.kernel));
        if !self.governors.is_empty() {
            parts.push(format!("governor {}", self.governors.join(", ")));
        }
        parts.push(if self.is_realtime { "real-time rights" } else { "no real-time rights" }.to_owned());
        parts.join("; ")
    }
}

/// Whether a thread of ours is given the highest priority that the engine asks for. Tried, not guessed.
fn may_be_realtime() -> bool {
    let try_it = || sched::set_fifo(0, sched::priority::SUPERVISOR).is_ok();
    std::thread::Builder::new().spawn(try_it).ok().and_then(|thread| thread.join().ok()).unwrap_or(false)
}

fn governors() -> Vec<String> {
    let path = |core: &u16| format!("/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_governor");
    let mut governors: Vec<String> = sched::cores()
        .iter()
        .filter_map(|core| fs::read_to_string(path(core)).ok())
        .map(|governor| governor.trim().to_owned())
        .collect();
    governors.sort();
    governors.dedup();
    governors
}

/// The value behind `name` in a file of lines `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

/// The soft limit called `name` in a text like /proc/self/limits; `None`: unlimited, or no such limit.
fn limit(limits: &str, name: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn has_capability(status: &str, number: u32) -> bool {
    let bits = field(status, "CapEff").and_then(|text| u64::from_str_radix(&text, 16).ok());
    bits.is_some_and(|bits| bits >> number & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_rights_are_read_as_the_kernel_writes_them() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max locked memory         8388608              8388608              bytes     \n\
                      Max realtime timeout      unlimited            unlimited            us        \n";
        assert_eq!(limit(limits, "Max locked memory"), Some(8_388_608));
        assert_eq!(limit(limits, "Max realtime timeout"), None);
        assert!(has_capability("Name:\ttine\nCapEff:\t000001fffeffffff\n", CAP_IPC_LOCK));
        assert!(!has_capability("CapEff:\t0000000000000000\n", CAP_IPC_LOCK));
    }

    #[test]
    fn this_machine_has_a_kernel_and_a_core() {
        let machine = Machine::here();
        assert!(machine.cores > 0 && machine.kernel.starts_with(char::is_numeric), "{machine:?}");
        assert!(machine.text().contains("Linux"), "{}", machine.text());
    }
}
