//! Authors whose events are withheld from readers: a marker beside the events, so that all who read a
//! store agree on them, however many they are.

use event::Pubkey;

use crate::{Markers, StoreError};

/// The key under which they are kept: sorted pubkeys, one behind the other.
pub const HIDDEN_AUTHORS_MARKER: &str = "hidden-authors";

/// Authors whose events are withheld, as their marker has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HiddenAuthors<B = Vec<u8>>(B);

impl HiddenAuthors {
    /// Takes authors in any order.
    pub fn new(authors: impl IntoIterator<Item = Pubkey>) -> Self {
        let mut authors: Vec<Pubkey> = authors.into_iter().collect();
        authors.sort_unstable();
        authors.dedup();
        Self(authors.iter().flat_map(Pubkey::as_bytes).copied().collect())
    }

    /// Reads them from a store that keeps its markers elsewhere.
    pub async fn read(markers: &dyn Markers) -> Result<Self, StoreError> {
        Ok(Self(markers.marker(HIDDEN_AUTHORS_MARKER).await?.unwrap_or_default()))
    }

    /// Makes these the hidden authors of a store, if others are.
    pub async fn keep(&self, markers: &dyn Markers) -> Result<(), StoreError> {
        if Self::read(markers).await? == *self {
            return Ok(());
        }
        let value = (!self.0.is_empty()).then(|| self.0.clone());
        markers.set_marker(HIDDEN_AUTHORS_MARKER, value).await
    }
}

impl<B: AsRef<[u8]>> HiddenAuthors<B> {
    /// Takes the value of the marker.
    pub const fn from_marker(value: B) -> Self {
        Self(value)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.packed().is_empty()
    }

    /// Whether somebody is among them.
    pub fn contains(&self, author: &Pubkey) -> bool {
        self.packed().binary_search(author.as_bytes()).is_ok()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Pubkey> {
        self.packed().iter().copied().map(Pubkey::new)
    }

    fn packed(&self) -> &[[u8; Pubkey::LEN]] {
        self.0.as_ref().as_chunks().0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authors_are_found_whatever_the_order_they_came_in() {
        let [a, b, c] = [1, 2, 3].map(|byte| Pubkey::new([byte; 32]));
        let hidden = HiddenAuthors::new([c, a, c]);
        assert!(hidden.contains(&a) && hidden.contains(&c) && !hidden.contains(&b));
        assert_eq!(hidden.iter().collect::<Vec<_>>(), [a, c]);
        assert!(!hidden.is_empty() && HiddenAuthors::new([]).is_empty());
        let damaged = HiddenAuthors::from_marker(&[1; 40][..]);
        assert!(damaged.contains(&a) && damaged.iter().count() == 1);
    }
}
