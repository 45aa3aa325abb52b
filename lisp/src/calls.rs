//! Who calls whom, with how many arguments, over all files: what only the whole world shows.
//!
//! ```text
//!   Compiler --Definition, Call--> Unit --> Calls --warnings--> file:line: F calls G with 3 arguments ...
//! ```
//!
//! The machine drops superfluous arguments and takes NIL for missing ones, so none of this is an error.

use crate::code::Unit;
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as order.lisp has it.
    pub file: String,
    /// The line, from 1; 0 if it is not known.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A function that is defined.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Its name.
    pub name: String,
    /// Where.
    pub place: Place,
    /// Arguments that it has to get.
    pub least: u32,
    /// Arguments that it takes; `None` for any number.
    pub most: Option<u32>,
}

/// A call of a function by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// Where.
    pub place: Place,
    /// The function in which it stands.
    pub caller: String,
    /// What is called.
    pub callee: String,
    /// With how many arguments.
    pub arguments: u32,
}

/// Definitions and calls of all files.
#[derive(Debug, Default)]
pub struct Calls {
    definitions: HashMap<String, Definition>,
    calls: BTreeSet<Call>,
    warnings: Vec<String>,
}

impl Calls {
    /// Notes what a file defines and calls.
    pub fn take(&mut self, unit: &Unit) {
        for definition in &unit.definitions {
            if let Some(before) = self.definitions.insert(definition.name.clone(), definition.clone()) {
                let (place, name) = (&definition.place, &definition.name);
                self.warnings.push(format!("{place}: {name} is defined once more; it was at {}", before.place));
            }
        }
        self.calls.extend(unit.calls.iter().cloned());
    }

    /// What is odd about them, a line each. `undefined` are functions without a definition, each with one that calls it.
    pub fn warnings(mut self, undefined: &[(String, String)]) -> Vec<String> {
        for (callee, caller) in undefined {
            let mut calls = self.calls.iter().filter(|call| call.callee == *callee).peekable();
            if calls.peek().is_none() {
                self.warnings.push(format!("there is no function {callee}, which {caller} calls"));
            }
            for Call { place, caller, .. } in calls {
                self.warnings.push(format!("{place}: {caller} calls {callee}, and there is no such function"));
            }
        }
        for Call { place, caller, callee, arguments } in &self.calls {
            let Some(it) = self.definitions.get(callee) else { continue };
            let takes = match (it.least, it.most) {
                (least, most) if *arguments >= least && most.is_none_or(|most| *arguments <= most) => continue,
                (least, None) => format!("{least} or more"),
                (least, Some(most)) if least == most => format!("{least}"),
                (least, Some(most)) => format!("{least} to {most}"),
            };
            let plural = if *arguments == 1 { "" } else { "s" };
            let end = format!("it takes {takes} ({})", it.place);
            self.warnings.push(format!("{place}: {caller} calls {callee} with {arguments} argument{plural}; {end}"));
        }
        self.warnings
    }
}
