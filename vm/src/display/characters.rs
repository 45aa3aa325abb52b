//! Characters on the screen: the subrs under Lisp's \BLTCHAR, the hottest of all drawing.
//!
//! A font's characters stand side by side in one bitmap. A display stream's \DISPLAYDATA knows where each begins and
//! how wide it is, and holds a PILOTBBT that already points at the right rows of font and screen, so that a character
//! is one narrow transfer:
//!
//! ```text
//!   font bitmap   |A|B |C|...      offsets: pixel column of each character
//!   \DISPLAYDATA, in words:
//!     0 x position | 4 x offset | 14 slow? | 16 widths | 18 offsets | 24 right margin | 26 left margin
//!     34 clipping left | 35 clipping right | 42 PILOTBBT | 48 image widths | 62 character set
//! ```
//!
//! Whatever is unusual (another character set, the right margin reached, a stream that is not of the topmost window) is
//! left to Lisp, before anything has been changed.

use super::bitblt::Table;
use super::transfer::Transfer;
use super::{Outcome, Pixel, argument, no_result, punt};
use crate::address::LispPtr;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::machine::Machine;
use crate::memory::Space;
use crate::symbols;

/// A display stream's \DISPLAYDATA.
#[derive(Clone, Copy)]
struct DisplayData {
    space: Space,
    at: LispPtr,
}

impl DisplayData {
    const X_POSITION: u32 = 0;
    const X_OFFSET: u32 = 4;
    const SLOW: u32 = 14;
    const WIDTHS: u32 = 16;
    const OFFSETS: u32 = 18;
    const RIGHT_MARGIN: u32 = 24;
    const LEFT_MARGIN: u32 = 26;
    const CLIPPING: u32 = 34;
    const PILOTBBT: u32 = 42;
    const IMAGE_WIDTHS: u32 = 48;
    const CHARACTER_SET: u32 = 62;

    #[inline(always)]
    fn new<L: Layout>(space: Space, cell: u32) -> DisplayData {
        DisplayData { space, at: LispPtr::from_cell::<L>(cell) }
    }

    #[inline(always)]
    fn cell(self, field: u32) -> u32 {
        self.space.cell(self.at.plus(field))
    }

    /// A field that should hold a small integer.
    #[inline(always)]
    fn small<L: Layout>(self, field: u32) -> Option<i32> {
        let cell = self.cell(field);
        match cell & L::SEGMENT_MASK {
            SMALL_POSITIVE => Some((cell & 0xFFFF) as i32),
            SMALL_NEGATIVE => Some((cell | 0xFFFF_0000) as i32),
            _ => None,
        }
    }

    /// The entry for a character in one of the tables.
    #[inline(always)]
    fn entry<L: Layout>(self, table: u32, character: u32) -> i32 {
        self.space.word(LispPtr::from_cell::<L>(self.cell(table)).plus(character)) as i32
    }

    #[inline(always)]
    fn table<L: Layout>(self) -> Table {
        Table::read::<L>(self.space, LispPtr::from_cell::<L>(self.cell(Self::PILOTBBT)))
    }
}

/// Draws `width` pixels of a font bitmap from column `from` on to column `to`.
#[inline(always)]
fn draw(space: Space, table: &Table, from: i32, to: i32, width: i32) {
    if width <= 0 || table.height == 0 {
        return;
    }
    Transfer {
        source: Pixel::new(table.source, from),
        destination: Pixel::new(table.destination, to),
        source_step: (table.source_step as i64).abs(),
        destination_step: (table.destination_step as i64).abs(),
        width: width as u32,
        height: table.height as u32,
        backward: false,
        operation: table.operation(),
        complement: table.complement(),
    }
    .run_character(space);
}

/// Subr NEW-BLTCHAR: puts a character on a display stream, clips it, and advances the stream's position.
///
/// Character, stream, \DISPLAYDATA.
pub(crate) fn new_bltchar<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    match put_character(m, arguments) {
        Some(()) => no_result(arguments),
        None => punt(m.symbols.punt_bltchar),
    }
}

#[inline(always)]
fn put_character<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Option<()> {
    let space = m.space;
    let data = DisplayData::new::<L>(space, argument(arguments, 2));
    let (set, character) = (argument(arguments, 0) >> 8 & 0xFF, argument(arguments, 0) & 0xFF);
    if data.cell(DisplayData::CHARACTER_SET) & 0xFFFF != set || data.cell(DisplayData::SLOW) != 0 {
        return None;
    }
    let position = data.small::<L>(DisplayData::X_POSITION)?;
    let right_margin = data.small::<L>(DisplayData::RIGHT_MARGIN)?;
    let left_margin = data.small::<L>(DisplayData::LEFT_MARGIN)?;
    let offset = data.small::<L>(DisplayData::X_OFFSET)?;
    let end = position + data.entry::<L>(DisplayData::IMAGE_WIDTHS, character);
    if end > right_margin && position > left_margin || argument(arguments, 1) != space.cell(m.symbols.top_wds) {
        return None;
    }
    let next = position + data.entry::<L>(DisplayData::WIDTHS, character);
    // A position beyond 65535 wraps around to a negative one, as in the reference.
    let sign = if (0..0x1_0000).contains(&next) { SMALL_POSITIVE } else { SMALL_NEGATIVE };
    space.set_cell(data.at.plus(DisplayData::X_POSITION), sign | next as u32 & 0xFFFF);

    let clipping = space.cell(data.at.plus(DisplayData::CLIPPING));
    let begin = position + offset;
    let left = begin.max((clipping >> 16) as i32);
    let right = (end + offset).min((clipping & 0xFFFF) as i32);
    let column = data.entry::<L>(DisplayData::OFFSETS, character) + left - begin;
    draw(space, &data.table::<L>(), column, left, right - left);
    Some(())
}

/// Subr BLTCHAR: puts a character at a place that Lisp has clipped already.
///
/// PILOTBBT, \DISPLAYDATA, character, x, left, right.
pub(crate) fn bltchar<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    let word = |n: usize| (argument(arguments, n) & 0xFFFF) as i32;
    let table = Table::read::<L>(m.space, LispPtr::from_cell::<L>(argument(arguments, 0)));
    let data = DisplayData::new::<L>(m.space, argument(arguments, 1));
    let (x, left, right) = (word(3), word(4), word(5));
    let column = data.entry::<L>(DisplayData::OFFSETS, argument(arguments, 2) & 0xFFFF) + left - x;
    draw(m.space, &table, column, left, right - left);
    no_result(arguments)
}

/// Subr TEDIT.BLTCHAR: puts a character at a place in TEdit's line buffer.
///
/// Character, stream, x, \DISPLAYDATA, PILOTBBT (not used), right end.
pub(crate) fn tedit_bltchar<L: Layout>(m: &mut Machine<L>, arguments: &[u32]) -> Outcome {
    let data = DisplayData::new::<L>(m.space, argument(arguments, 3));
    let (set, character) = (argument(arguments, 0) >> 8 & 0xFF, argument(arguments, 0) & 0xFF);
    // The whole cell has to be the bare number: with a small integer in it Lisp does the work.
    if data.cell(DisplayData::CHARACTER_SET) != set {
        // The function comes with TEdit: it may have been loaded since the machine started.
        let function = m.symbols.tedit_bltchar.or_else(|| symbols::find::<L>(m.space, "\\TEDIT.BLTCHAR").ok());
        return punt(function);
    }
    let x = (argument(arguments, 2) & 0xFFFF) as i32;
    let right = (argument(arguments, 5) & 0xFFFF) as i32;
    let width = data.entry::<L>(DisplayData::IMAGE_WIDTHS, character).min(right - x);
    let column = data.entry::<L>(DisplayData::OFFSETS, character);
    draw(m.space, &data.table::<L>(), column, x, width);
    no_result(arguments)
}
