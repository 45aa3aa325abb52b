//! Clocks: the processor's time stamp counter (TSC) for time passed, the CMOS clock for the date, the programmable
//! interval timer (PIT) for ticks and to find out how fast the TSC runs.

use crate::cpu::ports::{inb, outb};
use core::arch::x86_64::_rdtsc;
use core::sync::atomic::{AtomicU64, Ordering};
use kernel_logic::calendar::RtcRegisters;
use kernel_logic::timing::{self, Reading};

/// Ticks a second of the timer interrupt: every second one is time for a frame on the screen.
pub const TICKS_PER_SECOND: u32 = 120;
/// Clock of the PIT in hertz.
const PIT_HERTZ: u64 = 1_193_182;
/// Length of the calibration, in PIT clocks: ten milliseconds.
const CALIBRATION: u16 = (PIT_HERTZ / 100) as u16;

/// TSC at kernel entry.
static ENTRY: AtomicU64 = AtomicU64::new(0);
/// TSC ticks a second.
static TSC_HERTZ: AtomicU64 = AtomicU64::new(0);
/// Microseconds a TSC tick, as a fraction of 2^32.
static MICROSECONDS_PER_TICK: AtomicU64 = AtomicU64::new(0);
/// Time between two looks at the CMOS clock, microseconds.
const COMPARE_EVERY: u64 = 60_000_000;
/// When the CMOS clock is looked at next, microseconds.
static COMPARE_AT: AtomicU64 = AtomicU64::new(COMPARE_EVERY);
/// Timer interrupts so far.
static TICKS: AtomicU64 = AtomicU64::new(0);
/// Seconds since 1970 at kernel entry, by the CMOS clock.
static ENTRY_DATE: AtomicU64 = AtomicU64::new(0);

/// The TSC now.
pub fn cycles() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, and the kernel's privilege level may use it.
    unsafe { _rdtsc() }
}

/// Marks kernel entry: the zero of the log's time.
pub fn mark_entry() {
    ENTRY.store(cycles(), Ordering::Relaxed);
}

/// Finds the TSC's speed by channel 2 of the PIT. Takes ten milliseconds, and a little longer on a busy host.
pub fn calibrate() {
    // SAFETY: ports of the PIT and of the system control port; channel 2 drives nothing but the speaker, kept silent.
    let control = unsafe { inb(0x61) };
    let restart = || {
        // SAFETY: as above.
        unsafe {
            outb(0x61, (control & !2) | 1); // gate on, speaker off
            outb(0x43, 0b1011_0000); // channel 2, both bytes, mode 0: output rises at the end
            outb(0x42, 0xff);
            outb(0x42, 0xff);
        }
    };
    let measured = timing::measure(restart, read_timer, CALIBRATION, PIT_HERTZ);
    // SAFETY: as above.
    unsafe { outb(0x61, control) };
    // A PIT that stands still (some recent machines gate it off): ask the processor, else guess two gigahertz.
    let hertz = measured.unwrap_or_else(|| nominal_hertz().unwrap_or(2_000_000_000));
    TSC_HERTZ.store(hertz, Ordering::Relaxed);
    MICROSECONDS_PER_TICK.store((1_000_000 << 32) / hertz.max(1), Ordering::Relaxed);
}

/// Reads channel 2 of the PIT.
fn read_timer() -> Reading {
    // SAFETY: as in `calibrate`.
    unsafe {
        let before = cycles();
        outb(0x43, 0b1000_0000); // keeps the count of this moment for the two reads
        let after = cycles();
        let count = u16::from(inb(0x42)) | u16::from(inb(0x42)) << 8;
        Reading { before, timer: (inb(0x61) & 0x20 == 0).then_some(count), after }
    }
}

/// What CPUID leaf 0x16 says of the processor's base frequency.
fn nominal_hertz() -> Option<u64> {
    use core::arch::x86_64::__cpuid;
    let leaves = __cpuid(0).eax;
    let megahertz = if leaves >= 0x16 { __cpuid(0x16).eax & 0xffff } else { 0 };
    (megahertz != 0).then_some(u64::from(megahertz) * 1_000_000)
}

/// TSC ticks a second.
pub fn tsc_hertz() -> u64 {
    TSC_HERTZ.load(Ordering::Relaxed)
}

/// Microseconds since kernel entry; 0 before [`calibrate`].
pub fn microseconds() -> u64 {
    let passed = cycles().wrapping_sub(ENTRY.load(Ordering::Relaxed));
    ((u128::from(passed) * u128::from(MICROSECONDS_PER_TICK.load(Ordering::Relaxed))) >> 32) as u64
}

/// Milliseconds since kernel entry.
pub fn milliseconds() -> u64 {
    microseconds() / 1000
}

/// Lets the speaker sound, or silences it.
pub fn tone(hertz: Option<u32>) {
    // SAFETY: channel 2 of the PIT as a square wave, and the speaker's gate.
    unsafe {
        let control = inb(0x61) & !3;
        let Some(hertz) = hertz else {
            outb(0x61, control);
            return;
        };
        let divisor = (PIT_HERTZ / u64::from(hertz.max(20))).clamp(1, 0xffff) as u16;
        outb(0x43, 0b1011_0110);
        outb(0x42, divisor as u8);
        outb(0x42, (divisor >> 8) as u8);
        outb(0x61, control | 3);
    }
}

/// Waits without sleeping; for devices that want a pause.
pub fn spin_microseconds(count: u64) {
    let end = microseconds() + count;
    while microseconds() < end {
        core::hint::spin_loop();
    }
}

/// Reads the CMOS clock and starts the timer interrupt.
pub fn start() {
    let date = read_rtc().unwrap_or_else(|| {
        log::warn!("the CMOS clock holds no date; taking 1970-01-01");
        0
    });
    ENTRY_DATE.store(date.saturating_sub(milliseconds() / 1000), Ordering::Relaxed);
    let divisor = (PIT_HERTZ / u64::from(TICKS_PER_SECOND)) as u16;
    // SAFETY: channel 0 of the PIT, rate generator; its interrupt has a handler.
    unsafe {
        outb(0x43, 0b0011_0100);
        outb(0x40, divisor as u8);
        outb(0x40, (divisor >> 8) as u8);
    }
}

/// Seconds since 1970 (in the CMOS clock's zone, which PCs without Windows keep at UTC).
pub fn unix_seconds() -> u64 {
    ENTRY_DATE.load(Ordering::Relaxed) + milliseconds() / 1000
}

/// Compares the date with the CMOS clock now and then and sets it right: the TSC's speed is known to a thousandth only, and
/// a host that slept did not count. Not from interrupts.
pub fn keep_right() {
    let now = microseconds();
    if now < COMPARE_AT.load(Ordering::Relaxed) {
        return;
    }
    // In the second in which the CMOS clock changes it says nothing; then the next question tries again.
    let Some(date) = try_rtc() else { return };
    COMPARE_AT.store(now + COMPARE_EVERY, Ordering::Relaxed);
    let ours = unix_seconds();
    // Both count whole seconds, so one is no difference.
    if date.abs_diff(ours) >= 2 {
        log::info!("the CMOS clock says {date}, not {ours}: the date is set right");
        ENTRY_DATE.store(date.saturating_sub(milliseconds() / 1000), Ordering::Relaxed);
    }
}

/// Counts a timer interrupt.
pub fn tick() {
    TICKS.fetch_add(1, Ordering::Relaxed);
}

/// Timer interrupts so far.
pub fn ticks() -> u64 {
    TICKS.load(Ordering::Relaxed)
}

/// Reads the CMOS clock, waiting until it can be read.
fn read_rtc() -> Option<u64> {
    let give_up = microseconds() + 2_500_000;
    while microseconds() < give_up {
        if let Some(date) = try_rtc() {
            return Some(date);
        }
    }
    None
}

/// Reads the CMOS clock: twice the same, with no update going on.
fn try_rtc() -> Option<u64> {
    // SAFETY: index and data port of the CMOS memory; bit 7 of the index (NMI) stays clear.
    let register = |index: u8| unsafe {
        outb(0x70, index);
        inb(0x71)
    };
    let read = || RtcRegisters {
        seconds: register(0),
        minutes: register(2),
        hours: register(4),
        day: register(7),
        month: register(8),
        year: register(9),
        status_b: register(11),
    };
    if register(10) & 0x80 != 0 {
        return None;
    }
    let (first, second) = (read(), read());
    if first == second && register(10) & 0x80 == 0 { first.to_unix_seconds() } else { None }
}
