//! Gates and triggers: on above 0.5, off below 0.25 (INTERFACE, Signals).
//!
//! The gap keeps a noisy or slowly rising voltage from firing twice.

/// Level above which a gate goes on.
pub const ON: f32 = 0.5;

/// Level below which a gate goes off.
pub const OFF: f32 = 0.25;

/// A gate's state (1 on, 0 off) after it sees `level`. A float, so that lanes of it vectorise and live in a state.
#[inline(always)]
pub fn gate(was: f32, level: f32) -> f32 {
    if level > ON {
        1.0
    } else if level < OFF {
        0.0
    } else {
        was
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_holds_between_its_thresholds() {
        let heard = [0.0, 0.4, 0.51, 0.3, 0.25, 0.2, 0.5].iter().scan(0.0, |was, &level| {
            *was = gate(*was, level);
            Some(*was)
        });
        assert_eq!(heard.collect::<Vec<_>>(), [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    }
}
