//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

mod coding;
pub use coding::{CdrCoding, NewCoding, OldCoding};
pub(crate) use coding::{ListIter, car_of, cdr_of};

/// Not built yet.
#[inline(always)]
pub(crate) fn car<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::car" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cdr<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::cdr" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn assoc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::assoc" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn rplaca<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::rplaca" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn rplacd<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::rplacd" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cons<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::cons" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cl_assoc<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::cl_assoc" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn fmemb<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::fmemb" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cl_fmemb<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::cl_fmemb" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn rplcons<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::rplcons" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn list_get<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "lists::list_get" })
}

/// A new CONS cell.
pub(crate) fn make_cons<L: Layout>(m: &mut Machine<L>, _car: u32, _cdr: u32) -> Result<u32, Flow> {
    Err(m.fatal(MachineError::NotBuilt { what: "lists::make_cons" }))
}
