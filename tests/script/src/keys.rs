//! The keys of a US board: their names in scripts, their numbers on a D-machine, and their names in QEMU.

/// A key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// What scripts call it.
    pub name: &'static str,
    /// What Lisp calls it.
    pub number: u8,
    /// What QEMU calls it (a `QKeyCode`).
    pub qcode: &'static str,
    /// What it types.
    plain: Option<char>,
    /// What it types with Shift.
    shifted: Option<char>,
}

const fn typing(name: &'static str, number: u8, qcode: &'static str, plain: char, shifted: char) -> Key {
    Key { name, number, qcode, plain: Some(plain), shifted: Some(shifted) }
}

const fn other(name: &'static str, number: u8, qcode: &'static str) -> Key {
    Key { name, number, qcode, plain: None, shifted: None }
}

/// Shift.
pub const SHIFT: Key = other("shift", 41, "shift");
/// Control.
pub const CONTROL: Key = other("control", 36, "ctrl");
/// Meta.
pub const META: Key = other("meta", 31, "alt");

/// All of them.
pub static KEYS: &[Key] = &[
    SHIFT,
    CONTROL,
    META,
    typing("a", 21, "a", 'a', 'A'),
    typing("b", 39, "b", 'b', 'B'),
    typing("c", 37, "c", 'c', 'C'),
    typing("d", 5, "d", 'd', 'D'),
    typing("e", 3, "e", 'e', 'E'),
    typing("f", 35, "f", 'f', 'F'),
    typing("g", 50, "g", 'g', 'G'),
    typing("h", 52, "h", 'h', 'H'),
    typing("i", 23, "i", 'i', 'I'),
    typing("j", 38, "j", 'j', 'J'),
    typing("k", 9, "k", 'k', 'K'),
    typing("l", 26, "l", 'l', 'L'),
    typing("m", 55, "m", 'm', 'M'),
    typing("n", 54, "n", 'n', 'N'),
    typing("o", 25, "o", 'o', 'O'),
    typing("p", 11, "p", 'p', 'P'),
    typing("q", 19, "q", 'q', 'Q'),
    typing("r", 48, "r", 'r', 'R'),
    typing("s", 20, "s", 's', 'S'),
    typing("t", 49, "t", 't', 'T'),
    typing("u", 6, "u", 'u', 'U'),
    typing("v", 7, "v", 'v', 'V'),
    typing("w", 18, "w", 'w', 'W'),
    typing("x", 24, "x", 'x', 'X'),
    typing("y", 51, "y", 'y', 'Y'),
    typing("z", 40, "z", 'z', 'Z'),
    typing("1", 32, "1", '1', '!'),
    typing("2", 17, "2", '2', '@'),
    typing("3", 16, "3", '3', '#'),
    typing("4", 1, "4", '4', '$'),
    typing("5", 0, "5", '5', '%'),
    typing("6", 2, "6", '6', '^'),
    typing("7", 4, "7", '7', '&'),
    typing("8", 53, "8", '8', '*'),
    typing("9", 22, "9", '9', '('),
    typing("0", 8, "0", '0', ')'),
    typing("-", 10, "minus", '-', '_'),
    typing("=", 59, "equal", '=', '+'),
    typing("[", 58, "bracket_left", '[', '{'),
    typing("]", 29, "bracket_right", ']', '}'),
    typing("\\", 105, "backslash", '\\', '|'),
    typing(";", 43, "semicolon", ';', ':'),
    typing("'", 28, "apostrophe", '\'', '"'),
    typing("`", 45, "grave_accent", '`', '~'),
    typing(",", 27, "comma", ',', '<'),
    typing(".", 42, "dot", '.', '>'),
    typing("/", 12, "slash", '/', '?'),
    typing("space", 57, "spc", ' ', ' '),
    typing("return", 44, "ret", '\n', '\n'),
    typing("tab", 34, "tab", '\t', '\t'),
    typing("escape", 33, "esc", '\x1b', '\x1b'),
    typing("backspace", 15, "backspace", '\x08', '\x08'),
    other("right-shift", 60, "shift_r"),
    other("caps-lock", 56, "caps_lock"),
    other("f1", 97, "f1"),
    other("f2", 99, "f2"),
    other("f3", 100, "f3"),
    other("f4", 67, "f4"),
    other("f5", 68, "f5"),
    other("f6", 101, "f6"),
    other("f7", 66, "f7"),
    other("f8", 104, "f8"),
    other("f9", 80, "f9"),
    other("f10", 106, "f10"),
    other("f11", 107, "f11"),
    other("f12", 108, "f12"),
    other("print", 92, "sysrq"),
    other("scroll-lock", 14, "scroll_lock"),
    other("pause", 61, "pause"),
    other("insert", 89, "insert"),
    other("home", 62, "home"),
    other("page-up", 63, "pgup"),
    other("delete", 46, "delete"),
    other("end", 90, "end"),
    other("page-down", 91, "pgdn"),
    other("left", 129, "left"),
    other("up", 130, "up"),
    other("down", 131, "down"),
    other("right", 132, "right"),
    other("right-control", 47, "ctrl_r"),
    other("right-meta", 93, "alt_r"),
];

/// The key of that name.
pub fn named(name: &str) -> Option<Key> {
    KEYS.iter().find(|key| key.name == name).copied()
}

/// The key that types a character, and whether with Shift.
pub fn typed(character: char) -> Option<(Key, bool)> {
    let plain = KEYS.iter().find(|key| key.plain == Some(character)).map(|key| (*key, false));
    plain.or_else(|| KEYS.iter().find(|key| key.shifted == Some(character)).map(|key| (*key, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_there_once() {
        for (i, key) in KEYS.iter().enumerate() {
            for before in &KEYS[..i] {
                assert!(before.name != key.name && before.number != key.number && before.qcode != key.qcode, "{key:?}");
            }
        }
    }

    #[test]
    fn every_printing_character_can_be_typed() {
        for character in ' '..='~' {
            assert!(typed(character).is_some(), "{character}");
        }
    }
}
