//! Files of the host: what Lisp's `{DSK}` and `{UNIX}` devices call.
//!
//! Names come as Lisp strings, with the device in braces for the subrs that serve both; numbers go back into boxes that
//! Lisp gives along; failure is NIL, with a Unix error number in the box that is the last argument of most. The work
//! itself is done by the platform's [`Files`].

use super::{Call, NIL, T};
use crate::address::LispPtr;
use crate::arrays::Vector;
use crate::dispatch::Flow;
use crate::integers::integer_value;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::lists::{car_of, cdr_of};
use crate::machine::Machine;
use crate::platform::{FileAccess, FileDevice, FileError, FileInfo, Files, LogLevel, Recognition};

/// Longest file name, bytes.
const LONGEST: usize = 1024;
/// Bytes of a page of a file.
const PAGE: usize = 512;
/// The error number that means: the name is too long.
const NAME_TOO_LONG: FileError = FileError(200);
/// The error number that means: no file can have that name.
const BAD_NAME: FileError = FileError(22);
/// Lisp's date at Unix second 0.
const LISP_DATE_AT_UNIX_0: i64 = 29_969_152;
/// The length of a file that is no file.
const SPECIAL_FILE: u32 = u32::MAX;
/// More blocks than any world needs.
const PLENTY: u32 = 1 << 20;
/// -1.
const MINUS_ONE: u32 = SMALL_NEGATIVE | 0xFFFF;

/// A file name.
pub(super) struct Name {
    bytes: [u8; LONGEST],
    length: usize,
}

impl Name {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// The characters of a Lisp string, a byte each. One that is wider is in no file's name: cutting it to a byte would
    /// name another file.
    fn read<L: Layout>(m: &Machine<L>, cell: u32) -> Result<Name, FileError> {
        let string = Vector::read::<L>(m.space, cell).ok_or(FileError(0))?;
        let length = string.fill as usize;
        let mut name = Name { bytes: [0; LONGEST], length };
        let to = name.bytes.get_mut(..length).ok_or(NAME_TOO_LONG)?;
        for (i, byte) in to.iter_mut().enumerate() {
            *byte = u8::try_from(string.character_at(m.space, i as u32)).map_err(|_| BAD_NAME)?;
        }
        Ok(name)
    }

    /// The name behind `{DSK}` or `{UNIX}`, without the bracket that opens the first directory and the one that closes
    /// the last.
    pub(super) fn read_with_device<L: Layout>(m: &Machine<L>, cell: u32) -> Result<(FileDevice, Name), FileError> {
        let name = Name::read(m, cell)?;
        let bytes = name.bytes();
        let close = bytes.iter().position(|&byte| byte == b'}').ok_or(FileError(0))?;
        let device = bytes.get(1..close).unwrap_or_default();
        let device = if device.eq_ignore_ascii_case(b"DSK") {
            FileDevice::Disk
        } else if device.eq_ignore_ascii_case(b"UNIX") {
            FileDevice::Unix
        } else {
            return Err(FileError(0));
        };
        let mut rest = &bytes[close + 1..];
        if rest.len() > 1 {
            rest = rest.strip_prefix(b"<").or_else(|| rest.strip_prefix(b"/")).unwrap_or(rest);
            if !rest.ends_with(b"'>") {
                rest = rest.strip_suffix(b">").unwrap_or(rest);
            }
        } else {
            rest = b"<";
        }
        let mut name = Name { bytes: [0; LONGEST], length: rest.len() };
        name.bytes[..rest.len()].copy_from_slice(rest);
        Ok((device, name))
    }
}

/// The platform's files.
fn files<L: Layout>(m: &mut Machine<L>) -> Result<&mut dyn Files, FileError> {
    if m.platform.files().is_none() {
        if m.logged.first_without_files() {
            m.platform.log(LogLevel::Warning, format_args!("this machine has no files yet for {{DSK}} and {{UNIX}}"));
        }
        return Err(FileError(0));
    }
    m.platform.files().ok_or(FileError(0))
}

/// Turns an outcome into what Lisp gets; `error_box` is the argument for the error's number.
fn answer<L: Layout>(
    m: &mut Machine<L>,
    call: &Call<'_>,
    error_box: Option<usize>,
    failed: u32,
    outcome: Result<u32, FileError>,
) -> Result<u32, Flow> {
    match outcome {
        Ok(value) => Ok(value),
        Err(FileError(number)) => {
            let place = error_box.map_or(NIL, |n| call.argument(n));
            if number != 0 && place != NIL {
                m.space.set_cell(LispPtr::from_cell::<L>(place), number);
            }
            Ok(failed)
        }
    }
}

/// Stores a number in a box.
fn put<L: Layout>(m: &mut Machine<L>, place: u32, value: u32) {
    m.space.set_cell(LispPtr::from_cell::<L>(place), value);
}

/// A Unix time as Lisp's.
fn lisp_date(unix: i64) -> u32 {
    (unix + LISP_DATE_AT_UNIX_0) as u32
}

/// Copies bytes into a Lisp string; its length as Lisp has it.
fn put_string<L: Layout>(m: &mut Machine<L>, cell: u32, bytes: &[u8]) -> Result<u32, FileError> {
    let string = Vector::read::<L>(m.space, cell).ok_or(FileError(0))?;
    if bytes.len() > string.length as usize {
        return Err(NAME_TOO_LONG);
    }
    for (i, &byte) in bytes.iter().enumerate() {
        m.space.set_byte(string.byte_at(i as u32), byte);
    }
    Ok(SMALL_POSITIVE | bytes.len() as u32)
}

fn recognition(cell: u32) -> Option<Recognition> {
    match cell.checked_sub(SMALL_POSITIVE)? {
        0 => Some(Recognition::Old),
        1 => Some(Recognition::Oldest),
        2 => Some(Recognition::New),
        3 => Some(Recognition::OldOrNew),
        5 => Some(Recognition::AsNamed),
        _ => None,
    }
}

fn access(cell: u32) -> Option<FileAccess> {
    match cell.checked_sub(SMALL_POSITIVE)? {
        0 => Some(FileAccess::Input),
        1 => Some(FileAccess::Output),
        2 => Some(FileAccess::Both),
        3 => Some(FileAccess::Append),
        _ => None,
    }
}

/// A number from an argument.
fn number<L: Layout>(m: &Machine<L>, call: &Call<'_>, n: usize) -> Result<i32, FileError> {
    integer_value(m, call.argument(n)).ok_or(FileError(0))
}

/// An open file's handle from an argument.
fn handle<L: Layout>(m: &Machine<L>, call: &Call<'_>, n: usize) -> Result<u16, FileError> {
    u16::try_from(number(m, call, n)?).map_err(|_| FileError(0))
}

/// COM-OPENFILE: name, recognition, access, boxes for date, length and error. The handle.
pub(super) fn open<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, name) = Name::read_with_device(m, call.argument(0))?;
        let recognition = recognition(call.argument(1)).ok_or(FileError(0))?;
        let access = access(call.argument(2)).ok_or(FileError(0))?;
        let (handle, info) = files(m)?.open(device, name.bytes(), recognition, access)?;
        put(m, call.argument(3), lisp_date(info.written));
        put(m, call.argument(4), if info.special { SPECIAL_FILE } else { info.length as u32 });
        Ok(SMALL_POSITIVE | handle as u32)
    })();
    answer(m, call, Some(5), NIL, outcome)
}

/// COM-CLOSEFILE: name, handle, date of change or 0, box for error.
pub(super) fn close<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let handle = handle(m, call, 1)?;
        let date = number(m, call, 2)?;
        let written = (date != 0).then(|| date as i64 - LISP_DATE_AT_UNIX_0);
        files(m)?.close(handle, written)?;
        Ok(T)
    })();
    answer(m, call, Some(3), NIL, outcome)
}

fn file_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>, device: FileDevice) -> Result<u32, Flow> {
    let outcome = (|| {
        let name = Name::read(m, call.argument(0))?;
        let recognition = recognition(call.argument(1)).ok_or(FileError(0))?;
        let mut full = [0; LONGEST];
        let length = files(m)?.full_name(device, name.bytes(), recognition, &mut full)?;
        put_string(m, call.argument(2), &full[..length])
    })();
    answer(m, call, Some(3), NIL, outcome)
}

/// DSK-GETFILENAME: name, recognition, string for the full name, box for error. The full name's length.
pub(super) fn disk_file_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    file_name(m, call, FileDevice::Disk)
}

/// UFS-GETFILENAME: as DSK-GETFILENAME.
pub(super) fn unix_file_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    file_name(m, call, FileDevice::Unix)
}

fn directory_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>, device: FileDevice) -> Result<u32, Flow> {
    let outcome = (|| {
        let name = Name::read(m, call.argument(0))?;
        let mut full = [0; LONGEST];
        let length = files(m)?.directory_name(device, name.bytes(), &mut full)?;
        put_string(m, call.argument(1), &full[..length])
    })();
    answer(m, call, Some(2), NIL, outcome)
}

/// DSK-DIRECTORYNAMEP: name, string for the full name, box for error. The full name's length.
pub(super) fn disk_directory_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    directory_name(m, call, FileDevice::Disk)
}

/// UFS-DIRECTORYNAMEP: as DSK-DIRECTORYNAMEP.
pub(super) fn unix_directory_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    directory_name(m, call, FileDevice::Unix)
}

fn delete<L: Layout>(m: &mut Machine<L>, call: &Call<'_>, device: FileDevice) -> Result<u32, Flow> {
    let outcome = (|| {
        let name = Name::read(m, call.argument(0))?;
        files(m)?.delete(device, name.bytes())?;
        Ok(T)
    })();
    answer(m, call, Some(1), NIL, outcome)
}

/// DSK-DELETEFILE: name, box for error.
pub(super) fn disk_delete<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    delete(m, call, FileDevice::Disk)
}

/// UFS-DELETEFILE: as DSK-DELETEFILE.
pub(super) fn unix_delete<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    delete(m, call, FileDevice::Unix)
}

fn rename<L: Layout>(m: &mut Machine<L>, call: &Call<'_>, device: FileDevice) -> Result<u32, Flow> {
    let outcome = (|| {
        let (from, to) = (Name::read(m, call.argument(0))?, Name::read(m, call.argument(1))?);
        files(m)?.rename(device, from.bytes(), to.bytes())?;
        Ok(T)
    })();
    answer(m, call, Some(2), NIL, outcome)
}

/// DSK-RENAMEFILE: old name, new name, box for error.
pub(super) fn disk_rename<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    rename(m, call, FileDevice::Disk)
}

/// UFS-RENAMEFILE: as DSK-RENAMEFILE.
pub(super) fn unix_rename<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    rename(m, call, FileDevice::Unix)
}

/// COM-READPAGES: handle, page, buffer of a page, box for error. How many bytes; the rest of the buffer is zero.
pub(super) fn read_page<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (handle, page) = (handle(m, call, 0)?, number(m, call, 1)?);
        let at = u64::try_from(page).map_err(|_| FileError(0))? * PAGE as u64;
        let mut bytes = [0; PAGE];
        let count = files(m)?.read(handle, at, &mut bytes)?;
        bytes[count..].fill(0);
        let buffer = LispPtr::from_cell::<L>(call.argument(2)).byte();
        for (i, &byte) in bytes.iter().enumerate() {
            m.space.set_byte(buffer.plus(i as u32), byte);
        }
        Ok(SMALL_POSITIVE | count as u32)
    })();
    answer(m, call, Some(3), NIL, outcome)
}

/// COM-WRITEPAGES: handle, page, buffer, bytes, box for error.
pub(super) fn write_page<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (handle, page, count) = (handle(m, call, 0)?, number(m, call, 1)?, number(m, call, 3)?);
        let mut at = u64::try_from(page).map_err(|_| FileError(0))? * PAGE as u64;
        let mut from = LispPtr::from_cell::<L>(call.argument(2)).byte();
        let mut left = usize::try_from(count).map_err(|_| FileError(0))?;
        while left > 0 {
            let mut bytes = [0; PAGE];
            let some = left.min(PAGE);
            for (i, byte) in bytes[..some].iter_mut().enumerate() {
                *byte = m.space.byte(from.plus(i as u32));
            }
            files(m)?.write(handle, at, &bytes[..some])?;
            (at, from, left) = (at + some as u64, from.plus(some as u32), left - some);
        }
        Ok(T)
    })();
    answer(m, call, Some(4), NIL, outcome)
}

/// COM-TRUNCATEFILE: handle, length, box for error.
pub(super) fn truncate<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (handle, length) = (handle(m, call, 0)?, number(m, call, 1)?);
        let length = u64::try_from(length).map_err(|_| FileError(0))?;
        files(m)?.set_length(handle, length)?;
        Ok(T)
    })();
    answer(m, call, Some(2), NIL, outcome)
}

/// What COM-GETFILEINFO and COM-SETFILEINFO are asked for.
mod attribute {
    pub const LENGTH: u32 = 1;
    pub const WRITTEN: u32 = 2;
    pub const READ: u32 = 3;
    pub const AUTHOR: u32 = 5;
    pub const PROTECTION: u32 = 6;
    pub const ALL: u32 = 8;
    pub const INODE_LOW: u32 = 9;
    pub const INODE_HIGH: u32 = 10;
}

/// COM-GETFILEINFO: name, attribute, box or string for it (for all of them: a list of conses with them as CDRs), box for
/// error. T, or the length of the author's name.
pub(super) fn info<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, name) = Name::read_with_device(m, call.argument(0))?;
        let info = files(m)?.info(device, name.bytes())?;
        let place = call.argument(2);
        let value = match call.argument(1).wrapping_sub(SMALL_POSITIVE) {
            attribute::LENGTH => info.length as u32,
            attribute::WRITTEN => lisp_date(info.written),
            attribute::READ => lisp_date(info.read),
            attribute::PROTECTION => info.protection,
            attribute::INODE_LOW => info.inode as u32,
            attribute::INODE_HIGH => (info.inode >> 32) as u32,
            attribute::AUTHOR => return author(m, device, &name, place),
            attribute::ALL => {
                let mut places = place;
                for value in [info.length as u32, lisp_date(info.written), lisp_date(info.read), info.protection] {
                    let place = next_place(m, &mut places);
                    put(m, place, value);
                }
                let place = next_place(m, &mut places);
                return author(m, device, &name, place);
            }
            _ => return Err(FileError(0)),
        };
        put(m, place, value);
        Ok(T)
    })();
    answer(m, call, Some(3), NIL, outcome)
}

/// The CDR of a list's first element; goes on to the next one.
fn next_place<L: Layout>(m: &Machine<L>, list: &mut u32) -> u32 {
    let at = LispPtr::from_cell::<L>(*list);
    let pair = LispPtr::from_cell::<L>(car_of::<L>(m.space, at));
    *list = cdr_of::<L>(m.space, at);
    cdr_of::<L>(m.space, pair)
}

fn author<L: Layout>(m: &mut Machine<L>, device: FileDevice, name: &Name, place: u32) -> Result<u32, FileError> {
    let mut author = [0; 64];
    match files(m)?.author(device, name.bytes(), &mut author) {
        Ok(length) => put_string(m, place, &author[..length]),
        Err(_) => Ok(SMALL_POSITIVE),
    }
}

/// COM-SETFILEINFO: name, attribute, value, box for error.
pub(super) fn set_info<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, name) = Name::read_with_device(m, call.argument(0))?;
        let value = number(m, call, 2)?;
        match call.argument(1).wrapping_sub(SMALL_POSITIVE) {
            attribute::WRITTEN => {
                files(m)?.set_written(device, name.bytes(), value as i64 - LISP_DATE_AT_UNIX_0)?;
            }
            attribute::PROTECTION => files(m)?.set_protection(device, name.bytes(), value as u32)?,
            _ => return Err(FileError(0)),
        }
        Ok(T)
    })();
    answer(m, call, Some(3), NIL, outcome)
}

/// COM-CHANGEDIR: name.
pub(super) fn change_directory<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, name) = Name::read_with_device(m, call.argument(0))?;
        files(m)?.change_directory(device, name.bytes())?;
        Ok(T)
    })();
    answer(m, call, None, NIL, outcome)
}

/// COM-GETFREEBLOCK: name, box for the number.
///
/// Medley 2.0 asks this before it saves, and gives up if there is no answer. The name of the machine's own place, which is
/// no file, is NIL.
pub(super) fn free_blocks<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, name) = Name::read_with_device(m, call.argument(0))?;
        let own = name.bytes() == b"NIL" && m.platform.worlds().is_some();
        let blocks = if own { PLENTY } else { files(m)?.free_blocks(device, name.bytes())? };
        put(m, call.argument(1), blocks);
        Ok(T)
    })();
    answer(m, call, None, NIL, outcome)
}

/// Cells of the record with which Lisp goes through a list (UFSGENFILESTATE).
mod listing {
    pub const LIST: u32 = 0;
    pub const FLAGS: u32 = 4;
    pub const NAME: u32 = 7;
    pub const LENGTH: u32 = 8;
    pub const WRITTEN: u32 = 9;
    pub const READ: u32 = 10;
    pub const PROTECTION: u32 = 11;
    pub const AUTHOR: u32 = 12;
    pub const AUTHOR_LENGTH: u32 = 13;
    /// In the flags: attributes are wanted.
    pub const WITH_ATTRIBUTES: u32 = 1 << 31;
}

/// COM-GEN-FILES: pattern, whether with attributes, box for the list's handle, box for error. How many; -1 if there is
/// no such directory.
pub(super) fn list<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let (device, pattern) = Name::read_with_device(m, call.argument(0))?;
        let (list, count) = files(m)?.list(device, pattern.bytes())?;
        if count > 0 {
            put(m, call.argument(2), list as u32);
        } else {
            files(m)?.end_list(list);
        }
        Ok(SMALL_POSITIVE | count.min(0xFFFF))
    })();
    answer(m, call, Some(3), MINUS_ONE, outcome)
}

/// COM-NEXT-FILE: the record. The length of the name, which goes into the record's string; -1 at the end.
pub(super) fn next_listed<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let record = LispPtr::from_cell::<L>(call.argument(0));
    let outcome = (|| {
        let cell = |number: u32| record.plus(2 * number);
        let list = u16::try_from(m.space.cell(cell(listing::LIST))).map_err(|_| FileError(0))?;
        let mut name = [0; LONGEST];
        let with_info = m.space.cell(cell(listing::FLAGS)) & listing::WITH_ATTRIBUTES != 0;
        let (length, info) = files(m)?.next_listed(list, &mut name, with_info)?.ok_or(FileError(0))?;
        let result = put_string(m, m.space.cell(cell(listing::NAME)), &name[..length])?;
        if with_info {
            let FileInfo { length, written, read, protection, .. } = info;
            m.space.set_cell(cell(listing::LENGTH), length as u32);
            m.space.set_cell(cell(listing::WRITTEN), lisp_date(written));
            m.space.set_cell(cell(listing::READ), lisp_date(read));
            m.space.set_cell(cell(listing::PROTECTION), protection);
            let mut user = [0; 64];
            let length = m.platform.host_string(crate::platform::HostString::UserName, &mut user).unwrap_or(0);
            let length = put_string(m, m.space.cell(cell(listing::AUTHOR)), &user[..length]).unwrap_or(0) & 0xFFFF;
            m.space.set_cell(cell(listing::AUTHOR_LENGTH), length);
        }
        Ok(result)
    })();
    answer(m, call, None, MINUS_ONE, outcome)
}

/// COM-FINISH-FINFO: the list's handle.
pub(super) fn end_list<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let outcome = (|| {
        let list = handle(m, call, 0)?;
        Ok(if files(m)?.end_list(list) { T } else { NIL })
    })();
    answer(m, call, None, NIL, outcome)
}
