//! The host's functions on pairs, symbols, characters and structures, and those about evaluation.
//!
//! They behave as the world's functions of the same names do, as far as the compiler, the macros and those parts of the
//! library that are tried on the host need it.

use super::Host;
use super::function::Builtin::{self, Any, F0, F1, F2, F3};
use super::function::{Outcome, Signal, fail};
use super::printer::{display, show};
use super::value::{Structure, Symbol, Value, keep};
use std::cell::RefCell;

/// Names and functions.
pub(super) const FUNCTIONS: &[(&str, Builtin)] = &[
    ("CONS", F2(|_, a, b| Ok(Value::cons(a, b)))),
    ("CAR", F1(|_, a| part(a, Value::car))),
    ("CDR", F1(|_, a| part(a, Value::cdr))),
    ("CAAR", F1(|_, a| part(part(a, Value::car)?, Value::car))),
    ("CADR", F1(|_, a| part(part(a, Value::cdr)?, Value::car))),
    ("CDAR", F1(|_, a| part(part(a, Value::car)?, Value::cdr))),
    ("CDDR", F1(|_, a| part(part(a, Value::cdr)?, Value::cdr))),
    ("CADDR", F1(|_, a| part(part(part(a, Value::cdr)?, Value::cdr)?, Value::car))),
    ("CDDDR", F1(|_, a| part(part(part(a, Value::cdr)?, Value::cdr)?, Value::cdr))),
    ("CADAR", F1(|_, a| part(part(part(a, Value::car)?, Value::cdr)?, Value::car))),
    ("CADDDR", F1(|_, a| part(part(part(part(a, Value::cdr)?, Value::cdr)?, Value::cdr)?, Value::car))),
    ("%SET-CAR", F2(|_, a, b| replace_part(a, b, true).map(|_| b))),
    ("%SET-CDR", F2(|_, a, b| replace_part(a, b, false).map(|_| b))),
    ("RPLACA", F2(|_, a, b| replace_part(a, b, true))),
    ("RPLACD", F2(|_, a, b| replace_part(a, b, false))),
    ("EQ", F2(|host, a, b| Ok(host.truth(a == b)))),
    ("EQL", F2(|host, a, b| Ok(host.truth(a == b)))),
    ("EQUAL", F2(|host, a, b| Ok(host.truth(equal(a, b))))),
    ("NOT", F1(|host, a| Ok(host.truth(a.is_nil())))),
    ("NULL", F1(|host, a| Ok(host.truth(a.is_nil())))),
    ("CONSP", F1(|host, a| Ok(host.truth(matches!(a, Value::Cons(_)))))),
    ("ATOM", F1(|host, a| Ok(host.truth(!matches!(a, Value::Cons(_)))))),
    ("LISTP", F1(|host, a| Ok(host.truth(matches!(a, Value::Cons(_) | Value::Nil))))),
    ("SYMBOLP", F1(|host, a| Ok(host.truth(matches!(a, Value::Symbol(_) | Value::Nil))))),
    ("KEYWORDP", F1(|host, a| Ok(host.truth(matches!(a, Value::Symbol(it) if it.keyword))))),
    ("STRINGP", F1(|host, a| Ok(host.truth(matches!(a, Value::Text(_)))))),
    ("CHARACTERP", F1(|host, a| Ok(host.truth(matches!(a, Value::Character(_)))))),
    ("INTEGERP", F1(|host, a| Ok(host.truth(matches!(a, Value::Integer(_)))))),
    ("FLOATP", F1(|host, a| Ok(host.truth(matches!(a, Value::Float(_)))))),
    ("NUMBERP", F1(|host, a| Ok(host.truth(matches!(a, Value::Integer(_) | Value::Float(_)))))),
    ("VECTORP", F1(|host, a| Ok(host.truth(matches!(a, Value::Vector(_) | Value::Text(_)))))),
    ("FUNCTIONP", F1(|host, a| Ok(host.truth(matches!(a, Value::Function(_)))))),
    ("HASH-TABLE-P", F1(|host, a| Ok(host.truth(matches!(a, Value::Table(_)))))),
    (
        "CHAR-CODE",
        F1(|_, a| match a {
            Value::Character(c) => Ok(Value::Integer(c as i64)),
            other => wrong(other, "a character"),
        }),
    ),
    (
        "CODE-CHAR",
        F1(|_, a| match u32::try_from(integer(a)?).ok().and_then(char::from_u32) {
            Some(c) => Ok(Value::Character(c)),
            None => wrong(a, "a character's code"),
        }),
    ),
    ("SYMBOL-NAME", F1(|_, a| Ok(Value::text(symbol_name(a)?)))),
    (
        "FIND-SYMBOL",
        F1(|host, a| {
            let name = string(a)?;
            Ok(host.symbols.known(&name).map_or(Value::Nil, Value::Symbol))
        }),
    ),
    (
        "INTERN",
        Any(1, |host, a| {
            let name = string(a[0])?;
            Ok(match a.get(1) {
                Some(package) if package.is_keyword("KEYWORD") => host.symbols.keyword(&name),
                _ => host.symbols.intern(&name),
            })
        }),
    ),
    (
        "GENSYM",
        Any(0, |host, a| {
            let prefix = a.first().map_or(Ok("G".to_string()), |it| string(*it))?;
            Ok(host.symbols.make(&prefix))
        }),
    ),
    (
        "MAKE-SYMBOL",
        F1(|host, a| {
            let name = string(a)?;
            Ok(host.symbols.make(&name))
        }),
    ),
    (
        "SYMBOL-VALUE",
        F1(|_, a| match symbol(a)?.value.get() {
            Some(value) => Ok(value),
            None => fail(format!("the variable {} has no value", show(a))),
        }),
    ),
    (
        "SET",
        F2(|_, a, b| {
            symbol(a)?.value.set(Some(b));
            Ok(b)
        }),
    ),
    ("BOUNDP", F1(|host, a| Ok(host.truth(a.is_nil() || symbol(a)?.value.get().is_some())))),
    ("FBOUNDP", F1(|host, a| Ok(host.truth(a.is_true() && symbol(a)?.function.get().is_some())))),
    ("SYMBOL-FUNCTION", F1(|host, a| host.function_for(a).map(Value::Function))),
    ("SYMBOL-PLIST", F1(|host, a| owner(host, a).map(|it| it.properties.get()))),
    ("GET", Any(2, |host, a| Ok(get(host, a[0], a[1]).unwrap_or(a.get(2).copied().unwrap_or(Value::Nil))))),
    ("%SET-GET", F3(|host, a, b, c| put(host, a, b, c))),
    ("FUNCALL", Any(1, |host, a| host.apply_values(a[0], &a[1..]))),
    (
        "APPLY",
        Any(2, |host, a| {
            let (last, first) = a[1..].split_last().expect("apply has two arguments");
            let mut arguments = first.to_vec();
            arguments.extend(last.elements());
            host.apply_values(a[0], &arguments)
        }),
    ),
    ("VALUES", Any(0, |_, a| Ok(if let [one] = a { *one } else { Value::Multiple(keep(a.to_vec())) }))),
    (
        "VALUES-LIST",
        F1(|_, a| {
            let values: Vec<Value> = a.elements().collect();
            Ok(if let [one] = values[..] { one } else { Value::Multiple(keep(values)) })
        }),
    ),
    ("EVAL", F1(|host, a| host.evaluate(a))),
    ("MACROEXPAND-1", Any(1, |host, a| macroexpand_1(host, a[0]))),
    ("%EXPANDER", F1(|_, a| Ok(a.symbol().and_then(|it| it.expander.get()).unwrap_or(Value::Nil)))),
    (
        "%SET-MACRO",
        F2(|_, a, b| {
            symbol(a)?.expander.set(Some(b));
            Ok(a)
        }),
    ),
    (
        "%DEFINE-FUNCTION",
        F2(|host, a, b| {
            let function = host.function_for(b)?;
            symbol(a)?.function.set(Some(function));
            Ok(a)
        }),
    ),
    (
        "%PROCLAIM",
        F2(|host, a, b| {
            let variable = symbol(a)?;
            variable.special.set(b.is_keyword("SPECIAL"));
            put(host, a, host.variable, b)?;
            Ok(a)
        }),
    ),
    (
        "%LATER",
        F2(|_, a, b| {
            symbol(a)?.definition.set(Some(b));
            Ok(a)
        }),
    ),
    ("%HOST-P", F0(|host| Ok(host.t))),
    (
        "%FORM-LINE",
        F1(|_, a| {
            Ok(match a.position().line() {
                0 => Value::Nil,
                line => Value::Integer(line.into()),
            })
        }),
    ),
    ("ERROR", Any(1, |_, a| fail(format_control(a)?))),
    (
        "%IGNORE-ERRORS",
        F1(|host, a| match host.apply_values(a, &[]) {
            Err(signal) => match *signal {
                Signal::Error { condition, .. } => Ok(Value::Multiple(keep(vec![Value::Nil, condition]))),
                _ => Err(signal),
            },
            outcome => outcome,
        }),
    ),
    (
        "%HANDLER-CASE",
        F2(|host, thunk, clauses| match host.apply_values(thunk, &[]) {
            Err(signal) => match (*signal, clauses.car().and_then(Value::cdr)) {
                (Signal::Error { condition, .. }, Some(handler)) if handler.is_true() => {
                    host.apply_values(handler, &[condition])
                }
                (signal, _) => Err(Box::new(signal)),
            },
            outcome => outcome,
        }),
    ),
    (
        "FORMAT",
        Any(2, |host, a| {
            let text = format_control(&a[1..])?;
            if a[0].is_nil() {
                return Ok(Value::text(text));
            }
            host.print(&text);
            Ok(Value::Nil)
        }),
    ),
    (
        "PRINT",
        F1(|host, a| {
            host.print(&format!("{}\n", show(a)));
            Ok(a)
        }),
    ),
    (
        "PRIN1",
        F1(|host, a| {
            host.print(&show(a));
            Ok(a)
        }),
    ),
    (
        "PRINC",
        F1(|host, a| {
            host.print(&display(a));
            Ok(a)
        }),
    ),
    (
        "TERPRI",
        F0(|host| {
            host.print("\n");
            Ok(Value::Nil)
        }),
    ),
    ("PRIN1-TO-STRING", F1(|_, a| Ok(Value::text(show(a))))),
    ("PRINC-TO-STRING", F1(|_, a| Ok(Value::text(display(a))))),
    (
        "%MAKE-STRUCTURE",
        F2(|_, a, b| {
            let slots = vec![Value::Nil; usize::try_from(integer(b)?).unwrap_or(0)];
            Ok(Value::Structure(keep(Structure { kind: symbol(a)?, slots: RefCell::new(slots) })))
        }),
    ),
    (
        "%STRUCTURE-REF",
        F3(|_, kind, a, b| {
            let structure = structure(kind, a)?;
            let value = structure.slots.borrow().get(integer(b)? as usize).copied();
            value.map_or_else(|| fail("a structure without this slot"), Ok)
        }),
    ),
    (
        "%STRUCTURE-SET",
        Any(4, |_, a| {
            let structure = structure(a[0], a[1])?;
            match structure.slots.borrow_mut().get_mut(integer(a[2])? as usize) {
                Some(slot) => *slot = a[3],
                None => return fail("a structure without this slot"),
            }
            Ok(a[3])
        }),
    ),
    (
        "%STRUCTURE-P",
        F2(|host, kind, a| {
            Ok(match a {
                Value::Structure(it) => host.truth(is_kind(it.kind, symbol(kind)?)),
                _ => Value::Nil,
            })
        }),
    ),
    (
        "%STRUCTURE-TYPE",
        F1(|_, a| {
            Ok(match a {
                Value::Structure(it) => Value::Symbol(it.kind),
                _ => Value::Nil,
            })
        }),
    ),
    (
        "%COPY-STRUCTURE",
        F1(|_, a| match a {
            Value::Structure(it) => {
                let slots = it.slots.borrow().clone();
                Ok(Value::Structure(keep(Structure { kind: it.kind, slots: RefCell::new(slots) })))
            }
            other => wrong(other, "a structure"),
        }),
    ),
];

impl Host {
    pub(super) fn truth(&self, value: bool) -> Value {
        if value { self.t } else { Value::Nil }
    }

    fn print(&mut self, text: &str) {
        match &mut self.output {
            Some(output) => output.push_str(text),
            None => print!("{text}"),
        }
    }
}

/// An error about a datum that is not what it should be.
pub(super) fn wrong<T>(value: Value, wanted: &str) -> Result<T, Box<Signal>> {
    fail(format!("{} is not {wanted}", show(value)))
}

fn part(value: Value, of: fn(Value) -> Option<Value>) -> Outcome {
    match of(value) {
        Some(part) => Ok(part),
        None => wrong(value, "a list"),
    }
}

fn replace_part(list: Value, part: Value, first: bool) -> Outcome {
    let Value::Cons(cons) = list else { return wrong(list, "a pair") };
    if first {
        cons.car.set(part)
    } else {
        cons.cdr.set(part)
    }
    Ok(list)
}

/// EQUAL.
pub(super) fn equal(a: Value, b: Value) -> bool {
    let (mut a, mut b) = (a, b);
    loop {
        match (a, b) {
            (Value::Cons(x), Value::Cons(y)) => {
                if std::ptr::eq(x, y) {
                    return true;
                }
                if !equal(x.car.get(), y.car.get()) {
                    return false;
                }
                (a, b) = (x.cdr.get(), y.cdr.get());
            }
            (Value::Text(x), Value::Text(y)) => return *x.borrow() == *y.borrow(),
            _ => return a == b,
        }
    }
}

pub(super) fn integer(value: Value) -> Result<i64, Box<Signal>> {
    match value {
        Value::Integer(n) => Ok(n),
        other => wrong(other, "an integer"),
    }
}

fn symbol(value: Value) -> Result<&'static Symbol, Box<Signal>> {
    match value {
        Value::Symbol(symbol) => Ok(symbol),
        other => wrong(other, "a symbol"),
    }
}

fn symbol_name(value: Value) -> Result<String, Box<Signal>> {
    match value {
        Value::Nil => Ok("NIL".to_string()),
        other => Ok(symbol(other)?.name.clone()),
    }
}

/// A string, or the name of a symbol, or a character.
pub(super) fn string(value: Value) -> Result<String, Box<Signal>> {
    match value {
        Value::Text(text) => Ok(text.borrow().clone()),
        Value::Character(c) => Ok(c.to_string()),
        other => symbol_name(other),
    }
}

fn get(host: &Host, name: Value, indicator: Value) -> Option<Value> {
    let mut list = owner(host, name).ok()?.properties.get();
    while let Value::Cons(cons) = list {
        let rest = cons.cdr.get();
        if cons.car.get() == indicator {
            return rest.car();
        }
        list = rest.cdr()?;
    }
    None
}

/// Whose property list a symbol's is; NIL has one too.
fn owner(host: &Host, name: Value) -> Result<&'static Symbol, Box<Signal>> {
    if name.is_nil() { Ok(host.nil) } else { symbol(name) }
}

fn put(host: &Host, name: Value, indicator: Value, value: Value) -> Outcome {
    let symbol = owner(host, name)?;
    let mut list = symbol.properties.get();
    while let Value::Cons(cons) = list {
        let Value::Cons(rest) = cons.cdr.get() else { break };
        if cons.car.get() == indicator {
            rest.car.set(value);
            return Ok(value);
        }
        list = rest.cdr.get();
    }
    let properties = symbol.properties.get();
    symbol.properties.set(Value::cons(indicator, Value::cons(value, properties)));
    Ok(value)
}

fn macroexpand_1(host: &mut Host, form: Value) -> Outcome {
    let expander = form.car().and_then(Value::symbol).and_then(|head| head.expander.get());
    match expander {
        Some(expander) => {
            let expansion = host.apply(expander, &[form])?;
            Ok(Value::Multiple(keep(vec![expansion, host.t])))
        }
        None => Ok(Value::Multiple(keep(vec![form, Value::Nil]))),
    }
}

/// Whether a structure type is another one or includes it. What is included is on the property list of the type's name:
/// see defstruct in world/macros.lisp.
fn is_kind(kind: &'static Symbol, wanted: &'static Symbol) -> bool {
    let mut kind = Some(kind);
    while let Some(it) = kind {
        if std::ptr::eq(it, wanted) {
            return true;
        }
        let mut list = it.properties.get();
        kind = None;
        while let Value::Cons(cons) = list {
            let rest = cons.cdr.get();
            if cons.car.get().is_named("%INCLUDES") {
                kind = rest.car().and_then(Value::symbol);
            }
            list = rest.cdr().unwrap_or(Value::Nil);
        }
    }
    false
}

fn structure(kind: Value, value: Value) -> Result<&'static Structure, Box<Signal>> {
    match value {
        Value::Structure(it) if is_kind(it.kind, symbol(kind)?) => Ok(it),
        other => wrong(other, &format!("a {}", show(kind))),
    }
}

/// A format control and its arguments, with the directives ~A ~S ~D ~% and ~~.
fn format_control(arguments: &[Value]) -> Result<String, Box<Signal>> {
    let Value::Text(control) = arguments[0] else { return Ok(display(Value::list(arguments))) };
    let control = control.borrow().clone();
    let mut rest = arguments[1..].iter();
    let mut out = String::new();
    let mut characters = control.chars();
    while let Some(c) = characters.next() {
        if c != '~' {
            out.push(c);
            continue;
        }
        match characters.next().map(|c| c.to_ascii_uppercase()) {
            Some('%') => out.push('\n'),
            Some('~') => out.push('~'),
            Some('S') => out.push_str(&show(rest.next().copied().unwrap_or(Value::Nil))),
            Some('A' | 'D') => out.push_str(&display(rest.next().copied().unwrap_or(Value::Nil))),
            _ => return fail(format!("the host's format does not know all of {control:?}")),
        }
    }
    Ok(out)
}
