//! Lisp's memory as a region of this process.
//!
//! The whole region is reserved without access; pages of the image, and pages that Lisp is given later, become
//! readable and writable, eight Lisp pages (4 KiB) at a time. Any other access is a fault, and the fault handler says
//! where Lisp was and ends the process with status [`FAULT_STATUS`].

use std::cell::UnsafeCell;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
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
        if !self.open[host] {
            self.open_host_pages(host, 1)?;
        }
        Ok(true)
    }

    /// Gives Lisp many pages: one request to the host for each run of neighbours.
    pub fn open_all(&mut self, pages: impl Iterator<Item = LispPage>) -> io::Result<()> {
        let mut wanted = vec![false; self.open.len()];
        for LispPage(page) in pages {
            let number = page as usize;
            let Some(present) = self.present.get_mut(number) else {
                return Err(io::Error::other("a page outside of Lisp's space"));
            };
            *present = true;
            wanted[number / PER_HOST_PAGE] = true;
        }
        let mut first = 0;
        for run in wanted.chunk_by(|a, b| a == b) {
            if run[0] {
                self.open_host_pages(first, run.len())?;
            }
            first += run.len();
        }
        Ok(())
    }

    /// Makes pages of the host readable and writable; those that are already stay as they are.
    fn open_host_pages(&mut self, first: usize, pages: usize) -> io::Result<()> {
        let open = self.open.get_mut(first..first + pages).ok_or(io::Error::other("a page outside of Lisp's space"))?;
        let at = std::ptr::with_exposed_provenance_mut(BASE + first * HOST_PAGE);
        // SAFETY: `open` has an entry for each page of the host that the layout's Lisp pages fill, so these are pages of
        // the region that `reserve` took; no Rust object is there whose access could change.
        let done = unsafe { libc::mprotect(at, pages * HOST_PAGE, libc::PROT_READ | libc::PROT_WRITE) };
        if done != 0 {
            return Err(io::Error::last_os_error());
        }
        open.fill(true);
        Ok(())
    }

    /// Brings in the contents of a page that Lisp has been given.
    pub fn load(&mut self, page: LispPage, bytes: &[u8; BYTES_PER_PAGE]) {
        assert!(self.present[page.0 as usize], "a page is given to Lisp before it is loaded");
        let mut bytes = *bytes;
        swap_page(&mut bytes);
        let space = self.space();
        for (i, cell) in bytes.as_chunks::<4>().0.iter().enumerate() {
            space.set_cell(page.base().plus(2 * i as u32), u32::from_ne_bytes(*cell));
        }
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

    /// Does Lisp have this page?
    pub fn has(&self, page: LispPage) -> bool {
        self.present.get(page.0 as usize).is_some_and(|present| *present)
    }

    /// Lisp pages there may be.
    pub fn pages(&self) -> u32 {
        self.present.len() as u32
    }
}

/// Pages of the host that were made readable because somebody looked at them; see [`forgive`].
const MOST_FORGIVEN: usize = 1024;
static FORGIVEN: [AtomicUsize; MOST_FORGIVEN] = [const { AtomicUsize::new(0) }; MOST_FORGIVEN];
/// How many there are; [`NOT_FORGIVING`] or more while bad accesses are errors.
static FORGIVEN_COUNT: AtomicUsize = AtomicUsize::new(NOT_FORGIVING);
const NOT_FORGIVING: usize = usize::MAX / 2;

/// Makes reading what Lisp does not have give zeroes, or be an error again.
pub fn forgive(on: bool) {
    let count = FORGIVEN_COUNT.swap(if on { 0 } else { NOT_FORGIVING }, Ordering::Relaxed);
    if count < NOT_FORGIVING {
        for page in &FORGIVEN[..count] {
            let at = std::ptr::with_exposed_provenance_mut(page.load(Ordering::Relaxed));
            // SAFETY: a page of Lisp's region that `forgive_page` opened, which no Rust object is in.
            unsafe { libc::mprotect(at, HOST_PAGE, libc::PROT_NONE) };
        }
    }
}

/// In the fault handler: lets the access be repeated, if somebody is only looking.
fn forgive_page(address: usize) -> bool {
    let count = FORGIVEN_COUNT.load(Ordering::Relaxed);
    if count >= MOST_FORGIVEN {
        return false;
    }
    let page = address & !(HOST_PAGE - 1);
    FORGIVEN[count].store(page, Ordering::Relaxed);
    FORGIVEN_COUNT.store(count + 1, Ordering::Relaxed);
    // SAFETY: a page of Lisp's region that was closed: reading it gives zeroes. A second fault there is a write, which
    // finds it readable and fails for good, because the list is not searched: the counter ends that.
    unsafe { libc::mprotect(std::ptr::with_exposed_provenance_mut(page), HOST_PAGE, libc::PROT_READ) == 0 }
}

/// What the fault handler calls to describe where Lisp was: it gets the Lisp address, if it was one, and what a handler
/// has in its second argument's register, which is the program counter if the fault was in an opcode's fast path.
pub type Reporter = fn(Option<LispPtr>, usize);

static REPORTER: OnceLock<Reporter> = OnceLock::new();
/// What the process ends with if there is a fault now, and a report is being made already; 0: it is not.
static REPORTING: AtomicI32 = AtomicI32::new(0);
/// What is said then.
static LAST_WORDS: Mutex<String> = Mutex::new(String::new());

/// A report begins: from now on a fault ends the process with this status and the last words.
pub fn expect_faults(status: i32) {
    REPORTING.store(status, Ordering::Relaxed);
}

/// What to say if the report gets no further.
pub fn say_on_fault(words: String) {
    if let Ok(mut last) = LAST_WORDS.lock() {
        *last = words;
    }
}

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
    // SAFETY: the kernel passes a valid structure to a handler with SA_SIGINFO.
    let address = unsafe { (*info).si_addr() } as usize;
    if (BASE - GUARD..BASE + REGION).contains(&address) && forgive_page(address) {
        return;
    }
    let status = REPORTING.swap(FAULT_STATUS, Ordering::Relaxed);
    if status != 0 {
        // The report itself ran into a hole.
        if let Ok(words) = LAST_WORDS.try_lock() {
            eprintln!("{words}");
        }
        // SAFETY: ends the process.
        unsafe { libc::_exit(status) };
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
