//! What holds for the workspace as a whole. Nothing is here but its tests.
