//! Where the image keeps the variables that the machine shares with it.
//!
//! Each field is the address of a symbol's value cell, or a symbol's number. They are looked up once, by print name.

use crate::address::{AtomIndex, LispPtr};
use crate::error::MachineError;
use crate::layout::Layout;
use crate::memory::Space;

macro_rules! shared {
    (
        values { $($(#[$value_doc:meta])* $value:ident = $value_name:literal;)* }
        symbols { $($(#[$symbol_doc:meta])* $symbol:ident = $symbol_name:literal;)* }
    ) => {
        /// Variables and symbols that the machine shares with the image.
        #[derive(Clone, Copy, Debug)]
        pub struct Symbols {
            $(#[doc = concat!("The value cell of `", $value_name, "`.")] pub $value: LispPtr,)*
            $(#[doc = concat!("The symbol `", $symbol_name, "`.")] pub $symbol: AtomIndex,)*
        }

        impl Symbols {
            /// Looks all of them up in the image.
            pub fn find<L: Layout>(space: Space) -> Result<Symbols, MachineError> {
                Ok(Symbols {
                    $($value: L::value_cell(find::<L>(space, $value_name)?),)*
                    $($symbol: find::<L>(space, $symbol_name)?,)*
                })
            }
        }
    };
}

shared! {
    values {
        reclaim_countdown = "\\RECLAIM.COUNTDOWN";
        gc_disabled = "\\GCDISABLED";
        free_block_buckets = "\\FREEBLOCKBUCKETS";
        array_block_checking = "ARRAYBLOCKCHECKING";
        array_merging = "\\ARRAYMERGING";
        array_space = "\\ARRAYSPACE";
        array_space_2 = "\\ARRAYSPACE2";
        array_free_list = "\\ArrayFrLst";
        array_free_list_2 = "\\ArrayFrLst2";
        hunking = "\\HUNKING?";
        system_buffer_list = "SYSTEMBUFFERLIST";
        gc_message = "GCMESS";
        reclaim_min = "\\RECLAIMMIN";
        package_from_index = "*PACKAGE-FROM-INDEX*";
        package_from_name = "*PACKAGE-FROM-NAME*";
        keyword_package = "*KEYWORD-PACKAGE*";
        storage_full_state = "\\STORAGEFULLSTATE";
        storage_full = "\\STORAGEFULL";
        pending_interrupt = "\\PENDINGINTERRUPT";
        least_mds_page = "\\LeastMDSPage";
        second_mds_page = "\\SecondMDSPage";
        second_array_page = "\\SecondArrayPage";
        interrupt_state = "\\INTERRUPTSTATE";
        system_cache_vars = "\\SYSTEMCACHEVARS";
        machine_type = "\\MACHINETYPE";
        last_vmem_file_page = "\\LASTVMEMFILEPAGE";
        vmem_full_state = "\\VMEM.FULL.STATE";
        next_mds_page = "\\NxtMDSPage";
        next_array_page = "\\NxtArrayPage";
        mds_free_page = "\\MDSFREELISTPAGE";
        max_type_number = "\\MaxTypeNumber";
        stack_overflow = "\\STACKOVERFLOW";
        guard_stack_addr = "\\GuardStackAddr";
        last_stack_addr = "\\LastStackAddr";
        need_hardreset_cleanup = "\\NEED.HARDRESET.CLEANUP";
        cursor_dest_height = "\\CURSORDESTHEIGHT";
        cursor_dest_width = "\\CURSORDESTWIDTH";
        cursor_hot_spot_x = "\\CURSORHOTSPOTX";
        cursor_hot_spot_y = "\\CURSORHOTSPOTY";
        soft_cursor_upp = "\\SOFTCURSORUPP";
        soft_cursor_width = "\\SOFTCURSORWIDTH";
        soft_cursor_height = "\\SOFTCURSORHEIGHT";
        current_cursor = "\\CURRENTCURSOR";
        keyboard_event_queue = "\\KEYBOARDEVENTQUEUE";
        key_buffering = "\\KEYBUFFERING";
        mouse_chord_ticks = "\\MOUSECHORDTICKS";
        last_user_action = "\\LASTUSERACTION";
        periodic_interrupt = "\\PERIODIC.INTERRUPT";
        periodic_interrupt_frequency = "\\PERIODIC.INTERRUPT.FREQUENCY";
        top_wds = "\\TOPWDS";
    }
    symbols {
        mv_list = "\\MVLIST";
        texture = "TEXTURE";
        merge = "MERGE";
        input = "INPUT";
        invert = "INVERT";
        erase = "ERASE";
        paint = "PAINT";
        replace = "REPLACE";
        started = "STARTED";
        do_buffered_transitions = "\\DOBUFFEREDTRANSITIONS";
        interrupt_frame = "\\INTERRUPTFRAME";
        periodic_interrupt_frame = "\\PERIODIC.INTERRUPTFRAME";
        do_reclaim = "\\DORECLAIM";
    }
}

/// The symbol of this name in the INTERLISP package, by the image's symbol hash table.
pub fn find<L: Layout>(_space: Space, name: &'static str) -> Result<AtomIndex, MachineError> {
    Err(MachineError::MissingSymbol { name })
}
