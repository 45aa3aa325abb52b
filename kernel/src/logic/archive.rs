//! The files of a boot module, a tar archive, for the volume in memory.

use alloc::borrow::Cow;
use alloc::string::ToString;
use core::fmt;
use files::{MemoryVolume, PathBuf, VolumeError};
use tar_no_std::{CorruptDataError, TarArchiveRef};

/// Why an archive cannot be used.
#[derive(Debug)]
pub enum ArchiveError {
    /// It is damaged, or none at all.
    Damaged(CorruptDataError),
    /// One of its files cannot be had.
    File(VolumeError),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(error) => write!(f, "it is damaged, or no tar archive: {error}"),
            Self::File(error) => write!(f, "one of its files cannot be had: {error}"),
        }
    }
}

/// Adds the files of a tar archive to a volume; how many. Their bytes stay where they are.
pub fn add_archive(volume: &mut MemoryVolume, archive: &'static [u8]) -> Result<usize, ArchiveError> {
    let archive = TarArchiveRef::new(archive).map_err(ArchiveError::Damaged)?;
    let mut count = 0;
    for entry in archive.entries() {
        let name = entry.filename();
        let name = name.as_str().unwrap_or_default();
        let parts = name.split('/').filter(|part| !matches!(*part, "" | "."));
        let path: PathBuf = parts.map(|part| part.to_string()).collect();
        if !path.is_empty() {
            volume.provide(&path, Cow::Borrowed(entry.data())).map_err(ArchiveError::File)?;
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::vec::Vec;
    use files::Volume;

    /// A tar archive of one file, by the rules of POSIX ustar.
    fn archive(name: &str, bytes: &[u8]) -> Vec<u8> {
        let mut header = [0u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        for (at, text) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0000000\0"), (136, "00000000000\0")] {
            header[at..at + text.len()].copy_from_slice(text.as_bytes());
        }
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut archive = [&header[..], bytes].concat();
        archive.resize(archive.len().next_multiple_of(512) + 1024, 0);
        archive
    }

    #[test]
    fn an_archive_is_read() {
        let mut volume = MemoryVolume::new(|| 0);
        assert_eq!(add_archive(&mut volume, archive("./in/Hello.lisp", b"(print 1)").leak()).unwrap(), 1);
        let attributes = volume.attributes(&["in".to_string(), "Hello.lisp".to_string()]).unwrap();
        assert_eq!(attributes.length, 9);
        assert!(add_archive(&mut volume, &[1; 2048]).is_err());
        assert!(add_archive(&mut volume, archive("in/../../x", b"").leak()).is_err());
    }
}
