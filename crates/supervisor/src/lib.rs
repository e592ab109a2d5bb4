//! Starts, watches, restarts and stops processes in order.
