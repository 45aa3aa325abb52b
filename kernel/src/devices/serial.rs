//! What comes in on the serial line.
//!
//! ```text
//!   IRQ 4, each tick --> receive(): bytes from the UART --> ring --> take()
//! ```
//! When the ring is full the bytes stay in the UART, and whoever sends has to wait or loses them; QEMU waits.

use crate::cpu::ports::inb;
use crate::memory::exclusive::Exclusive;
use core::sync::atomic::{AtomicUsize, Ordering};
use kernel_logic::ring::Ring;

/// COM1: data, and the status with "a byte is there" in bit 0.
const DATA: u16 = 0x3f8;
const STATUS: u16 = 0x3fd;
/// Bytes that wait.
const CAPACITY: usize = 1024;

static RECEIVED: Exclusive<Ring<u8, CAPACITY>> = Exclusive::new(Ring::new());
/// How many there are.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Takes what the UART has. From the interrupt, from the timer, or by whoever waits with interrupts off.
pub fn receive() {
    let _ = RECEIVED.try_with(|ring| {
        while WAITING.load(Ordering::Relaxed) < CAPACITY {
            // SAFETY: reading the status of COM1. Where there is no port all bits are ones.
            let status = unsafe { inb(STATUS) };
            if status & 1 == 0 || status == 0xff {
                break;
            }
            // SAFETY: a byte is waiting.
            ring.push(unsafe { inb(DATA) });
            WAITING.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// The next byte.
pub fn take() -> Option<u8> {
    let byte = RECEIVED.with(Ring::pop)?;
    WAITING.fetch_sub(1, Ordering::Relaxed);
    Some(byte)
}

/// Is a byte waiting?
pub fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}
