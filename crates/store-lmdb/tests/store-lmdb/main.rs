//! The engine keeps the rules of the seam, and what it promises beyond them.

mod lmdb;

use lmdb::Lmdb;

mod rules {
    store::conformance_tests!(crate::Lmdb);
}
