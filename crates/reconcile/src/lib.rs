//! NIP-77 range-based set reconciliation over any ordered set; no I/O.
