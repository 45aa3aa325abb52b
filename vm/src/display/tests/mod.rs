//! Transfers, textures, characters and lines against a model that does one pixel after the other.

use super::Pixel;
use super::transfer::Transfer;
use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};
use crate::memory::{Space, operation};
use std::vec::Vec;

mod bitmaps;
mod characters;
mod lines;
mod transfers;

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }
    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }
    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u32) as i32
    }
}

/// Where the tests draw: so many cells from here on.
const FIELD: LispPtr = LispPtr(0x20_0000);

const FIELD_CELLS: u32 = 1024;

const FIELD_PIXELS: usize = FIELD_CELLS as usize * 32;

fn fill_field(space: Space, random: &mut Random) {
    for i in 0..FIELD_CELLS {
        space.set_cell(FIELD.plus(2 * i), random.next());
    }
}

/// The field's pixels in a vector, and what happens to them one by one.
#[derive(Clone, PartialEq, Eq)]
struct Model(Vec<bool>);

impl Model {
    fn read(space: Space) -> Model {
        let bit = |i: usize| space.word(FIELD.plus(i as u32 / 16)) >> (15 - i % 16) & 1 != 0;
        Model((0..FIELD_PIXELS).map(bit).collect())
    }

    fn combine(&mut self, at: usize, source: bool, operation: u32) {
        let place = &mut self.0[at];
        *place = match operation {
            operation::REPLACE => source,
            operation::ERASE => *place & source,
            operation::PAINT => *place | source,
            _ => *place ^ source,
        };
    }

    /// As a transfer between rows that may overlap should be: each row as if it were first read, then written.
    fn transfer(&mut self, transfer: &Transfer) {
        for row in 0..transfer.height as i64 {
            let start = |pixel: Pixel, step: i64| (pixel.rows(row, step).0 - field(0).0) as usize;
            let from = start(transfer.source, transfer.source_step);
            let to = start(transfer.destination, transfer.destination_step);
            let source: Vec<bool> = self.0[from..from + transfer.width as usize].to_vec();
            for (x, bit) in source.iter().enumerate() {
                self.combine(to + x, bit ^ transfer.complement, transfer.operation);
            }
        }
    }

    fn difference(&self, other: &Model) -> Option<usize> {
        (0..FIELD_PIXELS).find(|&i| self.0[i] != other.0[i])
    }
}

fn field(pixel: i64) -> Pixel {
    Pixel::new(FIELD, 0).plus(pixel)
}

fn small(n: i32) -> u32 {
    if n >= 0 { SMALL_POSITIVE | n as u32 } else { SMALL_NEGATIVE | n as u32 & 0xFFFF }
}

/// A PILOTBBT from its words.
fn pilotbbt<L: Layout>(m: &Machine<L>, words: [u16; 11]) -> LispPtr {
    let at = LispPtr(0x41_0000);
    for (i, word) in words.into_iter().enumerate() {
        m.space.set_word(at.plus(i as u32), word);
    }
    at
}

/// Runs an opcode to its end, slow part included.
fn run_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs, opcode: fn(&mut Machine<L>, &mut Regs) -> Flow) -> Flow {
    match opcode(m, r) {
        Flow::Slow => (m.slow_path)(m, r),
        flow => flow,
    }
}
