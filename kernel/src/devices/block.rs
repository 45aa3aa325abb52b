//! The machine's disk: a virtio block device. Reads are waited for, also from inside a page fault; writes and flushes are
//! handed over and go on by themselves. A disk that finishes nothing for a minute is given up: errors from then on.
//!
//! ```text
//!   slot   header (16 bytes)   response (1 byte)   4 KiB of data for a write     one request each
//!          |<------------- one descriptor each in the queue ------------->|      SLOTS of them in the queue
//! ```
//! The last slots are for reads alone, so that a page fault finds room while the queue is full of writes. Nothing here
//! allocates after [`start`]. What is longer than a block the device reads straight into the buffers it is given, so these
//! must be physically contiguous: stacks, frames and the heap are, see `memory`.

use super::pci::{PortAccess, find};
use super::virtio::KernelHal;
use crate::memory::exclusive::Exclusive;
use crate::memory::frames::FRAME;
use crate::memory::{PhysicalAddress, direct, permanent_frames};
use crate::{clock, panic, saving};
use core::fmt;
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::pci::bus::{Command, PciRoot};
use virtio_drivers::transport::pci::{PciTransport, virtio_device_type};
use virtio_drivers::transport::{DeviceType, Transport};

/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Bytes of a block: what is written at a time.
pub const BLOCK: usize = 4096;
/// Descriptors in the queue.
const QUEUE_SIZE: usize = 128;
/// Requests under way at once: each takes up to three descriptors.
const SLOTS: usize = QUEUE_SIZE / 3;
/// Slots that writes leave to reads.
const FOR_READS: usize = 10;
/// A device that has requests and finishes none of them for so long is gone, microseconds.
const PATIENCE: u64 = 60_000_000;
/// The user is told of it after so long.
const SHOW_AFTER: u64 = 10_000_000;
/// Time between two looks counts for no more than that: a machine that was stopped did not wait.
const LONGEST_LOOK: u64 = 1_000_000;
/// The device's only queue.
const QUEUE: u16 = 0;

bitflags::bitflags! {
    /// What device and driver may agree on.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Features: u64 {
        /// The device takes no writes.
        const READ_ONLY = 1 << 5;
        /// The device can be told to make its writes durable.
        const FLUSH = 1 << 9;
        /// The standard's first version.
        const VERSION_1 = 1 << 32;
    }
}

/// Kinds of requests, as the device knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read = 0,
    Write = 1,
    Flush = 4,
}

/// Why the disk did not do what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// There is no virtio block device.
    NoDisk,
    /// There is one, and it cannot be used.
    Unusable(virtio_drivers::Error),
    /// The request goes past the end.
    PastEnd {
        /// First sector of it.
        sector: u64,
        /// How many.
        count: u64,
        /// Sectors of the disk.
        capacity: u64,
    },
    /// The device failed to read.
    Failed {
        /// First sector of the failed request.
        sector: u64,
    },
    /// The device failed to write.
    Unwritten {
        /// First sector of the failed request.
        sector: u64,
    },
    /// The device failed to make its writes durable.
    Unflushed,
    /// The device takes no writes.
    ReadOnly,
    /// The device did not finish a request, and was given up.
    Silent,
    /// Reading while a read is under way: a page fault inside the disk driver.
    Busy,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDisk => {
                write!(f, "there is no disk: give the machine a virtio block device that holds a Medley sysout")
            }
            Self::Unusable(error) => write!(f, "the virtio disk cannot be used: {error}"),
            Self::PastEnd { sector, count, capacity } => {
                write!(
                    f,
                    "sectors {sector} to {} were wanted from a disk of {capacity}: the sysout is cut short",
                    sector + count - 1
                )
            }
            Self::Failed { sector } => write!(f, "the disk failed to read sector {sector}"),
            Self::Unwritten { sector } => write!(f, "the disk failed to write sector {sector}"),
            Self::Unflushed => write!(f, "the disk failed to make its writes durable"),
            Self::ReadOnly => write!(f, "the disk can only be read"),
            Self::Silent => write!(f, "the disk has not answered for {} seconds", PATIENCE / 1_000_000),
            Self::Busy => write!(f, "the disk was asked to read while it was reading"),
        }
    }
}

/// One part of a batch: sectors from `sector` on, as many as fill `buffer` (a multiple of 512 bytes).
pub struct Request<'a> {
    /// First sector.
    pub sector: u64,
    /// Where they go; physically contiguous.
    pub buffer: &'a mut [u8],
}

/// A request under way.
#[derive(Debug, Clone, Copy)]
struct Busy {
    kind: Kind,
    token: u16,
    sector: u64,
    data: *mut u8,
    bytes: usize,
}

/// The driver.
struct Disk {
    transport: PciTransport,
    queue: VirtQueue<KernelHal, QUEUE_SIZE>,
    capacity: u64,
    features: Features,
    /// Headers and responses, 32 bytes a slot.
    heads: PhysicalAddress,
    /// A block a slot: the data of writes, and of reads that are no longer.
    data: PhysicalAddress,
    busy: [Option<Busy>; SLOTS],
    /// The first write or flush that failed and that nobody was told of.
    failed: Option<DiskError>,
    /// When it was looked for answers last, and how long there was none, microseconds.
    looked: u64,
    waited: u64,
    /// Was it given up?
    silent: bool,
}

// SAFETY: the pointers in `busy` are only handed to the device's queue; one processor uses the driver at a time.
unsafe impl Send for Disk {}

static DISK: Exclusive<Option<Disk>> = Exclusive::new(None);

/// Finds the disk and starts its driver. Gives its capacity in sectors.
pub fn start() -> Result<u64, DiskError> {
    let is_block = |id: u32| {
        let function = virtio_drivers::transport::pci::bus::DeviceFunctionInfo {
            vendor_id: id as u16,
            device_id: (id >> 16) as u16,
            class: 0,
            subclass: 0,
            prog_if: 0,
            revision: 0,
            header_type: virtio_drivers::transport::pci::bus::HeaderType::Standard,
        };
        virtio_device_type(&function) == Some(DeviceType::Block)
    };
    let function = find(is_block).ok_or(DiskError::NoDisk)?;
    let mut root = PciRoot::new(PortAccess);
    root.set_command(function, Command::MEMORY_SPACE | Command::BUS_MASTER);
    let mut transport = PciTransport::new::<KernelHal, _>(&mut root, function).map_err(|error| {
        log::error!("virtio: {error}");
        DiskError::Unusable(virtio_drivers::Error::Unsupported)
    })?;
    log::debug!("virtio {:?} at {function}", transport.device_type());
    let features = transport.begin_init(Features::all());
    let capacity = transport
        .read_consistent(|| Ok([transport.read_config_space::<u32>(0)?, transport.read_config_space::<u32>(4)?]))
        .map(|[low, high]| u64::from(high) << 32 | u64::from(low))
        .map_err(DiskError::Unusable)?;
    let mut queue = VirtQueue::new(&mut transport, QUEUE, false, false).map_err(DiskError::Unusable)?;
    queue.set_dev_notify(false);
    transport.finish_init();
    const { assert!(SLOTS * 32 <= FRAME as usize) };
    let disk = Disk {
        transport,
        queue,
        capacity,
        features,
        heads: permanent_frames(1),
        data: permanent_frames(SLOTS as u64),
        busy: [None; SLOTS],
        failed: None,
        looked: 0,
        waited: 0,
        silent: false,
    };
    log::debug!("virtio disk of {capacity} sectors, {features:?}");
    DISK.with(|place| *place = Some(disk));
    Ok(capacity)
}

/// Uses the disk.
fn with<R>(work: impl FnOnce(&mut Disk) -> Result<R, DiskError>) -> Result<R, DiskError> {
    DISK.try_with(|disk| disk.as_mut().map_or(Err(DiskError::NoDisk), work)).unwrap_or(Err(DiskError::Busy))
}

/// Sectors of the disk; 0 before [`start`].
pub fn capacity() -> u64 {
    with(|disk| Ok(disk.capacity)).unwrap_or(0)
}

/// Does the disk keep writes in a cache that [`submit_flush`] empties?
pub fn has_flush() -> bool {
    with(|disk| Ok(disk.features.contains(Features::FLUSH))).unwrap_or(false)
}

/// Does the disk refuse writes?
pub fn is_read_only() -> bool {
    with(|disk| Ok(disk.features.contains(Features::READ_ONLY))).unwrap_or(true)
}

/// Reads sectors from `sector` on into `buffer`.
pub fn read(sector: u64, buffer: &mut [u8]) -> Result<(), DiskError> {
    read_batch(&mut [Request { sector, buffer }])
}

/// Reads all requests, several at a time.
pub fn read_batch(requests: &mut [Request]) -> Result<(), DiskError> {
    if requests.is_empty() {
        return Ok(());
    }
    with(|disk| {
        for request in requests.iter() {
            disk.check(request.sector, request.buffer.len())?;
        }
        requests.chunks_mut(FOR_READS).try_for_each(|chunk| disk.read_chunk(chunk))
    })
}

/// How many writes or flushes can be submitted now.
pub fn room() -> usize {
    with(|disk| {
        disk.collect();
        disk.notice_silence();
        Ok((SLOTS - FOR_READS).saturating_sub(disk.under_way()))
    })
    .unwrap_or(0)
}

/// Begins to write a block at a sector. The data is copied.
pub fn submit_write(sector: u64, data: &[u8; BLOCK]) -> Result<(), DiskError> {
    with(|disk| {
        if disk.features.contains(Features::READ_ONLY) {
            return Err(DiskError::ReadOnly);
        }
        disk.check(sector, BLOCK)?;
        let slot = disk.free_slot()?;
        let copy = disk.block_of(slot);
        // SAFETY: the slot's own frame, which no request uses while the slot is free.
        unsafe { core::ptr::copy_nonoverlapping(data.as_ptr(), copy, BLOCK) };
        disk.submit(slot, Kind::Write, sector, copy, BLOCK)
    })
}

/// Begins to make durable what is written by now.
pub fn submit_flush() -> Result<(), DiskError> {
    with(|disk| {
        let slot = disk.free_slot()?;
        disk.submit(slot, Kind::Flush, 0, core::ptr::null_mut(), 0)
    })
}

/// How many writes and flushes are under way; or that one has failed, once.
pub fn poll() -> Result<usize, DiskError> {
    with(|disk| {
        disk.collect();
        disk.notice_silence();
        if disk.silent {
            return Err(DiskError::Silent);
        }
        match disk.failed.take() {
            Some(error) => Err(error),
            None => Ok(disk.under_way()),
        }
    })
}

impl Disk {
    fn check(&self, sector: u64, bytes: usize) -> Result<(), DiskError> {
        let count = (bytes / SECTOR) as u64;
        if sector + count > self.capacity {
            return Err(DiskError::PastEnd { sector, count, capacity: self.capacity });
        }
        Ok(())
    }

    fn free_slot(&self) -> Result<usize, DiskError> {
        if self.silent {
            return Err(DiskError::Silent);
        }
        self.busy.iter().position(Option::is_none).ok_or(DiskError::Busy)
    }

    /// Writes and flushes that are not done.
    fn under_way(&self) -> usize {
        self.busy.iter().flatten().filter(|busy| busy.kind != Kind::Read).count()
    }

    /// A slot's own block.
    fn block_of(&self, slot: usize) -> *mut u8 {
        direct::<u8>(PhysicalAddress(self.data.0 + (slot * BLOCK) as u64))
    }

    /// The header and the response of a slot.
    fn head(&self, slot: usize) -> (*mut [u8; 16], *mut [u8; 1]) {
        let at = direct::<u8>(PhysicalAddress(self.heads.0 + (slot * 32) as u64));
        (at.cast(), at.wrapping_add(16).cast())
    }

    /// Puts a request into the queue, or takes back the one with the token of `busy`.
    ///
    /// # Safety
    /// `busy.data` is `busy.bytes` bytes of memory that belong to the request until it has been taken back.
    unsafe fn exchange(&mut self, slot: usize, busy: &Busy, take: bool) -> virtio_drivers::Result<u16> {
        let (header, response) = self.head(slot);
        let (queue, token) = (&mut self.queue, busy.token);
        // SAFETY: header and response are the slot's own; data by the caller's promise. The same buffers go in and out.
        unsafe {
            let (header, response): (&[u8], &mut [u8]) = (&*header, &mut *response);
            match busy.kind {
                Kind::Read => {
                    let (inputs, outputs) =
                        (&[header][..], &mut [core::slice::from_raw_parts_mut(busy.data, busy.bytes), response][..]);
                    if take {
                        queue.pop_used(token, inputs, outputs).map(|_| token)
                    } else {
                        queue.add(inputs, outputs)
                    }
                }
                Kind::Write => {
                    let (inputs, outputs) =
                        (&[header, core::slice::from_raw_parts(busy.data, busy.bytes)][..], &mut [response][..]);
                    if take {
                        queue.pop_used(token, inputs, outputs).map(|_| token)
                    } else {
                        queue.add(inputs, outputs)
                    }
                }
                Kind::Flush => {
                    let (inputs, outputs) = (&[header][..], &mut [response][..]);
                    if take {
                        queue.pop_used(token, inputs, outputs).map(|_| token)
                    } else {
                        queue.add(inputs, outputs)
                    }
                }
            }
        }
    }

    /// Hands a request to the device. `data` must stay as it is until the slot is free again.
    fn submit(&mut self, slot: usize, kind: Kind, sector: u64, data: *mut u8, bytes: usize) -> Result<(), DiskError> {
        let mut header = [0; 16];
        header[..4].copy_from_slice(&(kind as u32).to_le_bytes());
        header[8..].copy_from_slice(&sector.to_le_bytes());
        let (place, response) = self.head(slot);
        // SAFETY: the slot is free, so its header and response are ours.
        unsafe {
            place.write(header);
            response.write([0xFF]);
        }
        let mut busy = Busy { kind, token: 0, sector, data, bytes };
        // SAFETY: `data` is a slot's frame or the buffer of a reader that waits in `read_chunk`.
        busy.token = unsafe { self.exchange(slot, &busy, false) }.map_err(DiskError::Unusable)?;
        self.busy[slot] = Some(busy);
        if self.queue.should_notify() {
            self.transport.notify(QUEUE);
        }
        Ok(())
    }

    /// Takes back what the device is done with. Gives the first read that failed.
    fn collect(&mut self) -> Option<DiskError> {
        let mut unread = None;
        if self.silent {
            return None;
        }
        while let Some(token) = self.queue.peek_used() {
            let slot = self.busy.iter().position(|busy| busy.is_some_and(|busy| busy.token == token));
            let slot = slot.expect("the disk finishes what it was given");
            let Some(busy) = self.busy[slot].take() else { continue };
            self.waited = 0;
            // SAFETY: the buffers that `submit` gave the device for this slot; a reader waits until its slot is free.
            let popped = unsafe { self.exchange(slot, &busy, true) };
            // SAFETY: the slot's response, which the device has written.
            let response = unsafe { self.head(slot).1.read_volatile() };
            if popped.is_err() || response != [0] {
                match busy.kind {
                    Kind::Read => unread = unread.or(Some(DiskError::Failed { sector: busy.sector })),
                    Kind::Write => {
                        self.failed = self.failed.or(Some(DiskError::Unwritten { sector: busy.sector }));
                    }
                    Kind::Flush => self.failed = self.failed.or(Some(DiskError::Unflushed)),
                }
            }
        }
        unread
    }

    /// Gives the device up when it has finished nothing for too long. It is not reset, because QEMU would wait for what is
    /// under way; the slots are never used again. Called after [`Self::collect`].
    fn notice_silence(&mut self) {
        let now = clock::microseconds();
        let passed = now.saturating_sub(core::mem::replace(&mut self.looked, now)).min(LONGEST_LOOK);
        if self.silent || self.busy.iter().all(Option::is_none) {
            self.waited = 0;
            return;
        }
        let before = self.waited;
        self.waited += passed;
        if before < SHOW_AFTER && self.waited >= SHOW_AFTER {
            saving::tell(format_args!("The disk has not answered for {} seconds; waiting.", SHOW_AFTER / 1_000_000));
        }
        if self.waited >= PATIENCE {
            log::error!(target: "disk", "{}; it is given up", DiskError::Silent);
            self.silent = true;
        }
    }

    /// Submits up to [`FOR_READS`] reads and waits for all of them.
    fn read_chunk(&mut self, requests: &mut [Request]) -> Result<(), DiskError> {
        let mut failed = None;
        let mut slots = [0; FOR_READS];
        for (request, slot) in requests.iter_mut().zip(&mut slots) {
            *slot = self.free_slot()?;
            let bytes = request.buffer.len();
            // The buffers stay borrowed by `requests` until the loop below has seen every read done.
            let data = if bytes <= BLOCK { self.block_of(*slot) } else { request.buffer.as_mut_ptr() };
            failed = failed.or(self.submit(*slot, Kind::Read, request.sector, data, bytes).err());
        }
        while self.busy.iter().flatten().any(|busy| busy.kind == Kind::Read) {
            failed = failed.or(self.collect());
            self.notice_silence();
            if self.silent {
                if requests.iter().all(|request| request.buffer.len() <= BLOCK) {
                    return Err(DiskError::Silent);
                }
                // The disk may still write into the callers' buffers, so nobody can go on who might use their memory for
                // something else; and without its disk Lisp would not get far.
                panic::fatal(format_args!("{}; start again when it does.", DiskError::Silent));
            }
            core::hint::spin_loop();
        }
        if let Some(error) = failed {
            return Err(error);
        }
        for (request, &slot) in requests.iter_mut().zip(&slots) {
            if request.buffer.len() <= BLOCK {
                // SAFETY: the slot's own frame, which the device is done with.
                let data = unsafe { core::slice::from_raw_parts(self.block_of(slot), request.buffer.len()) };
                request.buffer.copy_from_slice(data);
            }
        }
        Ok(())
    }
}
