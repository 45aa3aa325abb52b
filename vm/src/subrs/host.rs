//! What Lisp asks about the computer and the user.

use super::{Call, NIL, T};
use crate::arrays::Vector;
use crate::dispatch::Flow;
use crate::elements::THIN_CHARACTER;
use crate::layout::Layout;
use crate::machine::Machine;
use crate::platform::HostString;

/// Longest name of a parameter or variable, bytes.
const LONGEST_NAME: usize = 19;
/// Longest value, bytes.
const LONGEST_VALUE: usize = 1024;

/// Copies a string of one-byte characters out of Lisp; its length. `None` if it is too long or of another kind.
pub(super) fn thin_string<L: Layout>(m: &Machine<L>, string: &Vector, to: &mut [u8]) -> Option<usize> {
    let length = string.fill as usize;
    if string.element != THIN_CHARACTER || length > to.len() {
        return None;
    }
    for (i, byte) in to[..length].iter_mut().enumerate() {
        *byte = m.space.byte(string.byte_at(i as u32));
    }
    Some(length)
}

/// Copies bytes into a Lisp string of one-byte characters, with a zero behind them; true if they fit.
fn fill_string<L: Layout>(m: &mut Machine<L>, string: u32, bytes: &[u8]) -> bool {
    let Some(string) = Vector::read::<L>(m.space, string) else { return false };
    if string.element != THIN_CHARACTER || (string.length as usize) < bytes.len() + 1 {
        return false;
    }
    for (i, &byte) in bytes.iter().chain(&[0]).enumerate() {
        m.space.set_byte(string.byte_at(i as u32), byte);
    }
    true
}

/// Fills a Lisp string with something the platform knows; T if that went well.
fn answer<L: Layout>(
    m: &mut Machine<L>,
    string: u32,
    value: impl FnOnce(&mut Machine<L>, &mut [u8]) -> Option<usize>,
) -> Result<u32, Flow> {
    let mut buffer = [0; LONGEST_VALUE];
    let Some(length) = value(m, &mut buffer) else { return Ok(NIL) };
    Ok(if fill_string(m, string, &buffer[..length.min(LONGEST_VALUE)]) { T } else { NIL })
}

/// CHECKBCPLPASSWORD: whoever sits at the machine may use it.
pub(super) fn check_password<L: Layout>(_m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(T)
}

/// UNIX-USERNAME: into a string.
pub(super) fn user_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    answer(m, call.argument(0), |m, buffer| m.platform.host_string(HostString::UserName, buffer))
}

/// UNIX-FULLNAME: into a string.
pub(super) fn full_name<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    answer(m, call.argument(0), |m, buffer| m.platform.host_string(HostString::FullName, buffer))
}

/// A name that Lisp asks for.
fn name<'a, L: Layout>(m: &Machine<L>, cell: u32, buffer: &'a mut [u8; LONGEST_NAME]) -> Option<&'a [u8]> {
    let string = Vector::read::<L>(m.space, cell)?;
    let length = thin_string(m, &string, buffer)?;
    Some(&buffer[..length])
}

/// UNIX-GETENV: name, string for the value.
pub(super) fn environment<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let mut buffer = [0; LONGEST_NAME];
    let Some(name) = name(m, call.argument(0), &mut buffer) else { return Ok(NIL) };
    answer(m, call.argument(1), |m, value| m.platform.environment(name, value))
}

/// UNIX-GETPARM with the name PAGES, which only this machine knows: fills a string with what the pages of 4 KiB are like
/// ([`crate::platform::page_state`]), from the first on; NIL where nobody knows.
fn page_states<L: Layout>(m: &mut Machine<L>, string: u32) -> u32 {
    let Some(string) = Vector::read::<L>(m.space, string).filter(|string| string.element == THIN_CHARACTER) else {
        return NIL;
    };
    let mut part = [0; LONGEST_VALUE];
    let mut first = 0;
    while first < string.length {
        let count = (string.length - first).min(part.len() as u32);
        let states = &mut part[..count as usize];
        if !m.platform.page_states(first, states) {
            return NIL;
        }
        for (i, &state) in states.iter().enumerate() {
            m.space.set_byte(string.byte_at(first + i as u32), state);
        }
        first += count;
    }
    T
}

/// UNIX-GETPARM: name, string for the value. That there is an answer at all tells Lisp that it runs on an emulator; what
/// processor it names is what emulators have always said.
pub(super) fn parameter<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let mut buffer = [0; LONGEST_NAME];
    let Some(name) = name(m, call.argument(0), &mut buffer) else { return Ok(NIL) };
    let what = match name {
        b"MACH" => Err("mc68020"),
        b"OSNAME" => Err("Linux"),
        b"ARCH" => Err("x86_64"),
        b"DISPLAY" => Err("X"),
        b"HOSTID" => Err("0"),
        b"HOSTNAME" => Ok(HostString::HostName),
        b"LOGNAME" => Ok(HostString::UserName),
        b"FULLUSERNAME" => Ok(HostString::FullName),
        b"PAGES" => return Ok(page_states(m, call.argument(1))),
        _ => return Ok(NIL),
    };
    answer(m, call.argument(1), |m, value| match what {
        Ok(what) => m.platform.host_string(what, value),
        Err(fixed) => {
            value[..fixed.len()].copy_from_slice(fixed.as_bytes());
            Some(fixed.len())
        }
    })
}
