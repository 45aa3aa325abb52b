//! Port input and output.

use x86_64::instructions::port::Port;

/// Reads a byte.
///
/// # Safety
/// Reading that port has no effect that breaks memory safety.
pub unsafe fn inb(port: u16) -> u8 {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).read() }
}

/// Writes a byte.
///
/// # Safety
/// Writing that value to that port has no effect that breaks memory safety.
pub unsafe fn outb(port: u16, value: u8) {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).write(value) }
}

/// Reads 16 bits.
///
/// # Safety
/// As [`inb`].
pub unsafe fn inw(port: u16) -> u16 {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).read() }
}

/// Writes 16 bits.
///
/// # Safety
/// As [`outb`].
pub unsafe fn outw(port: u16, value: u16) {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).write(value) }
}

/// Reads 32 bits.
///
/// # Safety
/// As [`inb`].
pub unsafe fn inl(port: u16) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).read() }
}

/// Writes 32 bits.
///
/// # Safety
/// As [`outb`].
pub unsafe fn outl(port: u16, value: u32) {
    // SAFETY: the caller's promise.
    unsafe { Port::new(port).write(value) }
}
