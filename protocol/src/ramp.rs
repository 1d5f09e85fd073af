//! How a gain moves within a block: a curve that goes on smoothly from block to block.

/// A gain over one block: where it starts and ends, and how fast it moves there.
///
/// Between the ends it is the cubic that meets both values and both slopes. A straight ramp of 5 ms has corners as loud as a step
/// of -70 dBFS; this one has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// At the first frame, and just after the last.
    pub value: [f32; 2],
    /// Per block, at the same places.
    pub slope: [f32; 2],
}

impl Ramp {
    /// A gain that rests.
    pub const fn constant(value: f32) -> Ramp {
        Ramp { value: [value, value], slope: [0.0, 0.0] }
    }

    /// The gain, if it rests.
    pub fn resting(&self) -> Option<f32> {
        let [start, end] = self.value;
        (start == end && self.slope == [0.0, 0.0]).then_some(start)
    }

    /// Coefficients of the polynomial in `t`, 0 at the first frame and 1 just after the last, from the constant up.
    pub fn cubic(&self) -> [f32; 4] {
        let ([start, end], [leaving, arriving]) = (self.value, self.slope);
        let way = end - start;
        [start, leaving, 3.0 * way - 2.0 * leaving - arriving, leaving + arriving - 2.0 * way]
    }

    /// The product of two gains.
    pub fn times(self, other: Ramp) -> Ramp {
        let at = |end: usize| self.value[end] * other.value[end];
        let slope = |end: usize| self.slope[end] * other.value[end] + self.value[end] * other.slope[end];
        Ramp { value: [at(0), at(1)], slope: [slope(0), slope(1)] }
    }

    /// From `before` to `after` along this ramp from 0 to 1.
    pub fn between(self, before: f32, after: f32) -> Ramp {
        let way = after - before;
        // Exact at rest: `before + way` need not be `after` to the bit.
        let value = self.value.map(|part| if part == 1.0 { after } else { before + way * part });
        Ramp { value, slope: self.slope.map(|slope| way * slope) }
    }
}
