//! Blocks that were read or written lately.
//!
//! Most reads of a file system are of the same few blocks: the tree that leads to a file's node has four levels, and each
//! is a block. What is here is what a read of the disk would give, always.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use store::Block;

struct Slot {
    block: Box<Block>,
    /// Asked for since the hand passed.
    used: bool,
}

/// A cache that gives a block a second chance before it forgets it.
pub struct Cache {
    slots: BTreeMap<u32, Slot>,
    /// In the order in which the hand will pass them. May name blocks that are forgotten already.
    order: VecDeque<u32>,
    most: usize,
}

impl Cache {
    /// One for so many blocks.
    pub fn new(most: usize) -> Cache {
        Cache { slots: BTreeMap::new(), order: VecDeque::new(), most: most.max(1) }
    }

    /// A block, if it is here.
    pub fn get(&mut self, number: u32) -> Option<&Block> {
        let slot = self.slots.get_mut(&number)?;
        slot.used = true;
        Some(&slot.block)
    }

    /// Is it here?
    pub fn has(&self, number: u32) -> bool {
        self.slots.contains_key(&number)
    }

    /// Keeps a block.
    pub fn put(&mut self, number: u32, block: &Block) {
        if let Some(slot) = self.slots.get_mut(&number) {
            slot.block.copy_from_slice(block);
            return;
        }
        let mut free = None;
        while self.slots.len() >= self.most {
            let Some(victim) = self.order.pop_front() else { break };
            match self.slots.get_mut(&victim) {
                Some(slot) if slot.used => {
                    slot.used = false;
                    self.order.push_back(victim);
                }
                Some(_) => free = self.slots.remove(&victim).map(|slot| slot.block),
                None => {}
            }
        }
        // Nearly always a block that has just been forgotten: the heap sees few requests.
        let mut kept = free.unwrap_or_else(|| Box::new([0; store::BLOCK]));
        kept.copy_from_slice(block);
        self.slots.insert(number, Slot { block: kept, used: false });
        self.order.push_back(number);
    }

    /// Forgets a block.
    pub fn forget(&mut self, number: u32) {
        if self.slots.remove(&number).is_some() {
            // Its number must not stay: it would be there twice when the block comes again.
            self.order.retain(|&known| known != number);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new(3);
        for number in 0..3 {
            cache.put(number, &[number as u8; store::BLOCK]);
        }
        assert_eq!(cache.get(0).map(|block| block[5]), Some(0));
        cache.put(3, &[3; store::BLOCK]);
        cache.put(4, &[4; store::BLOCK]);
        assert_eq!([0, 1, 2, 3, 4].map(|number| cache.has(number)), [true, false, false, true, true]);
        cache.put(4, &[5; store::BLOCK]);
        assert_eq!(cache.get(4).map(|block| block[5]), Some(5));
        cache.forget(4);
        assert!(!cache.has(4));
        for number in 10..1000 {
            cache.put(number, &[0; store::BLOCK]);
        }
        assert!(cache.slots.len() == 3 && cache.order.len() == 3);
    }
}
