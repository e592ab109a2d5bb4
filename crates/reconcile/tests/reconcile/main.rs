//! Whole reconciliations: against ourselves, against the `negentropy` crate, and under frame size limits.

mod converge;
mod frame_cut;
mod peer;
