//! A small queue between an interrupt handler and the machine: overwrites nothing, counts what it had to drop.

/// A first-in first-out queue of at most `N` items.
pub struct Ring<T: Copy, const N: usize> {
    items: [Option<T>; N],
    first: usize,
    length: usize,
    dropped: u64,
}

impl<T: Copy, const N: usize> Ring<T, N> {
    /// An empty queue.
    pub const fn new() -> Self {
        Self { items: [None; N], first: 0, length: 0, dropped: 0 }
    }

    /// Adds an item; when the queue is full the new item is dropped and counted.
    pub fn push(&mut self, item: T) {
        if self.length == N {
            self.dropped += 1;
            return;
        }
        self.items[(self.first + self.length) % N] = Some(item);
        self.length += 1;
    }

    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        if self.length == 0 {
            return None;
        }
        let item = self.items[self.first].take();
        self.first = (self.first + 1) % N;
        self.length -= 1;
        item
    }

    /// Is nothing waiting?
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Items dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<T: Copy, const N: usize> Default for Ring<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_counts_losses() {
        let mut ring = Ring::<u8, 3>::new();
        (1..=5).for_each(|item| ring.push(item));
        assert_eq!(ring.dropped(), 2);
        assert_eq!((ring.pop(), ring.pop()), (Some(1), Some(2)));
        ring.push(9);
        assert_eq!((ring.pop(), ring.pop(), ring.pop()), (Some(3), Some(9), None));
        assert!(ring.is_empty());
    }
}
