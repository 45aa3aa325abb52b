//! Runs the compiler on the files of the world.
//!
//! ```text
//!   Compiler::new --loads macros and compiler--> Host
//!   Compiler::file --(compile-top-level form)... --> Unit
//! ```

use crate::code::{Code, Unit};
use crate::host::Host;
use crate::host::printer::display;
use crate::host::value::{Position, Value};

/// The files of the macros, in order.
pub const MACRO_FILES: &[(&str, &str)] = &[
    ("macros.lisp", include_str!("../world/macros.lisp")),
    ("setf.lisp", include_str!("../world/setf.lisp")),
    ("structures.lisp", include_str!("../world/structures.lisp")),
];

/// The files of the compiler, in order.
pub const COMPILER_FILES: &[(&str, &str)] = &[
    ("compiler/structures.lisp", include_str!("../world/compiler/structures.lisp")),
    ("compiler/analyse.lisp", include_str!("../world/compiler/analyse.lisp")),
    ("compiler/exits.lisp", include_str!("../world/compiler/exits.lisp")),
    ("compiler/inline.lisp", include_str!("../world/compiler/inline.lisp")),
    ("compiler/emit.lisp", include_str!("../world/compiler/emit.lisp")),
    ("compiler/functions.lisp", include_str!("../world/compiler/functions.lisp")),
    ("compiler/assemble.lisp", include_str!("../world/compiler/assemble.lisp")),
    ("compiler/toplevel.lisp", include_str!("../world/compiler/toplevel.lisp")),
];

/// The compiler on the host.
#[derive(Debug)]
pub struct Compiler {
    /// What runs it.
    pub host: Host,
    /// What it had to say, with `file:line`.
    pub warnings: Vec<String>,
}

impl Compiler {
    /// The compiler, ready; needs [`crate::host::with_room`] around it.
    pub fn new() -> Result<Self, String> {
        let mut host = Host::new();
        host.load_macros()?;
        for (file, text) in COMPILER_FILES {
            host.load(file, text)?;
        }
        Ok(Compiler { host, warnings: Vec::new() })
    }

    /// Compiles a file; the error lists everything that is wrong with it.
    pub fn file(&mut self, file: &str, text: &str) -> Result<Unit, String> {
        let forms = self.host.read_all(file, text)?;
        self.forms(file, &forms)
    }

    /// Compiles forms as if they were in a file.
    pub fn forms(&mut self, file: &str, forms: &[Value]) -> Result<Unit, String> {
        self.host.symbols.symbol("*COMPILE-FILE*").value.set(Some(Value::text(file)));
        self.call("BEGIN-UNIT", &[], Position::default())?;
        let mut errors = Vec::new();
        for form in forms {
            if let Err(error) = self.call("COMPILE-TOP-LEVEL", &[*form], form.position()) {
                errors.push(self.blame(file, &error, form.position()));
            }
        }
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".lisp");
        let inits = self.call("UNIT-INITS", &[Value::text(stem)], Position::default())?;
        let inits = inits.elements().map(Code::from_list).collect::<Result<Vec<_>, _>>()?;
        let mut functions =
            self.value("*UNIT-CODES*").elements().map(Code::from_list).collect::<Result<Vec<_>, _>>()?;
        functions.reverse();
        for warning in self.value("*COMPILE-WARNINGS*").elements() {
            let line = match warning.car() {
                Some(Value::Integer(line)) => line,
                _ => 0,
            };
            self.warnings.push(format!("{file}:{line}: {}", display(warning.cdr().unwrap_or(Value::Nil))));
        }
        Ok(Unit { file: file.to_string(), functions, inits })
    }

    /// What is wrong with a form of a file. The compiler's own complaints begin with `file:line`, behind the place in the
    /// compiler where it complained; anything else is an error of the compiler or of a macro, and keeps its trace.
    fn blame(&self, file: &str, error: &str, position: Position) -> String {
        let first = error.lines().next().unwrap_or_default();
        match first.find(&format!(": {file}:")) {
            Some(at) => first[at + 2..].to_string(),
            None => format!("{}: {error}", self.host.place(position)),
        }
    }

    fn value(&mut self, name: &str) -> Value {
        self.host.symbols.symbol(name).value.get().unwrap_or(Value::Nil)
    }

    fn call(&mut self, function: &str, arguments: &[Value], position: Position) -> Result<Value, String> {
        let function = self.host.symbols.intern(function);
        self.host.apply(function, arguments).map_err(|signal| self.host.describe(&signal, position))
    }
}

#[cfg(test)]
mod runs;
#[cfg(test)]
mod tests;
