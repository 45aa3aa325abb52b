//! The commands: one table.

use crate::{Answer, Monitor, Problem, Session, Verdict};
use vm::layout::Layout;

/// What carries a command out.
type Action<L> = for<'s, 'm, 't, 'w> fn(&'s mut Monitor, &'s mut Session<'m, L>, &'w [&'t str]) -> Answer<'t>;

/// A command.
pub struct Command<L: Layout> {
    /// Its name. Any beginning of it that begins no other will do.
    pub name: &'static str,
    /// URaid's letter for it.
    pub letter: Option<char>,
    /// What goes behind it.
    pub arguments: &'static str,
    /// What it does.
    pub what: &'static str,
    pub(crate) action: Action<L>,
}

macro_rules! table {
    ($($name:literal $letter:expr, $arguments:literal $what:literal $action:ident;)*) => {
        /// All commands, in the order of the help.
        pub fn all<L: Layout>() -> [Command<L>; COUNT] {
            [$(Command { name: $name, letter: $letter, arguments: $arguments, what: $what, action: Monitor::$action::<L> }),*]
        }
        /// How many there are.
        pub const COUNT: usize = [$($name),*].len();
    };
}

table! {
    "registers" Some('M'), "" "the machine's registers, and where Lisp is" registers;
    "where" Some('w'), "" "the running function and its next instruction" whereabouts;
    "stack" Some('l'), "[u|k|m|r|g|p|o|h]" "the call chain: of Lisp, or of a context: keyboard, misc, reset, collector, faults, overflow, hard return" stack;
    "frame" Some('f'), "[N|0xOFFSET]" "a frame with its variables; an empty line shows the next" frame;
    "next-frame" None, "" "the frame behind the one shown last (an empty line)" next_frame;
    "link" Some('k'), "a|c" "follow access links (free variables) or control links (callers)" link;
    "check" Some('c'), "" "is the stack sound?" check_stack;
    "blocks" Some('C'), "" "every block of the stack" blocks;
    "code" None, "[COUNT | FUNCTION[+OFFSET] [COUNT]]" "instructions, here or of a function" code;
    "symbol" None, "NAME" "a symbol's value, definition and properties" symbol;
    "value" Some('a'), "NAME" "a symbol's value" value;
    "definition" Some('d'), "NAME" "a symbol's definition" definition;
    "properties" Some('p'), "NAME" "a symbol's property list" properties;
    "show" None, "ADDRESS" "an object: type, value, references, cells" show;
    "print" Some('O'), "ADDRESS" "an object as Lisp would print it" print;
    "type" Some('t'), "ADDRESS" "an object's type" type_of;
    "words" Some('x'), "[ADDRESS [COUNT]]" "words in hexadecimal; without an address, the next ones" words;
    "cells" None, "ADDRESS [COUNT]" "cells, each with the value it holds" cells;
    "pages" None, "" "the address space by regions: pages there, resident, written; faults" pages;
    "counters" None, "" "faults, and what they cost" counters;
    "map" None, "[FIRST [END]]" "a picture of the address space" map;
    "storage" None, "" "collector, reference counts, free space" storage;
    "types" None, "[COUNT]" "types by the pages they take" types;
    "free" Some('F'), "[CELLS]" "free blocks of array space: all lists, or that for a size" free;
    "block" Some('B'), "ADDRESS" "an array block" block;
    "devices" None, "" "clock, screen, keyboard, mouse, disk" devices;
    "step" None, "[COUNT]" "carry out instructions" step;
    "next" None, "" "an instruction, with all that it calls" next;
    "finish" None, "" "run until this function returns" finish;
    "until" None, "FUNCTION[+OFFSET]" "run until Lisp gets there" until;
    "stop" None, "[FUNCTION[+OFFSET]]" "stop there each time; alone: list the places" stop;
    "clear" None, "[NUMBER]" "do not stop there any more; alone: nowhere" clear;
    "watch" None, "[ADDRESS|SYMBOL [VALUE]]" "stop when a cell changes (to a value, hexadecimal); alone: list them" watch;
    "unwatch" None, "[NUMBER]" "do not watch that any more; alone: nothing" unwatch;
    "@" Some('@'), "NAME NIL|T|NUMBER" "set a symbol's value" set_value;
    "<" Some('<'), "ADDRESS WORD" "set a word, hexadecimal" set_word;
    "move" Some('m'), "FROM TO" "give TO the definition of FROM" move_definition;
    "level" Some('('), "[N]" "how deep lists are printed" level;
    "why" Some('!'), "" "why the machine stands still" why;
    "dump" Some('v'), "ADDRESS [COUNT]" "words in hexadecimal, for a program at the other end of the line" words;
    "go" Some('q'), "" "let Lisp go on" go;
    "continue" None, "" "the same" go;
    "reset" Some('h'), "" "hard reset: throw the stack away, and let Lisp go on" reset;
    "off" Some('e'), "[now]" "switch the machine off; nothing is saved" off;
    "shell" Some('s'), "" "there is none" shell;
    "help" Some('?'), "[COMMAND]" "this list" help;
}

/// The command that a word means: a letter of URaid's, a name, or an unmistakable beginning of one.
pub(crate) fn find<L: Layout>(word: &str) -> Option<Command<L>> {
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && let Some(command) = all::<L>().into_iter().find(|command| command.letter == Some(letter))
    {
        return Some(command);
    }
    if let Some(command) = all::<L>().into_iter().find(|command| command.name == word) {
        return Some(command);
    }
    let mut beginning = all::<L>().into_iter().filter(|command| command.name.starts_with(word));
    let command = beginning.next();
    if beginning.next().is_some() { None } else { command }
}

impl Monitor {
    /// `help [COMMAND]`
    pub(crate) fn help<'t, L: Layout>(&mut self, s: &mut Session<'_, L>, words: &[&'t str]) -> Answer<'t> {
        match *words {
            [] => {
                for command in all::<L>() {
                    // The empty line and what does nothing need no line of their own.
                    if matches!(command.name, "next-frame" | "shell") {
                        continue;
                    }
                    let letter =
                        command.letter.filter(|letter| !command.name.starts_with(*letter) || command.name.len() > 1);
                    crate::storage::padded(
                        s.out,
                        42,
                        format_args!("{} {} {}", letter.unwrap_or(' '), command.name, command.arguments),
                    )?;
                    writeln!(s.out, " {}", command.what)?;
                }
                writeln!(s.out, "the first column is URaid's letter; the beginning of a name is enough")?;
            }
            [word] => {
                let command = find::<L>(word).ok_or(Problem::Because("there is no such command"))?;
                writeln!(s.out, "{} {}: {}", command.name, command.arguments, command.what)?;
                if let Some(letter) = command.letter {
                    writeln!(s.out, "{letter} in URaid")?;
                }
            }
            _ => return Err(Problem::Usage),
        }
        Ok(Verdict::Stay)
    }
}
