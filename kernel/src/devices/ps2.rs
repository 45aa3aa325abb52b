//! Keyboard and mouse behind the 8042 controller.
//!
//! ```text
//!   IRQ 1, IRQ 12 --> interrupt(): byte, whose it is, when --> ring --> poll(): Input events for Lisp
//! ```
//! The interrupt handler only moves bytes; scancodes, layouts, packets and chords are worked out in [`poll`], outside of
//! interrupts. The controller translates to scancode set 1: that is what firmware emulations of it do, too.

use crate::clock;
use crate::cpu::ports::{inb, outb};
use crate::memory::exclusive::Exclusive;
use kernel_logic::layouts::{Transition, Translator};
use kernel_logic::mouse::{Buttons, Chord, Decoder, Pointer};
use kernel_logic::ring::Ring;
use log::{info, warn};
use pc_keyboard::{ScancodeSet, ScancodeSet1};

const DATA: u16 = 0x60;
const COMMAND: u16 = 0x64;
/// A byte from the mouse is this late only when the packet before it lost one.
const PACKET_GAP_MILLISECONDS: u64 = 200;

/// What a user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A D-machine key went down or up.
    Key(Transition),
    /// The mouse is now there, in pixels of the Lisp screen.
    Move {
        /// Column.
        x: u16,
        /// Line.
        y: u16,
    },
    /// The buttons are now these.
    Buttons(Buttons),
    /// The wheel turned by that many steps, positive towards the user.
    Wheel(i32),
}

/// A byte as it arrived.
#[derive(Debug, Clone, Copy)]
struct Raw {
    byte: u8,
    mouse: bool,
    milliseconds: u64,
}

struct State {
    scancodes: ScancodeSet1,
    translator: Translator,
    mouse: Decoder,
    last_mouse_byte: u64,
    chord: Chord,
    pointer: Pointer,
    wheel: bool,
}

static RAW: Exclusive<Ring<Raw, 512>> = Exclusive::new(Ring::new());
static STATE: Exclusive<Option<State>> = Exclusive::new(None);

fn status() -> u8 {
    // SAFETY: reading the controller's status.
    unsafe { inb(COMMAND) }
}

/// Waits for a bit of the status; false after 50 ms.
fn wait(mask: u8, value: u8) -> bool {
    let end = clock::microseconds() + 50_000;
    while status() & mask != value {
        if clock::microseconds() > end {
            return false;
        }
    }
    true
}

fn write(port: u16, value: u8) -> bool {
    wait(2, 0) && {
        // SAFETY: the controller's two ports; commands and data that this driver means.
        unsafe { outb(port, value) };
        true
    }
}

fn read() -> Option<u8> {
    // SAFETY: a byte is waiting.
    wait(1, 1).then(|| unsafe { inb(DATA) })
}

fn flush() {
    for _ in 0..64 {
        if status() & 1 == 0 {
            break;
        }
        // SAFETY: a byte is waiting and nobody wants it.
        unsafe { inb(DATA) };
    }
}

/// Sends a byte to the keyboard or the mouse; true when it acknowledges.
fn tell(mouse: bool, value: u8) -> bool {
    for _ in 0..3 {
        if mouse && !write(COMMAND, 0xd4) {
            return false;
        }
        if !write(DATA, value) {
            return false;
        }
        match read() {
            Some(0xfa) => return true,
            Some(0xfe) => continue,
            _ => return false,
        }
    }
    false
}

/// Starts controller, keyboard and mouse. `width` and `height` are the Lisp screen's. Interrupts of both lines may
/// still be closed; they must not be served meanwhile.
pub fn start(translator: Translator, width: u32, height: u32) {
    x86_64::instructions::interrupts::without_interrupts(|| {
        let wheel = start_controller();
        STATE.with(|state| {
            *state = Some(State {
                scancodes: ScancodeSet1::new(),
                translator,
                mouse: Decoder::new(wheel),
                last_mouse_byte: 0,
                chord: Chord::new(),
                pointer: Pointer::new(width, height),
                wheel,
            });
        });
    });
}

/// The conversation with the hardware. Says whether the mouse has a wheel.
fn start_controller() -> bool {
    if status() == 0xff {
        warn!("there is no keyboard controller");
        return false;
    }
    write(COMMAND, 0xad); // both ports closed while things are set up
    write(COMMAND, 0xa7);
    flush();
    write(COMMAND, 0x20);
    let configuration = read().unwrap_or(0x40);
    write(COMMAND, 0x60);
    // Interrupts off, both clocks on, translation on.
    write(DATA, (configuration & !0x33) | 0x40);
    write(COMMAND, 0xae);
    write(COMMAND, 0xa8);
    flush();

    let keyboard = tell(false, 0xf5) // quiet
        && tell(false, 0xf6) // defaults
        && tell(false, 0xed) && tell(false, 0) // all lights off: that is the caps lock state Lisp starts with
        && tell(false, 0xf4); // speak
    flush();
    let mouse = tell(true, 0xf6);
    let mut wheel = false;
    if mouse {
        // The knock that turns an IntelliMouse's wheel on: sample rates 200, 100, 80; then it says it is kind 3.
        for rate in [200, 100, 80] {
            let _ = tell(true, 0xf3) && tell(true, rate);
        }
        wheel = tell(true, 0xf2) && read() == Some(3);
        let _ = tell(true, 0xf3) && tell(true, 100);
        tell(true, 0xf4);
    }
    flush();
    write(COMMAND, 0x60);
    write(DATA, (configuration & !0x30) | 0x43); // interrupts of both ports, translation
    info!(
        "keyboard {}, mouse {}",
        if keyboard { "ready" } else { "missing" },
        match (mouse, wheel) {
            (true, true) => "ready, with wheel",
            (true, false) => "ready",
            _ => "missing",
        }
    );
    wheel
}

/// Moves what the controller has into the ring. Called with interrupts off.
pub fn interrupt() {
    let milliseconds = clock::milliseconds();
    for _ in 0..16 {
        let status = status();
        if status & 1 == 0 {
            break;
        }
        // SAFETY: a byte is waiting.
        let byte = unsafe { inb(DATA) };
        RAW.with(|ring| ring.push(Raw { byte, mouse: status & 0x20 != 0, milliseconds }));
    }
}

/// Works out what the user did since the last call.
pub fn poll(mut emit: impl FnMut(Input)) {
    STATE.with(|state| {
        let Some(state) = state else { return };
        while let Some(raw) = RAW.with(Ring::pop) {
            if raw.mouse { state.mouse_byte(raw, &mut emit) } else { state.keyboard_byte(raw.byte, &mut emit) }
        }
        state.chord.tick(clock::milliseconds(), &mut |buttons| emit(Input::Buttons(buttons)));
    });
}

/// Puts the mouse somewhere (Lisp may move it).
pub fn place_pointer(x: i32, y: i32) {
    STATE.with(|state| {
        if let Some(state) = state {
            state.pointer.place(x, y);
        }
    });
}

impl State {
    fn keyboard_byte(&mut self, byte: u8, emit: &mut impl FnMut(Input)) {
        // An error is a scancode of no key (a power-on answer, a key nobody has): nothing to tell Lisp.
        if let Ok(Some(event)) = self.scancodes.advance_state(byte) {
            self.translator.feed(event, |transition| emit(Input::Key(transition)));
        }
    }

    fn mouse_byte(&mut self, raw: Raw, emit: &mut impl FnMut(Input)) {
        if raw.milliseconds - self.last_mouse_byte > PACKET_GAP_MILLISECONDS {
            self.mouse.resynchronise();
        }
        self.last_mouse_byte = raw.milliseconds;
        let Some(packet) = self.mouse.feed(raw.byte) else { return };
        if self.pointer.shift(packet.dx, packet.dy) {
            emit(Input::Move { x: self.pointer.x as u16, y: self.pointer.y as u16 });
        }
        let buttons = Buttons { left: packet.left, middle: packet.middle, right: packet.right };
        self.chord.feed(buttons, raw.milliseconds, &mut |buttons| emit(Input::Buttons(buttons)));
        if self.wheel && packet.wheel != 0 {
            emit(Input::Wheel(packet.wheel));
        }
    }
}
