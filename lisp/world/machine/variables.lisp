;;; The machine's variables, and where its pages are.
;;;
;;; The machine finds these variables by name when a world starts (vm/src/symbols.rs); the linker has given them values,
;;; so that here only their being global is told to the compiler.
;;;
;;;     20,0       interface page    words with which Lisp and the machine tell each other where things are
;;;     20,6000    UFN table         a cell for each opcode: symbol 16, bytes of operands 8, arguments 8
;;;     20,10000   DTD               descriptors of types, 18 words each
;;;     30,0       type table        a word for each two pages
;;;     1,0        the stack         (octal, as addresses are written)

(defmacro %machine-variable (name)
  "Says that a variable is never bound, and leaves its value alone."
  `(%proclaim ',name :global))

(%machine-variable \\reclaim.countdown)         ; references until the next collection; NIL while there must be none
(%machine-variable \\interruptstate)            ; a cell: what Lisp is to be told of
(%machine-variable \\pendinginterrupt)          ; T: look there
(%machine-variable \\keybuffering)              ; T: keys wait; STARTED: they are being taken
(%machine-variable \\keyboardeventqueue)        ; the ring of keys
(%machine-variable \\freeblockbuckets)          ; rings of free array blocks, by size
(%machine-variable |\\ArrayFrLst|)              ; where array space has not been used yet
(%machine-variable |\\NxtArrayPage|)            ; the first page that array space does not have yet, in a box
(%machine-variable |\\NxtMDSPage|)              ; the first page below MDS, in a box
(%machine-variable |\\MaxTypeNumber|)           ; the last type
(%machine-variable \\storagefull)
(%machine-variable \\stackoverflow)
(%machine-variable \\guardstackaddr)

(%machine-variable %symbol-table)               ; a vector of lists of symbols, by the hash of the name
(%machine-variable %initializers)               ; what to call at the first start
(%machine-variable %opcodes)                    ; the table of instructions

(defun %interface-word (n)
  "A word of the interface page."
  (%word (%add (%pointer 20 0) n) 0))

(defun %set-interface-word (n value)
  (%set-word (%add (%pointer 20 0) n) 0 value)
  value)

(defun %number-in (box)
  "The number in a box that the machine counts in, as a new one: boxes of pages never leave this level."
  (%op MAKENUMBER (%word box 0) (%word box 1)))

(defun %set-number-in (box number)
  (%set-word box 0 (logand (ash number -16) 65535))
  (%set-word box 1 (logand number 65535))
  number)
