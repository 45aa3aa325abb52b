//! A value that one piece of code uses at a time, with interrupts off meanwhile.
//!
//! The machine has one processor in use, so this is not a lock to wait for: whoever finds the value in use has
//! interrupted its user (a page fault inside the pager, a panic inside the log), and waiting would hang. It is told.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};
use x86_64::instructions::interrupts::without_interrupts;

/// See the module.
pub struct Exclusive<T> {
    busy: AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `busy` lets one user in at a time, and interrupts are off while it is in.
unsafe impl<T: Send> Sync for Exclusive<T> {}

impl<T> Exclusive<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self { busy: AtomicBool::new(false), value: UnsafeCell::new(value) }
    }

    /// Uses the value; `None` when it is in use already.
    pub fn try_with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Option<R> {
        without_interrupts(|| {
            if self.busy.swap(true, Ordering::Acquire) {
                return None;
            }
            // SAFETY: `busy` was false and is now true: no other reference exists until it is false again.
            let result = work(unsafe { &mut *self.value.get() });
            self.busy.store(false, Ordering::Release);
            Some(result)
        })
    }

    /// Uses the value.
    ///
    /// # Panics
    /// When it is in use already.
    #[track_caller]
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        self.try_with(work).expect("the value is in use")
    }

    /// Takes the value by force; for the panic screen, whose interrupted user never comes back.
    pub fn force<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        self.busy.store(false, Ordering::Release);
        self.with(work)
    }
}
