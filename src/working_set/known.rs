//! How much of something is known in a batch.

use std::collections::HashSet;
use std::hash::Hash;

/// What of a kind of rows is known: everything there is, or what was looked up.
#[derive(Clone, Debug)]
pub enum Known<K> {
    /// Everything there is stands here: what is not here, is not.
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

    /// These were looked up.
    pub fn note(&mut self, looked_up: impl IntoIterator<Item = K>) {
        if let Self::Some(keys) = self {
            keys.extend(looked_up);
        }
    }
}
