//! Shapes of special forms and lambda lists, looked at before the compiler takes one apart.
//!
//! The compiler in Lisp takes what it wants from a form and does not look at the rest: `(if)` would be a valid way to write
//! NIL. Whoever writes a world wants to hear of it, with the line.

use crate::host::printer::brief;
use crate::host::value::Value;

/// Parts that a special form has at least and at most, its name not counted.
const PARTS: &[(&str, usize, usize)] = &[
    ("QUOTE", 1, 1),
    ("FUNCTION", 1, 1),
    ("THE", 2, 2),
    ("IF", 2, 3),
    ("BLOCK", 1, usize::MAX),
    ("RETURN-FROM", 1, 2),
    ("GO", 1, 1),
    ("CATCH", 1, usize::MAX),
    ("THROW", 2, 2),
    ("UNWIND-PROTECT", 1, usize::MAX),
    ("LET", 1, usize::MAX),
    ("LET*", 1, usize::MAX),
    ("FLET", 1, usize::MAX),
    ("LABELS", 1, usize::MAX),
    ("MACROLET", 1, usize::MAX),
    ("LAMBDA", 1, usize::MAX),
    ("EVAL-WHEN", 1, usize::MAX),
    ("MULTIPLE-VALUE-CALL", 1, usize::MAX),
    ("MULTIPLE-VALUE-PROG1", 1, usize::MAX),
    ("UNQUOTE", usize::MAX, usize::MAX),
    ("SPLICE", usize::MAX, usize::MAX),
];

type Checked = Result<(), String>;

/// Says what is wrong with the shape of a form, whose operator may be anything.
pub(super) fn check_form(form: Value) -> Checked {
    let (Some(head), Some(rest)) = (form.car().and_then(Value::symbol), form.cdr()) else { return Ok(()) };
    if head.keyword {
        return Ok(());
    }
    let count = rest.elements().count();
    proper(rest, "a form")?;
    if let Some((name, least, most)) = PARTS.iter().find(|(name, ..)| *name == head.name) {
        match count {
            _ if *least == usize::MAX => return Err("a comma is not within a backquote".to_string()),
            count if count < *least => return Err(format!("{name} has too few parts")),
            count if count > *most => return Err(format!("{name} has too many parts")),
            _ => {}
        }
    }
    let first = rest.car().unwrap_or(Value::Nil);
    let body = rest.cdr().unwrap_or(Value::Nil);
    match head.name.as_str() {
        "SETQ" if !count.is_multiple_of(2) => Err("SETQ has a variable without a value".to_string()),
        "BLOCK" if first.symbol().is_none() && !first.is_nil() => Err(format!("{} names no block", brief(first))),
        "LET" | "LET*" => {
            proper(first, "the list of variables")?;
            first.elements().try_for_each(check_binding)?;
            check_declarations(body)
        }
        "FLET" | "LABELS" | "MACROLET" => {
            proper(first, "the list of local functions")?;
            first.elements().try_for_each(check_local_function)
        }
        "DEFUN" | "DEFMACRO" => check_definition(&head.name, first, body),
        "LOCALLY" => check_declarations(rest),
        _ => Ok(()),
    }
}

/// Says what is wrong with a lambda list and the declarations behind it. The patterns of macros are no longer there.
pub(super) fn check_lambda(parameters: Value, body: Value) -> Checked {
    const SECTIONS: &[&str] = &["&OPTIONAL", "&REST", "&BODY", "&KEY", "&ALLOW-OTHER-KEYS", "&AUX"];
    let mut reached = 0;
    let mut rest_wanted = false;
    let mut names: Vec<Value> = Vec::new();
    let mut elements = parameters.elements();
    for parameter in elements.by_ref() {
        if let Some(section) = parameter.symbol().filter(|symbol| symbol.name.starts_with('&')) {
            let Some(at) = SECTIONS.iter().position(|it| *it == section.name) else {
                return Err(format!("{} in a lambda list", section.name));
            };
            if rest_wanted || at < reached {
                return Err(format!("{} is at the wrong place of a lambda list", section.name));
            }
            reached = at + 1;
            rest_wanted = matches!(section.name.as_str(), "&REST" | "&BODY");
            continue;
        }
        rest_wanted = false;
        let name = match parameter {
            Value::Cons(_) if reached == 0 => return Err(format!("{} is no parameter", brief(parameter))),
            Value::Cons(_) => {
                proper(parameter, "a parameter")?;
                let first = parameter.car().unwrap_or(Value::Nil);
                // A keyword parameter may have its keyword with it: ((:key name) default).
                if first.car().is_some() { first.cdr().and_then(Value::car).unwrap_or(Value::Nil) } else { first }
            }
            name => name,
        };
        if name.symbol().is_none() {
            return Err(format!("{} cannot be a variable", brief(name)));
        }
        if names.contains(&name) {
            return Err(format!("two parameters are called {}", brief(name)));
        }
        names.push(name);
    }
    match elements.rest() {
        _ if rest_wanted => Err("nothing behind &REST".to_string()),
        Value::Nil | Value::Symbol(_) => check_declarations(body),
        other => Err(format!("a lambda list ends with {}", brief(other))),
    }
}

/// Arguments that a function with this lambda list has to get, and takes.
pub(super) fn arguments(parameters: Value) -> (u32, Option<u32>) {
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

fn proper(list: Value, what: &str) -> Checked {
    if let Value::Nil | Value::Cons(_) = list {
        let mut elements = list.elements();
        elements.by_ref().for_each(drop);
        if elements.rest().is_nil() {
            Ok(())
        } else {
            Err(format!("{what} ends with a dot and {}", brief(elements.rest())))
        }
    } else {
        Err(format!("{what} is {}, which is no list", brief(list)))
    }
}

fn check_definition(operator: &str, name: Value, rest: Value) -> Checked {
    if name.is_nil() {
        return Err(format!("{operator} has no name"));
    }
    let setter = || name.car().is_some_and(|it| it.is_named("SETF")) && name.cdr().and_then(Value::car).is_some();
    if name.symbol().is_none() && !(operator == "DEFUN" && setter()) {
        return Err(format!("{operator} of {}, which is no name", brief(name)));
    }
    match rest {
        Value::Cons(list) if matches!(list.car.get(), Value::Nil | Value::Cons(_)) => Ok(()),
        // A macro's may be a name alone, for all of the form's parts.
        Value::Cons(list) if operator == "DEFMACRO" && list.car.get().symbol().is_some() => Ok(()),
        Value::Cons(list) => {
            Err(format!("{operator} of {} with {} as lambda list", brief(name), brief(list.car.get())))
        }
        _ => Err(format!("{operator} of {} without a lambda list", brief(name))),
    }
}

fn check_binding(binding: Value) -> Checked {
    match binding {
        Value::Symbol(_) => Ok(()),
        Value::Cons(_) if binding.elements().count() <= 2 => proper(binding, "a variable"),
        other => Err(format!("{} is no variable with a value", brief(other))),
    }
}

fn check_local_function(definition: Value) -> Checked {
    let name = definition.car().unwrap_or(Value::Nil);
    if name.symbol().is_none() || !matches!(definition.cdr(), Some(Value::Cons(_))) {
        return Err(format!("{} is no local function: (NAME (PARAMETER ...) FORM ...)", brief(definition)));
    }
    proper(definition, "a local function")
}

/// The declarations at the beginning of a body. What they declare is free, as long as it looks like a declaration.
fn check_declarations(body: Value) -> Checked {
    for form in body.elements() {
        match form {
            Value::Text(_) => continue,
            _ if form.car().is_some_and(|head| head.is_named("DECLARE")) => {}
            _ => break,
        }
        proper(form, "DECLARE")?;
        for declaration in form.cdr().unwrap_or(Value::Nil).elements() {
            let head = declaration.car().unwrap_or(Value::Nil);
            if head.symbol().is_none() {
                return Err(format!("{} is no declaration", brief(declaration)));
            }
            proper(declaration, "a declaration")?;
            let mut names = declaration.cdr().unwrap_or(Value::Nil).elements();
            if head.is_named("SPECIAL")
                && let Some(wrong) = names.find(|name| name.symbol().is_none())
            {
                return Err(format!("{} cannot be a variable", brief(wrong)));
            }
        }
    }
    Ok(())
}
