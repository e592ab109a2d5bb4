//! Where every process starts: settings, logging, signals, shutdown.
