//! The `table!` macro: a kind's ports or params, named once.

/// Declares a kind's table and the enum that indexes it, so that a name and its index cannot drift apart.
///
/// ```ignore
/// table! { P: ParamSpec = PARAMS {
///     Cutoff: ParamSpec::exponential("cutoff", Unit::Hertz, (10.0, 20_000.0), 1_000.0).smooth(5.0).help("corner frequency"),
/// } }
/// ```
macro_rules! table {
    ($index:ident: $spec:ty = $table:ident { $($variant:ident: $row:expr),+ $(,)? }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        enum $index { $($variant),+ }

        impl From<$index> for usize {
            fn from(index: $index) -> usize {
                index as usize
            }
        }

        const $table: &[$spec] = &[$($row),+];
    };
}
