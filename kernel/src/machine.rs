//! The Lisp machine on the bare one: what `vm` asks for, answered by the drivers.

use crate::cpu::traps;
use crate::devices::ps2::{self, Input};
use crate::devices::{display, serial};
use crate::files::KernelFiles;
use crate::memory::exclusive::Exclusive;
use crate::saving;
use crate::{clock, cpu, memory, pager, power};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use files::Volume as _;
use kernel_logic::environment::Environment;
use kernel_logic::escapes::{Escapes, Typed};
use kernel_logic::keys::{self, MONITOR};
use kernel_logic::mouse::Buttons;
use kernel_logic::pixels;
use kernel_logic::ring::Ring;
use log::{debug, error, info, warn};
use vm::address::LispPage;
use vm::machine::Attention;
use vm::platform::{
    Cursor, Files, HostString, InputEvent, LogLevel, MouseButton, OutOfMemory, Platform, SaveError, SavePlace, World,
    Worlds,
};

/// Free memory that a new Lisp page must leave: a page fault later still needs frames.
const RESERVE: u64 = 256 << 10;

/// What was written to an open file is made durable when Lisp rests, but not more often than that, microseconds.
const SYNC_AFTER: u64 = 2_000_000;

/// Stops the machine behind the instruction that it is in; null while no machine runs.
static STOPPER: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Says how to stop the machine from an interrupt.
pub fn set_stopper(stopper: fn()) {
    STOPPER.store(stopper as *mut (), Ordering::Release);
}

/// Stops the machine behind the instruction that it is in. Only from an exception that interrupted it.
pub fn stop_at_once() {
    let stopper = STOPPER.load(Ordering::Acquire);
    if !stopper.is_null() {
        // SAFETY: `set_stopper` was given such a function.
        let stopper = unsafe { core::mem::transmute::<*mut (), fn()>(stopper) };
        stopper();
    }
}

/// Somebody wants the monitor.
static MONITOR_WANTED: AtomicBool = AtomicBool::new(false);

/// What was asked for before now is forgotten: the monitor is there.
pub fn monitor_is_there() {
    MONITOR_WANTED.store(false, Ordering::Relaxed);
}

/// Keys that are down as far as Lisp knows.
static KEYS_DOWN: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

/// Notes that Lisp sees a key go down or come up. False if nothing changes.
fn note_key(key: u8, down: bool) -> bool {
    let (word, bit) = (&KEYS_DOWN[usize::from(key / 64)], 1u64 << (key % 64));
    let before = word.load(Ordering::Relaxed);
    word.store(if down { before | bit } else { before & !bit }, Ordering::Relaxed);
    (before & bit != 0) != down
}

/// What people did while the monitor had keyboard and mouse, and Lisp has to know.
static LATER: Exclusive<Ring<Input, 64>> = Exclusive::new(Ring::new());

/// Keeps something for Lisp until it runs again: keys that come up, where the mouse is, its buttons.
pub fn keep_for_lisp(input: Input) {
    let known = |key: u8| KEYS_DOWN[usize::from(key / 64)].load(Ordering::Relaxed) & 1 << (key % 64) != 0;
    let keep = match input {
        Input::Key(transition) => !transition.down && known(transition.key),
        Input::Move { .. } | Input::Buttons(_) => true,
        Input::Wheel(_) => false,
    };
    if keep {
        LATER.with(|later| later.push(input));
    }
}

/// The running machine's way to be noticed; null while no machine runs.
static ATTENTION: AtomicPtr<Attention> = AtomicPtr::new(core::ptr::null_mut());

/// Lets interrupts make that machine look for events, from now on. The pointer must stay valid for ever.
pub fn set_attention(attention: *const Attention) {
    ATTENTION.store(attention.cast_mut(), Ordering::Release);
}

/// An interrupt came in: makes a running machine look.
pub fn interrupt_arrived() {
    // SAFETY: null, or what `set_attention` was given; its caller promises that it lives for ever.
    if let Some(attention) = unsafe { ATTENTION.load(Ordering::Acquire).as_ref() } {
        attention.request();
    }
}

/// Events that the drivers gave in one poll and Lisp has not taken yet.
static EVENTS: Exclusive<Ring<InputEvent, 256>> = Exclusive::new(Ring::new());

/// The kernel, as `vm` sees it.
pub struct KernelPlatform {
    width: u16,
    height: u16,
    buttons: Buttons,
    cursor: Cursor,
    /// Where the mouse is, in pixels.
    mouse: (u16, u16),
    console: Line,
    /// How often Lisp had nothing to do.
    rests: u64,
    /// When files were last made durable, in microseconds.
    files_synced: u64,
    /// Does the serial line belong to Lisp?
    serial_is_lisps: bool,
    /// The tick at which a character was typed there last.
    last_typed: u64,
    escapes: Escapes,
    files: KernelFiles,
    power: power::Wish,
    environment: Environment,
}

/// A line of console output for the log that has no end yet.
struct Line {
    bytes: [u8; 200],
    length: usize,
}

impl KernelPlatform {
    /// A platform with a Lisp screen of that size.
    pub fn new(width: u16, height: u16, files: KernelFiles, environment: Environment) -> Self {
        Self {
            width,
            height,
            buttons: Buttons::default(),
            cursor: Cursor { rows: [0; 16], hot_x: 0, hot_y: 0 },
            mouse: (width / 2, height / 2),
            console: Line { bytes: [0; 200], length: 0 },
            rests: 0,
            files_synced: 0,
            serial_is_lisps: crate::handoff().command_line.value("serial") == Some("lisp"),
            last_typed: 0,
            escapes: Escapes::default(),
            files,
            power: power::Wish::default(),
            environment,
        }
    }

    /// Makes durable what was written to open files.
    fn sync_files(&mut self) {
        self.files_synced = clock::microseconds();
        if let Err(error) = self.files.volume().sync_all() {
            warn!("not all files are as they were written: {error}");
        }
    }

    fn show_cursor(&self) {
        display::set_cursor(pixels::Cursor {
            x: i32::from(self.mouse.0) - i32::from(self.cursor.hot_x),
            y: i32::from(self.mouse.1) - i32::from(self.cursor.hot_y),
            bits: self.cursor.rows,
        });
    }

    /// A byte on the serial line. Control and right bracket calls the monitor; the rest is typed for Lisp, if the command
    /// line says so. Otherwise an `m` calls the monitor too, a `c` prints the counters, an `s` what Lisp and the mouse are
    /// doing.
    fn serial_byte(&mut self, byte: u8) {
        match byte {
            MONITOR_BYTE => MONITOR_WANTED.store(true, Ordering::Relaxed),
            _ if self.serial_is_lisps => self.escapes.feed(byte, clock::microseconds(), type_for_lisp),
            b'm' => MONITOR_WANTED.store(true, Ordering::Relaxed),
            b'c' => log_counters(),
            b's' => {
                let (x, y) = self.mouse;
                info!(target: "status", "mouse {x} {y} rests {}", self.rests);
            }
            _ => {}
        }
    }

    /// Turns what the drivers saw into Lisp's events.
    fn collect(&mut self) {
        // Lisp gets what is typed there at one character a tick: its queue of keys is short.
        let now = clock::ticks();
        if !self.serial_is_lisps || self.last_typed != now {
            self.last_typed = now;
            let mut silent = true;
            while let Some(byte) = serial::take() {
                silent = false;
                self.serial_byte(byte);
                if self.serial_is_lisps {
                    break;
                }
            }
            if silent {
                self.escapes.rest(clock::microseconds(), type_for_lisp);
            }
        }
        let mut moved = false;
        let mut take = |input| match input {
            Input::Key(key) if key.key == MONITOR => {
                if key.down {
                    MONITOR_WANTED.store(true, Ordering::Relaxed);
                }
            }
            Input::Key(key) => {
                if note_key(key.key, key.down) {
                    push(if key.down { InputEvent::KeyDown(key.key) } else { InputEvent::KeyUp(key.key) })
                }
            }
            Input::Move { x, y } => {
                self.mouse = (x, y);
                moved = true;
                push(InputEvent::MouseMove { x, y });
            }
            Input::Buttons(now) => {
                let before = core::mem::replace(&mut self.buttons, now);
                for (button, was, is) in [
                    (MouseButton::Left, before.left, now.left),
                    (MouseButton::Middle, before.middle, now.middle),
                    (MouseButton::Right, before.right, now.right),
                ] {
                    if was != is {
                        push(InputEvent::Button { button, down: is });
                    }
                }
            }
            // The hardware counts towards the user, Lisp away from it.
            Input::Wheel(steps) => push(InputEvent::Wheel((-steps).clamp(-127, 127) as i8)),
        };
        while let Some(input) = LATER.with(Ring::pop) {
            take(input);
        }
        ps2::poll(take);
        if moved {
            self.show_cursor();
        }
    }
}

/// What a terminal sends for control and right bracket.
const MONITOR_BYTE: u8 = 0x1d;

/// Types what a terminal sent, as if on the keyboard.
fn type_for_lisp(typed: Typed) {
    let keys = match typed {
        Typed::Byte(byte) => keys::keys_for_terminal(byte),
        Typed::Key(key) => Some((key, false, false)),
    };
    let Some((key, shift, control)) = keys else { return };
    let around = [(keys::CONTROL, control), (keys::LEFT_SHIFT, shift)];
    let held = around.iter().filter(|(_, held)| *held);
    held.clone().for_each(|(key, _)| push(InputEvent::KeyDown(*key)));
    push(InputEvent::KeyDown(key));
    push(InputEvent::KeyUp(key));
    held.rev().for_each(|(key, _)| push(InputEvent::KeyUp(*key)));
}

/// Says on the serial line what pager and screen have done.
pub fn log_counters() {
    info!(target: "pager", "{}", pager::counters());
    info!(target: "pager", "{}", pager::snapshot::counters());
    let (frames, cells) = display::counters();
    info!(target: "display", "{frames} frames, {cells} cells of 32 pixels");
}

fn push(event: InputEvent) {
    EVENTS.with(|events| events.push(event));
}

impl Worlds for KernelPlatform {
    fn save(&mut self, place: SavePlace<'_>, world: &dyn World) -> Result<(), SaveError> {
        if !matches!(place, SavePlace::Checkpoint) {
            // A world that is safe should find its files as it left them; and after a farewell nobody comes back here.
            self.sync_files();
        }
        saving::save_world(&mut self.files, place, world)
    }
}

impl Platform for KernelPlatform {
    fn microseconds(&mut self) -> u64 {
        clock::microseconds()
    }

    fn unix_seconds(&mut self) -> i64 {
        clock::keep_right();
        clock::unix_seconds() as i64
    }

    fn log(&mut self, level: LogLevel, line: fmt::Arguments<'_>) {
        match level {
            LogLevel::Error => error!(target: "lisp", "{line}"),
            LogLevel::Warning => warn!(target: "lisp", "{line}"),
            LogLevel::Info => info!(target: "lisp", "{line}"),
            LogLevel::Debug => debug!(target: "lisp", "{line}"),
        }
    }

    fn console(&mut self, bytes: &[u8]) {
        if self.serial_is_lisps {
            crate::log::lisp_writes(bytes);
            return;
        }
        for &byte in bytes {
            let full = self.console.length == self.console.bytes.len();
            if full || matches!(byte, b'\n' | b'\r') {
                if self.console.length > 0 {
                    let text = core::str::from_utf8(&self.console.bytes[..self.console.length]).unwrap_or("?");
                    info!(target: "console", "{text}");
                }
                self.console.length = 0;
            }
            if (b' '..=b'~').contains(&byte) {
                self.console.bytes[self.console.length] = byte;
                self.console.length += 1;
            }
        }
    }

    fn poll_input(&mut self) -> Option<InputEvent> {
        // Everything new comes with an interrupt; the timer's lets a mouse button held back for a chord go.
        if traps::take_events() {
            self.collect();
            if saving::checkpoint_is_due() {
                push(InputEvent::Checkpoint);
            }
            if let Some(event) = self.power.look() {
                push(event);
            }
        }
        if MONITOR_WANTED.swap(false, Ordering::Relaxed) || pager::watch::newly_changed() {
            return Some(InputEvent::Stop);
        }
        EVENTS.with(Ring::pop)
    }

    fn screen_size(&mut self) -> (u16, u16) {
        (self.width, self.height)
    }

    fn refresh_screen(&mut self) {
        saving::turn();
        display::refresh();
    }

    fn set_cursor(&mut self, cursor: &Cursor) {
        self.cursor = *cursor;
        self.show_cursor();
    }

    fn warp_mouse(&mut self, x: u16, y: u16) {
        self.mouse = (x.min(self.width - 1), y.min(self.height - 1));
        ps2::place_pointer(i32::from(x), i32::from(y));
        self.show_cursor();
    }

    fn set_inverse(&mut self, inverse: bool) {
        display::set_inverse(inverse);
    }

    fn tone(&mut self, hertz: Option<u32>) {
        clock::tone(hertz);
    }

    fn new_page(&mut self, page: LispPage) -> Result<(), OutOfMemory> {
        if memory::paging::free_bytes() < RESERVE {
            return Err(OutOfMemory);
        }
        pager::add_pages(page.0, 1).map_err(|error| {
            error!(target: "pager", "no new page: {error}");
            OutOfMemory
        })
    }

    fn page_states(&mut self, first: u32, states: &mut [u8]) -> bool {
        pager::states(first, states);
        true
    }

    fn host_string(&mut self, what: HostString, buffer: &mut [u8]) -> Option<usize> {
        let name = match what {
            HostString::UserName => "LOGNAME",
            HostString::FullName => "FULLUSERNAME",
            HostString::HostName => "HOSTNAME",
        };
        self.environment(name.as_bytes(), buffer)
    }

    fn environment(&mut self, name: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let value = self.environment.value(core::str::from_utf8(name).ok()?)?;
        buffer.get_mut(..value.len())?.copy_from_slice(value.as_bytes());
        Some(value.len())
    }

    fn files(&mut self) -> Option<&mut dyn Files> {
        Some(&mut self.files)
    }

    fn stays_on(&mut self) {
        self.power.forget();
    }

    fn worlds(&mut self) -> Option<&mut dyn Worlds> {
        Some(self)
    }

    fn idle(&mut self, microseconds: u32) {
        let end = clock::microseconds() + u64::from(microseconds);
        self.rests += 1;
        if clock::microseconds() > self.files_synced + SYNC_AFTER {
            self.sync_files();
        }
        if self.rests == 1 {
            info!("Lisp rests for the first time");
            log_counters();
        }
        // Every tick ends a sleep; a rest that is not over goes on after it, with the screen brought up to date.
        let over = || traps::input_waiting() || clock::microseconds() >= end;
        loop {
            saving::turn();
            display::refresh();
            cpu::sleep_if(|| !over());
            if over() {
                break;
            }
        }
    }

    fn power_off(&mut self) {
        // What was printed last may have no end of its line.
        if !self.serial_is_lisps && self.console.length > 0 {
            self.console(b"\n");
        }
        self.sync_files();
        power::end_run();
    }
}
