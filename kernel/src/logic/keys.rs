//! From the keys of a PC to the key numbers of a D-machine.
//!
//! A D-machine reports key *transitions*: key number and up or down; what a key means is decided in Lisp (LLKEY's key
//! action tables). Key numbers come from the D-machine's own board; which PC key stands for which of them follows
//! Medley's convention for PC boards, so that every key action of a Medley image finds its key:
//!
//! ```text
//!  Esc  F1 CENTER  F2 BOLD  F3 ITALICS  F4 CASE  F5 STRIKEOUT  F6 UNDERLINE  F7 SUPER/SUB  F8 LARGER/SMALLER
//!       F9 MARGINS  F10 LOOKS  F11, F12   PrtSc HELP   ScrLk SAME   Pause STOP
//!  Ins COPY  Home MOVE  PgUp UNDO  Del DELETE  End FIND  PgDn AGAIN
//!  Ctrl CTRL   Alt META (BLANK-TOP)   AltGr EXPAND   right Ctrl NEXT   left/right Windows beside the space bar
//!  Menu OPEN (BLANK-MIDDLE)
//! ```

use pc_keyboard::KeyCode;

/// Number of a key on the D-machine's board.
pub type KeyNumber = u8;

/// LSHIFT.
pub const LEFT_SHIFT: KeyNumber = 41;
/// RSHIFT.
pub const RIGHT_SHIFT: KeyNumber = 60;

/// The D-machine key for a key of a US board, by position. `None` for keys no D-machine ever had.
pub fn key_number(code: KeyCode) -> Option<KeyNumber> {
    use KeyCode::*;
    Some(match code {
        Escape => 33,
        F1 => 97,
        F2 => 99,
        F3 => 100,
        F4 => 67,
        F5 => 68,
        F6 => 101,
        F7 => 66,
        F8 => 104,
        F9 => 80,
        F10 => 106,
        F11 => 107,
        F12 => 108,
        PrintScreen | SysRq => 92,
        ScrollLock => 14,
        PauseBreak => 61,

        Oem8 => 45,
        Key1 => 32,
        Key2 => 17,
        Key3 => 16,
        Key4 => 1,
        Key5 => 0,
        Key6 => 2,
        Key7 => 4,
        Key8 => 53,
        Key9 => 22,
        Key0 => 8,
        OemMinus => 10,
        OemPlus => 59,
        Backspace => 15,

        Tab => 34,
        Q => 19,
        W => 18,
        E => 3,
        R => 48,
        T => 49,
        Y => 51,
        U => 6,
        I => 23,
        O => 25,
        P => 11,
        Oem4 => 58,
        Oem6 => 29,
        // The key above Return of a US board, and the 102nd key of European boards.
        Oem7 | Oem5 => 105,

        CapsLock => 56,
        A => 21,
        S => 20,
        D => 5,
        F => 35,
        G => 50,
        H => 52,
        J => 38,
        K => 9,
        L => 26,
        Oem1 => 43,
        Oem3 => 28,
        Return => 44,

        LShift => LEFT_SHIFT,
        Z => 40,
        X => 24,
        C => 37,
        V => 7,
        B => 39,
        N => 54,
        M => 55,
        OemComma => 27,
        OemPeriod => 42,
        Oem2 => 12,
        RShift => RIGHT_SHIFT,

        LControl => 36,
        LWin => 86,
        LAlt => 31,
        Spacebar => 57,
        RAltGr => 93,
        RWin => 88,
        Apps => 30,
        RControl => 47,

        Insert => 89,
        Home => 62,
        PageUp => 63,
        Delete => 46,
        End => 90,
        PageDown => 91,
        ArrowLeft => 129,
        ArrowUp => 130,
        ArrowDown => 131,
        ArrowRight => 132,

        NumpadLock => 73,
        NumpadDivide => 65,
        NumpadMultiply => 95,
        NumpadSubtract => 96,
        NumpadAdd => 102,
        NumpadEnter => 76,
        NumpadPeriod => 13,
        Numpad0 => 98,
        Numpad1 => 94,
        Numpad2 => 69,
        Numpad3 => 70,
        Numpad4 => 84,
        Numpad5 => 85,
        Numpad6 => 87,
        Numpad7 => 81,
        Numpad8 => 82,
        Numpad9 => 83,
        _ => return None,
    })
}

/// One key of the typewriter block: number, character alone, character with shift.
const TYPEWRITER: [(KeyNumber, char, char); 48] = [
    (45, '`', '~'),
    (32, '1', '!'),
    (17, '2', '@'),
    (16, '3', '#'),
    (1, '4', '$'),
    (0, '5', '%'),
    (2, '6', '^'),
    (4, '7', '&'),
    (53, '8', '*'),
    (22, '9', '('),
    (8, '0', ')'),
    (10, '-', '_'),
    (59, '=', '+'),
    (19, 'q', 'Q'),
    (18, 'w', 'W'),
    (3, 'e', 'E'),
    (48, 'r', 'R'),
    (49, 't', 'T'),
    (51, 'y', 'Y'),
    (6, 'u', 'U'),
    (23, 'i', 'I'),
    (25, 'o', 'O'),
    (11, 'p', 'P'),
    (58, '[', '{'),
    (29, ']', '}'),
    (105, '\\', '|'),
    (21, 'a', 'A'),
    (20, 's', 'S'),
    (5, 'd', 'D'),
    (35, 'f', 'F'),
    (50, 'g', 'G'),
    (52, 'h', 'H'),
    (38, 'j', 'J'),
    (9, 'k', 'K'),
    (26, 'l', 'L'),
    (43, ';', ':'),
    (28, '\'', '"'),
    (40, 'z', 'Z'),
    (24, 'x', 'X'),
    (37, 'c', 'C'),
    (7, 'v', 'V'),
    (39, 'b', 'B'),
    (54, 'n', 'N'),
    (55, 'm', 'M'),
    (27, ',', '<'),
    (42, '.', '>'),
    (12, '/', '?'),
    (57, ' ', ' '),
];

/// The D-machine key that types `character` in Medley's US key actions, and whether it needs shift.
pub fn key_for_character(character: char) -> Option<(KeyNumber, bool)> {
    TYPEWRITER.iter().find_map(|&(number, plain, shifted)| {
        (plain == character).then_some((number, false)).or((shifted == character).then_some((number, true)))
    })
}

/// The character that a D-machine key types in Medley's US key actions.
pub fn character_for_key(number: KeyNumber, shift: bool) -> Option<char> {
    let found = TYPEWRITER.iter().find(|key| key.0 == number);
    found.map(|&(_, plain, shifted)| if shift { shifted } else { plain })
}

/// CTRL.
pub const CONTROL: KeyNumber = 36;
/// The key that calls the monitor: F12, which no image has an action for.
pub const MONITOR: KeyNumber = 108;

/// The keys that type what a terminal sends for a character, and whether shift and CTRL are held: capitals, and control
/// characters by the letter. Return, Tab, Escape and the two rubouts have keys of their own.
pub fn keys_for_terminal(byte: u8) -> Option<(KeyNumber, bool, bool)> {
    let plain = |number| Some((number, false, false));
    match byte {
        b'\r' | b'\n' => plain(44),
        b'\t' => plain(34),
        0x1b => plain(33),
        8 | 0x7f => plain(15),
        1..=0x1a => key_for_character((byte | 0x60) as char).map(|(number, shift)| (number, shift, true)),
        _ => key_for_character(byte as char).map(|(number, shift)| (number, shift, false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_share_a_number() {
        let mut seen = [None; 256];
        // KeyCode is a plain enumeration; walk a US board by its scancodes.
        for code in us_board() {
            let number = key_number(code).unwrap_or_else(|| panic!("{code:?} has no number"));
            let before = seen[usize::from(number)].replace(code);
            assert!(before.is_none(), "{before:?} and {code:?} are both key {number}");
        }
    }

    #[test]
    fn a_terminal_types() {
        assert_eq!(keys_for_terminal(b'a'), Some((21, false, false)));
        assert_eq!(keys_for_terminal(b'A'), Some((21, true, false)));
        assert_eq!(keys_for_terminal(5), Some((3, false, true)));
        assert_eq!(keys_for_terminal(b'\r'), Some((44, false, false)));
        assert_eq!(keys_for_terminal(0xe4), None);
        for byte in b' '..=b'~' {
            let (number, shift, control) = keys_for_terminal(byte).unwrap();
            assert_eq!((character_for_key(number, shift), control), (Some(byte as char), false));
        }
        assert_eq!(key_number(KeyCode::F12), Some(MONITOR));
        assert_eq!(key_number(KeyCode::LControl), Some(CONTROL));
    }

    #[test]
    fn characters_agree_with_positions() {
        assert_eq!(key_for_character('a'), key_number(KeyCode::A).map(|key| (key, false)));
        assert_eq!(key_for_character('A'), key_number(KeyCode::A).map(|key| (key, true)));
        assert_eq!(key_for_character('{'), key_number(KeyCode::Oem4).map(|key| (key, true)));
        assert_eq!(key_for_character('\\'), key_number(KeyCode::Oem7).map(|key| (key, false)));
        assert_eq!(key_for_character('é'), None);
        assert!((' '..='~').all(|character| key_for_character(character).is_some()));
    }

    fn us_board() -> impl Iterator<Item = KeyCode> {
        use pc_keyboard::{ScancodeSet, ScancodeSet1};
        let plain = (1u8..=0x58).filter(|code| ![0x54, 0x55, 0x56].contains(code)).map(|code| (false, code));
        let extended = [
            0x1c, 0x1d, 0x35, 0x37, 0x38, 0x47, 0x48, 0x49, 0x4b, 0x4d, 0x4f, 0x50, 0x51, 0x52, 0x53, 0x5b, 0x5c, 0x5d,
        ];
        plain.chain(extended.into_iter().map(|code| (true, code))).map(|(extended, code)| {
            let mut set = ScancodeSet1::new();
            if extended {
                set.advance_state(0xe0).unwrap();
            }
            set.advance_state(code).unwrap().unwrap().code
        })
    }
}
