//! Lisp's files on the machine's own disk: where they are, and how they share it with the worlds.
//!
//! ```text
//!   saving.rs     DiskOf(Worlds) --\
//!                                   Turns --> VirtioDisk        writes of one of them under way at a time
//!   DiskVolume    DiskOf(Files)  --/
//! ```
//! Files are read and written while Lisp waits.

use crate::clock;
use crate::memory::exclusive::Exclusive;
use crate::saving::{self, VirtioDisk};
use alloc::boxed::Box;
use diskfs::{DiskVolume, FilesError, Made, Options, Turns, Who};
use files::Volume;
use log::{info, warn};
use store::{Block, Device, DeviceError};

static TURNS: Exclusive<Turns> = Exclusive::new(Turns::new());

/// The disk, for one of its users.
pub struct DiskOf(pub Who);

impl DiskOf {
    /// Waits until it is this user's turn; interrupts are served meanwhile.
    fn wait(&self) {
        while !TURNS.with(|turns| turns.ready(self.0, &mut VirtioDisk)) {
            core::hint::spin_loop();
        }
    }
}

impl Device for DiskOf {
    fn blocks(&self) -> u64 {
        VirtioDisk.blocks()
    }

    fn has_flush(&self) -> bool {
        VirtioDisk.has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        VirtioDisk.read(first, buffer)
    }

    fn room(&mut self) -> usize {
        self.wait();
        VirtioDisk.room()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        self.wait();
        VirtioDisk.submit_write(block, data)
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        self.wait();
        VirtioDisk.submit_flush()
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        TURNS.with(|turns| turns.poll(self.0, &mut VirtioDisk))
    }
}

/// Unix seconds now.
fn now() -> i64 {
    clock::unix_seconds() as i64
}

/// The files of the disk, if the machine has a disk with worlds and a place for files. A place where nothing has ever been
/// is made ready.
pub fn open() -> Option<Box<dyn Volume>> {
    if !saving::has_store() {
        return None;
    }
    let open = || DiskVolume::open(DiskOf(Who::Files), Options::new(now));
    let opened = match open() {
        Err(FilesError::Blank) if matches!(diskfs::is_blank(&mut DiskOf(Who::Files)), Ok(true)) => {
            let id = u128::from(clock::microseconds()) << 64 | u128::from(clock::unix_seconds());
            diskfs::make(&mut DiskOf(Who::Files), &Made { id, date: now() }).and_then(|()| open())
        }
        opened => opened,
    };
    match opened {
        Ok(mut volume) => {
            let free = volume.space(&[]).map_or(0, |space| space.free >> 8);
            info!("{{DSK}} is on the disk, {free} MiB are free");
            Some(Box::new(volume))
        }
        Err(error @ FilesError::NoPlace { .. }) => {
            warn!("{{DSK}} is in memory and gone when the power is: {error}");
            None
        }
        Err(error) => {
            saving::tell(format_args!("The files cannot be had, and {{DSK}} is in memory: {error}."));
            None
        }
    }
}
