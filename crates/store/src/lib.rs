//! The event store seam: trait, outcomes and the rules every engine must pass.
