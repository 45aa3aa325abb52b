//! LOOPS: looking up methods and instance variables, five sub-opcodes of MISCN.
//!
//! LOOPS is an object system written in Lisp, which is loaded into a Medley image. Its objects are ordinary ones:
//!
//! ```text
//!   instance   | class | names of variables | values | .. |                          a cell each
//!   class      0 metaclass  1 names of variables  2 their descriptions  ..  8 supers  ..  11 selectors  12 methods  ..
//!
//!   names      a list; the first one's value is the first one in the block of values
//!   supers     a list of classes, in the order in which they are searched
//!   selectors  a block of symbols, ended by NIL; the method of each is at its place in the block of methods
//! ```
//!
//! What has been found is remembered in two blocks of 1024 entries, which the machine, LOOPS' macros and LOOPS' functions
//! that forget it again all use. References from there are not counted:
//!
//! ```text
//!   *Global-Method-Cache*      | class | selector | method | unused |    entry (class XOR selector) modulo 1024
//!   *Global-IV-Cache-Block*    | names | variable | place  | unused |    entry (names XOR variable) modulo 1024
//! ```
//!
//! What is no instance, a variable with an annotated value (access runs code), and a message nobody understands are for
//! Lisp: each operation names a function that is called in its place, with the same arguments. In an image that has no
//! LOOPS, or not that function, MISCN's own UFN is called.

use crate::address::{AtomIndex, LispPtr};
use crate::collector::{add_reference, delete_reference};
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_POSITIVE, type_number};
use crate::lists::ListIter;
use crate::machine::{Machine, Regs};
use crate::memory::Space;
use crate::misc::Arguments;
use crate::storage::TypeDescriptor;
use crate::symbols;

/// Bytes of a MISCN instruction.
const MISCN_LENGTH: u32 = 3;
/// Entries of a cache.
const CACHE_ENTRIES: u32 = 1024;
/// Words of an entry.
const ENTRY_WORDS: u32 = 8;
/// More classes than one can inherit from, and more variables than an object can have: lists that are longer are
/// circular.
const MOST: usize = 1 << 16;

/// Word offset of a class's, or an instance's, variable names.
const NAMES: u32 = 2;
/// Word offset of an instance's values.
const VALUES: u32 = 4;
/// Word offsets within a class.
const SUPERS: u32 = 16;
const SELECTORS: u32 = 22;
const METHODS: u32 = 24;

/// LOOPS' symbols.
#[derive(Clone, Copy, Debug)]
struct Names {
    instance: AtomIndex,
    class: AtomIndex,
    annotated_value: AtomIndex,
    method_cache: AtomIndex,
    variable_cache: AtomIndex,
    /// The functions that are called for what the machine does not do, in the order of [`Operation`].
    functions: [Option<AtomIndex>; 5],
}

impl Names {
    /// Looks them up, if the image has them.
    fn find<L: Layout>(space: Space) -> Option<Names> {
        let find = |name| symbols::find::<L>(space, name).ok();
        Some(Names {
            instance: find("IL::instance")?,
            class: find("IL::class")?,
            annotated_value: find("IL::annotatedValue")?,
            method_cache: find("IL::*Global-Method-Cache*")?,
            variable_cache: find("IL::*Global-IV-Cache-Block*")?,
            functions: [
                "IL::\\FetchMethod-LCUFN",
                "IL::\\FetchMethodOrHelp-LCUFN",
                "IL::\\FindVarIndex-LCUFN",
                "IL::\\GetIVValue-LCUFN",
                "IL::\\PutIVValue-LCUFN",
            ]
            .map(find),
        })
    }
}

/// What the machine knows of LOOPS: nothing until it is used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loops {
    names: Option<Names>,
}

/// The operations. The numbers are MISCN's operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operation {
    /// The method of a class for a selector, or NIL.
    FetchMethod = 7,
    /// The method of an object for a selector; Lisp's help if there is none.
    FetchMethodOrHelp = 8,
    /// The place of a variable among an object's, or NIL. The variable is the first argument.
    FindVariable = 9,
    /// The value of a variable of an instance.
    GetValue = 10,
    /// Changes the value of a variable of an instance.
    PutValue = 11,
}

impl Operation {
    /// The operation of an operand.
    pub(crate) fn from_operand(operand: u32) -> Option<Operation> {
        use Operation::*;
        [FetchMethod, FetchMethodOrHelp, FindVariable, GetValue, PutValue].into_iter().find(|it| *it as u32 == operand)
    }

    fn arguments(self) -> u32 {
        if self == Operation::PutValue { 3 } else { 2 }
    }
}

/// Carries out one of the operations.
pub(crate) fn operate<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: Operation, arguments: Arguments) -> Flow {
    if m.loops.names.is_none() {
        m.loops.names = Names::find::<L>(m.space);
    }
    let Some(names) = m.loops.names else {
        return Flow::Ufn;
    };
    if arguments.count != operation.arguments() {
        return Flow::Ufn;
    }
    let [first, second, third] = [0, 1, 2].map(|number| arguments.get(m, r, number) & L::POINTER_MASK);
    let loops = Lookup::<L> { space: m.space, names, layout: core::marker::PhantomData };
    let result = match operation {
        Operation::FetchMethod => loops.fetch_method(first, second),
        Operation::FetchMethodOrHelp => loops.fetch_method_or_help(first, second),
        Operation::FindVariable => loops.find_variable(first, second),
        Operation::GetValue => loops.value_place(first, second).map(|at| loops.pointer(at)),
        Operation::PutValue => loops.value_place(first, second).map(|at| {
            add_reference(m, third);
            delete_reference(m, loops.pointer(at));
            m.space.set_cell(at, third);
            third
        }),
    };
    match result {
        Some(result) => {
            arguments.replace(m, r, result);
            Flow::Next
        }
        None => call_lisp(m, r, names.functions[operation as usize - Operation::FetchMethod as usize], arguments.count),
    }
}

/// Leaves an operation to a function of LOOPS, or to MISCN's UFN if there is none.
fn call_lisp<L: Layout>(m: &mut Machine<L>, r: &mut Regs, function: Option<AtomIndex>, given: u32) -> Flow {
    match function {
        Some(function) if m.space.cell(L::definition_cell(function)) & L::POINTER_MASK != 0 => {
            crate::calls::call_instead(m, r, function, given, MISCN_LENGTH)
        }
        _ => Flow::Ufn,
    }
}

/// LOOPS' symbols and the memory its objects are in. The operations give `None` for what is Lisp's.
#[derive(Clone, Copy)]
struct Lookup<L> {
    space: Space,
    names: Names,
    layout: core::marker::PhantomData<L>,
}

impl<L: Layout> Lookup<L> {
    /// The pointer in a cell.
    fn pointer(self, at: LispPtr) -> u32 {
        self.space.cell(at) & L::POINTER_MASK
    }

    /// The pointer in a field of an object.
    fn field(self, object: u32, word: u32) -> u32 {
        self.pointer(LispPtr(object).plus(word))
    }

    /// The name of an object's type.
    fn type_name(self, object: u32) -> u32 {
        TypeDescriptor::<L>::of(type_number::<L>(self.space, object)).name(self.space)
    }

    fn is_instance(self, object: u32) -> bool {
        self.type_name(object) == self.names.instance.0
    }

    fn is_class(self, object: u32) -> bool {
        self.type_name(object) == self.names.class.0
    }

    /// The cache entry for two keys; `None` if there is no cache.
    fn entry(self, cache: AtomIndex, first: u32, second: u32) -> Option<LispPtr> {
        let block = LispPtr::from_cell::<L>(self.space.cell(L::value_cell(cache)));
        let number = (first ^ second) % CACHE_ENTRIES;
        (block != LispPtr::NIL).then(|| block.plus(number * ENTRY_WORDS))
    }

    /// What the cache has for two keys.
    fn cached(self, entry: LispPtr, first: u32, second: u32) -> Option<u32> {
        let hit = self.pointer(entry) == first && self.pointer(entry.plus(2)) == second;
        hit.then(|| self.pointer(entry.plus(4)))
    }

    fn remember(self, entry: LispPtr, first: u32, second: u32, found: u32) {
        for (at, cell) in [(0, first), (2, second), (4, found)] {
            self.space.set_cell(entry.plus(at), cell);
        }
    }

    /// The method that a class itself has for a selector.
    fn own_method(self, class: u32, selector: u32) -> Option<u32> {
        let selectors = self.field(class, SELECTORS);
        if selectors == 0 {
            return None;
        }
        let mut at = 0;
        loop {
            match self.field(selectors, at) {
                0 => return None,
                found if found == selector => return Some(self.field(self.field(class, METHODS), at)),
                _ => at += 2,
            }
        }
    }

    /// The method for a selector, from the class itself or the first of its supers that has one.
    fn inherited_method(self, class: u32, selector: u32) -> Option<u32> {
        let supers = ListIter::<L>::new(self.space, self.field(class, SUPERS)).take_while(|class| *class != 0);
        core::iter::once(class).chain(supers).take(MOST).find_map(|class| self.own_method(class, selector))
    }

    fn fetch_method(self, class: u32, selector: u32) -> Option<u32> {
        let entry = self.entry(self.names.method_cache, class, selector)?;
        if let Some(method) = self.cached(entry, class, selector) {
            return Some(method);
        }
        if !self.is_class(class) {
            return None;
        }
        let method = self.inherited_method(class, selector);
        if let Some(method) = method {
            self.remember(entry, class, selector, method);
        }
        Some(method.unwrap_or(0))
    }

    fn fetch_method_or_help(self, object: u32, selector: u32) -> Option<u32> {
        if !self.is_instance(object) && !self.is_class(object) {
            return None;
        }
        // A class is an instance of its metaclass.
        let class = self.field(object, 0);
        let entry = self.entry(self.names.method_cache, class, selector)?;
        if let Some(method) = self.cached(entry, class, selector) {
            return Some(method);
        }
        if class == 0 {
            return None;
        }
        let method = self.inherited_method(class, selector)?;
        self.remember(entry, class, selector, method);
        Some(method)
    }

    /// The place of a variable in a list of names, as a small integer. `Some(None)` if it is not there.
    ///
    /// (The reference's FindVarIndex, of all places, begins with the second name, so that places that it puts in the
    /// cache are wrong for everyone else. LOOPS' own macros count from the first.)
    fn place(self, names: u32, variable: u32) -> Option<Option<u32>> {
        let entry = self.entry(self.names.variable_cache, names, variable)?;
        if let Some(place) = self.cached(entry, names, variable) {
            return Some(Some(place));
        }
        let place = ListIter::<L>::new(self.space, names).take(MOST).position(|name| name == variable);
        let place = place.map(|place| SMALL_POSITIVE | place as u32);
        if let Some(place) = place {
            self.remember(entry, names, variable, place);
        }
        Some(place)
    }

    fn find_variable(self, variable: u32, object: u32) -> Option<u32> {
        if !self.is_instance(object) && !self.is_class(object) {
            return None;
        }
        self.place(self.field(object, NAMES), variable).map(|place| place.unwrap_or(0))
    }

    /// Where an instance keeps the value of a variable, if that is all there is to it.
    fn value_place(self, object: u32, variable: u32) -> Option<LispPtr> {
        if !self.is_instance(object) {
            return None;
        }
        let place =
            self.place(self.field(object, NAMES), variable)?.filter(|place| place & !0xFFFF == SMALL_POSITIVE)?;
        let at = LispPtr(self.field(object, VALUES)).plus(2 * (place & 0xFFFF));
        (self.type_name(self.pointer(at)) != self.names.annotated_value.0).then_some(at)
    }
}

#[cfg(test)]
mod tests;
