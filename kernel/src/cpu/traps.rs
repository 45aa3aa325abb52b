//! What is done about exceptions and interrupts.

use super::TrapFrame;
use super::ports::{inb, outb};
use crate::memory::paging::Stack;
use crate::{clock, devices, pager, panic};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use x86_64::registers::control::Cr2;

/// First vector of the interrupt controllers.
const FIRST_IRQ: u8 = 32;
/// Ports of the two controllers.
const PRIMARY: u16 = 0x20;
const SECONDARY: u16 = 0xa0;

/// Something came in since [`take_events`]: a tick, a key, the mouse.
static EVENTS: AtomicBool = AtomicBool::new(false);
/// The same without ticks: a person did something.
static INPUT: AtomicBool = AtomicBool::new(false);
/// Interrupts that nobody claims.
static SPURIOUS: AtomicU64 = AtomicU64::new(0);
/// Breakpoints met (they are counted, reported and survived).
static BREAKPOINTS: AtomicU64 = AtomicU64::new(0);

/// What the exceptions are called.
fn name(vector: u64) -> &'static str {
    match vector {
        0 => "division by zero",
        1 => "debug exception",
        2 => "non-maskable interrupt",
        3 => "breakpoint",
        4 => "overflow",
        5 => "bound range exceeded",
        6 => "invalid instruction",
        7 => "device not available",
        8 => "double fault",
        10 => "invalid task state segment",
        11 => "segment not present",
        12 => "stack segment fault",
        13 => "general protection fault",
        14 => "page fault",
        16 => "x87 floating-point exception",
        17 => "alignment check",
        18 => "machine check",
        19 => "SIMD floating-point exception",
        20 => "virtualization exception",
        21 => "control protection exception",
        _ => "exception",
    }
}

/// Every exception and interrupt comes here, on its own stack, with interrupts off.
pub extern "C" fn dispatch(frame: &mut TrapFrame) {
    match frame.vector {
        14 => page_fault(frame),
        3 => {
            BREAKPOINTS.fetch_add(1, Ordering::Relaxed);
            log::debug!("breakpoint at {:#x}", frame.rip);
        }
        1 => {
            if !pager::watch::stepped(frame, crate::machine::stop_at_once) {
                panic::trap(frame, format_args!("{} at {:#x}", name(1), frame.rip))
            }
        }
        vector @ 0..32 => {
            panic::trap(frame, format_args!("{} at {:#x} (error code {:#x})", name(vector), frame.rip, frame.error))
        }
        vector => interrupt((vector - u64::from(FIRST_IRQ)) as u8),
    }
}

fn page_fault(frame: &mut TrapFrame) {
    let address = Cr2::read_raw();
    let not_present = frame.error & 1 == 0;
    // Present and written to: bits 0 and 1 of the error code, and not by a fetch.
    let protected = frame.error & 0x13 == 3;
    if protected && pager::owns(address) && pager::watch::fault(frame, address) {
        return;
    }
    if (not_present || protected) && pager::owns(address) {
        match pager::fault(address, protected) {
            Ok(()) => return,
            Err(error) => panic::trap(frame, format_args!("{error}")),
        }
    }
    if let Some(stack) = Stack::guarded_by(address) {
        panic::trap(
            frame,
            format_args!("the {stack:?} stack of {} KiB overflowed (at {:#x})", stack.bytes() >> 10, frame.rip),
        );
    }
    let access = match frame.error & 0x12 {
        0x10 => "executing",
        2 => "writing",
        0 => "reading",
        _ => "using",
    };
    let reason = if not_present { "nothing is mapped there" } else { "that is not allowed there" };
    panic::trap(frame, format_args!("page fault {access} {address:#x} at {:#x}: {reason}", frame.rip));
}

fn interrupt(line: u8) {
    // Lines 7 and 15 also fire when a request vanished: then no in-service bit is set and no end of interrupt is due.
    if line & 7 == 7 {
        let port = if line == 7 { PRIMARY } else { SECONDARY };
        // SAFETY: reading the in-service register of an interrupt controller.
        let in_service = unsafe {
            outb(port, 0x0b);
            inb(port)
        };
        if in_service & 0x80 == 0 {
            SPURIOUS.fetch_add(1, Ordering::Relaxed);
            if line == 15 {
                // SAFETY: the primary controller did see a request on its line 2.
                unsafe { outb(PRIMARY, 0x20) };
            }
            return;
        }
    }
    match line {
        0 => {
            clock::tick();
            // Bytes for which there was no room have no interrupt of their own; and they come one by one to Lisp.
            devices::serial::receive();
            if devices::serial::is_waiting() {
                INPUT.store(true, Ordering::Relaxed);
            }
        }
        1 | 12 => {
            devices::ps2::interrupt();
            INPUT.store(true, Ordering::Relaxed);
        }
        4 => {
            devices::serial::receive();
            INPUT.store(true, Ordering::Relaxed);
        }
        _ => {
            SPURIOUS.fetch_add(1, Ordering::Relaxed);
        }
    }
    // SAFETY: end of interrupt to the controllers that saw it.
    unsafe {
        if line >= 8 {
            outb(SECONDARY, 0x20);
        }
        outb(PRIMARY, 0x20);
    }
    EVENTS.store(true, Ordering::Relaxed);
    crate::machine::interrupt_arrived();
}

/// Did an interrupt come in since the last call?
pub fn take_events() -> bool {
    INPUT.store(false, Ordering::Relaxed);
    EVENTS.swap(false, Ordering::Relaxed)
}

/// Has a person done something that is waiting to be taken?
pub fn input_waiting() -> bool {
    INPUT.load(Ordering::Relaxed)
}

/// Is an event waiting to be taken?
pub fn events_waiting() -> bool {
    EVENTS.load(Ordering::Relaxed)
}

/// Breakpoints survived so far.
pub fn breakpoints() -> u64 {
    BREAKPOINTS.load(Ordering::Relaxed)
}

/// Moves the controllers' vectors away from the exceptions and opens the lines in use: timer, keyboard, serial, mouse.
pub fn start_interrupts() {
    let open = [0u8, 1, 2, 4, 12].into_iter().fold(0u16, |lines, line| lines | 1 << line);
    let [low, high] = (!open).to_le_bytes();
    // SAFETY: the initialisation sequence of the two 8259s; every line has a gate.
    unsafe {
        for (port, value) in [
            (PRIMARY, 0x11), // initialise, edge triggered, cascade
            (SECONDARY, 0x11),
            (PRIMARY + 1, FIRST_IRQ),
            (SECONDARY + 1, FIRST_IRQ + 8),
            (PRIMARY + 1, 4), // the secondary is on line 2
            (SECONDARY + 1, 2),
            (PRIMARY + 1, 1), // 8086 mode
            (SECONDARY + 1, 1),
            (PRIMARY + 1, low),
            (SECONDARY + 1, high),
        ] {
            outb(port, value);
        }
        // COM1: interrupt when a byte arrives; OUT2 lets it through to the controller.
        outb(0x3f9, 1);
        outb(0x3fc, 0x0b);
    }
    x86_64::instructions::interrupts::enable();
}
