//! Room of the criterion benches; what they share would stand here.
#![forbid(unsafe_code)]
