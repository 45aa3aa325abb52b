//! The monitor on the bare machine: what it sees of the hardware, and its two consoles, the screen with the keyboard and
//! the serial line. Both type into the same line and show the same text.
//!
//! ```text
//!   F12, or Ctrl-] on the serial line --> Lisp stops at its next call or jump --> run(): a session --> Lisp goes on
//!   a watched word changes            --> ... behind the instruction that did it
//!   a fault of Lisp, a panic          --> the report, then dead(): a session that only looks
//! ```

use crate::cpu::TrapFrame;
use crate::devices::ps2::{self, Input};
use crate::devices::{block, display, serial, terminal};
use crate::machine::{keep_for_lisp, monitor_is_there};
use crate::memory::exclusive::Exclusive;
use crate::{clock, cpu, handoff, log as serial_log, memory, pager, power};
use core::fmt::{self, Write};
use kernel_logic::keys::{CONTROL, LEFT_SHIFT, MONITOR, RIGHT_SHIFT, character_for_key};
use kernel_logic::ring::Ring;
use log::info;
use monitor::editor::{Editor, Key};
use monitor::{Hit, Monitor, PageState, Surroundings, Verdict, Watched};
use vm::address::{ByteAddr, LispPage};
use vm::inspect::code;
use vm::layout::Layout;
use vm::machine::{Exit, Machine};
use vm::memory::Space;

/// The monitor, for the life of the kernel.
static MONITOR_STATE: Exclusive<Option<Monitor>> = Exclusive::new(Some(Monitor::new()));
/// The line being typed.
static EDITOR: Exclusive<Editor> = Exclusive::new(Editor::new());

/// The hardware, as the monitor sees it.
struct Hardware<L: Layout> {
    space: Space,
    layout: core::marker::PhantomData<L>,
    /// Where the machine is: it stands still while somebody asks.
    running: Option<(vm::address::LispPtr, u32)>,
}

impl<L: Layout> Hardware<L> {
    fn new(machine: &Machine<L>) -> Self {
        Self { space: machine.space, layout: core::marker::PhantomData, running: None }
    }

    /// The instruction that made a change, by what the processor's registers held then.
    fn instruction(&self, frame: &TrapFrame) -> Option<(vm::address::LispPtr, u32)> {
        let (function, pc) = self.running?;
        let TrapFrame { rsi, rdi, rdx, rcx, r8, r9, rax, rbx, rbp, r10, r11, r12, r13, r14, r15, .. } = *frame;
        // In an opcode's quick part the pc is in rsi; in the others it is in the machine.
        let values = [rsi, rdi, rdx, rcx, r8, r9, rax, rbx, rbp, r10, r11, r12, r13, r14, r15, u64::from(pc)];
        let mut values = values.into_iter().filter_map(|value| u32::try_from(value).ok());
        let found = values.find(|&pc| code::is_instruction::<L>(self.space, function, ByteAddr(pc)));
        Some((function, found.unwrap_or(pc)))
    }
}

impl<L: Layout> Surroundings for Hardware<L> {
    fn has(&self, page: LispPage) -> bool {
        pager::exists(page.0)
    }

    fn page(&self, number: u32) -> PageState {
        pager::watch::state(number)
    }

    fn forgive(&mut self, on: bool) {
        pager::watch::forgive(on);
    }

    fn paging(&mut self, out: &mut dyn Write) -> fmt::Result {
        writeln!(out, "{}", pager::counters())?;
        writeln!(out, "{}", pager::snapshot::counters())?;
        writeln!(out, "{} writes to watched pages", pager::watch::faults())
    }

    fn devices(&mut self, out: &mut dyn Write) -> fmt::Result {
        let now = clock::microseconds();
        writeln!(
            out,
            "clock: {}.{:06} s since kernel entry, {} ticks, TSC at {} MHz, date {} s since 1970",
            now / 1_000_000,
            now % 1_000_000,
            clock::ticks(),
            clock::tsc_hertz() / 1_000_000,
            clock::unix_seconds()
        )?;
        let (frames, cells) = display::counters();
        writeln!(out, "screen: {frames} pictures of {cells} cells of 32 pixels")?;
        writeln!(
            out,
            "disk: {} sectors{}{}",
            block::capacity(),
            if block::is_read_only() { ", only read" } else { "" },
            if block::has_flush() { ", with a cache" } else { "" }
        )?;
        writeln!(out, "memory: {} KiB free", memory::paging::free_bytes() >> 10)
    }

    fn arm(&mut self, watched: &[Watched]) -> bool {
        pager::watch::set(watched)
    }

    fn disarm(&mut self) {
        pager::watch::clear();
    }

    fn take_hit(&mut self) -> Option<Hit> {
        let change = pager::watch::take()?;
        self.running = crate::world::at_change();
        let (function, pc) = self.instruction(&change.frame)?;
        Some(Hit { watch: change.watch, pc: ByteAddr(pc), function })
    }
}

/// Both consoles, for text.
struct Consoles;

impl Write for Consoles {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        terminal::write(text);
        serial_log::with_serial(|serial| {
            for (i, line) in text.split('\n').enumerate() {
                // A port that does not take it is none.
                let _ = if i > 0 { serial.write_str("\r\n") } else { Ok(()) };
                let _ = serial.write_str(line);
            }
        });
        Ok(())
    }
}

/// What was typed and not yet used.
static TYPED: Exclusive<Ring<Typed, 64>> = Exclusive::new(Ring::new());

/// Something typed.
#[derive(Clone, Copy)]
enum Typed {
    Key(Key),
    /// Older or newer lines of the screen.
    Scroll(isize),
    /// The key that called the monitor.
    Leave,
}

/// Shift and control on the keyboard, as far as the monitor has seen them.
#[derive(Default)]
struct Keyboard {
    shift: [bool; 2],
    control: bool,
}

impl Keyboard {
    /// What an event means here.
    fn take(&mut self, input: Input) {
        keep_for_lisp(input);
        let Input::Key(transition) = input else { return };
        match transition.key {
            LEFT_SHIFT => self.shift[0] = transition.down,
            RIGHT_SHIFT => self.shift[1] = transition.down,
            CONTROL => self.control = transition.down,
            _ => {}
        }
        if !transition.down {
            return;
        }
        let half = terminal::rows() as isize / 2;
        let typed = match transition.key {
            MONITOR => Typed::Leave,
            44 | 76 => Typed::Key(Key::Character(b'\r')),
            15 => Typed::Key(Key::Character(8)),
            130 => Typed::Key(Key::Up),
            131 => Typed::Key(Key::Down),
            63 => Typed::Scroll(half),
            91 => Typed::Scroll(-half),
            key => match character_for_key(key, self.shift != [false; 2]) {
                Some(character) if self.control => Typed::Key(Key::Character(character as u8 & 0x1f)),
                Some(character) => Typed::Key(Key::Character(character as u8)),
                None => return,
            },
        };
        TYPED.with(|ring| ring.push(typed));
    }
}

/// Waits for something typed. With interrupts off, as after a panic, it looks at the devices itself.
fn typed(keyboard: &mut Keyboard) -> Typed {
    terminal::draw();
    loop {
        if let Some(typed) = TYPED.with(Ring::pop) {
            return typed;
        }
        if let Some(byte) = serial::take() {
            return Typed::Key(Key::Character(byte));
        }
        if x86_64::instructions::interrupts::are_enabled() {
            let _ = crate::cpu::traps::take_events();
            ps2::poll(|input| keyboard.take(input));
            if !TYPED.with(|ring| !ring.is_empty()) {
                cpu::sleep_if(|| !crate::cpu::traps::events_waiting());
            }
        } else {
            ps2::interrupt();
            serial::receive();
            ps2::poll(|input| keyboard.take(input));
            core::hint::spin_loop();
        }
    }
}

/// Commands until Lisp shall go on (`None`), or has ended.
fn session<L: Layout>(machine: &mut Machine<L>, monitor: &mut Monitor) -> Option<Exit> {
    let mut hardware = Hardware::new(machine);
    let mut keyboard = Keyboard::default();
    monitor_is_there();
    display::hold(true);
    serial_log::borrow(true);
    terminal::open();
    let _ = writeln!(Consoles, "\nDuralumin monitor");
    monitor.greet(machine, &mut hardware, &mut Consoles);
    let end = loop {
        let _ = Consoles.write_str("* ");
        let verdict = match line(&mut keyboard) {
            Some(line) => monitor.command(machine, &mut hardware, &mut Consoles, line.text()),
            None => {
                let _ = Consoles.write_str("go\n");
                monitor.command(machine, &mut hardware, &mut Consoles, "go")
            }
        };
        match verdict {
            Verdict::Stay => {}
            Verdict::Go => break None,
            Verdict::End(exit) => break Some(exit),
            Verdict::Off => power::off(power::ExitCode::Success),
        }
    };
    let _ = writeln!(Consoles, "Lisp goes on");
    serial_log::borrow(false);
    monitor_is_there();
    display::hold(false);
    end
}

/// A line that was typed.
struct Line {
    bytes: [u8; 120],
    length: usize,
}

impl Line {
    fn text(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

/// Lets somebody type a line; `None` if it was the key that called the monitor.
fn line(keyboard: &mut Keyboard) -> Option<Line> {
    EDITOR.with(Editor::clear);
    loop {
        match typed(keyboard) {
            Typed::Leave => return None,
            Typed::Scroll(lines) => terminal::scroll(lines),
            Typed::Key(key) => {
                let mut complete = None;
                EDITOR.with(|editor| {
                    let echo = |text: &str| {
                        let _ = Consoles.write_str(text);
                    };
                    if editor.key(key, echo) {
                        let mut line = Line { bytes: [0; 120], length: editor.line().len() };
                        line.bytes[..line.length].copy_from_slice(editor.line().as_bytes());
                        complete = Some(line);
                    }
                });
                if complete.is_some() {
                    return complete;
                }
            }
        }
    }
}

/// Does an error of Lisp's end in the monitor? Where QEMU ends by the exit device nobody is there to use it.
pub fn is_offered() -> bool {
    !power::has_exit_device() || handoff().command_line.has("monitor")
}

/// Runs Lisp to its end, with sessions whenever there is something to look at.
pub fn run<L: Layout>(machine: &mut Machine<L>) -> Exit {
    let mut monitor = MONITOR_STATE.with(Option::take).unwrap_or_default();
    let mut hardware = Hardware::new(machine);
    loop {
        let mut exit = monitor.resume(machine, &mut hardware);
        loop {
            if matches!(exit, Exit::Fatal(_)) && !is_offered() || !monitor.note(exit) {
                return exit;
            }
            if let Exit::Fatal(error) = exit {
                log::error!(target: "lisp", "{error}");
            }
            match session(machine, &mut monitor) {
                None => break,
                Some(end) => exit = end,
            }
        }
    }
}

/// After the report of a kernel that has stopped: waits until somebody wants to look, for ever.
pub fn dead<L: Layout>(machine: &mut Machine<L>) -> ! {
    let mut monitor = Monitor::new();
    monitor.bury();
    let mut keyboard = Keyboard::default();
    while !matches!(typed_quietly(&mut keyboard), Typed::Leave | Typed::Key(Key::Character(0x1d | b'm'))) {}
    info!("the monitor looks at a stopped machine");
    loop {
        // Going on is refused; the machine that ends here has ended before.
        let _ = session(machine, &mut monitor);
    }
}

/// As [`typed`], with the screen left as it is.
fn typed_quietly(keyboard: &mut Keyboard) -> Typed {
    loop {
        ps2::interrupt();
        serial::receive();
        ps2::poll(|input| keyboard.take(input));
        if let Some(typed) = TYPED.with(Ring::pop) {
            return typed;
        }
        if let Some(byte) = serial::take() {
            return Typed::Key(Key::Character(byte));
        }
        core::hint::spin_loop();
    }
}
