//! Event store on LMDB.
