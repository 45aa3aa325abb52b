//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn eql<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::eql" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cl_equal<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::cl_equal" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn eq<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::eq" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn igreaterp<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::igreaterp" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn greaterp<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::greaterp" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn equal<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::equal" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn cl_arith_equal<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "compare::cl_arith_equal" })
}
