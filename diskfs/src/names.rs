//! Names as the disk has them.
//!
//! RedoxFS keeps names of up to 252 bytes in which there is no colon. A colon is kept as U+F03A, as Cygwin and Samba do on
//! file systems that cannot have it.

use alloc::borrow::Cow;
use files::{Result, VolumeError, check_name};

/// Most bytes of a name on the disk.
pub const LONGEST_NAME: usize = redoxfs::DIR_ENTRY_MAX_LENGTH;
/// Stands for a colon on the disk.
const COLON: char = '\u{F03A}';

/// A name as it lies on the disk.
pub fn to_disk(name: &str) -> Result<Cow<'_, str>> {
    check_name(name)?;
    let kept = match name.contains(':') {
        true => Cow::Owned(name.replace(':', "\u{F03A}")),
        false => Cow::Borrowed(name),
    };
    if kept.len() > LONGEST_NAME { Err(VolumeError::NameTooLong) } else { Ok(kept) }
}

/// The name that lies on the disk as this.
pub fn from_disk(name: &str) -> Cow<'_, str> {
    match name.contains(COLON) {
        true => Cow::Owned(name.replace(COLON, ":")),
        false => Cow::Borrowed(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colons_and_lengths() {
        assert_eq!(from_disk(&to_disk("a:b:é").unwrap()), "a:b:é");
        assert_eq!(to_disk(&"x".repeat(252)).unwrap().len(), 252);
        assert_eq!(to_disk(&"x".repeat(253)), Err(VolumeError::NameTooLong));
        assert_eq!(to_disk(".."), Err(VolumeError::Invalid));
    }
}
