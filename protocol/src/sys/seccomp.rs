//! What a worker may ask of the kernel: little while it waits for a lane, and next to nothing once it has one.
//!
//! A module's code needs no system call at all. Whatever else is called ends the worker (SIGSYS), and a spare goes on.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// How far a worker is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Ready; it still has to report, and to receive and map a lane.
    Ready,
    /// It executes a lane.
    Seated,
}

/// Calls that are allowed whatever their arguments, and why.
const ALWAYS: &[(i64, &str)] = &[
    (libc::SYS_futex, "sleep until a block is due or an input is there; wake who sleeps for us"),
    (libc::SYS_madvise, "have the pages of a new module present before it writes them"),
    (libc::SYS_clock_gettime, "time a block, where the vDSO cannot"),
    (libc::SYS_exit, "end"),
    (libc::SYS_exit_group, "end"),
    (libc::SYS_restart_syscall, "go on sleeping after SIGCONT"),
    (libc::SYS_rt_sigreturn, "return from the signal that tells of a lost zygote"),
    (libc::SYS_getppid, "see there whether the keeper lives"),
    (libc::SYS_rt_sigprocmask, "abort"),
    (libc::SYS_rt_sigaction, "abort"),
    (libc::SYS_getpid, "abort"),
    (libc::SYS_gettid, "abort"),
    (libc::SYS_brk, "memory for the words of a panic"),
    (libc::SYS_munmap, "give memory back"),
];

/// Further calls of a worker that has no lane yet.
const UNTIL_SEATED: &[(i64, &str)] = &[
    (libc::SYS_sendmsg, "report that it is ready"),
    (libc::SYS_recvmsg, "receive the lane"),
    (libc::SYS_fcntl, "look at the lane before it is mapped"),
    (libc::SYS_fstat, "the same: its size"),
    (libc::SYS_statx, "the same: its size"),
    (libc::SYS_close, "the lane's descriptor, once it is mapped"),
    (libc::SYS_mmap, "map the lane"),
    (libc::SYS_set_robust_list, "have the kernel tell of its end at once"),
    (libc::SYS_mremap, "grow the executor's lists"),
    (libc::SYS_prctl, "bring the next, narrower filter"),
    (libc::SYS_seccomp, "bring the next, narrower filter"),
];

/// What is ready to be given up. Made ahead, as a follower has no time to lose.
pub struct Confinement(BpfProgram);

impl Confinement {
    /// What this process gives up at `stage`.
    ///
    /// # Errors
    /// On an architecture that has no such filters.
    pub fn prepare(stage: Stage) -> io::Result<Confinement> {
        Ok(Confinement(filter(stage).map_err(io::Error::other)?))
    }

    /// Gives up everything that the stage does not need, for ever. A later stage can only be narrower.
    ///
    /// # Errors
    /// If the kernel does not know seccomp.
    pub fn enter(&self) -> io::Result<()> {
        seccompiler::apply_filter(&self.0).map_err(io::Error::other)
    }
}

fn filter(stage: Stage) -> Result<BpfProgram, seccompiler::BackendError> {
    let further = if stage == Stage::Ready { UNTIL_SEATED } else { &[] };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALWAYS.iter().chain(further).map(|&(number, _)| (number, Vec::new())).collect();
    let only = |argument, length, how, value| {
        SeccompRule::new(vec![SeccompCondition::new(argument, length, how, value)?]).map(|rule| vec![rule])
    };
    // A panic's words, to standard error.
    rules.insert(libc::SYS_write, only(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, 2)?);
    // Abort signals itself. Nobody else.
    let own = u64::from(std::process::id());
    rules.insert(libc::SYS_tgkill, only(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?);
    if stage == Stage::Seated {
        // Memory of its own for the words of a panic, but none that can be run or that is shared.
        let (bad, good) = (libc::PROT_EXEC as u64, libc::MAP_ANONYMOUS as u64 | libc::MAP_PRIVATE as u64);
        let rule = SeccompRule::new(vec![
            SeccompCondition::new(2, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(bad), 0)?,
            SeccompCondition::new(3, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(good), good)?,
        ])?;
        rules.insert(libc::SYS_mmap, vec![rule]);
    }
    let architecture = if cfg!(target_arch = "aarch64") { TargetArch::aarch64 } else { TargetArch::x86_64 };
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, architecture)?.try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_call_that_is_allowed_has_its_reason_and_stands_once() {
        let mut numbers: Vec<i64> = ALWAYS.iter().chain(UNTIL_SEATED).map(|&(number, _)| number).collect();
        assert!(ALWAYS.iter().chain(UNTIL_SEATED).all(|(_, why)| !why.is_empty()));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), ALWAYS.len() + UNTIL_SEATED.len());
    }

    #[test]
    fn both_filters_can_be_built() {
        for stage in [Stage::Ready, Stage::Seated] {
            assert!(filter(stage).is_ok_and(|program| !program.is_empty()));
        }
    }
}
