//! Curves that bend a signal, each as its mean over the straight way from one sample to the next.
//!
//! The mean of f from a to b is (F(b) - F(a)) / (b - a), F being the antiderivative: the heart of antiderivative antialiasing
//! ([`super::shaper`]). Taken literally it divides a small difference of large numbers by a smaller one, and an f32 has nothing left.
//! So each curve has its own form here in which nothing cancels: the error stays a rounding of the result,
//! however close a and b lie, and no curve needs a second formula for "nearly equal".
//! All but the tube's are odd.
//!
//! Source: Parker, Zavalishin & Le Bivic, DAFx-16, eq. 8; the forms are ours, tested against quadrature.

use super::log::{exp_m1, ln_1p};
use super::wave::sin_pi;

/// The mean from `a` to `b` of x between -1 and 1, and of ±1 beyond: every corner as hard as can be.
#[inline(always)]
pub fn hard(a: f32, b: f32) -> f32 {
    held(
        a,
        b,
        1.0,
        1.0,
        #[inline(always)]
        |a, b| 0.5 * (a + b),
    )
}

/// Of tanh(x).
///
/// ln cosh is even, so signs fold away; from low to high = low + d, both of 0 or more, it rises by ln(cosh d + tanh low sinh d),
/// and by d - ln(1 + B (1 - e^-2d) / (1 + B e^-2d)) with B = e^(-2 low). In the first all terms are positive, which keeps
/// what is small exact; in the second the logarithm is what is missing to full level. Beyond ±9 tanh is 1 to half a rounding.
#[inline(always)]
pub fn tanh(a: f32, b: f32) -> f32 {
    // Without the attribute a closure is not compiled for the SIMD level.
    held(
        a,
        b,
        9.0,
        1.0,
        #[inline(always)]
        |a, b| {
            let (near, far) = (a.abs(), b.abs());
            let (low, distance) = (near.min(far), (far - near).abs());
            let is_bent = low > 0.5;
            let (rise, twice) = (exp_m1(distance), exp_m1(2.0 * low));
            let tanh = twice / (twice + 2.0);
            let whole = 1.0 + rise;
            let above = rise / (2.0 * whole) * (rise + tanh * (rise + 2.0));
            let missing = rise * (rise + 2.0) / (whole * whole * (1.0 + twice) + 1.0);
            let log = ln_1p(if is_bent { missing } else { above });
            let way = if is_bent { distance - log } else { log };
            over(way.copysign(far - near), b - a, tanh.copysign(a))
        },
    )
}

/// Of arsinh(x), which ever grows, ever slower: the voltage over a pair of diodes, one each way, through which a current x is
/// forced, as in the feedback of an amplifier (Yeh, Abel & Smith, "Simplified, physically-informed models of distortion and
/// overdrive guitar effects pedals", DAFx-07).
///
/// The antiderivative is x arsinh x - sqrt(1 + x^2); arsinh b - arsinh a = arsinh(b sqrt(1 + a^2) - a sqrt(1 + b^2)).
#[inline(always)]
pub fn diode(a: f32, b: f32) -> f32 {
    let (root_a, root_b) = ((1.0 + a * a).sqrt(), (1.0 + b * b).sqrt());
    let (span, sum) = (b - a, a + b);
    let way = if a * b > 0.0 { span * (sum / (b * root_a + a * root_b)) } else { b * root_a - a * root_b };
    let slope = over(arsinh(way), span, 1.0 / root_a);
    0.5 * (arsinh(a) + arsinh(b)) + sum * (0.5 * slope - 1.0 / (root_a + root_b))
}

#[inline(always)]
fn arsinh(x: f32) -> f32 {
    let size = x.abs();
    ln_1p(size + size * (size / (1.0 + (1.0 + size * size).sqrt()))).copysign(x)
}

/// Of x / sqrt(1 + x^2) above 0 and x / sqrt(1 + (x / 2)^2) below: a valve bends early where its grid conducts, late where it is cut
/// off (Pakarinen & Yeh, "A review of digital techniques for modeling vacuum-tube guitar amplifiers", CMJ 33:2, 2009).
///
/// F is s^2 sqrt(1 + (x / s)^2); the difference of two roots is that of their squares over their sum.
#[inline(always)]
pub fn tube(a: f32, b: f32) -> f32 {
    let way = rooted(a.max(0.0), b.max(0.0), 1.0) + rooted(a.min(0.0), b.min(0.0), 0.25);
    let share = if a > 0.0 { 1.0 } else { 0.25 };
    over(way, b - a, a / (1.0 + a * a * share).sqrt())
}

/// The integral of x / sqrt(1 + share x^2) from `a` to `b`.
#[inline(always)]
fn rooted(a: f32, b: f32, share: f32) -> f32 {
    let (root_a, root_b) = ((1.0 + a * a * share).sqrt(), (1.0 + b * b * share).sqrt());
    (b - a) * ((a + b) / (root_a + root_b))
}

/// Of sin(pi x / 2): the sine of the middle times the sinc of half the way. `a` and `b` within ±1000.
#[inline(always)]
pub fn sine(a: f32, b: f32) -> f32 {
    let half = 0.25 * (b - a);
    quarter_sine(0.5 * (a + b)) * over(quarter_sine(2.0 * half), std::f32::consts::PI * half, 1.0)
}

/// sin(pi x / 2).
#[inline(always)]
pub fn quarter_sine(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    let turns = 0.25 * x;
    let part = turns - ((turns + ROUND) - ROUND);
    sin_pi(2.0 * if part.abs() > 0.25 { 0.5f32.copysign(part) - part } else { part })
}

/// A straight piece of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where it begins and ends.
    from: f32,
    to: f32,
    /// The end that is nearer to 0, the height there, and the slope.
    corner: f32,
    height: f32,
    slope: f32,
}

/// Straight pieces that are the odd curve through 0 with `corners` (rising) and the slopes before each and after the last.
/// `PIECES` is twice as many as corners, plus one.
pub const fn pieces<const CORNERS: usize, const PIECES: usize>(
    corners: [f32; CORNERS],
    slopes: [f32; CORNERS],
    last_slope: f32,
) -> [Piece; PIECES] {
    assert!(PIECES == 2 * CORNERS + 1);
    let mut found = [Piece { from: -corners[0], to: corners[0], corner: 0.0, height: 0.0, slope: slopes[0] }; PIECES];
    let mut height = corners[0] * slopes[0];
    let mut corner = 0;
    while corner < CORNERS {
        let from = corners[corner];
        let is_last = corner + 1 == CORNERS;
        let to = if is_last { 1e9 } else { corners[corner + 1] };
        let slope = if is_last { last_slope } else { slopes[corner + 1] };
        found[CORNERS + 1 + corner] = Piece { from, to, corner: from, height, slope };
        found[CORNERS - 1 - corner] = Piece { from: -to, to: -from, corner: -from, height: -height, slope };
        height += (to - from) * slope;
        corner += 1;
    }
    found
}

/// Of a curve of straight pieces: each adds its length within the way, times the height at that length's middle.
#[inline(always)]
pub fn straight<const PIECES: usize>(a: f32, b: f32, pieces: &[Piece; PIECES]) -> f32 {
    let (mut way, mut point) = (0.0, 0.0);
    for piece in pieces {
        let (start, end) = (a.max(piece.from).min(piece.to), b.max(piece.from).min(piece.to));
        let height = piece.height + piece.slope * (0.5 * ((start - piece.corner) + (end - piece.corner)));
        way += (end - start) * height;
        point = if a >= piece.from { height } else { point };
    }
    over(way, b - a, point)
}

/// The mean from `a` to `b` of a curve that runs as `within` says between ±`limit`, and keeps ±`height` beyond.
#[inline(always)]
pub fn held(a: f32, b: f32, limit: f32, height: f32, within: impl Fn(f32, f32) -> f32) -> f32 {
    let (start, end) = (a.max(-limit).min(limit), b.max(-limit).min(limit));
    let mean = within(start, end);
    let outside = (b.max(limit) - a.max(limit)) - (b.min(-limit) - a.min(-limit));
    over(mean * (end - start) + height * outside, b - a, mean)
}

/// `way / span`; `point` where there is no way at all.
#[inline(always)]
fn over(way: f32, span: f32, point: f32) -> f32 {
    let quotient = way / if span == 0.0 { 1.0 } else { span };
    if span == 0.0 { point } else { quotient }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean by the midpoint rule, in f64.
    fn quadrature(curve: impl Fn(f64) -> f64, a: f32, b: f32) -> f64 {
        const STEPS: usize = 4_000;
        let (a, b) = (f64::from(a), f64::from(b));
        (0..STEPS).map(|step| curve(a + (b - a) * (step as f64 + 0.5) / STEPS as f64)).sum::<f64>() / STEPS as f64
    }

    fn assert_mean(name: &str, mean: impl Fn(f32, f32) -> f32, curve: impl Fn(f64) -> f64 + Copy, reach: f32) {
        for start in 0..=24 {
            let a = reach * (start as f32 / 12.0 - 1.0);
            for span in [0.0, 1e-7, 1e-5, 1e-3, 0.1, 0.7, 3.0, 2.0 * reach] {
                for b in [a + span, a - span] {
                    let exact = quadrature(curve, a, b);
                    let error = (f64::from(mean(a, b)) - exact).abs();
                    assert!(error < 2e-6 * exact.abs().max(0.5), "{name} from {a} to {b}: off by {error}");
                }
            }
        }
    }

    #[test]
    fn every_mean_is_the_mean_however_short_the_way() {
        assert_mean("hard", hard, |x| x.clamp(-1.0, 1.0), 2.3);
        assert_mean("tanh", tanh, libm::tanh, 4.0);
        assert_mean("tanh", tanh, libm::tanh, 25.0);
        assert_mean("diode", diode, libm::asinh, 30.0);
        assert_mean("tube", tube, |x| x / libm::sqrt(1.0 + if x > 0.0 { x * x } else { 0.25 * x * x }), 20.0);
        assert_mean("sine", sine, |x| libm::sin(std::f64::consts::FRAC_PI_2 * x), 13.0);
        const FOLDS: [Piece; 7] = pieces([1.0, 3.0, 5.0], [1.0, -1.0, 1.0], 0.0);
        let fold = |x: f64| {
            2.0 / std::f64::consts::PI * libm::asin(libm::sin(std::f64::consts::FRAC_PI_2 * x.clamp(-5.0, 5.0)))
        };
        assert_mean("straight", |a, b| straight(a, b, &FOLDS), fold, 6.5);
    }

    #[test]
    fn far_out_every_mean_is_finite() {
        for mean in [hard, tanh, diode, tube] {
            for (a, b) in [(1e6, -1e6), (1e6, 1e6), (-1e6, 0.0), (0.0, 1e-30), (1e-30, -1e-38)] {
                assert!(mean(a, b).is_finite() && mean(a, b).abs() < 20.0, "{a} to {b}: {}", mean(a, b));
            }
        }
    }
}
