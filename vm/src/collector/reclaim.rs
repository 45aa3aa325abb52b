//! The sweep through the tables, and taking garbage apart.
//!
//! An object that goes may be the last that referred to others, and those to yet others. There is no stack to recurse
//! on and no room to allocate, so an object whose pointers are not all dropped yet waits in a list that runs through the
//! waiting objects themselves:
//!
//! ```text
//!   CONS whose CAR went first    | CDR code | next waiting |              the CAR's place is free already
//!   object of cells              | n        | next waiting |              cell n is the next pointer to drop
//!   object, n too large          | next waiting            | n       |    its own list, taken when the other is empty
//! ```

use super::finalize;
use super::references::{Case, count};
use super::tables::{COLLISION, Entries, Link, MAIN_ENTRIES, remove_link, scan_for_garbage, scan_for_stack_bits};
use crate::address::{LispPtr, WORDS_PER_PAGE};
use crate::error::MachineError;
use crate::layout::{Layout, type_number, types};
use crate::lists::{CdrCoding, ConsPage, ListIter, cdr_of};
use crate::machine::Machine;
use crate::memory::Space;
use crate::storage::TypeDescriptor;

/// Reclaims every object in the tables that has neither references nor a stack bit.
pub(super) fn sweep<L: Layout>(m: &mut Machine<L>) {
    m.free_maps.forget();
    let mut probe = MAIN_ENTRIES;
    while let Some(found) = scan_for_garbage::<L>(m.space, probe) {
        probe = found;
        sweep_entry(m, probe);
        if m.exit.is_some() {
            return;
        }
    }
}

/// Even a world whose count of pages is damaged may have so many.
const LEAST_PAGES: u32 = 1 << 12;

/// Cells that all pages of the image have: an upper bound of what there is to reclaim, for damaged worlds.
fn most_objects<L: Layout>(m: &Machine<L>) -> u32 {
    m.active_pages().clamp(LEAST_PAGES, L::MAX_PAGES) * (WORDS_PER_PAGE / 2)
}

/// Stops the machine because garbage does not become less.
#[cold]
fn endless<L: Layout>(m: &mut Machine<L>, at: LispPtr) {
    m.fail(MachineError::BadCount { what: "reclaiming it has no end", at })
}

/// Reclaims what is garbage in one entry of HTmain and on its chain.
fn sweep_entry<L: Layout>(m: &mut Machine<L>, probe: u32) {
    let at = L::main_entry(2 * probe);
    for _ in 0..most_objects(m) {
        if m.exit.is_some() {
            return;
        }
        let entry = L::load(m.space, at);
        if entry & COLLISION == 0 {
            if entry != 0 && entry & L::USES == 0 {
                L::store(m.space, at, 0);
                take_apart(m, L::object(entry, probe));
            }
            return;
        }
        let garbage = chain::<L>(m.space, entry).find(|link| L::load(m.space, link.entry::<L>()) & L::USES == 0);
        let Some(link) = garbage else { return };
        let object = L::object(L::load(m.space, link.entry::<L>()), probe);
        remove_link::<L>(m.space, at, link);
        // This may add entries here and to any chain, so the chain is looked through again.
        take_apart(m, object);
    }
    endless(m, at);
}

/// Takes all stack bits away.
pub(super) fn unmark<L: Layout>(m: &mut Machine<L>) {
    let mut probe = MAIN_ENTRIES;
    while let Some(found) = scan_for_stack_bits::<L>(m.space, probe) {
        probe = found;
        let at = L::main_entry(2 * probe);
        // Each round takes a link off.
        if (0..=L::MOST_LINKS).all(|_| !unmark_entry::<L>(m.space, at)) {
            return m.fail(MachineError::BadCount { what: "a chain in the collision table has no end", at });
        }
    }
}

/// Takes the stack bits of one entry of HTmain and its chain away. False if the chain has changed: look again.
fn unmark_entry<L: Layout>(space: Space, at: LispPtr) -> bool {
    let entry = L::load(space, at);
    if entry & COLLISION == 0 {
        L::store(space, at, unmarked::<L>(entry).unwrap_or(0));
        return true;
    }
    for link in chain::<L>(space, entry) {
        match unmarked::<L>(L::load(space, link.entry::<L>())) {
            Some(entry) => L::store(space, link.entry::<L>(), entry),
            None => {
                remove_link::<L>(space, at, link);
                return false;
            }
        }
    }
    true
}

/// An entry without its stack bit; `None` if it then says no more than no entry would.
fn unmarked<L: Layout>(entry: u32) -> Option<u32> {
    (entry & L::USES != L::ONE | L::STACK_BIT).then_some(entry & !L::STACK_BIT)
}

/// The links of the chain on an entry.
fn chain<L: Layout>(space: Space, entry: u32) -> impl Iterator<Item = Link> {
    core::iter::successors(Some(Link::first(entry)), move |link| link.next::<L>(space)).take(L::MOST_LINKS as usize)
}

/// Objects that are only half taken apart.
#[derive(Default)]
struct Waiting {
    /// The first whose place to go on is in the top bits of its first cell.
    near: LispPtr,
    /// The first whose place to go on is in its second cell.
    far: LispPtr,
}

impl Waiting {
    fn push<L: Layout>(&mut self, space: Space, object: LispPtr, place: u32) {
        // The reference does not use the last of 16 places.
        let places = if L::BIG { 15 } else { 256 };
        if place < places {
            self.push_code::<L>(space, object, place);
        } else {
            space.set_cell(object, self.far.0);
            space.set_cell(object.plus(2), place);
            self.far = object;
        }
    }

    fn push_code<L: Layout>(&mut self, space: Space, object: LispPtr, code: u32) {
        space.set_cell(object, code << L::Cdr::SHIFT | self.near.0);
        self.near = object;
    }

    fn pop<L: Layout>(&mut self, space: Space) -> Option<(LispPtr, u32)> {
        if self.near != LispPtr::NIL {
            let object = self.near;
            let cell = space.cell(object);
            self.near = LispPtr::from_cell::<L>(cell);
            Some((object, cell >> L::Cdr::SHIFT))
        } else if self.far != LispPtr::NIL {
            let object = self.far;
            self.far = LispPtr(space.cell(object));
            Some((object, space.cell(object.plus(2))))
        } else {
            None
        }
    }
}

/// Reclaims an object that has no entry in the tables any more, and all that goes with it.
fn take_apart<L: Layout>(m: &mut Machine<L>, object: LispPtr) {
    let mut waiting = Waiting::default();
    let mut now = Some((object, None));
    let mut left = most_objects(m);
    while let Some((object, place)) = now {
        if left == 0 {
            return endless(m, object);
        }
        left -= 1;
        now = match drop_pointers(m, object, place, &mut waiting) {
            Some(lost) => {
                // It goes too; the added reference takes it out of the tables.
                count(m, lost.0, Case::Add);
                Some((lost, None))
            }
            None => waiting.pop::<L>(m.space).map(|(object, place)| (object, Some(place))),
        };
    }
}

/// Drops an object's pointers, from the place on where it was left, and frees it. If one of the pointers was the last
/// to an object, that object is returned; the first may then be waiting with pointers left to drop.
fn drop_pointers<L: Layout>(
    m: &mut Machine<L>,
    object: LispPtr,
    place: Option<u32>,
    waiting: &mut Waiting,
) -> Option<LispPtr> {
    let object = LispPtr(object.0 & !1);
    let type_number = type_number::<L>(m.space, object.0);
    if type_number == types::LISTP {
        return drop_cons(m, object, place, waiting);
    }
    if place.is_none() && finalize::finalize(m, object, type_number) {
        return None;
    }
    let descriptor = TypeDescriptor::<L>::of(type_number);
    let pointers = ListIter::<L>::new(m.space, descriptor.pointers(m.space));
    // A damaged list may be a circle, but no object has more pointers than cells.
    let pointers = pointers.take(descriptor.size(m.space) as usize / 2);
    let mut pointers = pointers.map(|offset| offset & 0xFFFF).peekable();
    if let Some(place) = place {
        while pointers.next_if(|offset| *offset != 2 * place).is_some() {}
    }
    while let Some(offset) = pointers.next() {
        let pointer = LispPtr::from_cell::<L>(m.space.cell(object.plus(offset)));
        if count(m, pointer.0, Case::Delete) {
            match pointers.peek() {
                Some(next) => waiting.push::<L>(m.space, object, next >> 1),
                None => free_object(m, descriptor, object),
            }
            return Some(pointer);
        }
    }
    free_object(m, descriptor, object);
    None
}

/// [`drop_pointers`] for a CONS, with the cells that its CDR coding needs.
fn drop_cons<L: Layout>(
    m: &mut Machine<L>,
    mut object: LispPtr,
    place: Option<u32>,
    waiting: &mut Waiting,
) -> Option<LispPtr> {
    let mut cell = m.space.cell(object);
    if cell >> L::Cdr::SHIFT == 0 {
        // The cell that really holds it is elsewhere.
        let held = LispPtr::from_cell::<L>(cell);
        free_cons(m, object);
        object = held;
        cell = m.space.cell(object);
    }
    let code = cell >> L::Cdr::SHIFT;
    if place.is_none() {
        let car = LispPtr::from_cell::<L>(cell);
        if count(m, car.0, Case::Delete) {
            waiting.push_code::<L>(m.space, object, code);
            return Some(car);
        }
    }
    let cdr = LispPtr(cdr_of::<L>(m.space, object));
    let lost = count(m, cdr.0, Case::Delete);
    if code < L::Cdr::NIL {
        free_cons(m, L::Cdr::origin(object).plus(2 * code));
    }
    free_cons(m, object);
    lost.then_some(cdr)
}

/// Free cells that bring a CONS page back into the chain of pages with free cells.
const ENOUGH: u32 = 32;

/// Puts a CONS cell back among the free ones of its page.
fn free_cons<L: Layout>(m: &mut Machine<L>, cell: LispPtr) {
    let page = ConsPage::<L::Cdr>::of(m.space, cell);
    if page.has_header_at(cell) {
        return m.fail(MachineError::BadStorage { what: "the header of a CONS page is freed as a cell", at: cell });
    }
    if page.put_back(cell, &mut m.free_maps) > ENOUGH && !page.is_chained() {
        let descriptor = TypeDescriptor::<L>::of(types::LISTP);
        page.set_next_page(descriptor.next_page(m.space));
        descriptor.set_next_page(m.space, cell.page().0);
    }
}

/// Puts an object back among the free ones of its type.
fn free_object<L: Layout>(m: &Machine<L>, descriptor: TypeDescriptor<L>, object: LispPtr) {
    m.space.set_cell(object, descriptor.free(m.space).0);
    descriptor.set_free(m.space, object);
}
