//! Analyses forms into [`Node`]s: expands macros, finds out what each variable is, and which ones need boxes.

mod lambda;

use super::Host;
use super::function::{Node, Signal, Source, Target, Template, Variable};
use super::printer::show;
use super::value::{Position, Symbol, Value, keep};

/// What a name means within a form.
#[derive(Clone, Copy)]
enum Meaning {
    Variable(&'static Variable),
    /// Declared special here.
    Dynamic,
    Function(&'static Variable),
    Macro(Value),
    Block(&'static Variable),
    Tag(&'static Variable, usize),
}

/// The spaces that names live in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Space {
    Variable,
    Function,
    Block,
    Tag,
}

/// Names of one function's text.
#[derive(Default)]
struct Scope {
    names: Vec<(Space, Value, Meaning)>,
    next_slot: usize,
    slots: usize,
    captures: Vec<(&'static Variable, Source)>,
}

/// The functions around the form that is being analysed, outermost first.
pub(super) struct Analysis<'a> {
    host: &'a mut Host,
    scopes: Vec<Scope>,
    position: Position,
}

type Analysed<T> = Result<T, Box<Signal>>;

/// Whether a variable belongs to the running function, or else which of its captured ones it is.
enum Place {
    Here,
    Captured(usize),
}

/// A form as a function without arguments.
pub(super) fn top_level(host: &mut Host, form: Value) -> Analysed<&'static Template> {
    let mut analysis = Analysis { host, scopes: Vec::new(), position: form.position() };
    let template = analysis.lambda("top level", Value::Nil, Value::list(&[form]))?;
    Ok(keep(template))
}

impl Analysis<'_> {
    fn error<T>(&self, message: impl Into<String>) -> Analysed<T> {
        let signal = Signal::Error { condition: Value::text(message), trace: vec![self.position] };
        Err(Box::new(signal))
    }

    fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("forms are analysed within a function")
    }

    fn new_variable(&mut self) -> &'static Variable {
        let scope = self.scope();
        let slot = scope.next_slot;
        scope.next_slot += 1;
        scope.slots = scope.slots.max(scope.next_slot);
        keep(Variable { slot, ..Variable::default() })
    }

    fn name(&mut self, space: Space, name: Value, meaning: Meaning) {
        self.scope().names.push((space, name, meaning));
    }

    /// Analyses with the names and slots of now restored behind it.
    fn within<T>(&mut self, work: impl FnOnce(&mut Self) -> Analysed<T>) -> Analysed<T> {
        let (names, slot) = (self.scope().names.len(), self.scope().next_slot);
        let result = work(self);
        let scope = self.scope();
        scope.names.truncate(names);
        scope.next_slot = slot;
        result
    }

    fn look_up(&mut self, space: Space, name: Value) -> Option<(Meaning, Place)> {
        let found = self.scopes.iter().enumerate().rev().find_map(|(depth, scope)| {
            let entry = scope.names.iter().rev().find(|(its, known, _)| *its == space && *known == name)?;
            Some((depth, entry.2))
        });
        let (depth, meaning) = found?;
        let variable = match meaning {
            Meaning::Variable(it) | Meaning::Function(it) | Meaning::Block(it) | Meaning::Tag(it, _) => it,
            Meaning::Dynamic | Meaning::Macro(_) => return Some((meaning, Place::Here)),
        };
        if depth + 1 == self.scopes.len() {
            return Some((meaning, Place::Here));
        }
        variable.captured.set(true);
        let mut source = Source::Slot(variable.slot);
        for scope in &mut self.scopes[depth + 1..] {
            let index = match scope.captures.iter().position(|(known, _)| std::ptr::eq(*known, variable)) {
                Some(index) => index,
                None => {
                    scope.captures.push((variable, source));
                    scope.captures.len() - 1
                }
            };
            source = Source::Captured(index);
        }
        let Source::Captured(index) = source else { unreachable!("it is an outer function's") };
        Some((meaning, Place::Captured(index)))
    }

    fn reference(place: Place, variable: &'static Variable) -> Node {
        match place {
            Place::Here => Node::Local(variable),
            Place::Captured(index) => Node::Captured(index, variable),
        }
    }

    fn form(&mut self, form: Value) -> Analysed<Node> {
        match form {
            Value::Symbol(symbol) => Ok(self.variable(form, symbol)),
            Value::Cons(_) => {
                let outer = self.position;
                if form.position().line() != 0 {
                    self.position = form.position();
                }
                let node = self.compound(form);
                self.position = outer;
                node
            }
            _ => Ok(Node::Constant(form)),
        }
    }

    fn variable(&mut self, name: Value, symbol: &'static Symbol) -> Node {
        if symbol.keyword {
            return Node::Constant(name);
        }
        match self.look_up(Space::Variable, name) {
            Some((Meaning::Variable(variable), place)) => Self::reference(place, variable),
            _ => Node::Global(symbol),
        }
    }

    fn forms(&mut self, forms: Value) -> Analysed<Vec<Node>> {
        forms.elements().map(|form| self.form(form)).collect()
    }

    fn sequence(&mut self, forms: Value) -> Analysed<Node> {
        let mut nodes = self.forms(forms)?;
        Ok(match nodes.len() {
            0 => Node::Constant(Value::Nil),
            1 => nodes.remove(0),
            _ => Node::Sequence(nodes),
        })
    }

    fn compound(&mut self, form: Value) -> Analysed<Node> {
        let (head, rest) = (form.car().unwrap_or(Value::Nil), form.cdr().unwrap_or(Value::Nil));
        let Value::Symbol(symbol) = head else {
            if head.car().is_some_and(|it| it.is_named("LAMBDA")) {
                let function = self.form(head)?;
                return Ok(Node::Funcall(Box::new(function), self.forms(rest)?, self.position));
            }
            return self.error(format!("{} is no function", show(head)));
        };
        match self.look_up(Space::Function, head) {
            Some((Meaning::Macro(expander), _)) => {
                let expansion = self.host.apply(expander, &[form])?;
                return self.form(expansion);
            }
            Some((Meaning::Function(variable), place)) => {
                let function = Self::reference(place, variable);
                return Ok(Node::Funcall(Box::new(function), self.forms(rest)?, self.position));
            }
            _ => {}
        }
        if let Some(node) = self.special(&symbol.name, rest)? {
            return Ok(node);
        }
        if let Some(expander) = symbol.expander.get() {
            let expansion = match self.host.apply(expander, &[form]) {
                Ok(expansion) => expansion,
                Err(mut signal) => {
                    if let Signal::Error { trace, .. } = &mut *signal {
                        trace.push(self.position);
                    }
                    return Err(signal);
                }
            };
            return self.form(expansion);
        }
        Ok(Node::Call(symbol, self.forms(rest)?, self.position))
    }

    /// The parts of a special form's rest.
    fn parts(&self, rest: Value, at_least: usize) -> Analysed<Vec<Value>> {
        let parts: Vec<Value> = rest.elements().collect();
        if parts.len() < at_least {
            return self.error("a special form with too few parts");
        }
        Ok(parts)
    }

    fn pair(&mut self, rest: Value) -> Analysed<Box<(Node, Node)>> {
        let first = self.form(rest.car().unwrap_or(Value::Nil))?;
        Ok(Box::new((first, self.sequence(rest.cdr().unwrap_or(Value::Nil))?)))
    }

    fn special(&mut self, name: &str, rest: Value) -> Analysed<Option<Node>> {
        let body = rest.cdr().unwrap_or(Value::Nil);
        Ok(Some(match name {
            "QUOTE" => Node::Constant(self.parts(rest, 1)?[0]),
            "FUNCTION" => self.function(rest.car().unwrap_or(Value::Nil))?,
            "LAMBDA" => self.closure("lambda", rest)?,
            "IF" => {
                let parts = self.parts(rest, 2)?;
                let last = parts.get(2).copied().unwrap_or(Value::Nil);
                Node::If(Box::new((self.form(parts[0])?, self.form(parts[1])?, self.form(last)?)))
            }
            "AND" => Node::And(self.forms(rest)?),
            "OR" => Node::Or(self.forms(rest)?),
            "PROGN" | "LOCALLY" => self.sequence(rest)?,
            "EVAL-WHEN" => self.sequence(body)?,
            "THE" => self.form(self.parts(rest, 2)?[1])?,
            "DECLARE" => Node::Constant(Value::Nil),
            "SETQ" => self.setq(rest)?,
            "LET" => self.within(|it| it.let_form(rest, false))?,
            "LET*" => self.within(|it| it.let_form(rest, true))?,
            "FLET" => self.within(|it| it.flet(rest))?,
            "LABELS" => self.within(|it| it.labels(rest))?,
            "MACROLET" => self.within(|it| it.macrolet(rest))?,
            "BLOCK" => self.within(|it| {
                let variable = it.new_variable();
                it.name(Space::Block, rest.car().unwrap_or(Value::Nil), Meaning::Block(variable));
                Ok(Node::Block(variable, Box::new(it.sequence(body)?)))
            })?,
            "RETURN-FROM" => {
                let name = rest.car().unwrap_or(Value::Nil);
                let Some((Meaning::Block(variable), place)) = self.look_up(Space::Block, name) else {
                    return self.error(format!("there is no block {} to return from", show(name)));
                };
                let value = self.form(body.car().unwrap_or(Value::Nil))?;
                Node::Exit(Box::new((Self::reference(place, variable), value)))
            }
            "TAGBODY" => self.within(|it| it.tagbody(rest))?,
            "GO" => {
                let name = rest.car().unwrap_or(Value::Nil);
                let Some((Meaning::Tag(variable, index), place)) = self.look_up(Space::Tag, name) else {
                    return self.error(format!("there is no tag {} to go to", show(name)));
                };
                let index = Node::Constant(Value::Integer(index as i64));
                Node::Exit(Box::new((Self::reference(place, variable), index)))
            }
            "CATCH" => Node::Catch(self.pair(rest)?),
            "THROW" => Node::Throw(self.pair(rest)?),
            "UNWIND-PROTECT" => Node::Protect(self.pair(rest)?),
            "MULTIPLE-VALUE-LIST" => Node::ValuesList(self.forms(rest)?),
            "MULTIPLE-VALUE-CALL" => {
                let function = self.form(rest.car().unwrap_or(Value::Nil))?;
                let values = Node::ValuesList(self.forms(body)?);
                Node::Call(self.host.symbols.symbol("APPLY"), vec![function, values], self.position)
            }
            "MULTIPLE-VALUE-PROG1" => Node::Prog1(self.pair(rest)?),
            "%OP" => Node::Fault("machine instructions do not run on the host".to_string(), self.position),
            _ => return Ok(None),
        }))
    }

    fn function(&mut self, name: Value) -> Analysed<Node> {
        match name {
            Value::Symbol(symbol) => Ok(match self.look_up(Space::Function, name) {
                Some((Meaning::Function(variable), place)) => Self::reference(place, variable),
                _ => Node::FunctionOf(symbol),
            }),
            _ => {
                let rest = name.cdr().unwrap_or(Value::Nil);
                let head = name.car().unwrap_or(Value::Nil);
                if head.is_named("%NAMED-LAMBDA") {
                    let label = show(rest.car().unwrap_or(Value::Nil));
                    self.closure(&label, rest.cdr().unwrap_or(Value::Nil))
                } else if head.is_named("LAMBDA") {
                    self.closure("lambda", rest)
                } else {
                    self.error(format!("{} names no function", show(name)))
                }
            }
        }
    }

    fn setq(&mut self, rest: Value) -> Analysed<Node> {
        let parts = self.parts(rest, 0)?;
        let mut nodes = Vec::new();
        for pair in parts.chunks(2) {
            let [name, value] = *pair else { return self.error("setq with an odd number of parts") };
            let Value::Symbol(symbol) = name else { return self.error(format!("{} cannot be set", show(name))) };
            let value = Box::new(self.form(value)?);
            nodes.push(match self.look_up(Space::Variable, name) {
                Some((Meaning::Variable(variable), place)) => {
                    variable.mutated.set(true);
                    match place {
                        Place::Here => Node::SetLocal(variable, value),
                        Place::Captured(index) => Node::SetCaptured(index, value),
                    }
                }
                _ => Node::SetGlobal(symbol, value),
            });
        }
        Ok(if nodes.len() == 1 { nodes.remove(0) } else { Node::Sequence(nodes) })
    }

    /// The symbols that a body declares special.
    fn declared_special(body: Value) -> Vec<Value> {
        let mut specials = Vec::new();
        for form in body.elements() {
            if !form.car().is_some_and(|head| head.is_named("DECLARE")) {
                if matches!(form, Value::Text(_)) {
                    continue;
                }
                break;
            }
            for declaration in form.cdr().unwrap_or(Value::Nil).elements() {
                if declaration.car().is_some_and(|head| head.is_named("SPECIAL")) {
                    specials.extend(declaration.cdr().unwrap_or(Value::Nil).elements());
                }
            }
        }
        specials
    }

    /// A new parameter or variable of this name, which is not known by it yet.
    fn target(&mut self, name: Value, specials: &[Value]) -> Analysed<Target> {
        let Value::Symbol(symbol) = name else { return self.error(format!("{} is no variable", show(name))) };
        let variable = self.new_variable();
        Ok(if symbol.special.get() || specials.contains(&name) {
            Target::Dynamic(variable.slot, symbol)
        } else {
            Target::Lexical(variable)
        })
    }

    fn know(&mut self, name: Value, target: Target) {
        let meaning = match target {
            Target::Lexical(variable) => Meaning::Variable(variable),
            Target::Dynamic(..) => Meaning::Dynamic,
        };
        self.name(Space::Variable, name, meaning);
    }

    fn let_form(&mut self, rest: Value, sequential: bool) -> Analysed<Node> {
        let body = rest.cdr().unwrap_or(Value::Nil);
        let specials = Self::declared_special(body);
        let mut steps = Vec::new();
        for binding in rest.car().unwrap_or(Value::Nil).elements() {
            let (name, init) = match binding {
                Value::Cons(_) => (binding.car(), binding.cdr().and_then(Value::car)),
                _ => (Some(binding), None),
            };
            let (name, init) = (name.unwrap_or(Value::Nil), init.unwrap_or(Value::Nil));
            let init = self.form(init)?;
            let target = self.target(name, &specials)?;
            if sequential {
                self.know(name, target);
            }
            steps.push((name, target, init));
        }
        if !sequential {
            for (name, target, _) in &steps {
                self.know(*name, *target);
            }
        }
        let mut node = self.sequence(body)?;
        if sequential {
            for (_, target, init) in steps.into_iter().rev() {
                node = Self::bind(target, Some(init), node);
            }
            return Ok(node);
        }
        let mut lexical = Vec::new();
        for (_, target, init) in steps.into_iter().rev() {
            match target {
                Target::Lexical(variable) => lexical.push((variable, init)),
                Target::Dynamic(slot, symbol) => {
                    node = Node::Bind(symbol, slot, Box::new(node));
                    lexical.push((keep(Variable { slot, ..Variable::default() }), init));
                }
            }
        }
        lexical.reverse();
        Ok(Node::Let(lexical, Box::new(node)))
    }

    /// Code that runs a node with a variable bound.
    fn bind(target: Target, init: Option<Node>, node: Node) -> Node {
        match (target, init) {
            (Target::Lexical(variable), Some(init)) => match node {
                Node::Let(mut variables, body) => {
                    variables.insert(0, (variable, init));
                    Node::Let(variables, body)
                }
                node => Node::Let(vec![(variable, init)], Box::new(node)),
            },
            (Target::Lexical(_), None) => node,
            (Target::Dynamic(slot, symbol), init) => {
                let bound = Node::Bind(symbol, slot, Box::new(node));
                match init {
                    Some(init) => Node::Sequence(vec![Node::Slot(slot, Box::new(init)), bound]),
                    None => bound,
                }
            }
        }
    }

    fn flet(&mut self, rest: Value) -> Analysed<Node> {
        let mut variables = Vec::new();
        for definition in rest.car().unwrap_or(Value::Nil).elements() {
            let closure = self.local_function(definition)?;
            let variable = self.new_variable();
            variables.push((definition.car().unwrap_or(Value::Nil), variable, closure));
        }
        for (name, variable, _) in &variables {
            self.name(Space::Function, *name, Meaning::Function(variable));
        }
        let body = self.sequence(rest.cdr().unwrap_or(Value::Nil))?;
        let bindings = variables.into_iter().map(|(_, variable, closure)| (variable, closure)).collect();
        Ok(Node::Let(bindings, Box::new(body)))
    }

    fn labels(&mut self, rest: Value) -> Analysed<Node> {
        let definitions: Vec<Value> = rest.car().unwrap_or(Value::Nil).elements().collect();
        let mut variables = Vec::new();
        for definition in &definitions {
            let variable = self.new_variable();
            variable.mutated.set(true);
            self.name(Space::Function, definition.car().unwrap_or(Value::Nil), Meaning::Function(variable));
            variables.push(variable);
        }
        let mut nodes = Vec::new();
        for (definition, variable) in definitions.iter().zip(&variables) {
            let closure = self.local_function(*definition)?;
            nodes.push(Node::SetLocal(variable, Box::new(closure)));
        }
        nodes.push(self.sequence(rest.cdr().unwrap_or(Value::Nil))?);
        let bindings = variables.into_iter().map(|variable| (variable, Node::Constant(Value::Nil))).collect();
        Ok(Node::Let(bindings, Box::new(Node::Sequence(nodes))))
    }

    fn local_function(&mut self, definition: Value) -> Analysed<Node> {
        let name = definition.car().unwrap_or(Value::Nil);
        let rest = definition.cdr().unwrap_or(Value::Nil);
        let block = Value::cons(name, rest.cdr().unwrap_or(Value::Nil));
        let block = Value::cons(self.host.symbols.intern("BLOCK"), block);
        let lambda = Value::list(&[rest.car().unwrap_or(Value::Nil), block]);
        self.closure(&show(name), lambda)
    }

    fn macrolet(&mut self, rest: Value) -> Analysed<Node> {
        for definition in rest.car().unwrap_or(Value::Nil).elements() {
            let maker = self.host.symbols.intern("%MACRO-LAMBDA");
            let lambda = self.host.apply(maker, &[definition])?;
            let expander = self.host.evaluate(lambda)?;
            self.name(Space::Function, definition.car().unwrap_or(Value::Nil), Meaning::Macro(expander));
        }
        self.sequence(rest.cdr().unwrap_or(Value::Nil))
    }

    fn tagbody(&mut self, rest: Value) -> Analysed<Node> {
        let variable = self.new_variable();
        let mut statements = Vec::new();
        for statement in rest.elements() {
            match statement {
                Value::Cons(_) => statements.push(statement),
                _ => self.name(Space::Tag, statement, Meaning::Tag(variable, statements.len())),
            }
        }
        let nodes = statements.into_iter().map(|statement| self.form(statement)).collect::<Analysed<_>>()?;
        Ok(Node::Tagbody(variable, nodes))
    }

    fn closure(&mut self, name: &str, lambda: Value) -> Analysed<Node> {
        let parameters = lambda.car().unwrap_or(Value::Nil);
        let template = self.lambda(name, parameters, lambda.cdr().unwrap_or(Value::Nil))?;
        Ok(Node::Closure(keep(template)))
    }
}
