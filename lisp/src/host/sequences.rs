//! The host's functions on lists, vectors, strings and hash tables.

use super::Host;
use super::builtins::{equal, integer, string, wrong};
use super::function::Builtin::{self, Any, F1, F2, F3};
use super::function::{Outcome, Signal, fail};
use super::value::{Value, keep};
use std::cell::RefCell;
use std::collections::HashMap;

/// Names and functions.
pub(super) const FUNCTIONS: &[(&str, Builtin)] = &[
    ("LIST", Any(0, |_, a| Ok(Value::list(a)))),
    ("LIST*", Any(1, |_, a| Ok(onto(&a[..a.len() - 1], a[a.len() - 1])))),
    (
        "APPEND",
        Any(0, |_, a| {
            let Some((last, others)) = a.split_last() else { return Ok(Value::Nil) };
            Ok(others.iter().rev().fold(*last, |list, it| onto(&elements(*it), list)))
        }),
    ),
    ("NCONC", Any(0, |_, a| nconc(a))),
    ("REVERSE", F1(|_, a| reverse(a))),
    ("NREVERSE", F1(|_, a| reverse(a))),
    ("LENGTH", F1(|_, a| length(a).map(|n| Value::Integer(n as i64)))),
    ("NTH", F2(|_, n, list| Ok(list.elements().nth(integer(n)? as usize).unwrap_or(Value::Nil)))),
    ("NTHCDR", F2(|_, n, list| Ok(nth_cdr(integer(n)?, list)))),
    ("ELT", F2(|_, a, n| element(a, integer(n)?))),
    ("AREF", F2(|_, a, n| element(a, integer(n)?))),
    ("SVREF", F2(|_, a, n| element(a, integer(n)?))),
    ("CHAR", F2(|_, a, n| element(a, integer(n)?))),
    ("%SET-AREF", F3(|_, a, n, value| set_element(a, integer(n)?, value))),
    ("%SET-SVREF", F3(|_, a, n, value| set_element(a, integer(n)?, value))),
    ("%SET-ELT", F3(|_, a, n, value| set_element(a, integer(n)?, value))),
    ("%SET-CHAR", F3(|_, a, n, value| set_element(a, integer(n)?, value))),
    ("%SET-NTH", F3(|_, n, a, value| set_element(a, integer(n)?, value))),
    (
        "LAST",
        F1(|_, a| {
            let mut list = a;
            while let Value::Cons(cons) = list {
                let Value::Cons(_) = cons.cdr.get() else { break };
                list = cons.cdr.get();
            }
            Ok(list)
        }),
    ),
    (
        "BUTLAST",
        F1(|_, a| {
            let mut all = elements(a);
            all.pop();
            Ok(Value::list(&all))
        }),
    ),
    (
        "COPY-LIST",
        F1(|_, a| {
            let mut it = a.elements();
            let all: Vec<Value> = it.by_ref().collect();
            Ok(onto(&all, it.rest()))
        }),
    ),
    ("MEMBER", Any(2, |host, a| find_tail(host, a, |_, it| Ok(it)))),
    ("MEMQ", F2(|host, a, b| find_tail(host, &[a, b], |_, it| Ok(it)))),
    (
        "ASSOC",
        Any(2, |host, a| {
            let tail = find_tail(host, a, |_, it| Ok(it.car().unwrap_or(Value::Nil)))?;
            Ok(tail.car().unwrap_or(Value::Nil))
        }),
    ),
    (
        "ASSQ",
        F2(|host, a, b| {
            let tail = find_tail(host, &[a, b], |_, it| Ok(it.car().unwrap_or(Value::Nil)))?;
            Ok(tail.car().unwrap_or(Value::Nil))
        }),
    ),
    (
        "FIND",
        Any(2, |host, a| {
            let tail = find_tail(host, a, |_, it| Ok(it))?;
            Ok(tail.car().unwrap_or(Value::Nil))
        }),
    ),
    (
        "POSITION",
        Any(2, |host, a| {
            for (i, element) in items(a[1])?.into_iter().enumerate() {
                if matches(host, a, element)? {
                    return Ok(Value::Integer(i as i64));
                }
            }
            Ok(Value::Nil)
        }),
    ),
    (
        "REMOVE",
        Any(2, |host, a| {
            let mut kept = Vec::new();
            for element in elements(a[1]) {
                if !matches(host, a, element)? {
                    kept.push(element);
                }
            }
            Ok(Value::list(&kept))
        }),
    ),
    ("REMOVE-IF", F2(|host, f, a| filter(host, f, a, false))),
    ("REMOVE-IF-NOT", F2(|host, f, a| filter(host, f, a, true))),
    (
        "FIND-IF",
        F2(|host, f, a| {
            for element in items(a)? {
                if host.apply(f, &[element])?.is_true() {
                    return Ok(element);
                }
            }
            Ok(Value::Nil)
        }),
    ),
    (
        "SOME",
        F2(|host, f, a| {
            for element in items(a)? {
                let value = host.apply(f, &[element])?;
                if value.is_true() {
                    return Ok(value);
                }
            }
            Ok(Value::Nil)
        }),
    ),
    (
        "EVERY",
        F2(|host, f, a| {
            for element in items(a)? {
                if host.apply(f, &[element])?.is_nil() {
                    return Ok(Value::Nil);
                }
            }
            Ok(host.truth(true))
        }),
    ),
    (
        "ADJOIN",
        F2(|host, a, b| Ok(if find_tail(host, &[a, b], |_, it| Ok(it))?.is_nil() { Value::cons(a, b) } else { b })),
    ),
    (
        "UNION",
        F2(|_, a, b| {
            let old = elements(b);
            let new: Vec<Value> = elements(a).into_iter().filter(|it| !old.contains(it)).collect();
            Ok(onto(&new, b))
        }),
    ),
    ("MAPCAR", Any(2, |host, a| Ok(Value::list(&map(host, a)?)))),
    ("MAPC", Any(2, |host, a| map(host, a).map(|_| a[1]))),
    (
        "MAPCAN",
        Any(2, |host, a| {
            let lists = map(host, a)?;
            nconc(&lists)
        }),
    ),
    (
        "REDUCE",
        Any(2, |host, a| {
            let mut all = items(a[1])?.into_iter();
            let start = keyword(a, 2, "INITIAL-VALUE").or_else(|| all.next());
            let Some(mut value) = start else { return host.apply(a[0], &[]) };
            for element in all {
                value = host.apply(a[0], &[value, element])?;
            }
            Ok(value)
        }),
    ),
    ("SORT", Any(2, sort)),
    ("VECTOR", Any(0, |_, a| Ok(Value::vector(a.to_vec())))),
    (
        "MAKE-ARRAY",
        Any(1, |_, a| {
            let count = integer(a[0])? as usize;
            Ok(match keyword(a, 1, "INITIAL-CONTENTS") {
                Some(contents) => Value::vector(items(contents)?),
                None => Value::vector(vec![keyword(a, 1, "INITIAL-ELEMENT").unwrap_or(Value::Nil); count]),
            })
        }),
    ),
    (
        "MAKE-STRING",
        Any(1, |_, a| {
            let fill = match keyword(a, 1, "INITIAL-ELEMENT") {
                Some(Value::Character(c)) => c,
                _ => ' ',
            };
            Ok(Value::text(fill.to_string().repeat(integer(a[0])? as usize)))
        }),
    ),
    (
        "COERCE",
        F2(|_, a, kind| {
            let all = items(a)?;
            if kind.is_named("LIST") {
                Ok(Value::list(&all))
            } else if kind.is_named("STRING") {
                text_of(&all)
            } else {
                Ok(Value::vector(all))
            }
        }),
    ),
    (
        "CONCATENATE",
        Any(1, |_, a| {
            let mut all = Vec::new();
            for part in &a[1..] {
                all.extend(items(*part)?);
            }
            if a[0].is_named("STRING") {
                text_of(&all)
            } else if a[0].is_named("LIST") {
                Ok(Value::list(&all))
            } else {
                Ok(Value::vector(all))
            }
        }),
    ),
    (
        "SUBSEQ",
        Any(2, |_, a| {
            let all = items(a[0])?;
            let start = integer(a[1])? as usize;
            let end = match a.get(2) {
                Some(Value::Integer(n)) => *n as usize,
                _ => all.len(),
            };
            let Some(part) = all.get(start..end) else { return fail("subseq beyond the sequence's end") };
            match a[0] {
                Value::Text(_) => text_of(part),
                Value::Vector(_) => Ok(Value::vector(part.to_vec())),
                _ => Ok(Value::list(part)),
            }
        }),
    ),
    ("STRING", F1(|_, a| string(a).map(Value::text))),
    ("STRING=", F2(|host, a, b| Ok(host.truth(string(a)? == string(b)?)))),
    ("CHAR=", F2(|host, a, b| Ok(host.truth(a == b)))),
    ("STRING-UPCASE", F1(|_, a| Ok(Value::text(string(a)?.to_uppercase())))),
    ("STRING-DOWNCASE", F1(|_, a| Ok(Value::text(string(a)?.to_lowercase())))),
    ("MAKE-HASH-TABLE", Any(0, |_, _| Ok(Value::Table(keep(RefCell::new(HashMap::new())))))),
    (
        "GETHASH",
        Any(2, |host, a| {
            let Value::Table(table) = a[1] else { return wrong(a[1], "a hash table") };
            let found = table.borrow().get(&a[0]).copied();
            let default = a.get(2).copied().unwrap_or(Value::Nil);
            Ok(Value::Multiple(keep(vec![found.unwrap_or(default), host.truth(found.is_some())])))
        }),
    ),
    (
        "%SET-GETHASH",
        F3(|_, key, table, value| {
            let Value::Table(table) = table else { return wrong(table, "a hash table") };
            table.borrow_mut().insert(key, value);
            Ok(value)
        }),
    ),
    (
        "REMHASH",
        F2(|host, key, table| {
            let Value::Table(table) = table else { return wrong(table, "a hash table") };
            Ok(host.truth(table.borrow_mut().remove(&key).is_some()))
        }),
    ),
    (
        "HASH-TABLE-COUNT",
        F1(|_, a| match a {
            Value::Table(table) => Ok(Value::Integer(table.borrow().len() as i64)),
            other => wrong(other, "a hash table"),
        }),
    ),
];

/// A keyword argument, from argument number `from` on.
fn keyword(arguments: &[Value], from: usize, name: &str) -> Option<Value> {
    arguments.get(from..)?.chunks(2).find(|pair| pair[0].is_keyword(name)).and_then(|pair| pair.get(1)).copied()
}

fn elements(list: Value) -> Vec<Value> {
    list.elements().collect()
}

/// These elements, and then a list.
fn onto(elements: &[Value], list: Value) -> Value {
    elements.iter().rev().fold(list, |list, element| Value::cons(*element, list))
}

/// The elements of any sequence.
fn items(sequence: Value) -> Result<Vec<Value>, Box<Signal>> {
    Ok(match sequence {
        Value::Nil => Vec::new(),
        Value::Cons(_) => elements(sequence),
        Value::Vector(vector) => vector.borrow().clone(),
        Value::Text(text) => text.borrow().chars().map(Value::Character).collect(),
        other => return wrong(other, "a sequence"),
    })
}

fn text_of(characters: &[Value]) -> Outcome {
    let mut text = String::new();
    for character in characters {
        let Value::Character(c) = character else { return wrong(*character, "a character") };
        text.push(*c);
    }
    Ok(Value::text(text))
}

fn length(sequence: Value) -> Result<usize, Box<Signal>> {
    match sequence {
        Value::Vector(vector) => Ok(vector.borrow().len()),
        Value::Text(text) => Ok(text.borrow().chars().count()),
        Value::Nil | Value::Cons(_) => Ok(sequence.elements().count()),
        other => wrong(other, "a sequence"),
    }
}

fn reverse(sequence: Value) -> Outcome {
    match sequence {
        Value::Vector(vector) => Ok(Value::vector(vector.borrow().iter().rev().copied().collect())),
        Value::Text(text) => Ok(Value::text(text.borrow().chars().rev().collect::<String>())),
        list => Ok(list.elements().fold(Value::Nil, |list, element| Value::cons(element, list))),
    }
}

fn nth_cdr(count: i64, list: Value) -> Value {
    let mut elements = list.elements();
    for _ in 0..count {
        elements.next();
    }
    elements.rest()
}

fn nconc(lists: &[Value]) -> Outcome {
    let mut result = Value::Nil;
    for list in lists.iter().rev() {
        let mut last = *list;
        if last.is_nil() {
            continue;
        }
        while let Value::Cons(cons) = last {
            match cons.cdr.get() {
                next @ Value::Cons(_) => last = next,
                _ => {
                    cons.cdr.set(result);
                    break;
                }
            }
        }
        result = *list;
    }
    Ok(result)
}

fn element(sequence: Value, number: i64) -> Outcome {
    let at = number as usize;
    let found = match sequence {
        Value::Vector(vector) => vector.borrow().get(at).copied(),
        Value::Text(text) => text.borrow().chars().nth(at).map(Value::Character),
        list => list.elements().nth(at),
    };
    found.map_or_else(|| fail(format!("there is no element {number}")), Ok)
}

fn set_element(sequence: Value, number: i64, value: Value) -> Outcome {
    let at = number as usize;
    match (sequence, value) {
        (Value::Vector(vector), _) => match vector.borrow_mut().get_mut(at) {
            Some(element) => *element = value,
            None => return fail(format!("there is no element {number}")),
        },
        (Value::Text(text), Value::Character(c)) => {
            let mut characters: Vec<char> = text.borrow().chars().collect();
            match characters.get_mut(at) {
                Some(element) => *element = c,
                None => return fail(format!("there is no element {number}")),
            }
            *text.borrow_mut() = characters.into_iter().collect();
        }
        _ => match nth_cdr(number, sequence) {
            Value::Cons(cons) => cons.car.set(value),
            _ => return fail(format!("there is no element {number}")),
        },
    }
    Ok(value)
}

/// Whether an element is the one that the arguments `(item sequence :test f :key f)` look for.
fn matches(host: &mut Host, arguments: &[Value], element: Value) -> Result<bool, Box<Signal>> {
    if arguments.len() == 2 {
        return Ok(arguments[0] == element);
    }
    let element = match keyword(arguments, 2, "KEY") {
        Some(key) => host.apply(key, &[element])?,
        None => element,
    };
    match keyword(arguments, 2, "TEST") {
        None => Ok(arguments[0] == element),
        Some(Value::Function(function)) if function.name() == "EQUAL" => Ok(equal(arguments[0], element)),
        Some(test) => Ok(host.apply(test, &[arguments[0], element])?.is_true()),
    }
}

/// The rest of a list from the element that is looked for.
fn find_tail(host: &mut Host, arguments: &[Value], part: fn(&mut Host, Value) -> Outcome) -> Outcome {
    let mut list = arguments[1];
    if !matches!(list, Value::Cons(_) | Value::Nil) {
        list = Value::list(&items(list)?);
    }
    while let Value::Cons(cons) = list {
        let element = part(host, cons.car.get())?;
        if matches(host, arguments, element)? {
            return Ok(list);
        }
        list = cons.cdr.get();
    }
    Ok(Value::Nil)
}

fn filter(host: &mut Host, function: Value, list: Value, keep: bool) -> Outcome {
    let mut kept = Vec::new();
    for element in elements(list) {
        if host.apply(function, &[element])?.is_true() == keep {
            kept.push(element);
        }
    }
    Ok(Value::list(&kept))
}

/// Calls the first argument on the first elements of the other ones, the second ones, and so on.
fn map(host: &mut Host, arguments: &[Value]) -> Result<Vec<Value>, Box<Signal>> {
    let mut results = Vec::new();
    if let [function, list] = arguments {
        for element in list.elements() {
            results.push(host.apply(*function, &[element])?);
        }
        return Ok(results);
    }
    let mut lists: Vec<_> = arguments[1..].iter().map(|list| list.elements()).collect();
    while let Some(row) = lists.iter_mut().map(Iterator::next).collect::<Option<Vec<Value>>>() {
        results.push(host.apply(arguments[0], &row)?);
    }
    Ok(results)
}

fn sort(host: &mut Host, arguments: &[Value]) -> Outcome {
    let key = keyword(arguments, 2, "KEY");
    let mut sorted: Vec<(Value, Value)> = Vec::new();
    // Insertion, for the order is the program's and may fail at any time.
    for element in items(arguments[0])? {
        let its = match key {
            Some(key) => host.apply(key, &[element])?,
            None => element,
        };
        let mut at = sorted.len();
        while at > 0 && host.apply(arguments[1], &[its, sorted[at - 1].0])?.is_true() {
            at -= 1;
        }
        sorted.insert(at, (its, element));
    }
    let sorted: Vec<Value> = sorted.into_iter().map(|(_, element)| element).collect();
    Ok(if matches!(arguments[0], Value::Vector(_)) { Value::vector(sorted) } else { Value::list(&sorted) })
}
