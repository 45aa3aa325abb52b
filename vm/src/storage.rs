//! Storage: data type descriptors, MDS pages, cells of a type, new pages, and the states of running out.

use crate::address::{LispPage, LispPtr};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::Machine;

/// A new, zeroed object of a type, with no references to it.
pub(crate) fn create_cell<L: Layout>(m: &mut Machine<L>, _type_number: u32) -> Result<LispPtr, Flow> {
    Err(m.fatal(MachineError::NotBuilt { what: "storage::create_cell" }))
}

/// Gives Lisp a new page.
pub(crate) fn new_page<L: Layout>(m: &mut Machine<L>, _page: LispPage) -> Result<(), Flow> {
    Err(m.fatal(MachineError::NotBuilt { what: "storage::new_page" }))
}
