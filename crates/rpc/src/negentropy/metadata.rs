//! What goes beside the messages: who reads, how large a set may be, which way events go.

use event::Pubkey;
use relay_sync::Direction;
use store::{Hidden, Private, Viewer};
use tonic::Status;
use tonic::metadata::{AsciiMetadataValue, MetadataMap};

use crate::convert::Malformed;

/// On NEG-OPEN: whose eyes the client reads with. In the answer: that it was heeded.
const VIEWER: &str = "orly-viewer";
/// On NEG-OPEN: whether the client sees hidden authors. The list of those the service's store has.
const HIDDEN: &str = "orly-hidden-authors";
/// In an answer: how many records a set may have.
const MAX_RECORDS: &str = "orly-max-records";
/// On a synchronisation, and in its answer if it was heeded: which way events go.
const DIRECTION: &str = "orly-direction";

/// Who sees everything.
const OPERATOR: &str = "operator";
/// Who sees hidden authors.
const SHOWN: &str = "shown";
/// What an answer says of a viewer that was heeded.
const HEEDED: &str = "heeded";
/// More keys than this are left out, so the viewer sees less: a server takes 16 KiB of metadata.
const MAX_PUBKEYS: usize = 128;

/// Says who reads.
pub(super) fn put_viewer(metadata: &mut MetadataMap, viewer: &Viewer) {
    if viewer.hidden == Hidden::Shown {
        metadata.insert(HIDDEN, ascii(SHOWN));
    }
    let text = match &viewer.private {
        Private::All => OPERATOR.to_owned(),
        Private::Of(pubkeys) => {
            let texts: Vec<_> = pubkeys.iter().take(MAX_PUBKEYS).map(ToString::to_string).collect();
            texts.join(",")
        }
    };
    metadata.insert(VIEWER, ascii(&text));
}

/// Who reads; nobody in particular if that is not said, as by a relay of the original.
pub(super) fn viewer(metadata: &MetadataMap) -> Result<Viewer, Malformed> {
    let is_shown = text(metadata, HIDDEN) == Some(SHOWN);
    let hidden = if is_shown { Hidden::Shown } else { Hidden::Withheld };
    let text = text(metadata, VIEWER).unwrap_or_default();
    if text == OPERATOR {
        return Ok(Viewer { private: Private::All, hidden });
    }
    let texts = text.split(',').filter(|text| !text.is_empty());
    let pubkeys = texts.map(|text| {
        let pubkey = Pubkey::from_hex(text.as_bytes());
        pubkey.map_err(|_| Malformed::new(VIEWER, "expected operator, or pubkeys in hex"))
    });
    let private = Private::Of(pubkeys.collect::<Result<_, _>>()?);
    Ok(Viewer { private, hidden })
}

/// Says that who reads was heeded.
pub(super) fn confirm_viewer(metadata: &mut MetadataMap) {
    metadata.insert(VIEWER, ascii(HEEDED));
}

/// Whether who reads was heeded.
pub(super) fn is_viewer_heeded(metadata: &MetadataMap) -> bool {
    text(metadata, VIEWER) == Some(HEEDED)
}

/// Says how many records a set may have.
pub(super) fn put_max_records(metadata: &mut MetadataMap, max: Option<u64>) {
    if let Some(max) = max {
        metadata.insert(MAX_RECORDS, max.into());
    }
}

/// How many records a set may have, if that is said.
pub(super) fn max_records(metadata: &MetadataMap) -> Option<u64> {
    text(metadata, MAX_RECORDS)?.parse().ok()
}

/// Says which way events go.
pub(super) fn put_direction(metadata: &mut MetadataMap, direction: Direction) {
    metadata.insert(DIRECTION, ascii(&direction.to_string()));
}

/// Which way events go, if that is said.
pub(super) fn direction(metadata: &MetadataMap) -> Result<Option<Direction>, Status> {
    let Some(text) = text(metadata, DIRECTION) else { return Ok(None) };
    let direction = text.parse();
    direction.map(Some).map_err(|error: relay_sync::InvalidDirection| {
        Malformed::new(DIRECTION, error.to_string()).into()
    })
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name)?.to_str().ok()
}

fn ascii(text: &str) -> AsciiMetadataValue {
    text.parse().expect("letters, digits and commas are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(viewer: &Viewer) -> Viewer {
        let mut metadata = MetadataMap::new();
        put_viewer(&mut metadata, viewer);
        super::viewer(&metadata).unwrap()
    }

    #[test]
    fn a_viewer_comes_back_as_it_was_sent() {
        let keys = |count: u8| (0..count).map(|byte| Pubkey::new([byte; 32])).collect::<Vec<_>>();
        let shown = Viewer { hidden: Hidden::Shown, ..Viewer::of(keys(2)) };
        let withheld = Viewer { hidden: Hidden::Withheld, ..Viewer::OPERATOR };
        let plain = [Viewer::OPERATOR, Viewer::of(keys(0)), Viewer::of(keys(100))];
        for viewer in plain.into_iter().chain([shown, withheld]) {
            assert_eq!(sent(&viewer), viewer);
        }
        assert_eq!(sent(&Viewer::of(keys(200))), Viewer::of(keys(128)));
    }

    #[test]
    fn a_viewer_that_is_not_said_is_nobody_and_a_wrong_one_is_refused() {
        assert_eq!(viewer(&MetadataMap::new()), Ok(Viewer::of(vec![])));
        for text in ["Operator", "operator,", "abc", "*"] {
            let mut metadata = MetadataMap::new();
            metadata.insert(VIEWER, ascii(text));
            assert!(viewer(&metadata).is_err(), "{text}");
        }
    }
}
