//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn unboxed_3<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::unboxed_3" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn plus<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::plus" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn difference<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::difference" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn times<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::times" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn quotient<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::quotient" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn unboxed_2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::unboxed_2" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn unboxed_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::unboxed_1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn fgreaterp<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "floats::fgreaterp" })
}
