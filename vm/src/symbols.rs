//! Symbols: finding them by name, printing their names, and where the image keeps the variables that the machine
//! shares with it.
//!
//! Each field of [`Symbols`] is the address of a symbol's value cell, or a symbol's number. They are looked up once,
//! by print name, in the image's own tables:
//!
//! ```text
//!   atom hash table    65536 words, indexed by a 16-bit hash of the name; a word holds symbol number + 1, 0 is empty.
//!                      The symbols of the first, package-less Interlisp; searched when a name has no package.
//!
//!   package            11 cells: .. name 4, .. internal symbols 16, external symbols 18 (word offsets)
//!     symbol table     cells: list of vectors of symbols, list of vectors of bytes, ..
//!                      A byte holds 0 (empty), 1 (deleted) or a second hash of the name; the vector of symbols has
//!                      the symbol at the same index. Further vectors in the lists are overflow tables.
//!
//!   print name         1 byte length, then that many bytes; or 1 byte length, 1 byte unused, then that many words
//!                      if the symbol's property cell says so ("fat").
//! ```

use crate::address::{AtomIndex, ByteAddr, LispPtr};
use crate::arrays::Vector;
use crate::error::MachineError;
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::lists::ListIter;
use crate::memory::Space;
use core::fmt;
use core::marker::PhantomData;

macro_rules! shared {
    (
        values { $($(#[$value_doc:meta])* $value:ident = $value_name:literal;)* }
        symbols { $($(#[$symbol_doc:meta])* $symbol:ident = $symbol_name:literal;)* }
        optional { $($(#[$optional_doc:meta])* $optional:ident = $optional_name:literal;)* }
    ) => {
        /// Variables and symbols that the machine shares with the image.
        #[derive(Clone, Copy, Debug)]
        pub struct Symbols {
            $(#[doc = concat!("The value cell of `", $value_name, "`.")] pub $value: LispPtr,)*
            $(#[doc = concat!("The symbol `", $symbol_name, "`.")] pub $symbol: AtomIndex,)*
            $(#[doc = concat!("The symbol `", $optional_name, "`, if the image has it.")] pub $optional: Option<AtomIndex>,)*
        }

        impl Symbols {
            /// Looks all of them up in the image.
            pub fn find<L: Layout>(space: Space) -> Result<Symbols, MachineError> {
                Ok(Symbols {
                    $($value: L::value_cell(find::<L>(space, $value_name)?),)*
                    $($symbol: find::<L>(space, $symbol_name)?,)*
                    $($optional: find::<L>(space, $optional_name).ok(),)*
                })
            }

            /// Made-up numbers, from 1000 on in the order of this list, for tests without an image.
            #[cfg(any(test, feature = "testing"))]
            pub fn numbered<L: Layout>() -> Symbols {
                let mut number = 999;
                let mut next = || {
                    number += 1;
                    AtomIndex(number)
                };
                Symbols {
                    $($value: L::value_cell(next()),)*
                    $($symbol: next(),)*
                    $($optional: Some(next()),)*
                }
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
        closure_cache_enabled = "SI::*CLOSURE-CACHE-ENABLED*";
        closure_cache = "SI::*CLOSURE-CACHE*";
        deleted_implicit_hash_slot = "XCL::*DELETED-IMPLICIT-HASH-SLOT*";
        io_interrupt_flags = "\\MAIKO.IO-INTERRUPT-FLAGS";
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
        storage_full_state_name = "\\STORAGEFULLSTATE";
        do_reclaim = "\\DORECLAIM";
    }
    optional {
        interruptable = "\\INTERRUPTABLE";
        flush_vm = "\\FLUSHVM";
        save_vm = "SAVEVM";
        log_out = "LOGOUT";
        automatic_hard_reset = "AUTOHARDRESETFLG";
        dirty = "DIRTY";
        /// Only the starter world has it: arrow keys come as the keys in [`crate::keyboard`]'s table.
        arrow_keys = "\\ARROWKEYS";
        punt_bltchar = "\\MAIKO.PUNTBLTCHAR";
        tedit_bltchar = "\\TEDIT.BLTCHAR";
        punt_bitblt_bitmap = "\\PUNT.BITBLT.BITMAP";
        punt_bltshade_bitmap = "\\PUNT.BLTSHADE.BITMAP";
    }
}

/// A name made of 8-bit or 16-bit characters, in the machine or in Lisp memory.
#[derive(Clone, Copy)]
pub(crate) enum Characters<'a> {
    /// In the machine.
    Native(&'a [u8]),
    /// In Lisp memory, a byte each.
    Thin(Space, ByteAddr, u32),
    /// In Lisp memory, a word each.
    Fat(Space, LispPtr, u32),
}

impl Characters<'_> {
    /// How many characters.
    fn len(self) -> u32 {
        match self {
            Self::Native(bytes) => bytes.len() as u32,
            Self::Thin(_, _, len) | Self::Fat(_, _, len) => len,
        }
    }

    /// The character at an index below `len`.
    fn get(self, index: u32) -> u16 {
        match self {
            Self::Native(bytes) => bytes[index as usize] as u16,
            Self::Thin(space, at, _) => space.byte(at.plus(index)) as u16,
            Self::Fat(space, at, _) => space.word(at.plus(index)),
        }
    }

    fn equals(self, other: Characters<'_>) -> bool {
        self.len() == other.len() && (0..self.len()).all(|i| self.get(i) == other.get(i))
    }

    /// The hash that both kinds of tables start from: of fat characters only the low byte counts.
    fn hash(self) -> u16 {
        let mut hash = 0u16;
        for i in 0..self.len() {
            let byte = self.get(i) & 0xFF;
            hash = if i == 0 {
                byte << 8
            } else {
                let hash = hash.wrapping_add((hash & 0xFFF) << 2);
                hash.wrapping_add(hash << 8).wrapping_add(byte)
            };
        }
        hash
    }
}

/// The print name of a symbol.
fn print_name<L: Layout>(space: Space, atom: AtomIndex) -> Characters<'static> {
    let at = LispPtr::from_cell::<L>(space.cell(L::pname_cell(atom)));
    let length = space.byte(at.byte()) as u32;
    if L::has_fat_name(space, atom) {
        Characters::Fat(space, at.plus(1), length)
    } else {
        Characters::Thin(space, at.byte().plus(1), length)
    }
}

/// The symbol of this name: `NAME`, in the image's hash table of symbols without a package, or else in the INTERLISP
/// package; or `PACKAGE::NAME`.
pub fn find<L: Layout>(space: Space, name: &'static str) -> Result<AtomIndex, MachineError> {
    let found = match name.split_once("::") {
        Some((package, name)) => find_in_package::<L>(space, package, name),
        None => find_unpackaged::<L>(space, name.as_bytes()).or_else(|| find_in_package::<L>(space, "INTERLISP", name)),
    };
    found.ok_or(MachineError::MissingSymbol { name })
}

/// The symbol that a person means: `NAME`, `PACKAGE:NAME`, `:KEY`; as it is written or else in capitals.
pub fn look_up<L: Layout>(space: Space, name: &str) -> Option<AtomIndex> {
    let exactly = |name: &str| match name.split_once(':') {
        Some(("", key)) => find_in_package::<L>(space, "KEYWORD", key),
        Some((package, name)) => find_in_package::<L>(space, package, name.trim_start_matches(':')),
        None => find_unpackaged::<L>(space, name.as_bytes()).or_else(|| find_in_package::<L>(space, "INTERLISP", name)),
    };
    exactly(name).or_else(|| {
        let mut capitals = [0; 128];
        let capitals = capitals.get_mut(..name.len())?;
        capitals.copy_from_slice(name.as_bytes());
        capitals.make_ascii_uppercase();
        exactly(core::str::from_utf8(capitals).ok()?)
    })
}

/// Is this the name of a symbol, whatever its package and whether in capitals or not?
pub fn has_name<L: Layout>(space: Space, atom: AtomIndex, name: &str) -> bool {
    let characters = print_name::<L>(space, atom);
    let same = |(i, byte): (usize, u8)| {
        u8::try_from(characters.get(i as u32)).is_ok_and(|character| character.eq_ignore_ascii_case(&byte))
    };
    characters.len() as usize == name.len() && name.bytes().enumerate().all(same)
}

/// Where one-character symbols start: they follow NIL and NOBIND in the order of their codes, without the digits, which
/// are no symbols.
const FIRST_CHARACTER_SYMBOL: u32 = 2;

/// A symbol by the atom hash table.
fn find_unpackaged<L: Layout>(space: Space, name: &[u8]) -> Option<AtomIndex> {
    let first = match *name {
        [] => 0xFF,
        [b'0'..=b'9'] => return None,
        [c] if c > b'9' => return Some(AtomIndex(FIRST_CHARACTER_SYMBOL + c as u32 - 10)),
        [c] => return Some(AtomIndex(FIRST_CHARACTER_SYMBOL + c as u32)),
        [c, ..] => c as u16,
    };
    let name = Characters::Native(name);
    let mut hash = name.hash();
    let step = ((first ^ hash) | 1) & 63;
    // The bound is for damaged tables: the step is odd, so this looks everywhere once.
    for _ in 0..=u16::MAX {
        let entry = space.word(L::ATOM_HASH_TABLE.plus(hash as u32));
        if entry == 0 {
            return None;
        }
        let atom = AtomIndex(entry as u32 - 1);
        if print_name::<L>(space, atom).equals(name) {
            return Some(atom);
        }
        hash = hash.wrapping_add(step);
    }
    None
}

/// Word offsets within a package.
const PACKAGE_NAME: u32 = 4;
const PACKAGE_INTERNAL: u32 = 16;
const PACKAGE_EXTERNAL: u32 = 18;

/// Short names that the machine and people use for packages, and their full names.
const NICKNAMES: [(&str, &str); 5] =
    [("IL", "INTERLISP"), ("CL", "LISP"), ("XCL", "XEROX-COMMON-LISP"), ("SI", "SYSTEM"), ("XCLC", "COMPILER")];

/// The symbol of this name that is present in a package, external or internal.
pub fn find_in_package<L: Layout>(space: Space, package: &str, name: &str) -> Option<AtomIndex> {
    let package = NICKNAMES.iter().find(|pair| pair.0 == package).map_or(package, |pair| pair.1);
    let packages = packages::<L>(space)?;
    for index in 1..packages.length {
        let at = LispPtr::from_cell::<L>(space.cell(packages.pointer_at(index)));
        if at != LispPtr::NIL && package_name::<L>(space, at).equals(Characters::Native(package.as_bytes())) {
            let name = Characters::Native(name.as_bytes());
            return [PACKAGE_EXTERNAL, PACKAGE_INTERNAL]
                .into_iter()
                .find_map(|table| find_symbol::<L>(space, name, space.cell(at.plus(table))));
        }
    }
    None
}

/// The image's vector of packages by index.
fn packages<L: Layout>(space: Space) -> Option<Vector> {
    let symbol = find_unpackaged::<L>(space, b"*PACKAGE-FROM-INDEX*")?;
    Vector::read::<L>(space, space.cell(L::value_cell(symbol)))
}

/// The name of a package, or nothing if it has no string there.
fn package_name<L: Layout>(space: Space, package: LispPtr) -> Characters<'static> {
    match Vector::read::<L>(space, space.cell(package.plus(PACKAGE_NAME))) {
        Some(name) => name.characters(space),
        None => Characters::Native(&[]),
    }
}

/// A symbol in a package's table of symbols: the search that Lisp asks for too, through a subr.
pub(crate) fn find_symbol<L: Layout>(space: Space, name: Characters<'_>, table: u32) -> Option<AtomIndex> {
    let table = LispPtr::from_cell::<L>(table);
    if table == LispPtr::NIL {
        return None;
    }
    let hash = name.hash() as u32;
    let second_hash = ((name.len() ^ hash ^ (hash >> 8)) % 254 + 2) as u8;
    let symbols = ListIter::<L>::new(space, space.cell(table));
    let hashes = ListIter::<L>::new(space, space.cell(table.plus(2)));
    for (symbols, hashes) in symbols.zip(hashes) {
        let symbols = Vector::read::<L>(space, symbols)?;
        let hashes = Vector::read::<L>(space, hashes)?;
        let length = symbols.length;
        if length <= 2 {
            return None;
        }
        let step = hash % (length - 2) + 1;
        let mut index = hash % length;
        // The bound is for damaged tables; a sound one has an empty entry.
        for _ in 0..length {
            let entry = space.byte(hashes.byte_at(index));
            if entry == 0 {
                break;
            }
            if entry == second_hash {
                let cell = space.cell(symbols.pointer_at(index)) & L::POINTER_MASK;
                let is_number = cell & L::SEGMENT_MASK == SMALL_POSITIVE;
                let atom = AtomIndex(if is_number { cell & 0xFFFF } else { cell });
                if print_name::<L>(space, atom).equals(name) {
                    return Some(atom);
                }
            }
            index = (index + step) % length;
        }
    }
    None
}

/// A symbol as text, with its package unless that is INTERLISP: `CAR`, `CL:CAR`, `:KEY`, `#:GENSYM`. What is no symbol
/// shows as its address.
pub fn name<L: Layout>(space: Space, atom: AtomIndex) -> impl fmt::Display {
    Name::<L> { space, atom, layout: PhantomData }
}

struct Name<L> {
    space: Space,
    atom: AtomIndex,
    layout: PhantomData<L>,
}

impl<L: Layout> fmt::Display for Name<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Name { space, atom, .. } = *self;
        let by_number = atom.0 & !0xFFFF == 0;
        if !by_number && (atom.0 > L::POINTER_MASK || type_number::<L>(space, atom.0) != types::NEW_ATOM) {
            return write!(f, "{:?}", LispPtr(atom.0));
        }
        write_package::<L>(space, L::package_index(space, atom), f)?;
        write_characters(print_name::<L>(space, atom), f)
    }
}

fn write_characters(characters: Characters<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for i in 0..characters.len() {
        match characters.get(i) {
            c @ 0x20..=0x7E => write!(f, "{}", c as u8 as char)?,
            c => write!(f, "\\{c:o}\\")?,
        }
    }
    Ok(())
}

fn write_package<L: Layout>(space: Space, index: u8, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if index == 0 {
        return write!(f, "#:");
    }
    let package = packages::<L>(space).filter(|packages| (index as u32) < packages.length);
    let Some(packages) = package else {
        return write!(f, "#{index}:");
    };
    let package = LispPtr::from_cell::<L>(space.cell(packages.pointer_at(index as u32)));
    let full = package_name::<L>(space, package);
    let is = |name: &str| full.equals(Characters::Native(name.as_bytes()));
    if is("INTERLISP") {
        return Ok(());
    }
    if !is("KEYWORD") {
        match NICKNAMES.iter().find(|pair| is(pair.1)) {
            Some((nickname, _)) => write!(f, "{nickname}")?,
            None => write_characters(full, f)?,
        }
    }
    write!(f, ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_follows_the_definition() {
        // First character in the high byte; then, of each further one, hash + 4 * (low 12 bits), times 257, plus it.
        assert_eq!(Characters::Native(b"").hash(), 0);
        assert_eq!(Characters::Native(b"A").hash(), 0x4100);
        let expected = ((0x4100u32 + 0x400) * 257 + 0x42) & 0xFFFF;
        assert_eq!(Characters::Native(b"AB").hash() as u32, expected);
    }

    #[test]
    fn an_image_is_searched_by_name() {
        use crate::layout::Medley2;
        use std::string::ToString;
        let Some(m) = crate::testing::image::<Medley2>() else {
            return;
        };
        let find = |name| find::<Medley2>(m.space, name);
        assert_eq!(find("NIL"), Ok(AtomIndex::NIL));
        assert_eq!(find("NOBIND"), Ok(AtomIndex::NOBIND));
        assert_eq!(find("T"), Ok(AtomIndex::T));
        assert_eq!(find("\\INTERPRETER"), Ok(AtomIndex(256)));
        assert_eq!(find("NO SUCH SYMBOL"), Err(MachineError::MissingSymbol { name: "NO SUCH SYMBOL" }));
        assert_eq!(find("NO-PACKAGE::CAR"), Err(MachineError::MissingSymbol { name: "NO-PACKAGE::CAR" }));
        for (name, shown) in [
            ("CL::CAR", "CL:CAR"),
            ("IL::\\INTERRUPTFRAME", "\\INTERRUPTFRAME"),
            ("SI::*CLOSURE-CACHE*", "SI:*CLOSURE-CACHE*"),
            ("KEYWORD::TEST", ":TEST"),
            ("XCL::*DELETED-IMPLICIT-HASH-SLOT*", "XCL:*DELETED-IMPLICIT-HASH-SLOT*"),
        ] {
            assert_eq!(super::name::<Medley2>(m.space, find(name).unwrap()).to_string(), shown);
        }
        assert_eq!(super::name::<Medley2>(m.space, AtomIndex(0x12_3456)).to_string(), "{22,32126}");
    }
}
