//! PS/2 mouse packets, and the mouse as Lisp sees it: a position on the screen and three buttons.
//!
//! ```text
//!   byte 0   Yov Xov Ys Xs 1 M R L     overflow and sign bits, buttons
//!   byte 1   X movement, low 8 bits
//!   byte 2   Y movement, low 8 bits, up is positive
//!   byte 3   wheel, 4-bit signed (IntelliMouse only), away from the user is negative
//! ```

/// What moved and what is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Packet {
    /// Pixels to the right.
    pub dx: i32,
    /// Pixels down.
    pub dy: i32,
    /// Wheel steps towards the user.
    pub wheel: i32,
    /// Left button.
    pub left: bool,
    /// Right button.
    pub right: bool,
    /// Middle button.
    pub middle: bool,
}

/// Puts packets together from single bytes.
pub struct Decoder {
    bytes: [u8; 4],
    have: usize,
    length: usize,
}

impl Decoder {
    /// A decoder for packets with or without a wheel byte.
    pub const fn new(wheel: bool) -> Self {
        Self { bytes: [0; 4], have: 0, length: if wheel { 4 } else { 3 } }
    }

    /// Drops a half-read packet: call it when the stream was quiet for long, which ends any loss of step.
    pub fn resynchronise(&mut self) {
        self.have = 0;
    }

    /// Takes one byte, gives a packet when one is complete.
    pub fn feed(&mut self, byte: u8) -> Option<Packet> {
        // Bit 3 of the first byte is always set: the one way to find the start of a packet again.
        if self.have == 0 && byte & 8 == 0 {
            return None;
        }
        self.bytes[self.have] = byte;
        self.have += 1;
        if self.have < self.length {
            return None;
        }
        self.have = 0;
        let [flags, x, y, z] = self.bytes;
        // A movement that overflowed is worth nothing.
        let movement = |low: u8, sign: u8, overflow: u8| {
            if flags & overflow != 0 { 0 } else { i32::from(low) - if flags & sign != 0 { 256 } else { 0 } }
        };
        Some(Packet {
            dx: movement(x, 0x10, 0x40),
            dy: -movement(y, 0x20, 0x80),
            wheel: if self.length == 4 { i32::from((z << 4) as i8 >> 4) } else { 0 },
            left: flags & 1 != 0,
            right: flags & 2 != 0,
            middle: flags & 4 != 0,
        })
    }
}

/// How long left and right may lie apart and still be the middle button, in milliseconds.
pub const CHORD_MILLISECONDS: u64 = 50;

/// Lisp's three buttons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Buttons {
    /// LEFT, also called RED.
    pub left: bool,
    /// MIDDLE, also called YELLOW.
    pub middle: bool,
    /// RIGHT, also called BLUE.
    pub right: bool,
}

/// Buttons with left+right as middle.
///
/// A single left or right press is held back for [`CHORD_MILLISECONDS`]: if the other joins it, Lisp sees the middle
/// button alone, never a moment of left. Once a chord is down it lasts until both are up. A click that was over before
/// the wait was is shown for as long again: programs that look at the buttons now and then shall not miss it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Chord {
    raw: Buttons,
    seen: Buttons,
    pending_since: Option<u64>,
    /// When a short click was shown; it is to be released.
    click_since: Option<u64>,
    chord: bool,
}

impl Chord {
    /// Nothing pressed.
    pub const fn new() -> Self {
        let none = Buttons { left: false, middle: false, right: false };
        Self { raw: none, seen: none, pending_since: None, click_since: None, chord: false }
    }

    /// The physical buttons are now `raw`, at `now` milliseconds. `emit` gets every state Lisp should see, in order.
    pub fn feed(&mut self, raw: Buttons, now: u64, emit: &mut impl FnMut(Buttons)) {
        if self.click_since.take().is_some() {
            // The next transition is there already: the click is over.
            self.show(self.visible(), emit);
        }
        let before = self.raw;
        self.raw = raw;
        if self.chord {
            self.chord = raw.left || raw.right;
        } else if raw.left && raw.right {
            // Joined in time, or both at once: a chord. Too late: two buttons, as pressed.
            let fresh = self.pending_since.is_some() || (!before.left && !before.right);
            self.pending_since = None;
            self.chord = fresh;
        } else if !(raw.left || raw.right) {
            if self.pending_since.take().is_some() {
                // A click shorter than the wait: press it now, release it later.
                self.show(Buttons { left: before.left, right: before.right, middle: before.middle }, emit);
                self.click_since = Some(now);
                return;
            }
        } else if !(before.left || before.right) {
            self.pending_since = Some(now);
        }
        if self.pending_since.is_none() {
            self.show(self.visible(), emit);
        } else {
            self.show(Buttons { middle: raw.middle, ..self.seen }, emit);
        }
    }

    /// Time passes: shows a press whose wait is over.
    pub fn tick(&mut self, now: u64, emit: &mut impl FnMut(Buttons)) {
        if self.pending_since.is_some_and(|since| now.saturating_sub(since) >= CHORD_MILLISECONDS) {
            self.pending_since = None;
            self.show(self.visible(), emit);
        }
        if self.click_since.is_some_and(|since| now.saturating_sub(since) >= CHORD_MILLISECONDS) {
            self.click_since = None;
            self.show(self.visible(), emit);
        }
    }

    fn visible(&self) -> Buttons {
        if self.chord { Buttons { left: false, middle: true, right: false } } else { self.raw }
    }

    fn show(&mut self, buttons: Buttons, emit: &mut impl FnMut(Buttons)) {
        if self.seen != buttons {
            self.seen = buttons;
            emit(buttons);
        }
    }
}

/// A position on the screen that follows movements and stays inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pointer {
    /// Column, 0 at the left.
    pub x: i32,
    /// Line, 0 at the top.
    pub y: i32,
    width: i32,
    height: i32,
}

impl Pointer {
    /// The middle of a screen.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { x: width as i32 / 2, y: height as i32 / 2, width: width as i32, height: height as i32 }
    }

    /// Moves; says whether anything changed.
    pub fn shift(&mut self, dx: i32, dy: i32) -> bool {
        self.place(self.x.saturating_add(dx), self.y.saturating_add(dy))
    }

    /// Goes to a place (or the nearest one on the screen); says whether anything changed.
    pub fn place(&mut self, x: i32, y: i32) -> bool {
        let before = (self.x, self.y);
        self.x = x.clamp(0, (self.width - 1).max(0));
        self.y = y.clamp(0, (self.height - 1).max(0));
        before != (self.x, self.y)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn packets() {
        let mut decoder = Decoder::new(false);
        assert_eq!(decoder.feed(0x00), None, "not a first byte");
        assert_eq!((decoder.feed(0x19), decoder.feed(0xff)), (None, None));
        let packet = decoder.feed(2).unwrap();
        assert_eq!(packet, Packet { dx: -1, dy: -2, left: true, ..Packet::default() });
    }

    #[test]
    fn wheel_and_overflow() {
        let mut decoder = Decoder::new(true);
        for byte in [0x48, 77, 0] {
            assert_eq!(decoder.feed(byte), None);
        }
        let packet = decoder.feed(0xff).unwrap();
        assert_eq!((packet.dx, packet.wheel), (0, -1));
    }

    const NONE: Buttons = Buttons { left: false, middle: false, right: false };
    const LEFT: Buttons = Buttons { left: true, ..NONE };
    const MIDDLE: Buttons = Buttons { middle: true, ..NONE };
    const BOTH: Buttons = Buttons { left: true, right: true, ..NONE };

    fn play(steps: &[(u64, Option<Buttons>)]) -> Vec<Buttons> {
        let (mut chord, mut out) = (Chord::new(), Vec::new());
        for &(now, raw) in steps {
            match raw {
                Some(raw) => chord.feed(raw, now, &mut |buttons| out.push(buttons)),
                None => chord.tick(now, &mut |buttons| out.push(buttons)),
            }
        }
        out
    }

    #[test]
    fn chord_is_middle_and_only_middle() {
        assert_eq!(play(&[(0, Some(LEFT)), (20, Some(BOTH)), (300, Some(LEFT)), (310, Some(NONE))]), [MIDDLE, NONE]);
        assert_eq!(play(&[(0, Some(BOTH)), (10, Some(NONE))]), [MIDDLE, NONE]);
    }

    #[test]
    fn single_press_after_the_wait_and_short_click() {
        assert_eq!(play(&[(0, Some(LEFT)), (20, None), (60, None), (100, Some(NONE))]), [LEFT, NONE]);
        assert_eq!(play(&[(0, Some(LEFT)), (10, Some(NONE)), (50, None)]), [LEFT]);
        assert_eq!(play(&[(0, Some(LEFT)), (10, Some(NONE)), (60, None)]), [LEFT, NONE]);
        let double = [(0, Some(LEFT)), (10, Some(NONE)), (20, Some(LEFT)), (30, Some(NONE)), (80, None)];
        assert_eq!(play(&double), [LEFT, NONE, LEFT, NONE]);
    }

    #[test]
    fn too_late_for_a_chord() {
        assert_eq!(play(&[(0, Some(LEFT)), (60, None), (100, Some(BOTH)), (120, Some(NONE))]), [LEFT, BOTH, NONE]);
    }

    #[test]
    fn a_real_middle_button_needs_no_wait() {
        assert_eq!(play(&[(0, Some(MIDDLE)), (1, Some(NONE))]), [MIDDLE, NONE]);
    }

    #[test]
    fn pointer_stays_inside() {
        let mut pointer = Pointer::new(1024, 768);
        assert!(pointer.shift(-10_000, 10_000));
        assert_eq!((pointer.x, pointer.y), (0, 767));
        assert!(!pointer.shift(-1, 1));
    }
}
