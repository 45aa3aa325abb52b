//! One disk for two users: the store of worlds and the files.
//!
//! ```text
//!   worlds: submit submit submit poll ..            Store::step, a few writes now and then, never waits
//!   files:                             submit ..    waits until the worlds' writes are done, then for its own
//! ```
//! A [`Device`] counts what is under way, and reports an error once; whose it was it does not say. So only one of the two
//! has writes under way at a time: who wants to write waits for the other's to be done, and an error that turns up then is
//! kept for the one whose it is. Reads need not wait, because nobody reads what the other writes.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use store::{Block, Device, DeviceError};

struct Inner<D> {
    device: D,
    /// Who has writes under way, if anybody has.
    turn: usize,
    /// Errors of each user that it has not heard of.
    owed: [VecDeque<DeviceError>; 2],
}

impl<D: Device> Inner<D> {
    /// Gives a user the turn.
    fn take_turn(&mut self, user: usize) {
        if self.turn == user {
            return;
        }
        loop {
            match self.device.poll() {
                Ok(0) => break,
                Ok(_) => core::hint::spin_loop(),
                Err(error) => self.owed[self.turn].push_back(error),
            }
        }
        self.turn = user;
    }
}

/// Makes a disk shareable: the one for the worlds, and the one for the files.
pub fn share<D: Device>(device: D) -> (User<D>, User<D>) {
    let inner = Inner { device, turn: 0, owed: [VecDeque::new(), VecDeque::new()] };
    let shared = Rc::new(RefCell::new(inner));
    (User { shared: shared.clone(), me: 0 }, User { shared, me: 1 })
}

/// The disk, for one of its users.
pub struct User<D> {
    shared: Rc<RefCell<Inner<D>>>,
    me: usize,
}

impl<D: Device> User<D> {
    /// Uses the disk itself.
    pub fn with<T>(&mut self, with: impl FnOnce(&mut D) -> T) -> T {
        with(&mut self.shared.borrow_mut().device)
    }
}

impl<D: Device> Device for User<D> {
    fn blocks(&self) -> u64 {
        self.shared.borrow().device.blocks()
    }

    fn has_flush(&self) -> bool {
        self.shared.borrow().device.has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.shared.borrow_mut().device.read(first, buffer)
    }

    fn room(&mut self) -> usize {
        let mut inner = self.shared.borrow_mut();
        inner.take_turn(self.me);
        inner.device.room()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let mut inner = self.shared.borrow_mut();
        inner.take_turn(self.me);
        inner.device.submit_write(block, data)
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        let mut inner = self.shared.borrow_mut();
        inner.take_turn(self.me);
        inner.device.submit_flush()
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        let mut inner = self.shared.borrow_mut();
        if let Some(error) = inner.owed[self.me].pop_front() {
            return Err(error);
        }
        if inner.turn == self.me { inner.device.poll() } else { Ok(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::fake::FakeDisk;

    #[test]
    fn errors_go_to_whose_they_are() {
        let mut disk = FakeDisk::new(20);
        disk.faults.write = Some((1, 0));
        let (mut worlds, mut files) = share(disk);
        worlds.submit_write(1, &[1; store::BLOCK]).unwrap();
        worlds.submit_write(2, &[2; store::BLOCK]).unwrap();
        assert!(files.room() > 0);
        files.submit_write(9, &[3; store::BLOCK]).unwrap();
        assert!(matches!(worlds.poll(), Err(DeviceError::Write { .. })));
        assert_eq!(worlds.poll(), Ok(0));
        while files.poll().unwrap() > 0 {}
        let mut block = [0; store::BLOCK];
        worlds.read(9, &mut block).unwrap();
        assert_eq!(block[0], 3);
    }
}
