//! The symbols that a C library would give: prebuilt `core` calls them by name.
//!
//! Written with string instructions of eight bytes at a time: under QEMU's TCG `rep movsb` goes byte by byte, and on
//! real processors both are fast.
//!
//! Also the two names that landing pads of prebuilt `core` (panic=unwind) mention and that are never called.

use core::arch::asm;

/// Copies `n` bytes upwards.
///
/// # Safety
/// As C's `memcpy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    // SAFETY: the caller promises both ranges; the instructions touch exactly n bytes, first by eights, then the rest.
    unsafe {
        asm!(
            "rep movsq", "mov rcx, {rest}", "rep movsb", rest = in(reg) n & 7,
            inout("rcx") n >> 3 => _, inout("rdi") to => _, inout("rsi") from => _,
            options(nostack, preserves_flags)
        );
    }
    to
}

/// Copies `n` bytes between ranges that may overlap.
///
/// # Safety
/// As C's `memmove`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= n {
        // SAFETY: copying upwards never reads a byte that was already overwritten, because `to` is not inside `from..`.
        return unsafe { memcpy(to, from, n) };
    }
    // SAFETY: copies downwards: first the rest bytes at the top, then eights; the direction flag is put back.
    unsafe {
        asm!(
            "std",
            "rep movsb",
            "sub rdi, 7", "sub rsi, 7",
            "mov rcx, {eights}",
            "rep movsq",
            "cld",
            eights = in(reg) n >> 3,
            inout("rcx") n & 7 => _,
            inout("rdi") to.wrapping_add(n).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(n).wrapping_sub(1) => _,
            options(nostack)
        );
    }
    to
}

/// Fills `n` bytes.
///
/// # Safety
/// As C's `memset`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, value: i32, n: usize) -> *mut u8 {
    let eight = u64::from(value as u8) * 0x0101_0101_0101_0101;
    // SAFETY: the caller promises the range; exactly n bytes are written.
    unsafe {
        asm!(
            "rep stosq", "mov rcx, {rest}", "rep stosb", rest = in(reg) n & 7,
            inout("rcx") n >> 3 => _, inout("rdi") to => _, in("rax") eight,
            options(nostack, preserves_flags)
        );
    }
    to
}

/// Compares `n` bytes.
///
/// # Safety
/// As C's `memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    let mut index = 0;
    while index < n {
        // SAFETY: index < n, and the caller promises n readable bytes in both. Volatile, so that the compiler does not
        // recognise the loop and call memcmp.
        let (x, y) = unsafe { (a.add(index).read_volatile(), b.add(index).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        index += 1;
    }
    0
}

/// Are `n` bytes different?
///
/// # Safety
/// As `memcmp`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the caller promises n readable bytes in both.
    unsafe { memcmp(a, b, n) }
}

/// Length of a C string.
///
/// # Safety
/// As C's `strlen`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the caller promises a NUL, and everything up to it is readable.
    while unsafe { text.add(n).read_volatile() } != 0 {
        n += 1;
    }
    n
}

/// Named by landing pads; panics abort here, so nothing ever unwinds.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}

/// Named by landing pads; see [`rust_eh_personality`].
#[unsafe(no_mangle)]
pub extern "C" fn _Unwind_Resume() -> ! {
    panic!("unwinding in a kernel that aborts")
}
