//! What Lisp is told about the computer and its user: words `NAME=value` in capitals on the command line.
//!
//! | word | what Lisp makes of it | without it |
//! |---|---|---|
//! | `HOME=/share` | `(UNIX-GETENV "HOME")`; where `~` is | `/` |
//! | `LDEINIT={DSK}/share/INIT.LISP` | the system's init file, instead of a question | Lisp asks |
//! | `MEDLEYDIR=/share/medley` | where Medley's own files are | no value |
//! | `LOGNAME=larry` | the user's name: `(UNIX-USERNAME)`, the author of files | `user` |
//! | `FULLUSERNAME=Larry%20M.` | `(UNIX-FULLNAME)` | `User` |
//! | `HOSTNAME=maiko` | the computer's name: `(UNIX-GETPARM "HOSTNAME")` | `duralumin` |
//! | any other in capitals | `(UNIX-GETENV "ANY-OTHER")` | no value |
//!
//! `%20` and the like stand for characters that a word cannot have.

use crate::command_line::CommandLine;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What has a value although nobody gave it one.
const USUAL: [(&str, &str); 4] =
    [("HOME", "/"), ("LOGNAME", "user"), ("FULLUSERNAME", "User"), ("HOSTNAME", "duralumin")];

/// Names and their values.
#[derive(Clone, Debug)]
pub struct Environment(Vec<(String, String)>);

impl Environment {
    /// The one that a command line says.
    pub fn new(line: &CommandLine) -> Self {
        let is_name = |name: &str| {
            name.starts_with(|first: char| first.is_ascii_uppercase())
                && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
        };
        let words = line.as_str().split_ascii_whitespace().filter_map(|word| word.split_once('='));
        let said = words.filter(|(name, _)| is_name(name)).map(|(name, value)| (name.to_string(), decode(value)));
        let usual = USUAL.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        Self(usual.chain(said).collect())
    }

    /// The value of a name; the last one counts.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rfind(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Gives a name a value.
    pub fn set(&mut self, name: &str, value: &str) {
        self.0.push((name.to_string(), value.to_string()));
    }
}

/// Text with `%20` and the like; what is no such thing stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|digits| core::str::from_utf8(digits).ok());
        match digits.filter(|_| first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values() {
        let line = "size=640x480 HOME=/share LDEINIT={DSK}/a%20b.lisp HOME=/x MEDLEYDIR= LDEinit=no A=b=c%zz%2";
        let environment = Environment::new(&CommandLine::from_bytes(line.bytes()));
        for (name, value) in [
            ("HOME", Some("/x")),
            ("LDEINIT", Some("{DSK}/a b.lisp")),
            ("MEDLEYDIR", Some("")),
            ("LOGNAME", Some("user")),
            ("HOSTNAME", Some("duralumin")),
            ("A", Some("b=c%zz%2")),
            ("LDEinit", None),
            ("size", None),
        ] {
            assert_eq!(environment.value(name), value, "{name}");
        }
    }
}
