//! Runs the compiler on the files of the world.
//!
//! ```text
//!   Compiler::new --loads macros and compiler--> Host
//!   Compiler::file --(compile-top-level form)... --> Unit
//! ```

use crate::calls::{Call, Definition, Place};
use crate::code::{Code, Unit};
use crate::host::Host;
use crate::host::function::fail;
use crate::host::printer::{brief, display, one_line};
use crate::host::value::{Position, Value, keep};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// The files of the macros, in order.
pub const MACRO_FILES: &[(&str, &str)] = &[
    ("macros.lisp", include_str!("../world/macros.lisp")),
    ("setf.lisp", include_str!("../world/setf.lisp")),
    ("structures.lisp", include_str!("../world/structures.lisp")),
];

/// The files of the compiler, in order.
pub const COMPILER_FILES: &[(&str, &str)] = &[
    ("compiler/structures.lisp", include_str!("../world/compiler/structures.lisp")),
    ("compiler/shapes.lisp", include_str!("../world/compiler/shapes.lisp")),
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
    notes: &'static RefCell<Notes>,
}

/// What is noted while the compiler in Lisp is at a file.
#[derive(Debug, Default)]
struct Notes {
    definitions: Vec<Definition>,
    calls: BTreeSet<Call>,
    /// The innermost form that could not be compiled.
    culprit: Option<(Value, Place)>,
}

impl Compiler {
    /// The compiler, ready; needs [`crate::host::with_room`] around it.
    pub fn new() -> Result<Self, String> {
        let mut host = Host::new();
        host.load_macros()?;
        for (file, text) in COMPILER_FILES {
            host.load(file, text)?;
        }
        let notes: &'static RefCell<Notes> = keep(RefCell::default());
        look_on(&mut host, notes)?;
        Ok(Compiler { host, warnings: Vec::new(), notes })
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
        *self.notes.borrow_mut() = Notes::default();
        let mut errors = Vec::new();
        for form in forms {
            if let Err(error) = self.call("COMPILE-TOP-LEVEL", &[*form], form.position()) {
                errors.push(one_line(&self.blame(file, &error, form.position())));
            }
        }
        let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".lisp");
        let inits = match self.call("UNIT-INITS", &[Value::text(stem)], Position::default()) {
            Ok(inits) => inits,
            Err(error) => {
                errors.push(one_line(&self.blame(file, &error, Position::default())));
                Value::Nil
            }
        };
        if !errors.is_empty() {
            return Err(errors.join("\n"));
        }
        let inits = inits.elements().map(Code::from_list).collect::<Result<Vec<_>, _>>()?;
        let mut functions =
            value(&mut self.host, "*UNIT-CODES*").elements().map(Code::from_list).collect::<Result<Vec<_>, _>>()?;
        functions.reverse();
        for warning in value(&mut self.host, "*COMPILE-WARNINGS*").elements() {
            let line = match warning.car() {
                Some(Value::Integer(line)) => line,
                _ => 0,
            };
            let text = display(warning.cdr().unwrap_or(Value::Nil));
            self.warnings.push(one_line(&format!("{file}:{line}: {text}")));
        }
        let notes = self.notes.take();
        let (definitions, calls) = (notes.definitions, notes.calls.into_iter().collect());
        Ok(Unit { file: file.to_string(), functions, inits, definitions, calls })
    }

    /// What is wrong with a form of a file, in a line. The compiler's own complaints begin with `file:line`, behind the place
    /// in the compiler where it complained; anything else went wrong in the compiler or in a macro, with a form that they
    /// had not thought of.
    fn blame(&self, file: &str, error: &str, position: Position) -> String {
        let culprit = self.notes.borrow_mut().culprit.take();
        let first = error.split("\n  called from ").next().unwrap_or_default();
        if let Some(at) = first.find(&format!(": {file}:")) {
            return first[at + 2..].to_string();
        }
        let (found_at, what) = first.split_once(": ").unwrap_or(("?", first));
        let found = if found_at.starts_with('?') { String::new() } else { format!(" (found at {found_at})") };
        match culprit {
            Some((form, place)) => format!("{place}: in {}: {what}{found}", brief(form)),
            None => format!("{}: {what}{found}", self.host.place(position)),
        }
    }

    fn call(&mut self, function: &str, arguments: &[Value], position: Position) -> Result<Value, String> {
        let function = self.host.symbols.intern(function);
        self.host.apply(function, arguments).map_err(|signal| self.host.describe(&signal, position))
    }
}

/// Notes which form could not be compiled, and who defines and calls what.
fn look_on(host: &mut Host, notes: &'static RefCell<Notes>) -> Result<(), String> {
    for name in ["COMPILE-TOP-LEVEL", "ANALYSE-LIST"] {
        host.advise(name, |host, function, arguments| {
            let form = arguments.first().copied().unwrap_or(Value::Nil);
            let outcome = host.apply(Value::Function(function), arguments);
            mark_collected(host, form);
            if outcome.is_err() {
                notes.borrow_mut().culprit.get_or_insert_with(|| (form, place(host, form)));
            }
            outcome
        })?;
    }
    host.advise("ANALYSE-CALL", |host, function, arguments| {
        let form = arguments.first().copied().unwrap_or(Value::Nil);
        let call = Call {
            place: place(host, form),
            caller: display(value(host, "*COMPILING*")),
            callee: display(form.car().unwrap_or(Value::Nil)),
            arguments: form.elements().skip(1).count() as u32,
        };
        notes.borrow_mut().calls.insert(call);
        host.apply(Value::Function(function), arguments)
    })?;
    host.advise("UNIT-FUNCTION", |host, function, arguments| {
        let [name, lambda] = arguments else { return fail("UNIT-FUNCTION takes a name and a lambda expression") };
        let outcome = host.apply(Value::Function(function), arguments)?;
        let (least, most) = accepted(lambda.car().unwrap_or(Value::Nil));
        let place = place(host, *lambda);
        notes.borrow_mut().definitions.push(Definition { name: display(*name), place, least, most });
        Ok(outcome)
    })
}

/// Forms that are collected for later, which a macro may have made, come from where the form is that they were in.
fn mark_collected(host: &mut Host, form: Value) {
    if form.position() == Position::default() {
        return;
    }
    for collected in value(host, "*UNIT-FORMS*").elements().take_while(|it| it.position() == Position::default()) {
        if let Value::Cons(cons) = collected {
            cons.position.set(form.position());
        }
    }
}

/// Where the compiler is: the line of the form, or of the one around it that has one.
fn place(host: &mut Host, form: Value) -> Place {
    let line = match (form.position().line(), value(host, "*LINE*")) {
        (0, Value::Integer(line)) => line as u32,
        (line, _) => line,
    };
    Place { file: display(value(host, "*COMPILE-FILE*")), line }
}

/// Arguments that a function with this lambda list has to get, and takes.
fn accepted(parameters: Value) -> (u32, Option<u32>) {
    let (mut least, mut most, mut required) = (0, 0, true);
    let mut elements = parameters.elements();
    for parameter in elements.by_ref() {
        match parameter.symbol().map(|symbol| symbol.name.as_str()) {
            Some("&OPTIONAL") => required = false,
            Some("&AUX") => break,
            Some("&REST" | "&BODY" | "&KEY") => return (least, None),
            _ => {
                least += u32::from(required);
                most += 1;
            }
        }
    }
    (least, if elements.rest().symbol().is_some() { None } else { Some(most) })
}

fn value(host: &mut Host, name: &str) -> Value {
    host.symbols.symbol(name).value.get().unwrap_or(Value::Nil)
}

#[cfg(test)]
mod runs;
#[cfg(test)]
mod tests;
