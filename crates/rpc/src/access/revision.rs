//! What our service says beside the answer to Ready: a text that is another after each decision, so that
//! relays learn of decisions without asking about every client again.

use tonic::metadata::MetadataMap;

/// Its name among the metadata.
const REVISION: &str = "orly-acl-revision";

/// Says which revision holds; `instance` tells a service that was restarted from the one before.
pub(super) fn put(metadata: &mut MetadataMap, instance: u64, changes: u64) {
    let text = format!("{instance:016x}-{changes}");
    metadata.insert(REVISION, text.parse().expect("digits and a dash are ASCII"));
}

/// The revision, if the service says one.
pub(super) fn read(metadata: &MetadataMap) -> Option<String> {
    Some(metadata.get(REVISION)?.to_str().ok()?.to_owned())
}
