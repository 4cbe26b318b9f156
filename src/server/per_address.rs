//! How much one address has open at once.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::sign_in::limits::network;

/// Counts for each network (with IPv6 a household's 64 bits) what it has open, up to a limit.
#[derive(Debug)]
pub struct PerAddress {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One of those that are open, until it is dropped.
#[derive(Debug)]
pub struct Held {
    counts: Arc<PerAddress>,
    network: IpAddr,
}

impl PerAddress {
    /// Nothing open yet.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), open: Mutex::default() })
    }

    /// One more for this address, unless it is at the limit.
    pub fn hold(self: &Arc<Self>, address: IpAddr) -> Option<Held> {
        let network = network(address);
        let mut open = self.open();
        let count = open.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Held { counts: Arc::clone(self), network })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Entry::Occupied(mut count) = self.counts.open().entry(self.network) {
            if *count.get() > 1 {
                *count.get_mut() -= 1;
            } else {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_most_and_leaves_nothing_behind() {
        let counts = PerAddress::new(2);
        let hold = |text: &str| counts.hold(text.parse().unwrap());
        let (first, second) = (hold("192.0.2.1"), hold("::ffff:192.0.2.1"));
        assert!(first.is_some() && second.is_some());
        assert!(hold("192.0.2.1").is_none(), "the same address, however it is written");
        let other = hold("2001:db8::1");
        assert!(other.is_some(), "another's own");
        drop(first);
        assert!(hold("192.0.2.1").is_some());
        drop((second, other));
        assert!(counts.open().is_empty());
    }
}
