//! Runs analysed code.

use super::Host;
use super::function::{Builtin, Function, Node, Optional, Outcome, Signal, Source, Target, Template, Variable, fail};
use super::printer::show;
use super::value::{Position, Symbol, Value, keep};

/// Activations within each other after which a program is taken to be in an endless recursion.
const DEEPEST: usize = 200_000;
/// Calls that an error's trace remembers.
const TRACE: usize = 12;

/// The first of several values.
#[inline(always)]
fn single(value: Value) -> Value {
    match value {
        Value::Multiple(values) => values.first().copied().unwrap_or(Value::Nil),
        value => value,
    }
}

/// Notes the call that failed.
fn traced(outcome: Outcome, position: Position) -> Outcome {
    outcome.map_err(|mut signal| {
        if let Signal::Error { trace, .. } = &mut *signal
            && trace.len() < TRACE
            && position.line() != 0
        {
            trace.push(position);
        }
        signal
    })
}

fn wrong_count(name: &str, count: usize, too: &str) -> String {
    let plural = if count == 1 { " is" } else { "s are" };
    // What macros do with their form has no name of its own.
    let whom = if name == "lambda" { String::new() } else { format!(" for {name}") };
    format!("{count} argument{plural} too {too}{whom}")
}

impl Host {
    fn one(&mut self, node: &'static Node) -> Outcome {
        self.run(node).map(single)
    }

    fn slot(&mut self, slot: usize) -> &mut Value {
        let at = self.base + slot;
        &mut self.stack[at]
    }

    /// Gives a variable its first value.
    fn initialise(&mut self, variable: &'static Variable, value: Value) {
        let value = if variable.boxed() { Value::cons(value, Value::Nil) } else { value };
        *self.slot(variable.slot) = value;
    }

    pub(super) fn run(&mut self, node: &'static Node) -> Outcome {
        match node {
            Node::Constant(value) => Ok(*value),
            Node::Local(variable) => {
                let value = self.stack[self.base + variable.slot];
                Ok(if variable.boxed() { value.car().unwrap_or(Value::Nil) } else { value })
            }
            Node::Captured(index, variable) => {
                let value = self.captured(*index);
                Ok(if variable.boxed() { value.car().unwrap_or(Value::Nil) } else { value })
            }
            Node::Global(symbol) => match symbol.value.get() {
                Some(value) => Ok(value),
                None => fail(format!("the variable {} has no value", symbol.name)),
            },
            Node::SetLocal(variable, value) => {
                let value = self.one(value)?;
                match (variable.boxed(), *self.slot(variable.slot)) {
                    (true, Value::Cons(cons)) => cons.car.set(value),
                    _ => *self.slot(variable.slot) = value,
                }
                Ok(value)
            }
            Node::SetCaptured(index, value) => {
                let value = self.one(value)?;
                if let Value::Cons(cons) = self.captured(*index) {
                    cons.car.set(value);
                }
                Ok(value)
            }
            Node::SetGlobal(symbol, value) => {
                let value = self.one(value)?;
                symbol.value.set(Some(value));
                Ok(value)
            }
            Node::If(parts) => {
                if self.one(&parts.0)?.is_true() {
                    self.run(&parts.1)
                } else {
                    self.run(&parts.2)
                }
            }
            Node::And(nodes) => {
                let Some((last, others)) = nodes.split_last() else { return Ok(self.t) };
                for node in others {
                    if self.one(node)?.is_nil() {
                        return Ok(Value::Nil);
                    }
                }
                self.run(last)
            }
            Node::Or(nodes) => {
                let Some((last, others)) = nodes.split_last() else { return Ok(Value::Nil) };
                for node in others {
                    let value = self.one(node)?;
                    if value.is_true() {
                        return Ok(value);
                    }
                }
                self.run(last)
            }
            Node::Sequence(nodes) => {
                let Some((last, others)) = nodes.split_last() else { return Ok(Value::Nil) };
                for node in others {
                    self.run(node)?;
                }
                self.run(last)
            }
            Node::Let(bindings, body) => {
                for (variable, init) in bindings {
                    let value = self.one(init)?;
                    self.initialise(variable, value);
                }
                self.run(body)
            }
            Node::Slot(slot, value) => {
                let value = self.one(value)?;
                *self.slot(*slot) = value;
                Ok(value)
            }
            Node::Bind(symbol, slot, body) => {
                let old = symbol.value.replace(Some(*self.slot(*slot)));
                let outcome = self.run(body);
                symbol.value.set(old);
                outcome
            }
            Node::Call(symbol, arguments, position) => self.call_symbol(symbol, arguments, *position),
            Node::Funcall(function, arguments, position) => {
                let function = self.one(function)?;
                let start = self.push_arguments(arguments)?;
                let outcome = match self.function_for(function) {
                    Ok(function) => self.enter(function, start),
                    Err(signal) => Err(signal),
                };
                self.stack.truncate(start);
                if outcome.is_err() { traced(outcome, *position) } else { outcome }
            }
            Node::FunctionOf(symbol) => self.function_of(symbol).map(Value::Function),
            Node::Closure(template) => Ok(self.make_closure(template)),
            _ => self.control(node),
        }
    }

    fn captured(&self, index: usize) -> Value {
        match self.running {
            Some(Function::Closure(_, captured)) => captured[index],
            _ => Value::Nil,
        }
    }

    pub(super) fn make_closure(&mut self, template: &'static Template) -> Value {
        let captured = template
            .captures
            .iter()
            .map(|source| match source {
                Source::Slot(slot) => self.stack[self.base + slot],
                Source::Captured(index) => self.captured(*index),
            })
            .collect();
        Value::Function(keep(Function::Closure(template, captured)))
    }

    /// Pushes values of arguments; where the first one is.
    fn push_arguments(&mut self, arguments: &'static [Node]) -> Result<usize, Box<Signal>> {
        let start = self.stack.len();
        for argument in arguments {
            match self.one(argument) {
                Ok(value) => self.stack.push(value),
                Err(signal) => {
                    self.stack.truncate(start);
                    return Err(signal);
                }
            }
        }
        Ok(start)
    }

    fn call_symbol(&mut self, symbol: &'static Symbol, arguments: &'static [Node], position: Position) -> Outcome {
        let function = match symbol.function.get() {
            Some(function) => function,
            None => match self.function_of(symbol) {
                Ok(function) => function,
                Err(signal) => return traced(Err(signal), position),
            },
        };
        // The commonest builtins need no arguments on the stack.
        let outcome = match (function, arguments) {
            (Function::Builtin(_, Builtin::F1(run)), [a]) => {
                let a = self.one(a)?;
                run(self, a)
            }
            (Function::Builtin(_, Builtin::F2(run)), [a, b]) => {
                let a = self.one(a)?;
                let b = self.one(b)?;
                run(self, a, b)
            }
            _ => {
                let start = self.push_arguments(arguments)?;
                let outcome = self.enter(function, start);
                self.stack.truncate(start);
                outcome
            }
        };
        if outcome.is_err() { traced(outcome, position) } else { outcome }
    }

    /// The function of a symbol, which may have been put off until now.
    fn function_of(&mut self, symbol: &'static Symbol) -> Result<&'static Function, Box<Signal>> {
        if let Some(function) = symbol.function.get() {
            return Ok(function);
        }
        let Some(form) = symbol.definition.take() else {
            return fail(format!("there is no function {}", symbol.name));
        };
        self.evaluate(form)?;
        match symbol.function.get() {
            Some(function) => Ok(function),
            None => fail(format!("there is no function {}", symbol.name)),
        }
    }

    /// The function that a datum stands for.
    pub(super) fn function_for(&mut self, value: Value) -> Result<&'static Function, Box<Signal>> {
        match value {
            Value::Function(function) => Ok(function),
            Value::Symbol(symbol) => self.function_of(symbol),
            other => fail(format!("{} is no function", show(other))),
        }
    }

    /// Calls a function with the arguments on the stack from `start`; the caller removes them.
    fn enter(&mut self, function: &'static Function, start: usize) -> Outcome {
        let count = self.stack.len() - start;
        match function {
            Function::Builtin(name, builtin) => {
                let argument = |number: usize| self.stack[start + number];
                match builtin {
                    Builtin::F0(run) if count == 0 => run(self),
                    Builtin::F1(run) if count == 1 => {
                        let a = argument(0);
                        run(self, a)
                    }
                    Builtin::F2(run) if count == 2 => {
                        let (a, b) = (argument(0), argument(1));
                        run(self, a, b)
                    }
                    Builtin::F3(run) if count == 3 => {
                        let (a, b, c) = (argument(0), argument(1), argument(2));
                        run(self, a, b, c)
                    }
                    Builtin::Any(least, run) if count >= *least => {
                        let arguments = self.stack[start..].to_vec();
                        run(self, &arguments)
                    }
                    _ => fail(format!("{name} called with {count} arguments")),
                }
            }
            Function::Advised(function, advice) => {
                let arguments = self.stack[start..].to_vec();
                (advice.0)(self, function, &arguments)
            }
            Function::Closure(template, _) => {
                if self.depth > DEEPEST {
                    return fail("functions call each other without end");
                }
                let (base, running) = (self.base, self.running);
                self.base = start;
                self.running = Some(function);
                self.depth += 1;
                let outcome = self.activate(template, count);
                self.depth -= 1;
                self.base = base;
                self.running = running;
                outcome
            }
        }
    }

    /// Fits the arguments and runs the body.
    fn activate(&mut self, template: &'static Template, count: usize) -> Outcome {
        let least = template.required.len();
        if count < least {
            return fail(wrong_count(&template.name, count, "few"));
        }
        if template.simple {
            if count > least {
                return fail(wrong_count(&template.name, count, "many"));
            }
            self.stack.resize(self.base + template.slots, Value::Nil);
            return self.run(&template.body);
        }
        let arguments = self.stack.split_off(self.base);
        self.stack.resize(self.base + template.slots, Value::Nil);
        for (target, value) in template.required.iter().zip(&arguments) {
            self.set_target(*target, *value);
        }
        let mut rest = &arguments[least..];
        for it in &template.optional {
            let given = rest.split_first();
            if let Some((_, others)) = given {
                rest = others;
            }
            self.set_optional(it, given.map(|(value, _)| *value))?;
        }
        if let Some(target) = template.rest {
            self.set_target(target, Value::list(rest));
        }
        match &template.keys {
            Some(keys) => {
                for it in keys {
                    let given = rest.chunks(2).find(|pair| pair[0] == it.keyword).and_then(|pair| pair.get(1));
                    self.set_optional(it, given.copied())?;
                }
            }
            None if template.rest.is_none() && !rest.is_empty() => {
                let count = arguments.len();
                return fail(wrong_count(&template.name, count, "many"));
            }
            None => {}
        }
        self.run(&template.body)
    }

    fn set_target(&mut self, target: Target, value: Value) {
        match target {
            Target::Lexical(variable) => self.initialise(variable, value),
            Target::Dynamic(slot, _) => *self.slot(slot) = value,
        }
    }

    fn set_optional(&mut self, it: &'static Optional, given: Option<Value>) -> Result<(), Box<Signal>> {
        let value = match given {
            Some(value) => value,
            None => self.one(&it.default)?,
        };
        self.set_target(it.target, value);
        if let Some(target) = it.supplied {
            let supplied = if given.is_some() { self.t } else { Value::Nil };
            self.set_target(target, supplied);
        }
        Ok(())
    }

    /// Calls a function.
    pub fn apply(&mut self, function: Value, arguments: &[Value]) -> Outcome {
        let function = self.function_for(function)?;
        let start = self.stack.len();
        self.stack.extend_from_slice(arguments);
        let outcome = self.enter(function, start);
        self.stack.truncate(start);
        outcome.map(|value| if arguments.is_empty() { value } else { single(value) })
    }

    /// As [`Self::apply`], but may yield several values.
    pub(super) fn apply_values(&mut self, function: Value, arguments: &[Value]) -> Outcome {
        let function = self.function_for(function)?;
        let start = self.stack.len();
        self.stack.extend_from_slice(arguments);
        let outcome = self.enter(function, start);
        self.stack.truncate(start);
        outcome
    }

    /// Forms that are left or entered otherwise than from start to end.
    fn control(&mut self, node: &'static Node) -> Outcome {
        match node {
            Node::Block(variable, body) => {
                let tag = self.new_tag(variable);
                let height = self.stack.len();
                match self.run(body) {
                    Err(signal) => match *signal {
                        Signal::Exit { tag: its, value } if its == tag => {
                            self.stack.truncate(height);
                            Ok(value)
                        }
                        _ => Err(signal),
                    },
                    outcome => outcome,
                }
            }
            Node::Tagbody(variable, statements) => {
                let tag = self.new_tag(variable);
                let height = self.stack.len();
                let mut next = 0;
                while let Some(statement) = statements.get(next) {
                    next += 1;
                    if let Err(signal) = self.run(statement) {
                        match *signal {
                            Signal::Exit { tag: its, value: Value::Integer(index) } if its == tag => {
                                self.stack.truncate(height);
                                next = index as usize;
                            }
                            _ => return Err(signal),
                        }
                    }
                }
                Ok(Value::Nil)
            }
            Node::Exit(parts) => {
                let Value::Integer(tag) = self.one(&parts.0)? else {
                    return fail("an exit to something that is no block");
                };
                let value = self.run(&parts.1)?;
                Err(Box::new(Signal::Exit { tag, value }))
            }
            Node::Catch(parts) => {
                let tag = self.one(&parts.0)?;
                let height = self.stack.len();
                match self.run(&parts.1) {
                    Err(signal) => match *signal {
                        Signal::Throw { tag: its, value } if its == tag => {
                            self.stack.truncate(height);
                            Ok(value)
                        }
                        _ => Err(signal),
                    },
                    outcome => outcome,
                }
            }
            Node::Throw(parts) => {
                let tag = self.one(&parts.0)?;
                let value = self.run(&parts.1)?;
                Err(Box::new(Signal::Throw { tag, value }))
            }
            Node::Protect(parts) => {
                let height = self.stack.len();
                let outcome = self.run(&parts.0);
                self.stack.truncate(height);
                self.run(&parts.1)?;
                outcome
            }
            Node::ValuesList(nodes) => {
                let mut values = Vec::new();
                for node in nodes {
                    match self.run(node)? {
                        Value::Multiple(several) => values.extend_from_slice(several),
                        value => values.push(value),
                    }
                }
                Ok(Value::list(&values))
            }
            Node::Prog1(parts) => {
                let value = self.run(&parts.0)?;
                self.run(&parts.1)?;
                Ok(value)
            }
            Node::Fault(message, position) => traced(fail(message.clone()), *position),
            _ => unreachable!("run does the others"),
        }
    }

    /// A tag for a new activation of a block, in its variable.
    fn new_tag(&mut self, variable: &'static Variable) -> i64 {
        self.next_tag += 1;
        let tag = self.next_tag;
        self.initialise(variable, Value::Integer(tag));
        tag
    }
}
