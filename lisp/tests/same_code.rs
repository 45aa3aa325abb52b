//! A function compiled on the machine and the same function compiled by the host give the same code.
//!
//! The host compiles all functions of some files of the world once more and puts their lambda expressions and what came
//! out into a world as constants. In that world the compiler, which has compiled itself, has to come to the same result.

use lisp::build::{Source, build, sources};
use lisp::compiler::Compiler;
use lisp::host::value::Value;
use lisp::host::with_room;
use std::path::{Path, PathBuf};
use vm::layout::{Layout, Medley35};
use vm::machine::Exit;
use vm::startup::Session;
use vm::testing::image_of;

/// Folders and files whose functions are compared; all are if the environment has the variable SAME_CODE_ALL.
const COMPARED: [&str; 6] =
    ["compiler/", "library/lists", "library/sequences", "library/format", "library/bignums", "screen/window"];
/// Instructions after which the world is taken to be in a loop.
const PATIENCE: u64 = 20_000_000_000;

/// Compares one after the other. The results are in variables when the world logs out.
const MAIN: &str = "
    (defglobal *compared* 0)
    (defglobal *different* 0)
    (defglobal *failed* 0)
    (defglobal *last* nil)
    (defun compare-one (case)
      (setq *compared* (1+ *compared*))
      (unless (equal (lambda-listing (car case) (cadr case)) (caddr case))
        (setq *different* (1+ *different*))
        (%console-line (princ-to-string (list 'different (car case))))))
    (defun main ()
      (dolist (case *cases*)
        (handler-case (compare-one case)
          (error (condition)
            (setq *failed* (1+ *failed*))
            (%console-line (princ-to-string (list (car case) (princ-to-string condition)))))))
      (%console-line (princ-to-string (list *compared* *different* *failed*)))
      (logout nil))";

/// Names and lambda expressions of the functions in a file.
fn definitions(compiler: &mut Compiler, source: &Source) -> Vec<(Value, Value)> {
    let forms = compiler.host.read_all(&source.name, &source.text().unwrap()).unwrap();
    let defun = compiler.host.symbols.intern("DEFUN");
    let body = compiler.host.symbols.intern("%FUNCTION-BODY");
    let mut found = Vec::new();
    for form in forms {
        let parts: Vec<Value> = form.elements().collect();
        if let [head, name @ Value::Symbol(_), parameters, ..] = parts[..]
            && head == defun
        {
            let rest = compiler.host.apply(body, &[name, Value::list(&parts[3..])]).unwrap();
            found.push((name, Value::cons(parameters, rest)));
        }
    }
    found
}

/// The forms of the file that makes a world compare: the cases, and MAIN.
fn comparing(compiler: &mut Compiler, world: &Path) -> Vec<Value> {
    let mut cases = Vec::new();
    for source in sources(world).unwrap() {
        if std::env::var_os("SAME_CODE_ALL").is_some() || COMPARED.iter().any(|start| source.name.starts_with(start)) {
            for (name, rest) in definitions(compiler, &source) {
                let function = compiler.host.symbols.intern("LAMBDA-LISTING");
                let listing = match compiler.host.apply(function, &[name, rest]) {
                    Ok(listing) => listing,
                    Err(signal) => panic!("{}", compiler.host.describe(&signal, rest.position())),
                };
                cases.push(Value::list(&[name, rest, listing]));
            }
        }
    }
    assert!(cases.len() > 300, "{} functions to compare", cases.len());
    // One that cannot be the same, to see that differences are noticed.
    let wrong: Vec<Value> = cases[0].elements().take(2).chain([cases[1].elements().last().unwrap()]).collect();
    cases.push(Value::list(&wrong));
    let quote = compiler.host.symbols.intern("QUOTE");
    let head = compiler.host.symbols.intern("DEFGLOBAL");
    let name = compiler.host.symbols.intern("*CASES*");
    let cases = Value::list(&[head, name, Value::list(&[quote, Value::list(&cases)])]);
    let mut forms = vec![cases];
    forms.extend(compiler.host.read_all("main.lisp", MAIN).unwrap());
    forms
}

#[test]
fn host_and_machine_compile_alike() {
    let world = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/world"));
    let bytes = with_room(|| {
        let mut compiler = Compiler::new().unwrap();
        let others = vec![Source { name: "comparing".to_string(), path: PathBuf::new() }];
        build(&world, others, |source| {
            if source.name == "comparing" {
                let forms = comparing(&mut compiler, &world);
                return compiler.forms("comparing", &forms);
            }
            compiler.file(&source.name, &source.text()?)
        })
        .unwrap()
    });
    let mut m = image_of::<Medley35>(&bytes);
    m.start(&Session::default()).unwrap();
    let exit = m.run_stepping(PATIENCE);
    let value = |name: &'static str| {
        let symbol = vm::symbols::find::<Medley35>(m.space, name).expect(name);
        m.space.cell(Medley35::value_cell(symbol)) & 0xFFFF
    };
    let results = [value("*COMPARED*"), value("*DIFFERENT*"), value("*FAILED*")];
    println!("compared, different, failed: {results:?}");
    assert_eq!(exit, Exit::Logout);
    assert_eq!(results[1..], [1, 0], "only the wrong one differs");
}
