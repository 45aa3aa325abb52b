//! Functions of the host, and the analysed code they run.
//!
//! A lambda expression is analysed once into a tree of [`Node`]s. Variables have slots in the running activation's part
//! of the host's stack; a variable that an inner function captures and that is set somewhere lives in a box (a pair), so
//! that captures are copies:
//!
//! ```text
//!   stack   ... | base: arguments, locals | temporaries (arguments of calls in the making) ...
//!   closure     | captured values and boxes |
//! ```

use super::Host;
use super::value::{Position, Symbol, Value};
use std::cell::Cell;
use std::fmt;

/// Why a form did not yield a value.
#[derive(Debug)]
pub enum Signal {
    /// A `return-from` or `go` on its way: the tag of the block's activation, and what to return or where to go on.
    Exit {
        /// Identifies the activation.
        tag: i64,
        /// Returned value, or number of the statement.
        value: Value,
    },
    /// A `throw` on its way.
    Throw {
        /// The catch tag.
        tag: Value,
        /// The value.
        value: Value,
    },
    /// An error on its way.
    Error {
        /// The condition: a string, or what `error` was called with.
        condition: Value,
        /// Where it happened, innermost call first.
        trace: Vec<Position>,
    },
}

/// A value, or why there is none.
pub type Outcome = Result<Value, Box<Signal>>;

/// An error with a message.
pub fn fail<T>(message: impl Into<String>) -> Result<T, Box<Signal>> {
    Err(Box::new(Signal::Error { condition: Value::text(message), trace: Vec::new() }))
}

/// A function.
#[derive(Debug)]
pub enum Function {
    /// Written in Rust.
    Builtin(&'static str, Builtin),
    /// Written in Lisp.
    Closure(&'static Template, Vec<Value>),
    /// Another one, and what looks on when it is called.
    Advised(&'static Function, Advice),
}

impl Function {
    /// Its name, for messages.
    pub fn name(&self) -> &str {
        match self {
            Function::Builtin(name, _) => name,
            Function::Closure(template, _) => &template.name,
            Function::Advised(function, _) => function.name(),
        }
    }
}

/// A Rust function by its number of arguments.
#[derive(Clone, Copy)]
pub enum Builtin {
    /// No arguments.
    F0(fn(&mut Host) -> Outcome),
    /// One.
    F1(fn(&mut Host, Value) -> Outcome),
    /// Two.
    F2(fn(&mut Host, Value, Value) -> Outcome),
    /// Three.
    F3(fn(&mut Host, Value, Value, Value) -> Outcome),
    /// At least so many.
    Any(usize, fn(&mut Host, &[Value]) -> Outcome),
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("builtin")
    }
}

/// What is done with the arguments of a call in the place of the function, which it may call.
pub struct Advice(pub Box<Watcher>);

/// Gets the function and its arguments.
pub type Watcher = dyn Fn(&mut Host, &'static Function, &[Value]) -> Outcome;

impl fmt::Debug for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("advice")
    }
}

/// A lexical variable.
#[derive(Debug, Default)]
pub struct Variable {
    /// Its slot.
    pub slot: usize,
    /// An inner function uses it.
    pub captured: Cell<bool>,
    /// It is set.
    pub mutated: Cell<bool>,
}

impl Variable {
    /// Whether it lives in a box.
    pub fn boxed(&self) -> bool {
        self.captured.get() && self.mutated.get()
    }
}

/// Where a function gets a variable it captures.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The enclosing activation's slot.
    Slot(usize),
    /// The enclosing function's own captured variable.
    Captured(usize),
}

/// A parameter: a lexical or a dynamic variable.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// Lexical.
    Lexical(&'static Variable),
    /// Dynamic; arrives in the slot.
    Dynamic(usize, &'static Symbol),
}

/// An optional or keyword parameter.
#[derive(Debug)]
pub struct Optional {
    /// The keyword, if it is a keyword parameter.
    pub keyword: Value,
    /// The parameter.
    pub target: Target,
    /// Its value if it is not given.
    pub default: Node,
    /// Tells whether it is given.
    pub supplied: Option<Target>,
}

/// A lambda expression, analysed.
#[derive(Debug)]
pub struct Template {
    /// For messages.
    pub name: String,
    /// Required parameters.
    pub required: Vec<Target>,
    /// Optional parameters.
    pub optional: Vec<Optional>,
    /// The parameter for all others.
    pub rest: Option<Target>,
    /// Keyword parameters; `None` without `&key`.
    pub keys: Option<Vec<Optional>>,
    /// Slots of an activation.
    pub slots: usize,
    /// What it does.
    pub body: Node,
    /// Where its captured variables come from.
    pub captures: Vec<Source>,
    /// Some parameter is boxed or dynamic or not required.
    pub simple: bool,
}

/// Analysed code.
#[derive(Debug)]
pub enum Node {
    /// A constant.
    Constant(Value),
    /// A lexical variable of the running function.
    Local(&'static Variable),
    /// A lexical variable of an enclosing function.
    Captured(usize, &'static Variable),
    /// A dynamic or global variable.
    Global(&'static Symbol),
    /// Sets one.
    SetLocal(&'static Variable, Box<Node>),
    /// Sets one.
    SetCaptured(usize, Box<Node>),
    /// Sets one.
    SetGlobal(&'static Symbol, Box<Node>),
    /// `if`.
    If(Box<(Node, Node, Node)>),
    /// `and`.
    And(Vec<Node>),
    /// `or`.
    Or(Vec<Node>),
    /// `progn`.
    Sequence(Vec<Node>),
    /// Gives lexical variables their values, then goes on.
    Let(Vec<(&'static Variable, Node)>, Box<Node>),
    /// Binds a dynamic variable to a value in a slot meanwhile.
    Bind(&'static Symbol, usize, Box<Node>),
    /// Puts a value in a slot.
    Slot(usize, Box<Node>),
    /// Calls a named function.
    Call(&'static Symbol, Vec<Node>, Position),
    /// Calls the value of the first form.
    Funcall(Box<Node>, Vec<Node>, Position),
    /// The function of a symbol.
    FunctionOf(&'static Symbol),
    /// Makes a closure.
    Closure(&'static Template),
    /// `block`: the variable holds the activation's tag.
    Block(&'static Variable, Box<Node>),
    /// `tagbody`: the statements, the tag numbers are indices into them.
    Tagbody(&'static Variable, Vec<Node>),
    /// `return-from` and `go`: whose tag, and what.
    Exit(Box<(Node, Node)>),
    /// `catch`.
    Catch(Box<(Node, Node)>),
    /// `throw`.
    Throw(Box<(Node, Node)>),
    /// `unwind-protect`.
    Protect(Box<(Node, Node)>),
    /// `multiple-value-call`: the values as a list.
    ValuesList(Vec<Node>),
    /// `multiple-value-prog1`.
    Prog1(Box<(Node, Node)>),
    /// An error found by analysis, raised when the form is reached.
    Fault(String, Position),
}
