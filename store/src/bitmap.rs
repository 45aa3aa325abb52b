//! One bit for each block of the disk.

use crate::error::StoreError;
use alloc::vec::Vec;

/// Memory for `length` values, if there is any.
pub(crate) fn filled<T: Clone>(length: usize, value: T) -> Result<Vec<T>, StoreError> {
    let mut values = Vec::new();
    values.try_reserve_exact(length).map_err(|_| StoreError::NoMemory { bytes: length * size_of::<T>() })?;
    values.resize(length, value);
    Ok(values)
}

/// A set of blocks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bitmap {
    words: Vec<u64>,
    blocks: u32,
}

impl Bitmap {
    /// The empty set, of a disk of so many blocks.
    pub(crate) fn new(blocks: u32) -> Result<Bitmap, StoreError> {
        Ok(Bitmap { words: filled(blocks.div_ceil(64) as usize, 0)?, blocks })
    }

    /// The same set again.
    pub(crate) fn copy(&self) -> Result<Bitmap, StoreError> {
        let mut words = filled(self.words.len(), 0)?;
        words.copy_from_slice(&self.words);
        Ok(Bitmap { words, blocks: self.blocks })
    }

    /// Puts a block in; false if it was in already.
    pub(crate) fn insert(&mut self, block: u32) -> bool {
        let (word, bit) = (&mut self.words[block as usize / 64], 1 << (block % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Takes a block out.
    pub(crate) fn remove(&mut self, block: u32) {
        self.words[block as usize / 64] &= !(1 << (block % 64));
    }

    /// Is the block in?
    pub(crate) fn contains(&self, block: u32) -> bool {
        self.words[block as usize / 64] & 1 << (block % 64) != 0
    }

    /// How many blocks from `first` on are in none of the sets.
    pub(crate) fn count_free(sets: &[&Bitmap], first: u32, blocks: u32) -> u32 {
        (0..blocks.div_ceil(64)).map(|word| free_bits(sets, word, first, blocks).count_ones()).sum()
    }

    /// The first block from `from` on, wrapping around to `first`, that is in none of the sets.
    pub(crate) fn find_free(sets: &[&Bitmap], first: u32, from: u32, blocks: u32) -> Option<u32> {
        let search = |low: u32, high: u32| {
            (low / 64..high.div_ceil(64)).find_map(|word| {
                let free = free_bits(sets, word, low, high);
                (free != 0).then(|| word * 64 + free.trailing_zeros())
            })
        };
        search(from.clamp(first, blocks), blocks).or_else(|| search(first, blocks))
    }
}

/// The bits of a word that are blocks from `low` to `high` and in none of the sets.
fn free_bits(sets: &[&Bitmap], word: u32, low: u32, high: u32) -> u64 {
    let mut free = !sets.iter().fold(0, |used, set| used | set.words[word as usize]);
    let base = word * 64;
    if low > base {
        free &= u64::MAX.checked_shl(low - base).unwrap_or(0);
    }
    if high < base + 64 {
        free &= !u64::MAX.checked_shl(high.saturating_sub(base)).unwrap_or(0);
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_blocks_are_counted_and_found() {
        for blocks in [10, 63, 64, 65, 128, 200] {
            let (mut a, mut b) = (Bitmap::new(blocks).unwrap(), Bitmap::new(blocks).unwrap());
            assert_eq!(Bitmap::count_free(&[&a, &b], 5, blocks), blocks - 5);
            let mut from = 7;
            for i in 0..blocks - 5 {
                let block = Bitmap::find_free(&[&a, &b], 5, from, blocks).unwrap();
                assert!((5..blocks).contains(&block));
                assert!(!a.contains(block) && !b.contains(block));
                assert!(if i % 2 == 0 { a.insert(block) } else { b.insert(block) });
                from = block + 1;
            }
            assert_eq!(Bitmap::find_free(&[&a, &b], 5, 7, blocks), None);
            assert_eq!(Bitmap::count_free(&[&a, &b], 5, blocks), 0);
            a.remove(7);
            b.remove(7);
            assert_eq!(Bitmap::find_free(&[&a, &b], 5, 8, blocks), Some(7));
        }
    }
}
