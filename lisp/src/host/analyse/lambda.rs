//! Lambda expressions: parameters of all kinds, and the scope that a function's text is.

use super::{Analysed, Analysis, Scope};
use crate::host::function::{Node, Optional, Target, Template};
use crate::host::value::Value;

impl Analysis<'_> {
    pub(super) fn lambda(&mut self, name: &str, parameters: Value, body: Value) -> Analysed<Template> {
        self.scopes.push(Scope::default());
        let template = self.lambda_within(name, parameters, body);
        let scope = self.scopes.pop().expect("it was pushed");
        let mut template = template?;
        template.slots = scope.slots;
        template.captures = scope.captures.into_iter().map(|(_, source)| source).collect();
        let plain = |target: &Target| matches!(target, Target::Lexical(variable) if !variable.boxed());
        template.simple = template.required.iter().all(plain)
            && template.optional.is_empty()
            && template.rest.is_none()
            && template.keys.is_none();
        Ok(template)
    }

    fn lambda_within(&mut self, name: &str, parameters: Value, body: Value) -> Analysed<Template> {
        let specials = Self::declared_special(body);
        let mut required = Vec::new();
        let mut optional = Vec::new();
        let mut rest = None;
        let mut keys: Option<Vec<Optional>> = None;
        let mut auxiliary = Vec::new();
        let mut section = "";
        let mut elements = parameters.elements();
        for parameter in elements.by_ref() {
            if let Value::Symbol(symbol) = parameter
                && symbol.name.starts_with('&')
            {
                section = &symbol.name;
                if section == "&KEY" {
                    keys = Some(Vec::new());
                }
                continue;
            }
            match section {
                "" => {
                    let target = self.target(parameter, &specials)?;
                    self.know(parameter, target);
                    required.push(target);
                }
                "&OPTIONAL" => {
                    let it = self.optional(parameter, &specials, false)?;
                    optional.push(it);
                }
                "&REST" | "&BODY" => {
                    let target = self.target(parameter, &specials)?;
                    self.know(parameter, target);
                    rest = Some(target);
                }
                "&KEY" => {
                    let it = self.optional(parameter, &specials, true)?;
                    keys.get_or_insert_default().push(it);
                }
                "&AUX" => {
                    let (name, init) = match parameter {
                        Value::Cons(_) => (parameter.car(), parameter.cdr().and_then(Value::car)),
                        _ => (Some(parameter), None),
                    };
                    auxiliary.push(Value::list(&[name.unwrap_or(Value::Nil), init.unwrap_or(Value::Nil)]));
                }
                other => return self.error(format!("{other} in a lambda list")),
            }
        }
        if let last @ Value::Symbol(_) = elements.rest() {
            let target = self.target(last, &specials)?;
            self.know(last, target);
            rest = Some(target);
        }
        let mut node = if auxiliary.is_empty() {
            self.sequence(body)?
        } else {
            self.let_form(Value::cons(Value::list(&auxiliary), body), true)?
        };
        let mut targets: Vec<Target> = required.clone();
        for it in optional.iter().chain(keys.iter().flatten()) {
            targets.push(it.target);
            targets.extend(it.supplied);
        }
        targets.extend(rest);
        for target in targets.into_iter().rev() {
            if let Target::Dynamic(..) = target {
                node = Self::bind(target, None, node);
            }
        }
        Ok(Template {
            name: name.to_string(),
            required,
            optional,
            rest,
            keys,
            slots: 0,
            body: node,
            captures: Vec::new(),
            simple: false,
        })
    }

    fn optional(&mut self, parameter: Value, specials: &[Value], keyword: bool) -> Analysed<Optional> {
        let parts: Vec<Value> = match parameter {
            Value::Cons(_) => parameter.elements().collect(),
            _ => vec![parameter],
        };
        let (key, name) = match parts[0] {
            Value::Cons(_) => (parts[0].car(), parts[0].cdr().and_then(Value::car).unwrap_or(Value::Nil)),
            name => (None, name),
        };
        let default = match parts.get(1) {
            Some(form) => self.form(*form)?,
            None => Node::Constant(Value::Nil),
        };
        let target = self.target(name, specials)?;
        self.know(name, target);
        let supplied = match parts.get(2) {
            Some(name) => {
                let target = self.target(*name, specials)?;
                self.know(*name, target);
                Some(target)
            }
            None => None,
        };
        let keyword = match (keyword, key, name) {
            (false, ..) => Value::Nil,
            (true, Some(key), _) => key,
            (true, None, Value::Symbol(symbol)) => self.host.symbols.keyword(&symbol.name),
            (true, None, _) => return self.error("a keyword parameter without a name"),
        };
        Ok(Optional { keyword, target, default, supplied })
    }
}
