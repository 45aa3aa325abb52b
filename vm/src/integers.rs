//! Not built yet.

use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::{Machine, Regs};

/// Not built yet.
#[inline(always)]
pub(crate) fn plus<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::plus" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn difference<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::difference" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn times<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::times" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn quotient<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::quotient" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn iplus<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::iplus" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn idifference<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::idifference" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn itimes<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::itimes" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn iquotient<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::iquotient" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn iremainder<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::iremainder" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn iplus_n<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::iplus_n" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn idifference_n<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::idifference_n" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn shift_left_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::shift_left_1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn shift_left_8<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::shift_left_8" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn shift_right_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::shift_right_1" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn shift_right_8<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::shift_right_8" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn log_or<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::log_or" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn log_and<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::log_and" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn log_xor<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::log_xor" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn shift<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::shift" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn make_number<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::make_number" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn box_iplus<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::box_iplus" })
}

/// Not built yet.
#[inline(always)]
pub(crate) fn box_idifference<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.fatal(MachineError::NotBuilt { what: "integers::box_idifference" })
}

/// The value of a small integer or a boxed 32-bit one.
pub(crate) fn integer_value<L: Layout>(_m: &Machine<L>, _cell: u32) -> Option<i32> {
    None
}

/// A 32-bit integer as Lisp has it: immediate, or in a new FIXP.
pub(crate) fn make_integer<L: Layout>(m: &mut Machine<L>, _value: i32) -> Result<u32, Flow> {
    Err(m.fatal(MachineError::NotBuilt { what: "integers::make_integer" }))
}
