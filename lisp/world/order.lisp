;;; The files of the starter world, in load order: a folder, then its files. The compiler and the macros it uses (macros,
;;; setf, structures and the folder compiler) are known to the host from the start, and are compiled like any other file.
;;; Top-level forms that are no definitions run in this order when the world first starts.

((machine definitions variables stack contexts storage arrays symbols types code ufns clock console processes interrupts save environment files start)
 (world macros setf structures)
 (compiler structures shapes analyse exits inline emit functions assemble toplevel)
 (library macros primitives lists sequences characters strings symbols arithmetic bignums rationals floats number-text
          transcendental arrays equality structures hash-tables types streams printer pretty conditions reader format eval
          special-forms files time file-tools random describe debugger room)
 (machine recovery)
 (compiler world)
 (screen bitmap font-art font draw rectangles window keyboard mouse menu input window-menu terminal stream line-editor
         exec list-window frames break start-up desktop)
 (tools memory look inspector disassembler step-machine source-pane stepper memory-map benchmark-programs benchmarks clock life paint tour))
