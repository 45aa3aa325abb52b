//! The host's folder: a virtio device that carries 9P messages (QEMU's `virtio-9p`), asked one thing at a time.
//!
//! ```text
//!   configuration   length of the mount tag (2 bytes), the tag
//!   queue 0         request: what the device reads | reply: what it writes
//! ```
//! The buffers are frames of this driver's own, for ever: a device that does not answer in time may still write to them,
//! so they are never used again.

use super::pci::{PortAccess, find};
use super::virtio::KernelHal;
use crate::clock;
use crate::memory::frames::FRAME;
use crate::memory::{direct, permanent_frames};
use alloc::string::String;
use files::VolumeError;
use kernel_logic::ninep::{Channel, Client, MESSAGE};
use log::{error, info, warn};
use virtio_drivers::queue::VirtQueue;
use virtio_drivers::transport::Transport;
use virtio_drivers::transport::pci::PciTransport;
use virtio_drivers::transport::pci::bus::{Command, PciRoot};

/// The only queue.
const QUEUE: u16 = 0;
/// Its descriptors; a request takes two.
const QUEUE_SIZE: usize = 8;
/// After so long without an answer the device is taken for gone, microseconds.
const PATIENCE: u64 = 60_000_000;
/// Identifiers on PCI, device and vendor: the modern one, and the one from before the standard.
const IDENTIFIERS: [u32; 2] = [0x1049_1af4, 0x1009_1af4];
/// The name that `run-qemu.sh` gives, and that a share without a usable one gets.
const USUAL_TAG: &str = "share";
/// Longest tag that is read, bytes.
const LONGEST_TAG: u16 = 64;

bitflags::bitflags! {
    /// What device and driver may agree on.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Features: u64 {
        /// The device has a mount tag.
        const MOUNT_TAG = 1 << 0;
        /// The standard's first version.
        const VERSION_1 = 1 << 32;
    }
}

/// The way to the host's server.
pub struct Wire {
    transport: PciTransport,
    queue: VirtQueue<KernelHal, QUEUE_SIZE>,
    request: &'static mut [u8],
    reply: &'static mut [u8],
    /// No answer came in time.
    gone: bool,
}

/// The host's folder, if there is one, and under which name it wants to be seen.
pub fn start() -> Option<(String, Client<Wire>)> {
    let function = find(|id| IDENTIFIERS.contains(&id))?;
    let mut root = PciRoot::new(PortAccess);
    root.set_command(function, Command::MEMORY_SPACE | Command::BUS_MASTER);
    let mut transport = match PciTransport::new::<KernelHal, _>(&mut root, function) {
        Ok(transport) => transport,
        Err(error) => {
            warn!("the host's folder cannot be used: {error}");
            return None;
        }
    };
    let features = transport.begin_init(Features::all());
    let tag = features.contains(Features::MOUNT_TAG).then(|| mount_tag(&transport)).flatten();
    let tag = tag.filter(|tag| files::check_name(tag).is_ok()).unwrap_or_else(|| USUAL_TAG.into());
    let mut queue = match VirtQueue::new(&mut transport, QUEUE, false, false) {
        Ok(queue) => queue,
        Err(error) => {
            warn!("the host's folder cannot be used: {error}");
            return None;
        }
    };
    queue.set_dev_notify(false);
    transport.finish_init();
    let wire = Wire { transport, queue, request: frames(MESSAGE), reply: frames(MESSAGE), gone: false };
    match Client::new(wire) {
        Ok(client) => {
            info!("the host's folder is {{DSK}}<{tag}>");
            Some((tag, client))
        }
        Err(error) => {
            warn!("the host's folder cannot be used: {error}");
            None
        }
    }
}

/// The device's name for what it shares.
fn mount_tag(transport: &PciTransport) -> Option<String> {
    let length = transport.read_config_space::<u16>(0).ok()?.min(LONGEST_TAG);
    let bytes = (0..length).map(|at| transport.read_config_space::<u8>(2 + usize::from(at)).ok());
    String::from_utf8(bytes.collect::<Option<_>>()?).ok()
}

/// That many bytes of neighbouring frames.
fn frames(bytes: u32) -> &'static mut [u8] {
    let run = permanent_frames(u64::from(bytes).div_ceil(FRAME));
    // SAFETY: the frames were just allocated, zeroed, for ever; the direct map reaches them.
    unsafe { core::slice::from_raw_parts_mut(direct::<u8>(run), bytes as usize) }
}

impl Channel for Wire {
    fn exchange(&mut self, request: &[u8], reply: &mut [u8]) -> Result<usize, VolumeError> {
        if self.gone {
            return Err(VolumeError::Gone);
        }
        let own = self.request.get_mut(..request.len()).ok_or(VolumeError::Invalid)?;
        own.copy_from_slice(request);
        let inputs: [&[u8]; 1] = [own];
        let mut outputs: [&mut [u8]; 1] = [&mut *self.reply];
        // SAFETY: the buffers are frames of their own; until `pop_used` succeeds nobody touches them, and if it never
        // does, `gone` keeps everybody away for ever.
        let token = unsafe { self.queue.add(&inputs, &mut outputs) }.map_err(|_| VolumeError::Device)?;
        if self.queue.should_notify() {
            self.transport.notify(QUEUE);
        }
        let asked = clock::microseconds();
        while !self.queue.can_pop() {
            if clock::microseconds() - asked > PATIENCE {
                error!("the host's folder has not answered for {} s: it is gone", PATIENCE / 1_000_000);
                self.gone = true;
                return Err(VolumeError::Gone);
            }
            core::hint::spin_loop();
        }
        // SAFETY: the very buffers that `add` was given under this token.
        let count = unsafe { self.queue.pop_used(token, &inputs, &mut outputs) };
        let count = count.map_err(|error| {
            error!("the host's folder answers what nobody asked: {error}");
            self.gone = true;
            VolumeError::Gone
        })? as usize;
        let answer = self.reply.get(..count).ok_or(VolumeError::Device)?;
        reply.get_mut(..count).ok_or(VolumeError::Device)?.copy_from_slice(answer);
        Ok(count)
    }
}
