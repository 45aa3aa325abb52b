//! Machines for tests, on Linux: Lisp's region of the address space really mapped at its place, and a world that does
//! what the test says.
//!
//! ```text
//!   BASE - GUARD   no access
//!   BASE           2 * (POINTER_MASK + 1) bytes, zero until touched
//!   ...            no access
//!   BASE + REGION
//! ```
//!
//! There is one such region in a process, so there is one machine at a time: [`machine`] and [`image`] wait for the
//! one before to be dropped.

use crate::address::{BYTES_PER_PAGE, LispPage, LispPtr};
use crate::layout::Layout;
use crate::machine::Machine;
use crate::memory::{BASE, GUARD, REGION, Space, swap_page};
use crate::platform::{Cursor, InputEvent, LogLevel, OutOfMemory, Platform};
use crate::symbols::Symbols;
use crate::sysout::{INTERFACE_PAGE_OFFSET, LayoutKind, Sysout, SysoutError};
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::Ordering;
use std::boxed::Box;
use std::collections::VecDeque;
use std::string::{String, ToString};
use std::sync::{Mutex, MutexGuard};
use std::vec::Vec;

/// Held by whoever uses the region.
static REGION_LOCK: Mutex<bool> = Mutex::new(false);

/// What the world does and what was done to it.
#[derive(Debug)]
pub struct World {
    /// What the clock shows.
    pub microseconds: u64,
    /// What the calendar shows.
    pub unix_seconds: i64,
    /// Lines of the log.
    pub log: Vec<(LogLevel, String)>,
    /// What Lisp printed to the console.
    pub console: Vec<u8>,
    /// What people will do.
    pub input: VecDeque<InputEvent>,
    /// Width and height.
    pub screen: (u16, u16),
    /// The cursor, once it was set.
    pub cursor: Option<Cursor>,
    /// Where Lisp put the mouse.
    pub mouse: Option<(u16, u16)>,
    /// White on black.
    pub inverse: bool,
    /// What sounds.
    pub tone: Option<u32>,
    /// Pages that were asked for.
    pub new_pages: Vec<LispPage>,
    /// How many more pages there are.
    pub pages_left: usize,
    /// How often Lisp rested.
    pub idle: usize,
    /// Whether the power went off.
    pub off: bool,
}

/// The deterministic platform: everything stands still until the test moves it.
struct Still {
    world: &'static Mutex<World>,
}

impl Still {
    fn world(&self) -> MutexGuard<'static, World> {
        self.world.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl Platform for Still {
    fn microseconds(&mut self) -> u64 {
        self.world().microseconds
    }
    fn unix_seconds(&mut self) -> i64 {
        self.world().unix_seconds
    }
    fn log(&mut self, level: LogLevel, line: fmt::Arguments<'_>) {
        self.world().log.push((level, line.to_string()));
    }
    fn console(&mut self, bytes: &[u8]) {
        self.world().console.extend_from_slice(bytes);
    }
    fn poll_input(&mut self) -> Option<InputEvent> {
        self.world().input.pop_front()
    }
    fn screen_size(&mut self) -> (u16, u16) {
        self.world().screen
    }
    fn set_cursor(&mut self, cursor: &Cursor) {
        self.world().cursor = Some(*cursor);
    }
    fn warp_mouse(&mut self, x: u16, y: u16) {
        self.world().mouse = Some((x, y));
    }
    fn set_inverse(&mut self, inverse: bool) {
        self.world().inverse = inverse;
    }
    fn tone(&mut self, hertz: Option<u32>) {
        self.world().tone = hertz;
    }
    fn new_page(&mut self, page: LispPage) -> Result<(), OutOfMemory> {
        let mut world = self.world();
        world.pages_left = world.pages_left.checked_sub(1).ok_or(OutOfMemory)?;
        world.new_pages.push(page);
        Ok(())
    }
    fn idle(&mut self, microseconds: u32) {
        let mut world = self.world();
        world.idle += 1;
        world.microseconds += microseconds as u64;
    }
    fn power_off(&mut self) {
        self.world().off = true;
    }
}

/// A machine, its world, and the region as long as it lives.
pub struct Fixture<L: Layout> {
    /// The machine.
    pub machine: Machine<L>,
    world: &'static Mutex<World>,
    _region: MutexGuard<'static, bool>,
}

impl<L: Layout> Fixture<L> {
    /// The world around the machine. Let go of it before the machine does anything.
    pub fn world(&self) -> MutexGuard<'static, World> {
        self.world.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl<L: Layout> Deref for Fixture<L> {
    type Target = Machine<L>;
    fn deref(&self) -> &Machine<L> {
        &self.machine
    }
}

impl<L: Layout> DerefMut for Fixture<L> {
    fn deref_mut(&mut self) -> &mut Machine<L> {
        &mut self.machine
    }
}

/// Maps the region anew; all of the layout's memory is zero then.
fn map<L: Layout>() -> (Space, MutexGuard<'static, bool>) {
    let mut reserved = REGION_LOCK.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let place = |at: usize, bytes: usize, access: i32, flags: i32| {
        let flags = flags | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: the first mapping fails if anything is there (NOREPLACE); later ones replace that mapping only,
        // and the lock says that no machine uses it now.
        let got = unsafe { libc::mmap(core::ptr::without_provenance_mut(at), bytes, access, flags, -1, 0) };
        assert_eq!(got as usize, at, "Lisp's region can be mapped at its place");
    };
    if !*reserved {
        place(BASE - GUARD, GUARD + REGION, libc::PROT_NONE, libc::MAP_FIXED_NOREPLACE);
        *reserved = true;
    }
    place(BASE - GUARD, GUARD + REGION, libc::PROT_NONE, libc::MAP_FIXED);
    let bytes = 2 * (L::POINTER_MASK as usize + 1);
    place(BASE, bytes, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_FIXED);
    // SAFETY: the region was reserved above, nothing else can be mapped there, and the lock is kept as long as the
    // fixture lives. Outside of what is readable an access faults and ends the test.
    (unsafe { Space::claim() }, reserved)
}

fn still_world() -> &'static Mutex<World> {
    Box::leak(Box::new(Mutex::new(World {
        microseconds: 0,
        unix_seconds: 718_502_400,
        log: Vec::new(),
        console: Vec::new(),
        input: VecDeque::new(),
        screen: (1024, 768),
        cursor: None,
        mouse: None,
        inverse: false,
        tone: None,
        new_pages: Vec::new(),
        pages_left: usize::MAX,
        idle: 0,
        off: false,
    })))
}

/// A machine over memory that is all zero, with made-up symbol numbers. The stack pointer is at 0x11000 with plenty of
/// room behind it.
pub fn machine<L: Layout>() -> Fixture<L> {
    let (space, region) = map::<L>();
    let world = still_world();
    let mut machine = Machine::with_symbols(space, Box::leak(Box::new(Still { world })), Symbols::numbered::<L>());
    machine.regs.sp = 0x1_1000;
    machine.regs.ivar = 0x1_0F00;
    machine.regs.pvar = 0x1_0F20;
    machine.stack_end = LispPtr(0x1_F000);
    machine.attention.end.store(0x1_F000, Ordering::Relaxed);
    machine.attention.limit.store(0x1_F000, Ordering::Relaxed);
    Fixture { machine, world, _region: region }
}

/// The test image's pages in memory, not yet started; `None`, loudly, if there is no image or
/// it has another layout.
pub fn image<L: Layout>() -> Option<Fixture<L>> {
    let path = fixtures::medley()?;
    let bytes = std::fs::read(&path).expect("the image can be read");
    let (sysout, _) = pages(&bytes).expect("the image is sound");
    if (sysout.layout() == LayoutKind::Medley35) != L::BIG {
        std::eprintln!("SKIPPED: {} is {}, not {}", path.display(), sysout.layout().name(), L::NAME);
        return None;
    }
    Some(image_of(&bytes))
}

/// An image's pages in memory, not yet started. The image must be sound and of this layout.
pub fn image_of<L: Layout>(bytes: &[u8]) -> Fixture<L> {
    let (_, pages) = pages(bytes).expect("the image is sound");
    let (space, region) = map::<L>();
    for (file, lisp) in pages {
        let at = file * BYTES_PER_PAGE;
        let mut page = [0; BYTES_PER_PAGE];
        page.copy_from_slice(&bytes[at..at + BYTES_PER_PAGE]);
        swap_page(&mut page);
        for (i, cell) in page.as_chunks::<4>().0.iter().enumerate() {
            space.set_cell(lisp.base().plus(2 * i as u32), u32::from_ne_bytes(*cell));
        }
    }
    let world = still_world();
    let symbols = Symbols::find::<L>(space).expect("the image has the symbols that the machine needs");
    let machine = Machine::with_symbols(space, Box::leak(Box::new(Still { world })), symbols);
    Fixture { machine, world, _region: region }
}

/// Checks an image that is in memory; file pages and the Lisp pages they hold.
pub fn pages(bytes: &[u8]) -> Result<(Sysout, Vec<(usize, LispPage)>), SysoutError> {
    let at = INTERFACE_PAGE_OFFSET as usize;
    let interface = bytes.get(at..at + BYTES_PER_PAGE).and_then(|page| page.try_into().ok());
    let interface = interface.ok_or(SysoutError::TooShort { bytes: bytes.len() as u64 })?;
    let sysout = Sysout::parse(interface, bytes.len() as u64)?;
    let (at, length) = sysout.map_bytes();
    let map = sysout.page_map(&bytes[at as usize..at as usize + length])?;
    map.invert(&mut std::vec![0; sysout.layout().max_pages() as usize])?;
    let pages = map.pages().map(|(file, lisp)| (file.0 as usize, lisp)).collect();
    Ok((sysout, pages))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};

    #[test]
    fn memory_is_zero_again_for_the_next() {
        let m = machine::<Medley35>();
        assert_eq!(m.space.cell(LispPtr(0xFFF_FFFE)), 0);
        m.space.set_cell(LispPtr(0x1000), 0x1234_5678);
        assert_eq!(m.space.word(LispPtr(0x1000)), 0x1234);
        drop(m);
        assert_eq!(machine::<Medley2>().space.cell(LispPtr(0x1000)), 0);
    }

    #[test]
    fn the_test_image_is_sound() {
        let Some(path) = fixtures::medley() else { return };
        let bytes = std::fs::read(path).unwrap();
        let (sysout, pages) = pages(&bytes).unwrap();
        assert_eq!(pages.len(), sysout.pages() as usize);
    }
}
