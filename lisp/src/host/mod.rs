//! The interpreter on the host that runs the compiler.
//!
//! The compiler and the macros are written in the world's own Lisp (world/macros.lisp, world/compiler/*.lisp). To build
//! the first world something has to run them: this interpreter. It has the dialect's special forms ([`analyse`],
//! [`run`]) and the functions that the compiler needs ([`builtins`], [`numbers`],
//! [`sequences`]); machine instructions it has not.
//!
//! ```text
//!   text --reader--> Value --analyse--> Node --run--> Value
//! ```

mod analyse;
mod builtins;
pub mod function;
mod numbers;
pub mod printer;
mod run;
mod sequences;
pub mod value;

use crate::reader::Reader;
use function::{Advice, Builtin, Function, Outcome, Signal};
use printer::{display, one_line, show};
use value::{Position, Symbol, Symbols, Value, keep};

/// Stack of the thread that runs deep recursions of Lisp.
const STACK_BYTES: usize = 4 << 30;

/// The interpreter.
#[derive(Debug)]
pub struct Host {
    /// All symbols.
    pub symbols: Symbols,
    /// Names of the files read, by number.
    pub files: Vec<String>,
    /// What the program has printed, for tests; `None` prints to standard output.
    pub output: Option<String>,
    t: Value,
    nil: &'static Symbol,
    /// The indicator of a variable's kind.
    variable: Value,
    stack: Vec<Value>,
    base: usize,
    running: Option<&'static Function>,
    depth: usize,
    next_tag: i64,
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

/// Does work on a thread with room for deep recursions.
pub fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        match thread.expect("a thread can be made").join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

impl Host {
    /// An interpreter with its own functions only.
    pub fn new() -> Self {
        let mut symbols = Symbols::default();
        let t = symbols.intern("T");
        let nil = symbols.symbol("NIL");
        let variable = symbols.intern("%VARIABLE");
        let mut host = Host {
            symbols,
            files: vec!["?".to_string()],
            output: None,
            t,
            nil,
            variable,
            stack: Vec::new(),
            base: 0,
            running: None,
            depth: 0,
            next_tag: 0,
        };
        for (name, builtin) in builtins::FUNCTIONS.iter().chain(numbers::FUNCTIONS).chain(sequences::FUNCTIONS) {
            host.define(name, *builtin);
        }
        host.define_opcodes();
        host
    }

    /// Sets %OPCODES: `(NAME NUMBER (OPERAND...) POPS PUSHES)` for each, NIL for numbers that vary.
    fn define_opcodes(&mut self) {
        let count = |n: Option<u8>| n.map_or(Value::Nil, |n| Value::Integer(n.into()));
        let mut rows = Vec::new();
        for row in vm::isa::OPCODES {
            let operands: Vec<Value> =
                row.operands.iter().map(|it| self.symbols.keyword(&format!("{it:?}").to_uppercase())).collect();
            rows.push(Value::list(&[
                self.symbols.intern(row.name),
                Value::Integer(row.number.into()),
                Value::list(&operands),
                count(row.pops),
                count(row.pushes),
            ]));
        }
        self.symbols.symbol("%OPCODES").value.set(Some(Value::list(&rows)));
    }

    fn define(&mut self, name: &'static str, builtin: Builtin) {
        let function = keep(Function::Builtin(name, builtin));
        self.symbols.symbol(name).function.set(Some(function));
    }

    /// Has all later calls of a function, which is known by now, done by `advice`.
    pub fn advise(
        &mut self,
        name: &str,
        advice: impl Fn(&mut Host, &'static Function, &[Value]) -> Outcome + 'static,
    ) -> Result<(), String> {
        let symbol = self.symbols.symbol(name);
        let function = symbol.function.get().ok_or_else(|| format!("there is no function {name} to advise"))?;
        symbol.function.set(Some(keep(Function::Advised(function, Advice(Box::new(advice))))));
        Ok(())
    }

    /// Reads and evaluates the macros and what else the dialect needs on the host.
    pub fn load_macros(&mut self) -> Result<(), String> {
        for (file, text) in [
            ("macros.lisp", include_str!("../../world/macros.lisp")),
            ("setf.lisp", include_str!("../../world/setf.lisp")),
            ("structures.lisp", include_str!("../../world/structures.lisp")),
            ("host.lisp", include_str!("host.lisp")),
        ] {
            self.load(file, text)?;
        }
        Ok(())
    }

    /// Evaluates a form.
    pub fn evaluate(&mut self, form: Value) -> Outcome {
        let template = analyse::top_level(self, form)?;
        let closure = self.make_closure(template);
        self.apply_values(closure, &[])
    }

    /// Reads all forms of a text; an error message says `file:line`.
    pub fn read_all(&mut self, file: &str, text: &str) -> Result<Vec<Value>, String> {
        let number = self.files.len();
        self.files.push(file.to_string());
        let mut reader = Reader::new(text, number, &mut self.symbols);
        let mut forms = Vec::new();
        loop {
            match reader.next_form() {
                Ok(Some(form)) => forms.push(form),
                Ok(None) => return Ok(forms),
                Err(error) => return Err(one_line(&format!("{file}:{}: {}", error.line, error.what))),
            }
        }
    }

    /// Reads and evaluates all forms of a text; the last value.
    pub fn load(&mut self, file: &str, text: &str) -> Result<Value, String> {
        let mut last = Value::Nil;
        for form in self.read_all(file, text)? {
            last = self.evaluate(form).map_err(|signal| self.describe(&signal, form.position()))?;
        }
        Ok(last)
    }

    /// `file:line` of a position.
    pub fn place(&self, position: Position) -> String {
        format!("{}:{}", self.files[position.file()], position.line())
    }

    /// What a signal says, for people, with `file:line` where it is known; `form` is where the outermost form began.
    pub fn describe(&self, signal: &Signal, form: Position) -> String {
        match signal {
            Signal::Exit { .. } => format!("{}: an exit from a block that is over", self.place(form)),
            Signal::Throw { tag, .. } => format!("{}: nothing catches {}", self.place(form), show(*tag)),
            Signal::Error { condition, trace } => {
                let innermost = trace.first().copied().unwrap_or(form);
                let mut text = format!("{}: {}", self.place(innermost), display(*condition));
                for position in trace.iter().skip(1) {
                    text.push_str(&format!("\n  called from {}", self.place(*position)));
                }
                text
            }
        }
    }
}

#[cfg(test)]
mod tests;
