//! The build: every file of world/order.lisp, compiled and linked.
//!
//! ```text
//!   order.lisp   ((folder file ..) ..)      folder/file.lisp in this order
//! ```

use crate::calls::Calls;
use crate::code::Unit;
use crate::host::Host;
use crate::host::value::Value;
use crate::linker::Linker;
use std::path::{Path, PathBuf};

/// A source file of the world.
#[derive(Clone, Debug)]
pub struct Source {
    /// As messages and order.lisp have it: `machine/stack.lisp`.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

impl Source {
    /// Its text.
    pub fn text(&self) -> Result<String, String> {
        let bytes =
            std::fs::read(&self.path).map_err(|error| format!("cannot read {}: {error}", self.path.display()))?;
        String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            format!("{}:{line}: a byte that is not UTF-8", self.name)
        })
    }
}

/// The world's files in order. `world` is the folder with order.lisp.
pub fn sources(world: &Path) -> Result<Vec<Source>, String> {
    let order = Source { name: "order.lisp".to_string(), path: world.join("order.lisp") };
    let mut host = Host::new();
    let forms = host.read_all(&order.name, &order.text()?)?;
    let mut sources = Vec::new();
    for row in forms.iter().flat_map(|form| form.elements()) {
        let names: Result<Vec<String>, String> = row
            .elements()
            .map(|it| match it {
                Value::Symbol(symbol) => Ok(symbol.name.to_lowercase()),
                other => Err(format!("order.lisp: {other:?} is no name of a file")),
            })
            .collect();
        let names = names?;
        let [folder, files @ ..] = names.as_slice() else { continue };
        for file in files {
            // The folder `world` is the one that order.lisp is in.
            let name = if folder == "world" { format!("{file}.lisp") } else { format!("{folder}/{file}.lisp") };
            sources.push(Source { path: world.join(&name), name });
        }
    }
    Ok(sources)
}

/// Links what `compile` makes of each file of the world, and of those of `others` behind them.
pub fn build(
    world: &Path,
    others: Vec<Source>,
    mut compile: impl FnMut(&Source) -> Result<Unit, String>,
) -> Result<Vec<u8>, String> {
    let (mut linker, mut calls) = (Linker::new(), Calls::default());
    for source in sources(world)?.into_iter().chain(others) {
        let unit = compile(&source)?;
        calls.take(&unit);
        linker.unit(&unit)?;
    }
    for warning in calls.warnings(&linker.undefined()) {
        eprintln!("warning: {warning}");
    }
    linker.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sources_can_be_read() {
        let world = Path::new(env!("CARGO_MANIFEST_DIR")).join("world");
        let mut host = Host::new();
        for source in sources(&world).unwrap() {
            let forms = host.read_all(&source.name, &source.text().unwrap()).unwrap();
            assert!(!forms.is_empty(), "{} has forms", source.name);
        }
    }
}
