//! LOOPS' operations on objects made by hand, through MISCN.

use super::*;
use crate::workbench::{Function, Workbench, in_all_worlds};
use std::string::String;

in_all_worlds! {
    methods_are_inherited_and_remembered = methods;
    variables_have_places_and_values = variables;
    active_values_are_for_lisp = active_values;
    wrong_argument_counts_are_for_the_ufn = wrong_counts;
}

fn small(value: u32) -> u32 {
    SMALL_POSITIVE | value
}

fn show<L: Layout>(w: &mut Workbench<L>, name: &str, arguments: &[u32]) -> String {
    let value = w.run(name, arguments);
    w.show(value)
}

/// A class with a super, an instance of it, and functions for each operation and what Lisp does in its place.
struct Example {
    class: u32,
    super_class: u32,
    instance: u32,
    annotated: u32,
}

impl Example {
    fn new<L: Layout>(w: &mut Workbench<L>) -> Example {
        let atom = |w: &mut Workbench<L>, name: &str| AtomIndex(w.symbol(name));
        let functions = ["\\FetchMethod", "\\FetchMethodOrHelp", "\\FindVarIndex", "\\GetIVValue", "\\PutIVValue"];
        for name in functions {
            let text = "NIL MYARGCOUNT RESTLIST 1 RETURN";
            w.define(Function { name, any_number: true, ..Default::default() }, text);
        }
        let names = Names {
            instance: atom(w, "instance"),
            class: atom(w, "class"),
            annotated_value: atom(w, "annotatedValue"),
            method_cache: atom(w, "*Global-Method-Cache*"),
            variable_cache: atom(w, "*Global-IV-Cache-Block*"),
            functions: functions.map(|name| Some(atom(w, name))),
        };
        w.m.loops.names = Some(names);
        for cache in ["*Global-Method-Cache*", "*Global-IV-Cache-Block*"] {
            let block = w.block(CACHE_ENTRIES * ENTRY_WORDS);
            w.set_value(cache, block.0);
        }
        for (name, arguments, text) in [
            ("FETCH", ["CLASS", "SELECTOR", ""], "IVAR0 IVAR1 MISCN 7 2 RETURN"),
            ("FETCH-OR-HELP", ["OBJECT", "SELECTOR", ""], "IVAR0 IVAR1 MISCN 8 2 RETURN"),
            ("FIND", ["NAME", "OBJECT", ""], "IVAR0 IVAR1 MISCN 9 2 RETURN"),
            ("GET", ["OBJECT", "NAME", ""], "IVAR0 IVAR1 MISCN 10 2 RETURN"),
            ("PUT", ["OBJECT", "NAME", "NEW"], "SIC 1 IVAR0 IVAR1 IVAR2 MISCN 11 3 CONS RETURN"),
        ] {
            let count = if arguments[2].is_empty() { 2 } else { 3 };
            w.define(Function { name, arguments: &arguments[..count], ..Default::default() }, text);
        }

        let class_type = w.new_type("class", 28);
        let instance_type = w.new_type("instance", 8);
        let annotated_type = w.new_type("annotatedValue", 2);
        let [class, super_class, instance, annotated] =
            [class_type, class_type, instance_type, annotated_type].map(|number| w.object(number));
        let symbols = ["x", "y", "z"].map(|name| w.symbol(name));
        let names = w.list(&symbols);
        let supers = w.list(&[super_class.0]);
        let space = w.m.space;
        let block = |w: &mut Workbench<L>, cells: &[u32]| {
            let at = w.block(2 * cells.len() as u32 + 2);
            for (i, cell) in cells.iter().enumerate() {
                space.set_cell(at.plus(2 * i as u32), *cell);
            }
            at.0
        };
        let [print, draw, print_1, print_2, draw_2] =
            ["Print", "Draw", "MyPrint", "SuperPrint", "SuperDraw"].map(|name| w.symbol(name));
        for (class, selectors, methods) in
            [(class, &[print][..], &[print_1][..]), (super_class, &[draw, print], &[draw_2, print_2])]
        {
            space.set_cell(class.plus(NAMES), names);
            space.set_cell(class.plus(SELECTORS), block(w, selectors));
            space.set_cell(class.plus(METHODS), block(w, methods));
        }
        space.set_cell(class.plus(SUPERS), supers);
        // A class is an instance of its metaclass, here the super.
        space.set_cell(class, super_class.0);
        space.set_cell(instance, class.0);
        space.set_cell(instance.plus(NAMES), names);
        let values = block(w, &[small(10), small(20), annotated.0]);
        space.set_cell(instance.plus(VALUES), values);
        for list in [names, supers, instance.0, annotated.0] {
            add_reference(&mut w.m, list);
        }
        Example { class: class.0, super_class: super_class.0, instance: instance.0, annotated: annotated.0 }
    }
}

fn methods<L: Layout>(w: &mut Workbench<L>) {
    let example = Example::new(w);
    let [print, draw, other] = ["Print", "Draw", "Other"].map(|name| w.symbol(name));
    // Twice: found, and remembered.
    for _ in 0..2 {
        assert_eq!(show(w, "FETCH-OR-HELP", &[example.instance, print]), "MyPrint");
        assert_eq!(show(w, "FETCH-OR-HELP", &[example.instance, draw]), "SuperDraw");
        assert_eq!(show(w, "FETCH-OR-HELP", &[example.class, print]), "SuperPrint", "of the metaclass");
        assert_eq!(show(w, "FETCH", &[example.class, print]), "MyPrint");
        assert_eq!(show(w, "FETCH", &[example.class, draw]), "SuperDraw");
        assert_eq!(show(w, "FETCH", &[example.super_class, print]), "SuperPrint");
    }
    assert_eq!(show(w, "FETCH", &[example.class, other]), "NIL");
    // What the cache says is believed, until it is forgotten.
    let cache = LispPtr(w.value("*Global-Method-Cache*"));
    let entry = cache.plus((example.class ^ draw) % 1024 * 8);
    let space = w.m.space;
    assert_eq!([0, 2].map(|at| space.cell(entry.plus(at))), [example.class, draw]);
    space.set_cell(entry.plus(4), small(5));
    assert_eq!(show(w, "FETCH", &[example.class, draw]), "5");
    space.fill_cells(entry, 4, 0);
    assert_eq!(show(w, "FETCH", &[example.class, draw]), "SuperDraw");
    // Lisp's: messages nobody understands, and what is no object.
    let help = show(w, "FETCH-OR-HELP", &[example.instance, other]);
    assert!(help.starts_with("(<") && help.ends_with(" Other)"), "{help}");
    assert_eq!(show(w, "FETCH-OR-HELP", &[small(5), print]), "(5 Print)");
    assert_eq!(show(w, "FETCH", &[small(5), print]), "(5 Print)");
}

fn variables<L: Layout>(w: &mut Workbench<L>) {
    let example = Example::new(w);
    let [x, y, other] = ["x", "y", "other"].map(|name| w.symbol(name));
    for _ in 0..2 {
        assert_eq!(show(w, "FIND", &[x, example.instance]), "0");
        assert_eq!(show(w, "FIND", &[y, example.instance]), "1");
        assert_eq!(show(w, "FIND", &[y, example.class]), "1");
        assert_eq!(show(w, "GET", &[example.instance, x]), "10");
        assert_eq!(show(w, "GET", &[example.instance, y]), "20");
    }
    assert_eq!(show(w, "FIND", &[other, example.instance]), "NIL");
    assert_eq!(show(w, "FIND", &[x, small(5)]), "(x 5)");
    assert_eq!(show(w, "GET", &[small(5), x]), "(5 x)");
    assert!(show(w, "GET", &[example.instance, other]).ends_with(" other)"));
    assert!(show(w, "GET", &[example.class, x]).ends_with(" x)"), "a class is no instance");
    assert_eq!(show(w, "PUT", &[example.instance, y, small(30)]), "(1 . 30)");
    assert_eq!(show(w, "GET", &[example.instance, y]), "30");
    // A new value is counted, the old one no more: it goes when another takes its place.
    w.define(
        Function { name: "PUT-LIST", arguments: &["OBJECT", "NAME"], ..Default::default() },
        "IVAR0 IVAR1 SIC 7 NIL CONS MISCN 11 3 RETURN",
    );
    w.define(Function { name: "COLLECT", ..Default::default() }, "SUBRCALL 0o134 0 RETURN");
    w.run("COLLECT", &[]);
    let before = w.used_conses();
    for _ in 0..3 {
        w.run("PUT-LIST", &[example.instance, x]);
        w.run("COLLECT", &[]);
        assert_eq!(show(w, "GET", &[example.instance, x]), "(7)");
        assert_eq!(w.used_conses(), before + 1);
    }
    // An instance without variables has none.
    w.m.space.set_cell(LispPtr(example.instance).plus(NAMES), 0);
    assert_eq!(show(w, "FIND", &[x, example.instance]), "NIL");
    assert!(show(w, "GET", &[example.instance, x]).starts_with("(<"));
}

fn active_values<L: Layout>(w: &mut Workbench<L>) {
    let example = Example::new(w);
    let z = w.symbol("z");
    assert_eq!(show(w, "FIND", &[z, example.instance]), "2");
    assert!(show(w, "GET", &[example.instance, z]).ends_with(" z)"));
    assert!(show(w, "PUT", &[example.instance, z, small(1)]).ends_with(" z 1)"));
    let values = LispPtr(w.m.space.cell(LispPtr(example.instance).plus(VALUES)));
    assert_eq!(w.m.space.cell(values.plus(4)), example.annotated);
}

fn wrong_counts<L: Layout>(w: &mut Workbench<L>) {
    let example = Example::new(w);
    let x = w.symbol("x");
    w.define(Function { name: "\\UFN-MISCN", arguments: &["OPERANDS"], ..Default::default() }, "IVAR0 RETURN");
    w.define_ufn(0o44, "\\UFN-MISCN", 2, 1);
    w.define(Function { name: "ODD", arguments: &["A", "B"], ..Default::default() }, "IVAR0 IVAR1 MISCN 10 1 RETURN");
    assert_eq!(show(w, "ODD", &[example.instance, x]), "2561");
    // An image in which LOOPS does not define what Lisp does in an operation's place.
    w.define_as("\\GetIVValue", 0);
    assert_eq!(show(w, "GET", &[small(5), x]), "2562");
    w.m.loops.names = None;
    assert_eq!(show(w, "GET", &[example.instance, x]), "2562", "or no LOOPS at all");
}
