//! How much of something is known in a batch.

use std::collections::HashSet;
use std::hash::Hash;

/// Which rows of a kind are known: all that exist, or those that were looked up.
#[derive(Clone, Debug)]
pub enum Known<K> {
    /// Every row that exists is here: what is not here does not exist.
    All,
    /// What was looked up.
    Some(HashSet<K>),
}

impl<K> Default for Known<K> {
    fn default() -> Self {
        Self::Some(HashSet::new())
    }
}

impl<K: Eq + Hash> Known<K> {
    /// Whether this was looked up.
    pub fn has(&self, key: &K) -> bool {
        match self {
            Self::All => true,
            Self::Some(keys) => keys.contains(key),
        }
    }

    /// Notes that these were looked up.
    pub fn note(&mut self, looked_up: impl IntoIterator<Item = K>) {
        if let Self::Some(keys) = self {
            keys.extend(looked_up);
        }
    }
}
