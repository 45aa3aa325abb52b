//! A machine's disk that is a file of the host.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use store::device::SECTORS;
use store::format::BLOCK;
use store::sysout::ReadAt;
use store::{Block, Device, DeviceError};

/// The file. Writes happen at once; a flush waits until the host's disk has them.
pub struct FileDisk {
    file: File,
    blocks: u64,
}

impl FileDisk {
    /// Opens a disk, for reading only or for writing, too.
    pub fn open(path: &Path, writable: bool) -> Result<FileDisk, String> {
        let file = OpenOptions::new().read(true).write(writable).open(path);
        let file = file.map_err(|error| match error.kind() {
            ErrorKind::NotFound => format!("there is no disk at {}; `boot import` makes one", path.display()),
            _ => format!("the disk {} cannot be opened: {error}", path.display()),
        })?;
        let file = FileDisk::of(file).map_err(|error| format!("{}: {error}", path.display()))?;
        if writable && file.is_in_use() {
            return Err(format!("the machine of {} is running; power it off first", path.display()));
        }
        Ok(file)
    }

    /// Does a QEMU have it? QEMU locks parts of its disks' files, and the host lists all locks by device and file number.
    fn is_in_use(&self) -> bool {
        let (Ok(metadata), Ok(locks)) = (self.file.metadata(), std::fs::read_to_string("/proc/locks")) else {
            return false;
        };
        let (device, number) = (metadata.dev(), metadata.ino());
        let (major, minor) = (device >> 8 & 0xFFF | device >> 32 & !0xFFF, device & 0xFF | device >> 12 & !0xFF);
        let name = format!("{major:02x}:{minor:02x}:{number}");
        locks.lines().any(|line| line.split_whitespace().any(|word| word == name))
    }

    /// Makes a new disk of so many blocks, most of them holes.
    pub fn create(path: &Path, blocks: u64) -> Result<FileDisk, String> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path);
        let made = file.and_then(|file| {
            file.set_len(blocks * BLOCK as u64)?;
            FileDisk::of(file)
        });
        made.map_err(|error| format!("the disk {} cannot be made: {error}", path.display()))
    }

    /// Makes it this many blocks long; the new ones are holes.
    pub fn grow(&mut self, blocks: u64) -> std::io::Result<()> {
        self.file.set_len(blocks * BLOCK as u64)?;
        self.file.sync_all()?;
        self.blocks = blocks;
        Ok(())
    }

    fn of(file: File) -> std::io::Result<FileDisk> {
        // Seeking tells the length of block devices, too, which metadata does not.
        let length = std::io::Seek::seek(&mut &file, std::io::SeekFrom::End(0))?;
        Ok(FileDisk { blocks: length / BLOCK as u64, file })
    }
}

impl Device for FileDisk {
    fn blocks(&self) -> u64 {
        self.blocks
    }

    fn has_flush(&self) -> bool {
        true
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let sector = u64::from(first) * SECTORS;
        if u64::from(first) + (buffer.len() / BLOCK) as u64 > self.blocks {
            return Err(DeviceError::PastEnd { sector, sectors: self.blocks * SECTORS });
        }
        self.file.read_exact_at(buffer, u64::from(first) * BLOCK as u64).map_err(|_| DeviceError::Read { sector })
    }

    fn room(&mut self) -> usize {
        usize::MAX
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let sector = u64::from(block) * SECTORS;
        if u64::from(block) >= self.blocks {
            return Err(DeviceError::PastEnd { sector, sectors: self.blocks * SECTORS });
        }
        self.file.write_all_at(data, u64::from(block) * BLOCK as u64).map_err(|error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => DeviceError::NoSpace { sector },
            _ => DeviceError::Write { sector },
        })
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        self.file.sync_data().map_err(|_| DeviceError::Flush)
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        Ok(0)
    }
}

/// A sysout of the host, only ever read.
pub struct SysoutFile(pub File);

impl ReadAt for SysoutFile {
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> bool {
        self.0.read_exact_at(buffer, at).is_ok()
    }
}
