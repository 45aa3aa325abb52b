//! The kernel's command line: words separated by spaces, each `name` or `name=value`.
//!
//! | word | meaning |
//! |---|---|
//! | `size=WxH` | Lisp screen in pixels; under PVH also the display mode |
//! | `keyboard=us` | keyboard layout: `us`, `uk`, `de`, `fr`, `dvorak` |
//! | `log=info` | serial log level: `error`, `warn`, `info`, `debug`, `trace` |
//! | `exit-device` | power off through QEMU's isa-debug-exit (tests) |
//! | `export-files=A,B` | print files of these names on the serial line when Lisp has written and closes them (tests) |
//! | `autosave=SECONDS` | time between checkpoints of a world on a store, 300 if not given; 0 for none |
//! | `generation=N` | come up from that generation of the store, not from the newest |
//! | `fw-cfg` | take QEMU's `opt/duralumin/` files as `{DSK}/init/` |
//! | `serial=lisp` | what is typed on the serial line is typed for Lisp, and what Lisp prints to the console goes there as it is |
//! | `monitor` | with `exit-device`: an error still ends in the monitor instead of ending QEMU |
//! | `test=NAME` | run a self-test instead of Lisp |
//! | `NAME=value` | in capitals: see [`crate::environment`] |

/// Most bytes of a command line that are kept.
pub const CAPACITY: usize = 2048;

/// Largest Lisp screen in pixels (64 Ki words of 16 pixels twice over: the DISPLAY region of both layouts).
pub const MAXIMUM_PIXELS: u32 = 2_097_152;

/// A copied command line.
#[derive(Clone)]
pub struct CommandLine {
    bytes: [u8; CAPACITY],
    length: usize,
}

impl CommandLine {
    /// The empty command line.
    pub const fn empty() -> Self {
        Self { bytes: [0; CAPACITY], length: 0 }
    }

    /// Copies `bytes` up to the first NUL, cut at [`CAPACITY`]; bytes that are not printable ASCII become spaces.
    pub fn from_bytes(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut line = Self::empty();
        for byte in bytes.into_iter().take(CAPACITY).take_while(|&byte| byte != 0) {
            line.bytes[line.length] = if (b' '..=b'~').contains(&byte) { byte } else { b' ' };
            line.length += 1;
        }
        line
    }

    /// The whole line.
    pub fn as_str(&self) -> &str {
        // Only printable ASCII was let in, so this never fails.
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }

    /// Is the bare word `name` there?
    pub fn has(&self, name: &str) -> bool {
        self.as_str().split_ascii_whitespace().any(|word| word == name)
    }

    /// The value of the last `name=value`.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.as_str()
            .split_ascii_whitespace()
            .filter_map(|word| word.split_once('='))
            .rfind(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// The value of `size=WxH`, if it is there and is a screen Lisp can have.
    pub fn size(&self) -> Option<Result<(u32, u32), SizeError>> {
        self.value("size").map(parse_size)
    }
}

/// Why a screen size cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeError {
    /// Not two positive numbers with an `x` between them.
    Form,
    /// More than [`MAXIMUM_PIXELS`], or a side under 64 or over 16384.
    Range,
}

impl core::fmt::Display for SizeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Form => write!(f, "size= wants WIDTHxHEIGHT, for example size=1024x768"),
            Self::Range => write!(f, "size= wants sides of 64 to 16384 pixels and at most {MAXIMUM_PIXELS} pixels"),
        }
    }
}

/// Reads `1024x768`. The width is rounded down to a multiple of 32, as Lisp's raster wants.
pub fn parse_size(text: &str) -> Result<(u32, u32), SizeError> {
    let (width, height) = text.split_once('x').ok_or(SizeError::Form)?;
    let width: u32 = width.parse().map_err(|_| SizeError::Form)?;
    let height: u32 = height.parse().map_err(|_| SizeError::Form)?;
    let width = width & !31;
    let side = 64..=16384;
    if !side.contains(&width) || !side.contains(&height) || width * height > MAXIMUM_PIXELS {
        return Err(SizeError::Range);
    }
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> CommandLine {
        CommandLine::from_bytes(text.bytes())
    }

    #[test]
    fn words_and_values() {
        let line = line("size=1024x768 exit-device keyboard=us keyboard=de");
        assert!(line.has("exit-device"));
        assert!(!line.has("exit"));
        assert_eq!(line.value("keyboard"), Some("de"));
        assert_eq!(line.size(), Some(Ok((1024, 768))));
        assert_eq!(line.value("log"), None);
    }

    #[test]
    fn stops_at_nul_and_at_capacity() {
        assert_eq!(CommandLine::from_bytes(*b"a\0b").as_str(), "a");
        assert_eq!(CommandLine::from_bytes(core::iter::repeat_n(b'x', 5000)).as_str().len(), CAPACITY);
        assert_eq!(CommandLine::from_bytes([b'a', 0xff, b'b']).as_str(), "a b");
    }

    #[test]
    fn sizes() {
        assert_eq!(parse_size("1920x1080"), Ok((1920, 1080)));
        assert_eq!(parse_size("1366x768"), Ok((1344, 768)));
        assert_eq!(parse_size("2048x1024"), Ok((2048, 1024)));
        assert_eq!(parse_size("2048x1025"), Err(SizeError::Range));
        assert_eq!(parse_size("10x10"), Err(SizeError::Range));
        assert_eq!(parse_size("1024"), Err(SizeError::Form));
        assert_eq!(parse_size("x"), Err(SizeError::Form));
        assert_eq!(parse_size("99999999x99999999"), Err(SizeError::Range));
    }
}
