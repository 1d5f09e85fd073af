//! The journal's files, torn, spoilt, and written while the power goes.

mod fake;
mod format;
mod live;
mod power;
mod scene;
