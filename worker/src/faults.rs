//! Fault points: where a test has a worker die, hang, stop or lie. Not in what players run (feature `faults`).
//!
//! The environment of `tine` says what is to happen, as in `TINE_FAULT=kind=vcf,phase=commit,fault=segv,when=event,generation=1`;
//! several orders stand with semicolons between. A worker that is ordered to lie ([`LIES`]) lives on.

use std::sync::OnceLock;

use tine_protocol::sys::fault;

/// What a worker may go on doing wrong, block after block, while it computes as it should:
///
/// | fault | phase | |
/// |---|---|---|
/// | `ahead` | `between` | tells 100 blocks more than it has finished |
/// | `behind` | `between` | tells 9 less |
/// | `flap` | `between` | changes its count without end, to one and two less than it has finished |
/// | `withhold` | `commit` | does not commit a module's block, and tells that it has |
/// | `garbage` | `commit` | writes anything over its lane, head, counts, states and outputs |
const LIES: [&str; 5] = ["ahead", "behind", "flap", "withhold", "garbage"];

/// Where in a worker's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before a module's inputs are read.
    Read,
    /// In the middle of its block: state, outputs and tape are half written.
    Process,
    /// All is written, nothing is committed.
    Commit,
    /// The block is committed, the lane has not told yet.
    Committed,
    /// Between two cycles: asleep, or about to be.
    Between,
    /// While a lane is being taken over.
    Attach,
}

/// What stands around the point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Situation<'a> {
    /// The module's kind; empty where no module is at work.
    pub kind: &'a str,
    /// The lane.
    pub lane: u16,
    /// The block.
    pub block: u64,
    /// A plan becomes valid with it.
    pub is_flip: bool,
    /// A cable into the module is fading.
    pub is_fading: bool,
    /// An event reaches the module in it.
    pub has_event: bool,
}

#[derive(Debug)]
struct Order {
    kind: String,
    /// `None`: any.
    lane: Option<u16>,
    phase: Phase,
    fault: String,
    when: String,
    from_block: u64,
    /// 0: every one.
    generation: u32,
}

static ORDERS: OnceLock<Vec<Order>> = OnceLock::new();

/// Reads what the environment orders.
///
/// # Panics
/// If it cannot be understood: a test is wrong.
pub fn prepare() {
    ORDERS.get_or_init(|| {
        let text = std::env::var("TINE_FAULT").unwrap_or_default();
        text.split(';').filter(|order| !order.is_empty()).map(parse).collect()
    });
}

fn parse(text: &str) -> Order {
    let field = |name: &str| {
        text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap_or("").to_owned()
    };
    let phases = [
        ("read", Phase::Read),
        ("process", Phase::Process),
        ("commit", Phase::Commit),
        ("committed", Phase::Committed),
        ("between", Phase::Between),
        ("attach", Phase::Attach),
    ];
    let phase = field("phase");
    let (_, phase) = *phases.iter().find(|(name, _)| *name == phase).expect("TINE_FAULT has a phase");
    let number = |name: &str, default| field(name).parse().unwrap_or(default);
    Order {
        kind: field("kind"),
        lane: field("lane").parse().ok(),
        phase,
        fault: field("fault"),
        when: field("when"),
        from_block: number("block", 0),
        generation: number("generation", 1) as u32,
    }
}

/// Whether the order is for this point.
fn is_due(order: &Order, phase: Phase, generation: u32, now: &Situation<'_>) -> bool {
    let is_when = match order.when.as_str() {
        "flip" => now.is_flip,
        "fade" => now.is_fading,
        "event" => now.has_event,
        _ => true,
    };
    order.phase == phase
        && (order.kind.is_empty() || order.kind == now.kind)
        && order.lane.is_none_or(|lane| lane == now.lane)
        && now.block >= order.from_block
        && (order.generation == 0 || order.generation == generation)
        && is_when
}

/// Does what the order says, if it is for this point.
pub fn at(phase: Phase, generation: u32, now: Situation<'_>) {
    let is_end = |order: &&Order| !LIES.contains(&order.fault.as_str());
    if let Some(order) = orders().filter(is_end).find(|order| is_due(order, phase, generation, &now)) {
        fault::commit(&order.fault);
    }
}

/// Whether the block of this module is to be left half written.
pub fn is_half_done(generation: u32, now: Situation<'_>) -> bool {
    orders().any(|order| is_due(order, Phase::Process, generation, &now))
}

/// Whether this is what is ordered for this point.
pub fn is_ordered(fault: &str, phase: Phase, generation: u32, now: Situation<'_>) -> bool {
    orders().any(|order| order.fault == fault && is_due(order, phase, generation, &now))
}

/// Anything, as bytes.
pub fn scribble(bytes: &mut [u8], seed: u64) {
    // splitmix64, Steele et al. 2014.
    let mut state = seed;
    for word in bytes.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word.copy_from_slice(&(mixed ^ (mixed >> 31)).to_ne_bytes());
    }
}

fn orders() -> impl Iterator<Item = &'static Order> {
    ORDERS.get().into_iter().flatten()
}
