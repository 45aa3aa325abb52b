//! Characters and the keys of a US board that type them, by QEMU's names (qcodes).

use crate::{QemuError, Result};

/// Key and whether it needs shift.
pub(crate) fn key_for(character: char) -> Result<(String, bool)> {
    const PLAIN: &str = "`1234567890-=[]\\;',./ \n\t";
    const SHIFTED: &str = "~!@#$%^&*()_+{}|:\"<>?";
    const NAMES: [&str; 24] = [
        "grave_accent",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
        "0",
        "minus",
        "equal",
        "bracket_left",
        "bracket_right",
        "backslash",
        "semicolon",
        "apostrophe",
        "comma",
        "dot",
        "slash",
        "spc",
        "ret",
        "tab",
    ];
    if character.is_ascii_alphabetic() {
        return Ok((character.to_ascii_lowercase().to_string(), character.is_ascii_uppercase()));
    }
    let at = |set: &str| set.chars().position(|known| known == character);
    match (at(PLAIN), at(SHIFTED)) {
        (Some(index), _) => Ok((NAMES[index].into(), false)),
        (_, Some(index)) => Ok((NAMES[index].into(), true)),
        _ => Err(QemuError::NoKey(character)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_printable_character_has_a_key() {
        for character in ' '..='~' {
            assert!(key_for(character).is_ok(), "{character}");
        }
        assert_eq!(key_for('"').unwrap(), ("apostrophe".into(), true));
        assert_eq!(key_for('Z').unwrap(), ("z".into(), true));
        assert!(key_for('é').is_err());
    }
}
