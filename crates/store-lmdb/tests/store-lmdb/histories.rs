//! Random histories, with shrinking: the rule in `conformance` tries a few.

use std::sync::Arc;

use proptest::prelude::{ProptestConfig, proptest};
use store::conformance::Subject;
use store::conformance::history::{compare, histories};

use crate::lmdb::{assert_sound, open, scratch};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn end_as_in_memory_and_leave_no_fault(history in histories()) {
        let dir = scratch();
        let store = Arc::new(open(dir.path()));
        let subject = Subject::new(Arc::clone(&store), ());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(&subject, &history));
        assert_sound(&store);
    }
}
