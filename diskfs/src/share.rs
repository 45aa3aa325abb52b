//! One disk for two users: the store of worlds and the files.
//!
//! ```text
//!   worlds: submit submit submit poll ..            Store::step, a few writes now and then, never waits
//!   files:                             submit ..    waits until the worlds' writes are done, then for its own
//! ```
//! A [`Device`] counts what is under way, and reports an error once; whose it was it does not say. So only one of the two
//! has writes under way at a time: who wants to write waits for the other's to be done, and an error that turns up then is
//! kept for the one whose it is. Reads need not wait, because nobody reads what the other writes.
//!
//! The kernel has its disk in a static and asks [`Turns`] itself; with [`share`] each user gets a device of its own.

use alloc::rc::Rc;
use core::cell::RefCell;
use store::{Block, Device, DeviceError};

/// Who uses a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// The store.
    Worlds,
    /// The files.
    Files,
}

/// Whose turn it is. Each function is one of [`Device`], for one of the users.
pub struct Turns {
    /// Who has writes under way, if anybody has.
    turn: Who,
    /// The first error of each user that it has not heard of.
    owed: [Option<DeviceError>; 2],
}

impl Turns {
    /// Nothing is under way.
    pub const fn new() -> Turns {
        Turns { turn: Who::Worlds, owed: [None; 2] }
    }

    /// Is it a user's turn? If the other has nothing under way any more, it is. Does not wait.
    pub fn ready(&mut self, who: Who, device: &mut impl Device) -> bool {
        if self.turn != who {
            match device.poll() {
                Ok(0) => self.turn = who,
                Ok(_) => {}
                Err(error) => {
                    self.owed[self.turn as usize].get_or_insert(error);
                }
            }
        }
        self.turn == who
    }

    /// Gives a user the turn; waits for what the other has under way.
    fn take(&mut self, who: Who, device: &mut impl Device) {
        while !self.ready(who, device) {
            core::hint::spin_loop();
        }
    }

    /// As [`Device::room`].
    pub fn room(&mut self, who: Who, device: &mut impl Device) -> usize {
        self.take(who, device);
        device.room()
    }

    /// As [`Device::submit_write`].
    pub fn submit_write(
        &mut self,
        who: Who,
        device: &mut impl Device,
        block: u32,
        data: &Block,
    ) -> Result<(), DeviceError> {
        self.take(who, device);
        device.submit_write(block, data)
    }

    /// As [`Device::submit_flush`].
    pub fn submit_flush(&mut self, who: Who, device: &mut impl Device) -> Result<(), DeviceError> {
        self.take(who, device);
        device.submit_flush()
    }

    /// As [`Device::poll`].
    pub fn poll(&mut self, who: Who, device: &mut impl Device) -> Result<usize, DeviceError> {
        match self.owed[who as usize].take() {
            Some(error) => Err(error),
            None if self.turn == who => device.poll(),
            None => Ok(0),
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Turns::new()
    }
}

/// Makes a disk shareable: the one for the worlds, and the one for the files.
pub fn share<D: Device>(device: D) -> (User<D>, User<D>) {
    let shared = Rc::new(RefCell::new((device, Turns::new())));
    (User { shared: shared.clone(), who: Who::Worlds }, User { shared, who: Who::Files })
}

/// The disk, for one of its users.
pub struct User<D> {
    shared: Rc<RefCell<(D, Turns)>>,
    who: Who,
}

impl<D: Device> User<D> {
    /// Uses the disk itself.
    pub fn with<T>(&mut self, with: impl FnOnce(&mut D) -> T) -> T {
        with(&mut self.shared.borrow_mut().0)
    }
}

impl<D: Device> Device for User<D> {
    fn blocks(&self) -> u64 {
        self.shared.borrow().0.blocks()
    }

    fn has_flush(&self) -> bool {
        self.shared.borrow().0.has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        self.shared.borrow_mut().0.read(first, buffer)
    }

    fn room(&mut self) -> usize {
        let (device, turns) = &mut *self.shared.borrow_mut();
        turns.room(self.who, device)
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let (device, turns) = &mut *self.shared.borrow_mut();
        turns.submit_write(self.who, device, block, data)
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        let (device, turns) = &mut *self.shared.borrow_mut();
        turns.submit_flush(self.who, device)
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        let (device, turns) = &mut *self.shared.borrow_mut();
        turns.poll(self.who, device)
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
