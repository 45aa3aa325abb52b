//! The disk with the sysout: a virtio block device, read synchronously, also from inside a page fault.
//!
//! Nothing here allocates after [`start`]. The device reads straight into the buffers it is given, so these must be
//! physically contiguous: stacks, frames and the heap are, see `memory`.

use super::pci::{PortAccess, find};
use super::virtio::KernelHal;
use crate::memory::exclusive::Exclusive;
use core::fmt;
use virtio_drivers::device::blk::{BlkReq, BlkResp, RespStatus, VirtIOBlk};
use virtio_drivers::transport::pci::bus::{Command, PciRoot};
use virtio_drivers::transport::pci::{PciTransport, virtio_device_type};
use virtio_drivers::transport::{DeviceType, Transport};

/// Bytes of a sector.
pub const SECTOR: usize = 512;
/// Requests under way at once: each takes three of the queue's sixteen descriptors.
const IN_FLIGHT: usize = 5;

/// Why the disk did not give what was asked for.
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

type Disk = VirtIOBlk<KernelHal, PciTransport>;

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
    let transport = PciTransport::new::<KernelHal, _>(&mut root, function).map_err(|error| {
        log::error!("virtio: {error}");
        DiskError::Unusable(virtio_drivers::Error::Unsupported)
    })?;
    log::debug!("virtio {:?} at {function}", transport.device_type());
    let mut disk = Disk::new(transport).map_err(DiskError::Unusable)?;
    disk.disable_interrupts();
    let capacity = disk.capacity();
    DISK.with(|place| *place = Some(disk));
    Ok(capacity)
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
    DISK.try_with(|disk| {
        let disk = disk.as_mut().ok_or(DiskError::NoDisk)?;
        let capacity = disk.capacity();
        for request in requests.iter() {
            let count = (request.buffer.len() / SECTOR) as u64;
            if request.sector + count > capacity {
                return Err(DiskError::PastEnd { sector: request.sector, count, capacity });
            }
        }
        requests.chunks_mut(IN_FLIGHT).try_for_each(|chunk| read_chunk(disk, chunk))
    })
    .unwrap_or(Err(DiskError::Busy))
}

/// Submits up to [`IN_FLIGHT`] requests and waits for all of them.
fn read_chunk(disk: &mut Disk, requests: &mut [Request]) -> Result<(), DiskError> {
    let mut headers: [BlkReq; IN_FLIGHT] = core::array::from_fn(|_| BlkReq::default());
    let mut responses: [BlkResp; IN_FLIGHT] = core::array::from_fn(|_| BlkResp::default());
    let mut tokens = [None; IN_FLIGHT];
    for (index, request) in requests.iter_mut().enumerate() {
        // SAFETY: header, buffer and response stay where they are and untouched until `complete_read_blocks` below;
        // this function does not return before every submitted request is complete.
        let token = unsafe {
            disk.read_blocks_nb(request.sector as usize, &mut headers[index], request.buffer, &mut responses[index])
        };
        // The queue was empty and takes IN_FLIGHT requests.
        tokens[index] = Some(token.expect("the disk's queue has room"));
    }
    let mut result = Ok(());
    for _ in 0..requests.len() {
        // The device may finish them in any order; the queue wants them back in the order of its used ring.
        let token = loop {
            if let Some(token) = disk.peek_used() {
                break token;
            }
            core::hint::spin_loop();
        };
        let index = tokens.iter().position(|&known| known == Some(token)).expect("the disk finishes what it was given");
        // SAFETY: the same header, buffer and response as submitted under this token.
        let done =
            unsafe { disk.complete_read_blocks(token, &headers[index], requests[index].buffer, &mut responses[index]) };
        if done.is_err() || responses[index].status() != RespStatus::OK {
            result = Err(DiskError::Failed { sector: requests[index].sector });
        }
    }
    result
}
