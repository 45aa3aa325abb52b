//! Lisp's memory as a region of this process.
//!
//! The whole region is reserved without access; pages of the image, and pages that Lisp is given later, become
//! readable and writable, eight Lisp pages (4 KiB) at a time. Any other access is a fault, and the fault handler says
//! where Lisp was and ends the process with status [`FAULT_STATUS`].

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use vm::address::{BYTES_PER_PAGE, LispPage, LispPtr};
use vm::memory::{BASE, GUARD, REGION, Space, swap_page};

/// The exit status after an access to memory that Lisp does not have.
pub const FAULT_STATUS: i32 = 3;
/// Bytes of a page of the host.
const HOST_PAGE: usize = 4096;
/// Lisp pages in a page of the host.
const PER_HOST_PAGE: usize = HOST_PAGE / BYTES_PER_PAGE;

/// Lisp's memory, and which pages of it exist.
pub struct Memory {
    /// Lisp pages that Lisp has.
    present: Vec<bool>,
    /// Pages of the host that can be touched.
    open: Vec<bool>,
}

impl Memory {
    /// Reserves the region, for so many Lisp pages. There can be one in a process.
    pub fn reserve(pages: u32) -> io::Result<Memory> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        assert!(!TAKEN.swap(true, Ordering::Relaxed), "a process has one Lisp");
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
        let at = BASE - GUARD;
        // SAFETY: NOREPLACE fails if anything of ours is there already.
        let got =
            unsafe { libc::mmap(std::ptr::without_provenance_mut(at), GUARD + REGION, libc::PROT_NONE, flags, -1, 0) };
        if got == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        if got as usize != at {
            return Err(io::Error::other("the kernel chose another place"));
        }
        let pages = pages as usize;
        Ok(Memory { present: vec![false; pages], open: vec![false; pages.div_ceil(PER_HOST_PAGE)] })
    }

    /// The right to touch the region.
    pub fn space(&self) -> Space {
        // SAFETY: `reserve` has taken the region for Lisp alone and nothing ever unmaps it; what is not open faults, and
        // the fault handler does not return.
        unsafe { Space::claim() }
    }

    /// Gives Lisp a page; false if it had it already.
    pub fn open(&mut self, page: LispPage) -> io::Result<bool> {
        let number = page.0 as usize;
        if number >= self.present.len() {
            return Err(io::Error::other("a page outside of Lisp's space"));
        }
        if std::mem::replace(&mut self.present[number], true) {
            return Ok(false);
        }
        let host = number / PER_HOST_PAGE;
        if !std::mem::replace(&mut self.open[host], true) {
            let at = std::ptr::with_exposed_provenance_mut(BASE + host * HOST_PAGE);
            // SAFETY: a page of the reserved region, which belongs to Lisp.
            let done = unsafe { libc::mprotect(at, HOST_PAGE, libc::PROT_READ | libc::PROT_WRITE) };
            if done != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(true)
    }

    /// Brings in a page of an image.
    pub fn load(&mut self, page: LispPage, bytes: &[u8; BYTES_PER_PAGE]) -> io::Result<()> {
        self.open(page)?;
        let mut bytes = *bytes;
        swap_page(&mut bytes);
        let space = self.space();
        for (i, cell) in bytes.as_chunks::<4>().0.iter().enumerate() {
            space.set_cell(page.base().plus(2 * i as u32), u32::from_ne_bytes(*cell));
        }
        Ok(())
    }

    /// A page as it stands in memory, cells in native order; `None` if it cannot be touched.
    pub fn page(&self, page: LispPage) -> Option<[u8; BYTES_PER_PAGE]> {
        let open = *self.open.get(page.0 as usize / PER_HOST_PAGE)?;
        open.then(|| {
            let mut bytes = [0; BYTES_PER_PAGE];
            for (i, cell) in bytes.as_chunks_mut::<4>().0.iter_mut().enumerate() {
                *cell = self.space().cell(page.base().plus(2 * i as u32)).to_ne_bytes();
            }
            bytes
        })
    }

    /// Lisp pages there may be.
    pub fn pages(&self) -> u32 {
        self.present.len() as u32
    }
}

/// What the fault handler calls to describe where Lisp was: it gets the Lisp address, if it was one, and what a handler
/// has in its second argument's register, which is the program counter if the fault was in an opcode's fast path.
pub type Reporter = fn(Option<LispPtr>, usize);

static REPORTER: OnceLock<Reporter> = OnceLock::new();
static REPORTING: AtomicBool = AtomicBool::new(false);

const HANDLER_STACK: usize = 256 << 10;
/// The stack the fault handler runs on.
struct HandlerStack(UnsafeCell<MaybeUninit<[u8; HANDLER_STACK]>>);
// SAFETY: only the kernel uses it, for the one fault handler, once.
unsafe impl Sync for HandlerStack {}
static STACK: HandlerStack = HandlerStack(UnsafeCell::new(MaybeUninit::uninit()));

/// Makes bad accesses end the process with a report instead of a core dump.
pub fn catch_faults(reporter: Reporter) -> io::Result<()> {
    let _ = REPORTER.set(reporter);
    let stack = libc::stack_t { ss_sp: STACK.0.get().cast(), ss_flags: 0, ss_size: HANDLER_STACK };
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: plain structures of the C library; the stack is static; the handler has the signature SA_SIGINFO wants.
    unsafe {
        libc::setrlimit(libc::RLIMIT_CORE, &no_core);
        if libc::sigaltstack(&stack, std::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = fault as extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        for signal in [libc::SIGSEGV, libc::SIGBUS] {
            if libc::sigaction(signal, &action, std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

extern "C" fn fault(_signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if REPORTING.swap(true, Ordering::Relaxed) {
        // The report itself ran into a hole.
        // SAFETY: ends the process.
        unsafe { libc::_exit(FAULT_STATUS) };
    }
    // SAFETY: the kernel passes valid structures to a handler with SA_SIGINFO.
    let (address, second) = unsafe {
        let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        ((*info).si_addr() as usize, registers[libc::REG_RSI as usize] as usize)
    };
    let lisp = (BASE - GUARD..BASE + REGION).contains(&address);
    let lisp = lisp.then(|| LispPtr((address.wrapping_sub(BASE) / 2) as u32));
    if lisp.is_none() {
        eprintln!("runner: a bad access at {address:#x}, which is no address of Lisp's");
    }
    if let Some(report) = REPORTER.get() {
        report(lisp, second);
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(FAULT_STATUS) }
}
