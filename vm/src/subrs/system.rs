//! Clocks, storage, collector, symbols, and ways out.

use super::files::Name;
use super::{Call, NIL, T};
use crate::address::{LispPage, LispPtr};
use crate::arrays::Vector;
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::integers::{integer_value, make_integer};
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::{Exit, Machine};
use crate::platform::{LogLevel, SaveError, SavePlace};
use crate::saving;
use crate::symbols::{Characters, find_symbol};

/// A subr that does nothing here and has no value.
pub(super) fn nothing<L: Layout>(_m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    Ok(call.top)
}

/// A subr that does nothing here and says NIL.
pub(super) fn no_value<L: Layout>(_m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    Ok(NIL)
}

/// GETUNIXTIME: one of the clocks; into a box, if one is given.
pub(super) fn get_time<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let time = m.time(call.argument(0) & 0xFFFF);
    let place = call.argument(1);
    if place == NIL {
        return make_integer(m, time);
    }
    m.space.set_cell(LispPtr::from_cell::<L>(place), time as u32);
    Ok(place)
}

/// COPYTIMESTATS: from, to.
pub(super) fn copy_statistics<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let (from, to) = (LispPtr::from_cell::<L>(call.argument(0)), LispPtr::from_cell::<L>(call.argument(1)));
    m.copy_statistics(from, to);
    Ok(NIL)
}

/// LISPFINISH: Lisp logs out.
pub(super) fn finish<L: Layout>(m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    m.exit = Some(Exit::Logout);
    Err(Flow::Exit)
}

/// VMEMSAVE: saves the world, to the file whose name is given or to the machine's own place. NIL if that went well, else
/// a number that says why not; T in a world that has just come up.
pub(super) fn save_world<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let saved = match Vector::read::<L>(m.space, call.argument(0)).filter(Vector::is_string) {
        Some(_) => match Name::read_with_device(m, call.argument(0)) {
            Ok((device, name)) => saving::save(m, SavePlace::File(device, name.bytes())),
            Err(_) => Err(SaveError::BadName),
        },
        None => match saving::save_own(m) {
            Ok(true) => return Ok(T),
            other => other.map(drop),
        },
    };
    Ok(saved.map_or_else(|error| SMALL_POSITIVE | error as u32, |()| NIL))
}

/// RAID: Lisp gives up, with a reason.
pub(super) fn raid<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    if let Some(reason) = Vector::read::<L>(m.space, call.argument(0)) {
        let mut text = [0; 200];
        let length = super::host::thin_string(m, &reason, &mut text);
        let text = core::str::from_utf8(length.map_or(&[], |length| &text[..length])).unwrap_or("?");
        m.platform.log(LogLevel::Error, format_args!("Lisp calls RAID: {text}"));
    } else if let Some(number) = integer_value(m, call.argument(0)) {
        m.platform.log(LogLevel::Error, format_args!("Lisp calls RAID: {number}"));
    }
    Err(m.fatal(MachineError::Raid { what: "it called RAID" }))
}

/// NEWPAGE: a page for Lisp.
pub(super) fn new_page<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let base = LispPtr::from_cell::<L>(call.argument(0));
    crate::storage::new_page(m, LispPage(base.page().0))?;
    Ok(call.argument(0))
}

/// DORECLAIM: collects garbage. The collector stores the top of the stack twice to end the running frame, and as in the
/// reference one of the two stays there.
pub(super) fn reclaim<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    call.left_over.set((m.space.cell(m.symbols.gc_disabled) == NIL) as u32);
    crate::collector::reclaim(m, call.r);
    Ok(NIL)
}

/// DISABLEGC: never again.
pub(super) fn disable_collector<L: Layout>(m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    crate::collector::disable(m);
    Ok(NIL)
}

/// CAUSE-INTERRUPT: Lisp could not be interrupted when it should have been, and now it can.
pub(super) fn cause_interrupt<L: Layout>(m: &mut Machine<L>, _call: &Call<'_>) -> Result<u32, Flow> {
    m.space.set_cell(m.symbols.pending_interrupt, T);
    m.attention.request();
    Ok(T)
}

/// In WITH-SYMBOL's box: there is no such symbol.
const NOT_FOUND: u32 = u32::MAX;
/// In WITH-SYMBOL's box: there is.
const FOUND: u32 = 3;

/// WITH-SYMBOL: the symbol with these characters (base, offset, length, whether fat) in a package's table; the box tells
/// NIL from nothing.
pub(super) fn with_symbol<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    let base = LispPtr::from_cell::<L>(call.argument(0));
    let (offset, length) = (call.argument(1) & 0xFFFF, call.argument(2) & 0xFFFF);
    let name = match call.argument(3) {
        NIL => Characters::Thin(m.space, base.byte().plus(offset), length),
        _ => Characters::Fat(m.space, base.plus(offset), length),
    };
    let found = find_symbol::<L>(m.space, name, call.argument(4));
    let place = LispPtr::from_cell::<L>(call.argument(5));
    m.space.set_cell(place, if found.is_some() { FOUND } else { NOT_FOUND });
    Ok(found.map_or(NIL, |symbol| symbol.0))
}

/// YIELD: nothing to do for so many nanoseconds.
pub(super) fn rest<L: Layout>(m: &mut Machine<L>, call: &Call<'_>) -> Result<u32, Flow> {
    match integer_value(m, call.argument(0)) {
        Some(nanoseconds @ 0..1_000_000_000) => {
            m.platform.idle(nanoseconds as u32 / 1000);
            Ok(T)
        }
        _ => Ok(NIL),
    }
}
