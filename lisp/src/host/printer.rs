//! Writes data on the host, as the reader reads them.

use super::value::Value;
use crate::reader::character_name;
use std::fmt::Write;

/// Elements or levels after which a printed datum is cut off: it may be circular.
const LONGEST: usize = 200;
const DEEPEST: usize = 12;

/// The datum as the reader reads it; long and deep data are cut off.
pub fn show(value: Value) -> String {
    let mut out = String::new();
    write(&mut out, value, true, 0);
    out
}

/// The datum in a message: a few words of it.
pub fn brief(value: Value) -> String {
    const ENOUGH: usize = 60;
    let text = show(value);
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A message in one line, whatever the names in it are made of.
pub fn one_line(text: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// The datum for people: strings and characters are themselves.
pub fn display(value: Value) -> String {
    let mut out = String::new();
    write(&mut out, value, false, 0);
    out
}

fn write(out: &mut String, value: Value, escape: bool, depth: usize) {
    if depth > DEEPEST {
        out.push_str("...");
        return;
    }
    match value {
        Value::Nil => out.push_str("NIL"),
        Value::Symbol(symbol) => {
            if escape && symbol.keyword {
                out.push(':');
            }
            let plain = !symbol.name.bytes().any(|byte| byte.is_ascii_lowercase() || b" ()|\"'`,;\\".contains(&byte));
            if !escape || plain { out.push_str(&symbol.name) } else { write_to(out, format_args!("|{}|", symbol.name)) }
        }
        Value::Integer(n) => write_to(out, format_args!("{n}")),
        Value::Float(x) => write_to(out, format_args!("{x:?}")),
        Value::Character(c) if !escape => out.push(c),
        Value::Character(c) => {
            out.push_str("#\\");
            match character_name(c) {
                Some(name) => out.push_str(&name[..1]),
                None => out.push(c),
            }
            if let Some(name) = character_name(c) {
                out.push_str(&name[1..].to_ascii_lowercase());
            }
        }
        Value::Text(text) if !escape => out.push_str(&text.borrow()),
        Value::Text(text) => {
            let escaped = text.borrow().replace('\\', "\\\\").replace('"', "\\\"");
            write_to(out, format_args!("\"{escaped}\""));
        }
        Value::Cons(_) => write_list(out, value, escape, depth),
        Value::Vector(vector) => {
            out.push('#');
            write_list(out, Value::list(&vector.borrow()), escape, depth);
        }
        Value::Table(_) => out.push_str("#<hash table>"),
        Value::Structure(it) => {
            write_to(out, format_args!("#S({}", it.kind.name));
            for slot in it.slots.borrow().iter() {
                out.push(' ');
                write(out, *slot, escape, depth + 4);
            }
            out.push(')');
        }
        Value::Function(function) => write_to(out, format_args!("#<function {}>", function.name())),
        Value::Multiple(values) => write_list(out, Value::list(values), escape, depth),
    }
}

fn write_to(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("strings take any text");
}

fn write_list(out: &mut String, list: Value, escape: bool, depth: usize) {
    out.push('(');
    let mut elements = list.elements();
    for (i, element) in elements.by_ref().take(LONGEST).enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write(out, element, escape, depth + 1);
    }
    match elements.rest() {
        Value::Nil => {}
        Value::Cons(_) => out.push_str(" ..."),
        last => {
            out.push_str(" . ");
            write(out, last, escape, depth + 1);
        }
    }
    out.push(')');
}
