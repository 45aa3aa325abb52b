//! Programs that give the same answers in both layouts, with symbols of both kinds.

use crate::address::LispPtr;
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, types};
use crate::workbench::{Function, Workbench, in_all_worlds};
use std::string::String;
use std::vec::Vec;

in_all_worlds! {
    functions_call_each_other = recursion;
    arguments_are_fitted = fitting;
    lists_are_made_and_taken_apart = lists;
    lists_are_changed = changed_lists;
    lists_are_searched = searches;
    dropped_conses_come_back = garbage;
    what_frames_refer_to_stays = frames_hold;
    closures_have_environments = closures;
    free_variables_find_their_bindings = free_variables;
    special_bindings_end = binding;
    several_values_are_received = values;
    arrays_hold_what_they_are_given = arrays;
    floats_are_boxed_and_unboxed = floats;
    large_numbers_are_boxed = integers;
    what_is_no_code_is_interpreted = interpreted;
    opcodes_call_their_ufns = ufns;
    forms_are_evaluated = evaluation;
    symbols_have_cells = symbol_cells;
    memory_is_reached_by_address = memory;
    streams_give_bytes = streams;
    types_are_checked = type_checks;
    every_jump_goes_where_it_says = jumps;
    saved_worlds_start = start;
}

fn small(value: i32) -> u32 {
    if value < 0 { SMALL_NEGATIVE | value as u32 & 0xFFFF } else { SMALL_POSITIVE | value as u32 }
}

/// Runs a function and shows its value.
fn value<L: Layout>(w: &mut Workbench<L>, name: &str, arguments: &[u32]) -> String {
    let cell = w.run(name, arguments);
    w.show(cell)
}

/// Defines a function of one argument, or several, without other variables.
fn define<L: Layout>(w: &mut Workbench<L>, name: &str, arguments: &[&str], text: &str) {
    w.define(Function { name, arguments, ..Default::default() }, text);
}

/// (IOTA n): the numbers from 1 to n.
fn define_iota<L: Layout>(w: &mut Workbench<L>) {
    w.define(
        Function { name: "IOTA", arguments: &["N"], locals: &["LIST"], ..Default::default() },
        "NIL PVARSETPOP0
         next: IVAR0 ZERO EQ TJUMPX done
         IVAR0 PVAR0 CONS PVARSETPOP0
         IVAR0 ONE IDIFFERENCE IVARX_ N POP
         JUMPX next
         done: PVAR0 RETURN",
    );
}

fn recursion<L: Layout>(w: &mut Workbench<L>) {
    define(
        w,
        "FIB",
        &["N"],
        "IVAR0 SIC 2 IGREATERP TJUMPX more
         ONE RETURN
         more: IVAR0 ONE IDIFFERENCE FN1 FIB
         IVAR0 SIC 2 IDIFFERENCE FN1 FIB
         IPLUS2 RETURN",
    );
    assert_eq!(value(w, "FIB", &[small(15)]), "610");
    define(
        w,
        "TAK",
        &["X", "Y", "Z"],
        "IVAR0 IVAR1 IGREATERP TJUMPX more
         IVAR2 RETURN
         more: IVAR0 ONE IDIFFERENCE IVAR1 IVAR2 FN3 TAK
         IVAR1 ONE IDIFFERENCE IVAR2 IVAR0 FN3 TAK
         IVAR2 ONE IDIFFERENCE IVAR0 IVAR1 FN3 TAK
         FN3 TAK RETURN",
    );
    assert_eq!(value(w, "TAK", &[small(10), small(6), small(3)]), "4");
    define(
        w,
        "DEEP",
        &["N"],
        "IVAR0 ZERO EQ TJUMPX end
         IVAR0 IVAR0 ONE IDIFFERENCE FN1 DEEP IPLUS2 RETURN
         end: ZERO RETURN",
    );
    // As deep as the stack is; more makes it grow, which needs Lisp's help.
    assert_eq!(value(w, "DEEP", &[small(1000)]), "500500");
}

fn fitting<L: Layout>(w: &mut Workbench<L>) {
    define(w, "THREE", &["A", "B", "C"], "IVAR0 IVAR1 IVAR2 NIL CONS CONS CONS RETURN");
    define(w, "CALLER", &[], "SIC 7 SIC 8 FN2 THREE RETURN");
    assert_eq!(value(w, "CALLER", &[]), "(7 8 NIL)");
    define(w, "LAVISH", &[], "SIC 1 SIC 2 SIC 3 SIC 4 SIC 5 FNX 5 THREE RETURN");
    assert_eq!(value(w, "LAVISH", &[]), "(1 2 3)");
    w.define(
        Function { name: "COUNT", any_number: true, ..Default::default() },
        "MYARGCOUNT MYARGCOUNT ARG0 NIL CONS CONS RETURN",
    );
    assert_eq!(value(w, "COUNT", &[small(5), small(6), small(7), small(8), small(9), small(10)]), "(6 10)");
    w.define(Function { name: "REST", any_number: true, ..Default::default() }, "NIL MYARGCOUNT RESTLIST 2 RETURN");
    assert_eq!(value(w, "REST", &[small(5), small(6), small(7), small(8)]), "(6 7 8)");
    let (key, other) = (w.symbol("KEY"), w.symbol("OTHER"));
    w.define(Function { name: "KEYWORD", any_number: true, ..Default::default() }, "ACONST KEY FINDKEY 1 RETURN");
    assert_eq!(value(w, "KEYWORD", &[other, small(6), key, small(8)]), "4");
    assert_eq!(value(w, "KEYWORD", &[small(6), key, small(8)]), "NIL");
    define(w, "SPREAD", &["F"], "SIC 1 SIC 2 SIC 3 SIC 3 IVAR0 APPLYFN RETURN");
    let three = w.symbol("THREE");
    assert_eq!(value(w, "SPREAD", &[three]), "(1 2 3)");
}

fn lists<L: Layout>(w: &mut Workbench<L>) {
    define_iota(w);
    assert_eq!(value(w, "IOTA", &[small(5)]), "(1 2 3 4 5)");
    w.define(
        Function { name: "SUM", arguments: &["LIST"], locals: &["SUM"], ..Default::default() },
        "ZERO PVARSETPOP0
         next: IVAR0 LISTP NFJUMPX done
         PVAR0 IVAR0 CAR IPLUS2 PVARSETPOP0
         IVAR0 CDR IVARX_ LIST POP JUMPX next
         done: POP PVAR0 RETURN",
    );
    define(w, "SUM-OF", &["N"], "IVAR0 FN1 IOTA FN1 SUM RETURN");
    assert_eq!(value(w, "SUM-OF", &[small(300)]), "45150");
    define(w, "PAIRS", &[], "ONE SIC 2 CONS SIC 3 SNIC 255 CONS CONS RETURN");
    assert_eq!(value(w, "PAIRS", &[]), "((1 . 2) 3 . -1)");
    define(w, "ENDS", &[], "NIL CAR NIL CDR T CAR CONS CONS RETURN");
    assert_eq!(value(w, "ENDS", &[]), "(NIL NIL . T)");
}

fn changed_lists<L: Layout>(w: &mut Workbench<L>) {
    define_iota(w);
    // Every list reversed in place: each CDR is coded anew.
    w.define(
        Function { name: "NREVERSE", arguments: &["LIST"], locals: &["DONE", "REST"], ..Default::default() },
        "NIL PVARSETPOP0
         next: IVAR0 NFJUMPX done
         IVAR0 CDR PVARSETPOP1
         IVAR0 PVAR0 RPLACD PVARSETPOP0
         PVAR1 IVARX_ LIST POP JUMPX next
         done: POP PVAR0 RETURN",
    );
    define(w, "BACK", &["N"], "IVAR0 FN1 IOTA FN1 NREVERSE RETURN");
    assert_eq!(value(w, "BACK", &[small(10)]), "(10 9 8 7 6 5 4 3 2 1)");
    let long: Vec<String> = (1..=500).rev().map(|n| std::format!("{n}")).collect();
    assert_eq!(value(w, "BACK", &[small(500)]), std::format!("({})", long.join(" ")));
    // A list that grows at its end.
    w.define(
        Function { name: "COLLECT", arguments: &["N"], locals: &["LIST", "LAST"], ..Default::default() },
        "ZERO NIL CONS PVAR_0 PVARSETPOP1
         next: IVAR0 ZERO EQ TJUMPX done
         PVAR1 IVAR0 RPLCONS PVARSETPOP1
         IVAR0 ONE IDIFFERENCE IVARX_ N POP JUMPX next
         done: PVAR0 RETURN",
    );
    assert_eq!(value(w, "COLLECT", &[small(9)]), "(0 9 8 7 6 5 4 3 2 1)");
    define(w, "CHANGE", &[], "SIC 3 FN1 IOTA SIC 9 RPLACA CDR SIC 8 RPLACA RETURN");
    assert_eq!(value(w, "CHANGE", &[]), "(8 3)");
    // CDRs that are no lists, and lists elsewhere, in cells that were coded for neighbours.
    define(w, "DOTTED", &[], "SIC 4 FN1 IOTA T RPLACD SIC 2 FN1 IOTA CONS RETURN");
    assert_eq!(value(w, "DOTTED", &[]), "((1 . T) 1 2)");
}

fn searches<L: Layout>(w: &mut Workbench<L>) {
    let [a, b, c] = ["A", "B", "C"].map(|name| w.symbol(name));
    let pairs: Vec<u32> = [(a, 1), (b, 2), (c, 3)].map(|(key, n)| w.list(&[key, small(n)])).to_vec();
    let alist = w.list(&pairs);
    let plist = w.list(&[a, small(1), b, small(2), c, small(3)]);
    define(w, "ASSOC-OF", &["KEY", "LIST"], "IVAR0 IVAR1 ASSOC RETURN");
    define(w, "MEMB-OF", &["KEY", "LIST"], "IVAR0 IVAR1 FMEMB RETURN");
    define(w, "GET-OF", &["LIST", "KEY"], "IVAR0 IVAR1 LISTGET RETURN");
    let other = w.symbol("OTHER");
    assert_eq!(value(w, "ASSOC-OF", &[b, alist]), "(B 2)");
    assert_eq!(value(w, "ASSOC-OF", &[other, alist]), "NIL");
    assert_eq!(value(w, "MEMB-OF", &[c, plist]), "(C 3)");
    assert_eq!(value(w, "MEMB-OF", &[other, plist]), "NIL");
    assert_eq!(value(w, "GET-OF", &[plist, c]), "3");
    assert_eq!(value(w, "GET-OF", &[plist, other]), "NIL");
}

fn garbage<L: Layout>(w: &mut Workbench<L>) {
    define_iota(w);
    define(w, "COLLECT", &[], "SUBRCALL 0o134 0 RETURN");
    w.set_value("*KEPT*", 0);
    w.run("COLLECT", &[]);
    let before = w.used_conses();
    define(
        w,
        "DROP",
        &["N"],
        "next: IVAR0 ZERO EQ TJUMPX done SIC 200 FN1 IOTA POP IVAR0 ONE IDIFFERENCE IVARX_ N POP JUMPX next done: NIL RETURN",
    );
    for _ in 0..3 {
        w.run("DROP", &[small(50)]);
        assert!(w.used_conses() > before + 10_000 - 1, "nothing is reclaimed before it is asked for");
        w.run("COLLECT", &[]);
        assert_eq!(w.used_conses(), before, "all that was dropped is free again");
    }
    define(w, "KEEP", &["N"], "IVAR0 FN1 IOTA GVAR_ *KEPT* RETURN");
    w.run("KEEP", &[small(100)]);
    w.run("COLLECT", &[]);
    let kept = w.value("*KEPT*");
    assert!(w.show(kept).ends_with(" 99 100)"));
    assert!(w.used_conses() >= before + 100);
    // A list that refers to another keeps it; both go together.
    define(w, "NEST", &[], "GVAR *KEPT* GVAR *KEPT* CONS GVAR_ *KEPT* RETURN");
    w.run("NEST", &[]);
    w.run("COLLECT", &[]);
    define(w, "FORGET", &[], "NIL GVAR_ *KEPT* RETURN");
    w.run("FORGET", &[]);
    w.run("COLLECT", &[]);
    assert_eq!(w.used_conses(), before);
    // Boxes go too.
    let fixps = |w: &mut Workbench<L>| {
        let cell = w.object(types::FIXP);
        crate::collector::add_reference(&mut w.m, cell.0);
        cell
    };
    define(w, "BOX", &["N"], "SICX 30000 SICX 30000 ITIMES2 RETURN");
    let first = w.run("BOX", &[small(1)]);
    w.run("COLLECT", &[]);
    assert_eq!(fixps(w).0, first, "the box is used again");
}

fn frames_hold<L: Layout>(w: &mut Workbench<L>) {
    define_iota(w);
    // (In a function of its own: the subr leaves an extra cell on the stack, as the reference's does.)
    define(w, "COLLECT", &[], "SUBRCALL 0o134 0 RETURN");
    // An argument, a local variable and temporaries while the collector runs.
    w.define(
        Function { name: "HOLD", arguments: &["LIST"], locals: &["MINE"], ..Default::default() },
        "SIC 4 FN1 IOTA PVARSETPOP0
         SIC 5 FN1 IOTA
         SIC 6 FN1 IOTA
         FN0 COLLECT POP
         SIC 100 FN1 IOTA POP
         PVAR0 IVAR0 CONS CONS CONS RETURN",
    );
    define(w, "START", &[], "SIC 3 FN1 IOTA FN1 HOLD RETURN");
    assert_eq!(value(w, "START", &[]), "((1 2 3 4 5) (1 2 3 4 5 6) (1 2 3 4) 1 2 3)");
}

fn closures<L: Layout>(w: &mut Workbench<L>) {
    // The environment, a list, is in the first PVAR.
    let code = w.define(
        Function { name: "ADDER", arguments: &["X"], locals: &["environment", "unused"], ..Default::default() },
        "PVAR0 CAR IVAR0 IPLUS2 RETURN",
    );
    w.name_object("code", code.0);
    let closure_type = small(types::COMPILED_CLOSURE as i32);
    w.set_value("*TYPE*", closure_type);
    define(w, "MAKE-ADDER", &["N"], "GVAR *TYPE* CREATECELL GCONST code RPLPTR 0 IVAR0 NIL CONS RPLPTR 2 RETURN");
    define(
        w,
        "USE",
        &[],
        "SIC 10 SIC 5 FN1 MAKE-ADDER ONE SWAP APPLYFN
         SIC 20 SIC 7 FN1 MAKE-ADDER ONE SWAP APPLYFN CONS RETURN",
    );
    // (APPLYFN wants arguments, count, function.)
    assert_eq!(value(w, "USE", &[]), "(15 . 27)");
    let closure = w.run("MAKE-ADDER", &[small(100)]);
    w.define_as("HUNDRED", closure);
    define(w, "BY-NAME", &[], "SIC 11 FN1 HUNDRED RETURN");
    assert_eq!(value(w, "BY-NAME", &[]), "111");
    define(w, "BY-ENVCALL", &["ENV"], "SIC 30 ONE GCONST code IVAR0 ENVCALL RETURN");
    let environment = w.list(&[small(12)]);
    assert_eq!(value(w, "BY-ENVCALL", &[environment]), "42");
}

fn free_variables<L: Layout>(w: &mut Workbench<L>) {
    w.set_value("*X", small(1));
    w.set_value("*Y", small(2));
    w.define(Function { name: "LOOK", free: &["*X", "*Y"], ..Default::default() }, "FVAR0 FVARX *Y CONS RETURN");
    assert_eq!(value(w, "LOOK", &[]), "(1 . 2)");
    define(w, "WITH-X", &["*X"], "FN0 LOOK RETURN");
    assert_eq!(value(w, "WITH-X", &[small(5)]), "(5 . 2)");
    w.define(
        Function { name: "WITH-Y", arguments: &["plain"], locals: &["other", "*Y"], ..Default::default() },
        "IVAR0 PVARSETPOP1 SIC 9 FN1 WITH-X RETURN",
    );
    assert_eq!(value(w, "WITH-Y", &[small(6)]), "(9 . 6)");
    // A frame that has looked a variable up itself passes on what it found.
    w.define(
        Function { name: "BETWEEN", free: &["*Y"], locals: &["a"], ..Default::default() },
        "FVARX *Y POP FN0 LOOK RETURN",
    );
    w.define(
        Function { name: "AROUND", locals: &["*Y"], ..Default::default() },
        "SIC 77 PVARSETPOP0 FN0 BETWEEN RETURN",
    );
    assert_eq!(value(w, "AROUND", &[]), "(1 . 77)");
    // Stores reach the binding, on the stack or at top level.
    w.define(Function { name: "SET", free: &["*X"], ..Default::default() }, "SIC 50 FVARX_ *X RETURN");
    define(w, "SET-IN", &["*X"], "FN0 SET POP IVAR0 RETURN");
    assert_eq!(value(w, "SET-IN", &[small(3)]), "50");
    let x = w.value("*X");
    assert_eq!(w.show(x), "1");
    w.run("SET", &[]);
    let x = w.value("*X");
    assert_eq!(w.show(x), "50");
    // STKSCAN finds the same place.
    define(w, "PLACE", &["*Y"], "ACONST *Y STKSCAN GETBASEPTR_N 0 RETURN");
    assert_eq!(value(w, "PLACE", &[small(4)]), "2", "STKSCAN begins with the caller");
}

fn binding<L: Layout>(w: &mut Workbench<L>) {
    w.set_value("*S", small(1));
    w.define(Function { name: "LOOK", free: &["*S"], ..Default::default() }, "FVAR0 RETURN");
    // Two values and two NILs, in PVARs 0 to 3.
    w.define(
        Function { name: "BOUND", locals: &["a", "*S", "b", "c"], ..Default::default() },
        "FN0 LOOK
         SIC 20 SIC 30 BIND 0o42 3
         FN0 LOOK UNBIND
         FN0 LOOK CONS CONS RETURN",
    );
    assert_eq!(value(w, "BOUND", &[]), "(1 30 . 1)");
    w.define(
        Function { name: "DROPPED", locals: &["*S", "b"], ..Default::default() },
        "SIC 5 SIC 9 BIND 1 0 SIC 1 SIC 2 DUNBIND FN0 LOOK CONS RETURN",
    );
    assert_eq!(value(w, "DROPPED", &[]), "(5 . 1)");
    w.define(
        Function { name: "UNWOUND", locals: &["*S", "b"], ..Default::default() },
        "SIC 5 SIC 9 BIND 1 0 SIC 1 SIC 2 UNWIND 5 1 FN0 LOOK CONS CONS RETURN",
    );
    assert_eq!(value(w, "UNWOUND", &[]), "(5 2 . 1)");
}

fn values<L: Layout>(w: &mut Workbench<L>) {
    define(w, "TWO", &[], "SIC 1 SIC 2 MISCN 1 2 RETURN");
    define(w, "\\MVLIST", &["X"], "IVAR0 NIL CONS RETURN");
    define(w, "MANY", &[], "FN0 TWO FN1 \\MVLIST RETURN");
    assert_eq!(value(w, "MANY", &[]), "(1 2)");
    define(w, "THROUGH", &[], "FN0 TWO RETURN");
    define(w, "FAR", &[], "FN0 THROUGH FN1 \\MVLIST RETURN");
    assert_eq!(value(w, "FAR", &[]), "(1 2)");
    define(w, "ONLY", &[], "FN0 TWO NIL CONS RETURN");
    assert_eq!(value(w, "ONLY", &[]), "(1)");
    define(w, "SINGLE", &[], "SIC 4 FN1 \\MVLIST RETURN");
    assert_eq!(value(w, "SINGLE", &[]), "(4)");
    define(w, "ALL", &["LIST"], "IVAR0 MISCN 6 1 RETURN");
    define(w, "ALL-OF", &["LIST"], "IVAR0 FN1 ALL FN1 \\MVLIST RETURN");
    let list = w.list(&[small(7), small(8), small(9)]);
    assert_eq!(value(w, "ALL-OF", &[list]), "(7 8 9)");
}

/// A vector of `length` elements of a kind, from `offset` on in its block.
fn vector<L: Layout>(w: &mut Workbench<L>, kind: u32, offset: u32, length: u32) -> u32 {
    let block = w.block(2 * (offset + length));
    let array = w.object(types::ONED_ARRAY);
    let space = w.m.space;
    space.set_cell(array, block.0);
    space.set_cell(array.plus(2), kind << 16 | offset);
    if L::BIG {
        space.set_cell(array.plus(4), length);
        space.set_cell(array.plus(6), length);
    } else {
        space.set_cell(array.plus(4), length << 16 | length);
    }
    array.0
}

fn arrays<L: Layout>(w: &mut Workbench<L>) {
    define(w, "STORE", &["NEW", "ARRAY", "INDEX"], "IVAR0 IVAR1 IVAR2 ASET1 RETURN");
    define(w, "FETCH", &["ARRAY", "INDEX"], "IVAR0 IVAR1 AREF1 RETURN");
    define(w, "BIG", &[], "SICX 40000 SICX 40000 ITIMES2 RETURN");
    let big = w.run("BIG", &[]);
    let list = w.list(&[small(1), small(2)]);
    for (kind, data) in [
        (0, [small(1), small(0)]),
        (3, [small(200), small(7)]),
        (4, [small(65535), small(7)]),
        (20, [small(-5), small(7)]),
        (22, [big, small(-70)]),
        (38, [list, small(7)]),
        (67, [CHARACTERS | 65, CHARACTERS | 66]),
        (68, [CHARACTERS | 0x3B1, CHARACTERS | 66]),
        (86, [list, small(7)]),
    ] {
        let array = vector(w, kind, 3, 6);
        for (index, datum) in [(5, data[0]), (4, data[1])] {
            let stored = w.run("STORE", &[datum, array, small(index)]);
            assert_eq!(stored, datum);
        }
        for (index, datum) in [(5, data[0]), (4, data[1])] {
            let expected = w.show(datum);
            assert_eq!(value(w, "FETCH", &[array, small(index)]), expected, "kind {kind}");
        }
    }
    // A sieve, with bits.
    w.define(
        Function { name: "SIEVE", arguments: &["BITS", "SIZE"], locals: &["I", "J", "COUNT"], ..Default::default() },
        "ZERO PVARSETPOP2 SIC 2 PVARSETPOP0
         next: IVAR1 PVAR0 IGREATERP FJUMPX done
         IVAR0 PVAR0 AREF1 ZERO EQ FJUMPX step
         PVAR2 ONE IPLUS2 PVARSETPOP2
         PVAR0 PVARSETPOP1
         inner: PVAR1 PVAR0 IPLUS2 PVARSETPOP1
         IVAR1 PVAR1 IGREATERP FJUMPX step
         ONE IVAR0 PVAR1 ASET1 POP JUMPX inner
         step: PVAR0 ONE IPLUS2 PVARSETPOP0 JUMPX next
         done: PVAR2 RETURN",
    );
    let bits = vector(w, 0, 0, 1000);
    assert_eq!(value(w, "SIEVE", &[bits, small(1000)]), "168");
}

fn floats<L: Layout>(w: &mut Workbench<L>) {
    define(w, "THIRD", &["N"], "IVAR0 SIC 3 FQUOTIENT RETURN");
    assert_eq!(value(w, "THIRD", &[small(1)]), "0.33333334");
    define(w, "MIXED", &["N"], "IVAR0 FN1 THIRD IVAR0 PLUS2 SIC 2 TIMES2 ONE DIFFERENCE SIC 5 QUOTIENT RETURN");
    assert_eq!(value(w, "MIXED", &[small(4)]), "1.9333334");
    define(w, "UNBOXED", &["A", "B"], "IVAR0 UBFLOAT1 1 IVAR1 UBFLOAT1 1 UBFLOAT2 3 UBFLOAT1 3 UBFLOAT1 0 RETURN");
    let (a, b) = (w.run("THIRD", &[small(1)]), w.run("THIRD", &[small(4)]));
    assert_eq!(value(w, "UNBOXED", &[a, b]), "-0.44444448");
    define(w, "COMPARE", &["A", "B"], "IVAR0 IVAR1 GREATERP IVAR1 IVAR0 FGREATERP CONS RETURN");
    assert_eq!(value(w, "COMPARE", &[a, b]), "(NIL . T)");
    define(w, "SAME", &["A", "B"], "IVAR0 IVAR1 EQ IVAR0 IVAR1 EQL IVAR0 IVAR1 CL_EQUAL CONS CONS RETURN");
    let one = w.run("THIRD", &[small(3)]);
    let again = w.run("THIRD", &[small(3)]);
    assert_eq!(value(w, "SAME", &[one, again]), "(NIL T . T)");
    assert_eq!(value(w, "SAME", &[one, small(1)]), "(NIL NIL . T)");
}

fn integers<L: Layout>(w: &mut Workbench<L>) {
    define(
        w,
        "FACT",
        &["N"],
        "IVAR0 ONE IGREATERP TJUMPX more ONE RETURN
         more: IVAR0 IVAR0 ONE IDIFFERENCE FN1 FACT ITIMES2 RETURN",
    );
    assert_eq!(value(w, "FACT", &[small(12)]), "479001600");
    define(w, "NEGATIVE", &[], "ZERO SIC 12 FN1 FACT IDIFFERENCE SIC 13 IQUOTIENT RETURN");
    assert_eq!(value(w, "NEGATIVE", &[]), "-36846276");
    define(w, "BITS", &[], "SICX 4660 LLSH8 LLSH8 SICX 22136 LOGOR2 LRSH1 SIC 3 LSH RETURN");
    assert_eq!(value(w, "BITS", &[]), "1221679584");
    define(w, "HALVES", &[], "SICX 4660 SICX 22136 MAKENUMBER COPY GETBASE_N 0 SWAP GETBASE_N 1 CONS RETURN");
    assert_eq!(value(w, "HALVES", &[]), "(4660 . 22136)");
    define(w, "IN-BOX", &[], "SIC 12 FN1 FACT SIC 7 BOXIPLUS SNIC 256 BOXIDIFFERENCE RETURN");
    assert_eq!(value(w, "IN-BOX", &[]), "479001863");
}

fn interpreted<L: Layout>(w: &mut Workbench<L>) {
    // The interpreter gets the arguments and, behind them, the function's name.
    w.define(
        Function { name: "\\INTERPRETER", any_number: true, ..Default::default() },
        "NIL MYARGCOUNT RESTLIST 1 RETURN",
    );
    define(w, "CALL", &[], "SIC 1 SIC 2 FN2 NOWHERE RETURN");
    assert_eq!(value(w, "CALL", &[]), "(1 2 NOWHERE)");
    define(w, "CALL-MANY", &[], "SIC 1 SIC 2 SIC 3 SIC 4 SIC 5 FNX 5 NOWHERE RETURN");
    assert_eq!(value(w, "CALL-MANY", &[]), "(1 2 3 4 5 NOWHERE)");
    let form = w.list(&[small(1)]);
    w.define_as("EXPRESSION", form);
    define(w, "CALL-EXPRESSION", &[], "SIC 1 FN1 EXPRESSION RETURN");
    assert_eq!(value(w, "CALL-EXPRESSION", &[]), "(1 EXPRESSION)");
    define(w, "APPLY-IT", &["F"], "SIC 8 ONE IVAR0 APPLYFN RETURN");
    assert_eq!(value(w, "APPLY-IT", &[form]), "(8 (1))");
}

fn ufns<L: Layout>(w: &mut Workbench<L>) {
    w.define(
        Function { name: "\\UFN-LIST", any_number: true, ..Default::default() },
        "NIL MYARGCOUNT RESTLIST 1 RETURN",
    );
    // Operand bytes and arguments, the operand among them.
    for (opcode, bytes, arguments) in
        [(0o1, 0, 1), (0o6, L::ATOM_BYTES, 2), (0o16, 0, 1), (0o24, 1, 3), (0o44, 2, 1), (0o324, 0, 2), (0o312, 2, 2)]
    {
        w.define_ufn(opcode, "\\UFN-LIST", bytes, arguments);
    }
    define(w, "BAD-CAR", &[], "SIC 9 SIC 5 CAR CONS RETURN");
    assert_eq!(value(w, "BAD-CAR", &[]), "(9 5)");
    define(w, "BAD-SUM", &["X"], "IVAR0 ONE PLUS2 RETURN");
    let symbol = w.symbol("SYMBOL");
    assert_eq!(value(w, "BAD-SUM", &[symbol]), "(SYMBOL 1)");
    define(w, "NO-MISCN", &[], "SIC 9 MISCN 99 0 CONS RETURN");
    assert_eq!(value(w, "NO-MISCN", &[]), "(9 25344)");
    // A symbol by number comes as a number, a record as itself.
    define(w, "BAD-TYPE", &[], "SIC 4 DTEST TYPE-99 RETURN");
    let name = w.symbol("TYPE-99");
    let shown = if name < 0x1_0000 { std::format!("(4 {name})") } else { "(4 TYPE-99)".into() };
    assert_eq!(value(w, "BAD-TYPE", &[]), shown);
}

fn evaluation<L: Layout>(w: &mut Workbench<L>) {
    define(w, "EVALFORM", &["FORM"], "IVAR0 CDR RETURN");
    define(w, "EV", &["X"], "IVAR0 EVAL RETURN");
    let symbol = w.symbol("*V");
    w.set_value("*V", small(33));
    assert_eq!(value(w, "EV", &[symbol]), "33");
    define(w, "EV-IN", &["*V"], "IVAR0 POP ACONST *V FN1 EV RETURN");
    assert_eq!(value(w, "EV-IN", &[small(12)]), "12");
    let list = w.list(&[small(1), small(2)]);
    assert_eq!(value(w, "EV", &[list]), "(2)");
    assert_eq!(value(w, "EV", &[small(-4)]), "-4");
    assert_eq!(value(w, "EV", &[0]), "NIL");
    assert_eq!(value(w, "EV", &[0o114]), "T");
}

fn symbol_cells<L: Layout>(w: &mut Workbench<L>) {
    let header = define_and_return(w);
    define(w, "VALUE", &["S"], "IVAR0 ATOMCELL_N 12 GETBASEPTR_N 0 RETURN");
    define(w, "DEFINITION", &["S"], "IVAR0 ATOMCELL_N 10 GETBASEPTR_N 0 RETURN");
    define(w, "SET-PLIST", &["S", "NEW"], "IVAR0 ATOMCELL_N 2 IVAR1 PUTBASEPTR_N 0 GETBASEPTR_N 0 RETURN");
    let symbol = w.symbol("DEFINED");
    w.set_value("DEFINED", small(3));
    assert_eq!(value(w, "VALUE", &[symbol]), "3");
    assert_eq!(w.run("DEFINITION", &[symbol]), header.0);
    let list = w.list(&[small(1)]);
    assert_eq!(value(w, "SET-PLIST", &[symbol, list]), "(1)");
    define(w, "CHECK", &["S"], "IVAR0 CHECKAPPLY RETURN");
    assert_eq!(value(w, "CHECK", &[symbol]), "DEFINED");
}

fn define_and_return<L: Layout>(w: &mut Workbench<L>) -> LispPtr {
    w.define(Function { name: "DEFINED", ..Default::default() }, "NIL RETURN")
}

fn memory<L: Layout>(w: &mut Workbench<L>) {
    let block = w.block(64);
    let space = w.m.space;
    for i in 0..64 {
        space.set_word(block.plus(i), i as u16);
    }
    w.name_object("block", block.0);
    // Down by one word after setting the last: fills.
    define(
        w,
        "FILL",
        &[],
        "GCONST block SICX 4660 PUTBASE_N 10 POP
         GCONST block GCONST block ONE ADDBASE SIC 10 BLT
         GCONST block GETBASE_N 0 GCONST block GETBASE_N 9 CONS GCONST block GETBASE_N 11 CONS CONS RETURN",
    );
    assert_eq!(value(w, "FILL", &[]), "(10 (4660 . 4660) . 11)");
    define(
        w,
        "FIELDS",
        &[],
        "GCONST block SIC 5 PUTBITS_N_FD 20 0o102 GETBITS_N_FD 20 0o102
         GCONST block GETBASE_N 20
         GCONST block SIC 43 SIC 99 PUTBASEBYTE POP
         GCONST block SIC 43 GETBASEBYTE CONS CONS RETURN",
    );
    // Bits 4 to 6 of word 20.
    assert_eq!(value(w, "FIELDS", &[]), "(5 2580 . 99)");
    define(w, "PARTS", &[], "SIC 18 SICX 13398 VAG2 COPY HILOC SWAP LOLOC CONS RETURN");
    assert_eq!(value(w, "PARTS", &[]), "(18 . 13398)");
}

fn streams<L: Layout>(w: &mut Workbench<L>) {
    let number = types::STREAM;
    let buffer = w.block(8);
    let space = w.m.space;
    space.set_cell(buffer, 0x4142_4344);
    crate::storage::TypeDescriptor::<L>::of(number).declare(space, 7, 60, number as u16, 0);
    let stream = w.object(number);
    space.set_cell(stream, 1 << 16 | 3);
    space.set_cell(stream.plus(2), buffer.0);
    let binable = stream.plus(if L::BIG { 10 } else { 2 });
    space.set_cell(binable, space.cell(binable) | 1 << 31);
    define(w, "READ", &["S"], "IVAR0 BIN IVAR0 BIN CONS RETURN");
    assert_eq!(value(w, "READ", &[stream.0]), "(66 . 67)");
    w.define(Function { name: "\\UFN-END", arguments: &["S"], ..Default::default() }, "T RETURN");
    w.define_ufn(0o40, "\\UFN-END", 0, 1);
    define(w, "END", &["S"], "IVAR0 BIN RETURN");
    assert_eq!(value(w, "END", &[stream.0]), "T");
}

fn type_checks<L: Layout>(w: &mut Workbench<L>) {
    let number = w.new_type("THING", 6);
    let thing = w.object(number);
    define(
        w,
        "CHECKS",
        &["X"],
        "IVAR0 NTYPX IVAR0 DTEST THING EQ IVAR0 INSTANCEP THING IVAR0 LISTP IVAR0 INSTANCEP OTHER CONS CONS CONS RETURN",
    );
    assert_eq!(value(w, "CHECKS", &[thing.0]), "(NIL T NIL)");
    define(w, "NUMBERS", &["X"], "IVAR0 TYPEMASK 16 IVAR0 TYPEMASK 32 CONS RETURN");
    let float = w.object(types::FLOATP);
    w.m.space.set_cell(float, 1.5f32.to_bits());
    assert_eq!(value(w, "NUMBERS", &[float.0]), "(1.5)");
    assert_eq!(value(w, "NUMBERS", &[small(2)]), "(2 . 2)");
    assert_eq!(value(w, "NUMBERS", &[thing.0]), "(NIL)");
}

fn jumps<L: Layout>(w: &mut Workbench<L>) {
    // Each short jump over so many bytes less two, then a word jump back and forth.
    for distance in 2..=17 {
        let over: String = "NOP ".repeat(distance - 1);
        for (jump, condition) in [("JUMP", ""), ("FJUMP", "NIL"), ("TJUMP", "T")] {
            let text = std::format!("SIC 1 {condition} {jump}{distance} {over} SIC 2 CONS RETURN");
            define(w, "JUMPER", &[], &text);
            assert_eq!(value(w, "JUMPER", &[]), "(1 . 2)", "{jump}{distance}");
        }
        for (jump, condition) in [("FJUMP", "T"), ("TJUMP", "NIL")] {
            let text = std::format!("SIC 1 {condition} {jump}{distance} SIC 2 CONS RETURN");
            define(w, "JUMPER", &[], &text);
            assert_eq!(value(w, "JUMPER", &[]), "(1 . 2)", "{jump}{distance} not taken");
        }
    }
    define(w, "FAR", &[], "JUMPXX 8 back: SIC 4 RETURN NOP NOP JUMPX back");
    assert_eq!(value(w, "FAR", &[]), "4");
    define(w, "BACK", &[], "JUMPX over back: SIC 4 RETURN over: JUMPXX 65533");
    assert_eq!(value(w, "BACK", &[]), "4");
}

fn start<L: Layout>(w: &mut Workbench<L>) {
    use crate::sysout::interface;
    let symbols = w.m.symbols;
    let counters = [
        (symbols.least_mds_page, 0x7FFE),
        (symbols.second_mds_page, 0x1234),
        (symbols.second_array_page, 0x8000),
        (symbols.last_vmem_file_page, 0x2345),
        (symbols.next_array_page, 0x4000),
    ];
    // As in an image that was never run: all small integers, also the counter from which FIXPs have to be made.
    let next = w.m.counter(symbols.next_mds_page);
    for (variable, count) in counters.into_iter().chain([(symbols.next_mds_page, next)]) {
        w.m.space.set_cell(variable, small(count as i32));
    }
    define(w, "FIRST", &[], "SIC 5 NIL CONS RETURN");
    let list = w.start_and_run("FIRST", &crate::startup::Session { megabytes: Some(16) });
    assert_eq!(w.show(list), "(5)");
    let last = 16 * 2048 - 1;
    let word = |at: u32| w.m.ifpage_word(at) as u32;
    let cell = |at: u32| word(at) << 16 | word(at + 1);
    assert_eq!(word(13), 3, "the kind of machine");
    assert_eq!(word(61), 0xFFFF, "24 bits and more");
    if L::BIG {
        assert_eq!((cell(interface::LAST_FILE_PAGE_35), cell(interface::MEGABYTES_35)), (last, 16));
        for (variable, _) in counters {
            let fixp = w.m.space.cell(variable);
            assert_eq!(crate::layout::type_number::<L>(w.m.space, fixp), types::FIXP);
        }
        assert_eq!(w.m.counter(symbols.last_vmem_file_page), last);
    } else {
        assert_eq!((word(interface::LAST_FILE_PAGE_2), word(interface::MEGABYTES_2)), (last, 16));
        assert_eq!(w.m.counter(symbols.last_vmem_file_page), 0x2345, "Lisp sets it itself");
    }
    assert_eq!(w.m.counter(symbols.second_mds_page), last - 3);
    assert_eq!(w.m.counter(symbols.least_mds_page), 0x7FFE);
    assert_eq!(w.m.counter(symbols.next_array_page), 0x4000);
    // The counters outlive a collection.
    define(w, "COLLECT", &[], "SUBRCALL 0o134 0 RETURN");
    w.run("COLLECT", &[]);
    assert_eq!(w.m.counter(symbols.second_mds_page), last - 3);
}
