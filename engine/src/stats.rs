//! Figures for `stats`, and answers to queries.

use hdrhistogram::Histogram;
use tine_modules::runner::Shape;
use tine_protocol::ids::{LaneId, Slot};
use tine_protocol::message::PHASES;
use tine_protocol::plan::GRAIN;
use tine_protocol::segment::LaneHead;
use tine_protocol::sys::clock::now_ns;
use tine_protocol::sys::memory::ReadMap;

use std::sync::atomic::Ordering;

use crate::answer::{Answer, ModuleInfo, Patch, Stat, WorkerInfo};
use crate::command::Query;
use crate::conductor::{WATCHES_MAX, Watched};
use crate::edit::find_module;
use crate::error::{PatchError, Refusal};
use crate::scope::{self, Scope};
use crate::session::Session;

/// Timings and counts that the session keeps.
pub struct Timings {
    create_us: Histogram<u64>,
    /// Of this: until the block began that it is born in.
    create_wait_us: Histogram<u64>,
    /// And from then on, until every lane had computed that block.
    create_block_us: Histogram<u64>,
    /// Both, for those creates beside which the machine did not stall.
    create_unstalled_us: Histogram<u64>,
    recovery_us: Histogram<u64>,
    late_us: Histogram<u64>,
    late_by_machine: u64,
    late_by_us: u64,
    cycle_ns: Histogram<u64>,
    /// Requests that did not fit the patch.
    pub refused: u64,
    /// Requests for which there was no room.
    pub refused_busy: u64,
}

impl Default for Timings {
    fn default() -> Timings {
        // Three significant digits up to a minute.
        let new = || Histogram::new_with_max(60_000_000, 3).expect("these bounds are legal");
        let cycle_ns = Histogram::new_with_max(u32::MAX.into(), 3).expect("these bounds are legal");
        Timings {
            create_us: new(),
            create_wait_us: new(),
            create_block_us: new(),
            create_unstalled_us: new(),
            recovery_us: new(),
            late_us: new(),
            cycle_ns,
            late_by_machine: 0,
            late_by_us: 0,
            refused: 0,
            refused_busy: 0,
        }
    }
}

impl Timings {
    /// A create was answered.
    pub fn record_create(&mut self, took_ms: f64) {
        self.create_us.saturating_record((took_ms * 1000.0) as u64);
    }

    /// The way of a request that created something: when it arrived, was taken, was done, in nanoseconds.
    pub fn record_way(&mut self, [arrived, taken, done]: [u64; 3], is_stalled: bool) {
        let us = |from: u64, to: u64| to.saturating_sub(from) / 1000;
        self.create_wait_us.saturating_record(us(arrived, taken));
        self.create_block_us.saturating_record(us(taken, done));
        if !is_stalled {
            self.create_unstalled_us.saturating_record(us(arrived, done));
        }
    }

    /// A lane has a worker again.
    pub fn record_recovery(&mut self, took_ms: f64) {
        self.recovery_us.saturating_record((took_ms * 1000.0) as u64);
    }

    /// A block was late, by the machine's fault or ours.
    pub fn record_late(&mut self, late_ns: u64, is_machine: bool) {
        self.late_us.saturating_record(late_ns / 1000);
        if is_machine {
            self.late_by_machine += 1;
        } else {
            self.late_by_us += 1;
        }
    }

    /// A cycle was computed.
    pub fn record_cycle(&mut self, took_ns: u32) {
        self.cycle_ns.saturating_record(took_ns.into());
    }

    /// The patch is another one: its cycles are counted anew.
    pub fn forget_cycles(&mut self) {
        self.cycle_ns.reset();
    }

    fn figures(&self) -> Vec<Stat> {
        let of = |name: &str, histogram: &Histogram<u64>| {
            let ms = |us: u64| us as f64 / 1000.0;
            [
                stat(&format!("{name}_count"), histogram.len() as f64),
                stat(&format!("{name}_p50_ms"), ms(histogram.value_at_quantile(0.5))),
                stat(&format!("{name}_p99_ms"), ms(histogram.value_at_quantile(0.99))),
                stat(&format!("{name}_p999_ms"), ms(histogram.value_at_quantile(0.999))),
                stat(&format!("{name}_max_ms"), ms(histogram.max())),
            ]
        };
        let mut figures = Vec::new();
        figures.extend(of("create", &self.create_us));
        figures.extend(of("create_wait", &self.create_wait_us));
        figures.extend(of("create_block", &self.create_block_us));
        figures.extend(of("create_unstalled", &self.create_unstalled_us));
        figures.extend(of("recovery", &self.recovery_us));
        figures.extend(of("late_block", &self.late_us));
        figures.push(stat("late_by_machine", self.late_by_machine as f64));
        figures.push(stat("late_by_us", self.late_by_us as f64));
        let cycle = &self.cycle_ns;
        figures.push(stat("cycle_count", cycle.len() as f64));
        for (name, ns) in [
            ("cycle_p50_us", cycle.value_at_quantile(0.5)),
            ("cycle_p99_us", cycle.value_at_quantile(0.99)),
            ("cycle_p999_us", cycle.value_at_quantile(0.999)),
            ("cycle_max_us", cycle.max()),
        ] {
            figures.push(stat(name, ns as f64 / 1000.0));
        }
        figures.push(stat("refused_count", self.refused as f64));
        figures.push(stat("refused_busy_count", self.refused_busy as f64));
        figures
    }
}

fn stat(name: &str, value: f64) -> Stat {
    Stat { name: name.to_owned(), value }
}

impl Session {
    pub(crate) fn answer_query(&mut self, query: &Query) -> Result<Answer, Refusal> {
        let rejected = |error: PatchError| Refusal::Rejected { index: 0, error };
        let out_lane = self.parts.format.out_lane();
        Ok(match query {
            Query::List(glob) => {
                let matches =
                    |module: &ModuleInfo| glob.as_deref().is_none_or(|glob| matches(glob, module.id.as_str()));
                Answer::Modules(self.all_modules(out_lane).filter(matches).collect())
            }
            Query::Info(id) => {
                let module = find_module(&self.model, id).map_err(rejected)?;
                let cables = |is_wanted: &dyn Fn(&crate::model::Cable) -> bool| {
                    let cables = self.model.cables().iter().filter(|cable| is_wanted(cable));
                    cables.filter_map(|cable| self.model.describe(cable)).collect()
                };
                let slot = module.slot;
                Answer::Info(
                    module.describe(out_lane),
                    cables(&|cable| cable.to == slot),
                    cables(&|cable| cable.from == slot),
                )
            }
            Query::Get(id, param) => {
                let module = find_module(&self.model, id).map_err(rejected)?;
                let described = module.describe(out_lane);
                let params = described.settings();
                match param {
                    None => Answer::Params(params.collect()),
                    Some(name) => match module.spec.param(name) {
                        Some(index) => Answer::Params(params.skip(index).take(1).collect()),
                        None => {
                            let has = module.spec.params.iter().map(|spec| spec.name).collect();
                            let (id, kind) = (id.to_string(), module.spec.name);
                            return Err(rejected(PatchError::NoParam { id, kind, param: name.clone(), has }));
                        }
                    },
                }
            }
            Query::Cables => {
                Answer::Cables(self.model.cables().iter().filter_map(|cable| self.model.describe(cable)).collect())
            }
            Query::Pool => Answer::Pool(self.pool()),
            Query::Stats => Answer::Stats(self.stats()),
            Query::Patch => Answer::Patch(Patch {
                modules: self.all_modules(out_lane).collect(),
                cables: self.model.cables().iter().filter_map(|cable| self.model.describe(cable)).collect(),
            }),
            Query::Meters => {
                let peaks = &self.parts.telemetry.peaks;
                Answer::Meters([0, 1].map(|side| f32::from_bits(peaks[side].swap(0, Ordering::Relaxed))))
            }
            Query::Scope(port) => {
                let (slot, output) = crate::edit::find_output(&self.model, port).map_err(rejected)?;
                Answer::Scope(self.watch(slot, output))
            }
        })
    }

    fn all_modules(&self, out_lane: LaneId) -> impl Iterator<Item = ModuleInfo> + '_ {
        self.model.modules().iter().map(move |module| module.describe(out_lane))
    }

    fn pool(&self) -> Vec<WorkerInfo> {
        let mut workers = self.parts.pool.workers();
        for info in &mut workers {
            let Some(lane) = info.worker else { continue };
            info.modules = self.stage.modules_on(LaneId(lane));
            if info.modules > 0 && info.state == "idle" {
                info.state = "busy";
                let busy_ns = self.parts.placer.busy_ns(usize::from(lane));
                info.load = busy_ns as f32 / self.parts.placer.block_ns as f32;
            }
        }
        workers
    }

    fn stats(&self) -> Vec<Stat> {
        let telemetry = &self.parts.telemetry;
        let blocks = telemetry.blocks.load(Ordering::Acquire);
        let cycle_ns = telemetry.cycle_ns.load(Ordering::Relaxed) as f64;
        let counts = self.parts.pool.counts();
        let open = self.parts.pool.doors().iter().filter(|door| door.is_open).count();
        let busy_ns: u64 = self.stage.active_lanes().iter().map(|lane| self.parts.placer.busy_ns(lane.0.into())).sum();
        let lanes_ns = (now_ns() - self.began_ns).max(1) as f64 * open.max(1) as f64;
        let availability = (1.0 - counts.down_ns as f64 / lanes_ns).max(0.0);
        let (stalls, longest_stall_ns) = self.parts.stalls.so_far();
        let mut stats = vec![
            stat("blocks", blocks as f64),
            stat("frames", (blocks * self.parts.format.frames as u64) as f64),
            stat("modules", self.model.modules().len() as f64),
            stat("cables", self.model.cables().len() as f64),
            stat("cycle_us", cycle_ns / 1000.0),
            stat("cycle_load", cycle_ns / self.parts.placer.block_ns as f64),
            stat("late_blocks", telemetry.late_blocks.load(Ordering::Relaxed) as f64),
            stat("machine_stalls", stalls as f64),
            stat("machine_stall_max_ms", longest_stall_ns as f64 / 1e6),
            stat("events_moved", telemetry.events_moved.load(Ordering::Relaxed) as f64),
            stat("events_dropped", telemetry.events_dropped.load(Ordering::Relaxed) as f64),
            stat("cycles_lost", telemetry.cycles_lost.load(Ordering::Relaxed) as f64),
            stat("reports_lost", telemetry.reports_lost.load(Ordering::Relaxed) as f64),
            stat("conductor_realtime", f64::from(telemetry.is_realtime.load(Ordering::Relaxed))),
            stat("notices_dropped", self.notices.dropped as f64),
            stat("worker_deaths", counts.deaths as f64),
            stat("worker_deaths_early", counts.early as f64),
            stat("death_noticed_at_us", (counts.noticed_at_us % MOMENT_US) as f64),
            stat("death_recovered_at_us", (counts.recovered_at_us % MOMENT_US) as f64),
            stat("death_stalled_us", counts.recovery_stalled_us as f64),
            stat("worker_hangs", counts.hangs as f64),
            stat("worker_lies", counts.lies as f64),
            stat("spare_deaths", counts.spare_deaths as f64),
            stat("warm_hits", counts.warm_hits as f64),
            stat("cold_starts", counts.cold_starts as f64),
            stat("workers", open as f64),
            stat("workers_retired", counts.retired as f64),
            stat("availability", availability),
            stat("utilisation", busy_ns as f64 / (open.max(1) as u64 * self.parts.placer.block_ns) as f64),
            stat("forks_delayed", counts.forks_delayed as f64),
            stat("forks_failed", counts.forks_failed as f64),
            stat("zygotes_lost", counts.zygotes_lost as f64),
            stat("quarantines", counts.quarantines as f64),
            stat("warm_up_ms", counts.warm_up_us as f64 / 1000.0),
            stat("pool_ready_ms", counts.ready_us as f64 / 1000.0),
            stat("scrubbed_samples", scrubbed(&self.parts.placer.lanes) as f64),
        ];
        stats.extend(self.start_phases());
        stats.extend(self.parts.engine.stats());
        stats.extend(self.parts.journal.figures());
        stats.extend(self.timings.figures());
        stats
    }

    /// The slowest worker's time in each phase of its start.
    fn start_phases(&self) -> Vec<Stat> {
        let workers = self.parts.pool.workers();
        let slowest_us = |wanted: &str| {
            let phases = workers.iter().flat_map(|worker| &worker.phases_us);
            phases.filter(|(phase, _)| *phase == wanted).map(|&(_, us)| us).max().unwrap_or(0)
        };
        PHASES.map(|phase| stat(&format!("start_{phase}_max_ms"), f64::from(slowest_us(phase)) / 1000.0)).to_vec()
    }

    /// What the first channel of an output gave since it was first asked for, as far as it is kept. From the first asking on the
    /// conductor keeps it.
    fn watch(&mut self, slot: Slot, output: u16) -> Vec<f32> {
        let mut heard = Vec::new();
        if let Some(looked) = self.looked_at.last().filter(|looked| (looked.slot, looked.output) == (slot, output)) {
            looked.scope.read(&mut heard);
            return heard;
        }
        let Some((lane, plan, port_samples)) = self.stage.output_ring(slot) else { return heard };
        let (probe, scope) = scope::scope(SCOPE_FRAMES);
        let port_bytes = u32::from(output) * port_samples * size_of::<f32>() as u32;
        let watched = Watched {
            lane,
            samples_at: plan.outputs_at + port_bytes / GRAIN as u32,
            stride: plan.output_samples,
            width: Shape::new(usize::from(plan.channels)).width,
            probe,
        };
        // Without room the conductor is behind: the next asking tries again.
        if self.parts.watches.push(watched).is_ok() {
            self.looked_at.push(LookedAt { slot, output, scope });
            // The conductor holds one and may have another on its way; older ones are no longer used by anybody.
            let old = self.looked_at.len().saturating_sub(WATCHES_MAX + 2);
            self.looked_at.drain(..old);
        }
        heard
    }
}

/// Samples on cables that were no numbers, as the workers say.
pub(crate) fn scrubbed(lanes: &[ReadMap]) -> u64 {
    let at = std::mem::offset_of!(LaneHead, scrubbed);
    lanes.iter().map(|lane| u64::from(lane.read::<u32>(at))).sum()
}

/// Moments of the monotonic clock are told modulo this many microseconds: OSC has numbers of 24 bits.
const MOMENT_US: u64 = 10_000_000;

/// Frames of history that are kept of the output that is looked at.
const SCOPE_FRAMES: usize = 8192;

/// An output that is or was looked at.
pub(crate) struct LookedAt {
    slot: Slot,
    output: u16,
    scope: Scope,
}

/// Whether `text` is of the form `glob`, in which `*` stands for anything and `?` for one letter.
pub fn matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut g, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if g < glob.len() && (glob[g] == b'?' || glob[g] == text[t]) {
            (g, t) = (g + 1, t + 1);
        } else if g < glob.len() && glob[g] == b'*' {
            retry = Some((g + 1, t + 1));
            g += 1;
        } else if let Some((after_star, from)) = retry {
            (g, t) = (after_star, from);
            retry = Some((after_star, from + 1));
        } else {
            return false;
        }
    }
    glob[g..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_as_in_a_shell() {
        for (glob, text) in [("*", ""), ("vco*", "vco12"), ("*1", "vco1"), ("v?o", "vco"), ("a*b*c", "aXbYbc")] {
            assert!(matches(glob, text), "{glob} {text}");
        }
        for (glob, text) in [("vco", "vco1"), ("?", ""), ("a*b", "abc")] {
            assert!(!matches(glob, text), "{glob} {text}");
        }
    }
}
