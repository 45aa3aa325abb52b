;;; The compiler, chapter 1: what it knows while it compiles.
;;;
;;;     source form --analyse--> nodes --emit--> instructions --assemble--> code object
;;;
;;; A node is a list whose first element says what kind it is; analyse.lisp makes them and emit.lisp has a function for each
;;; kind. Three things have an identity of their own and are structures: variables, functions, and places to go to.

;;; A lexical variable, or a dynamic one while it is bound. It lives in a box (a pair) if another function than its owner
;;; uses it and anyone sets it: all share the box then, while a variable that is never set is simply copied.
(defstruct (var (:constructor make-var (name owner special)))
  name          ; its symbol
  owner         ; the function that binds it
  special       ; true: dynamic
  captured      ; true: used by another function
  mutated       ; true: set after it got its first value
  place)        ; in the owner's frame: (:ivar . n) or (:pvar . n)

;;; A lambda expression. One that is not called by name alone becomes a closure; a local function that is only ever called is
;;; compiled as a global function OUTER/INNER, whose first arguments are the variables it captures.
(defstruct (fn (:constructor make-fn (name parent)))
  name          ; a symbol
  parent        ; the function around it, or NIL
  required      ; variables
  optional      ; (variable default supplied), the last two nodes and variables or NIL
  rest          ; variable or NIL
  keys          ; (keyword variable default supplied)
  key-p         ; true: has &key, even without any keyword
  body          ; node
  free          ; variables of functions around it that it uses
  calls         ; local functions that it calls or refers to
  local         ; true: defined by FLET or LABELS
  escaped       ; true: a local function that is also used as an object
  variable      ; of an escaped local function: the variable that holds the closure
  source)       ; the lambda expression

;;; A block, or a tagbody.
(defstruct (exit (:constructor make-exit (name owner)))
  name          ; the block's name
  owner         ; the function it is in
  tags          ; of a tagbody: alist of tags and labels
  distant       ; true: another function leaves through it
  label depth marks target)  ; while emitting: where it ends, the stack there, and what becomes of the value

(defvar *function* nil)       ; the FN being analysed or emitted
(defvar *functions* nil)      ; all that have been analysed
(defvar *inner-names* nil)    ; names of functions within the one that is compiled
(defvar *names-stay* t)       ; NIL: nobody will look for those by name, and they go with their functions
(defvar *line* nil)           ; the line of the innermost form that has one
(defvar *compile-warnings* nil)
(defvar *compiling* nil)      ; the name of the function that is being compiled

(defvar *compile-file* nil)   ; the file that is being compiled, for messages

;;; Who wants to know what came from which form of the source, as the stepper does, binds this to an EQ hash table with the
;;; form's conses as keys. Nodes and instructions get into it, each with its form.
(defvar *form-table* nil)

;;; The node of a form. What a macro has made is the whole form's; two forms with the same node are the inner one.
(defun note-form (node form)
  (if (and *form-table* (gethash form *form-table*) (not (eq (car node) 'constant)) (null (gethash node *form-table*)))
      (%set-gethash node *form-table* form))
  node)

;;; The message begins with file:line where these are known.
(defun compile-error (control &rest arguments)
  (error "~A~A" (if *line* (format nil "~A:~A: " (or *compile-file* "line") *line*) "")
         (apply #'format nil control arguments)))

(defun compile-warning (control &rest arguments)
  (push (cons *line* (format nil "~A: ~A" *compiling* (apply #'format nil control arguments))) *compile-warnings*))

(defvar *warned* nil)         ; undeclared variables that the file has been told of

;;; Symbols carry what the compiler knows of them as properties:
;;;
;;;     %VARIABLE   :special, :global, :constant       (%proclaim)
;;;     %SHAPE      of special forms, how many parts they have and what looks at these, see shapes.lisp
;;;     %ANALYSER   of a special form, a function of the form and the environment
;;;     %INLINE     list of (argument-count instruction...), see inline.lisp
;;;     %REWRITE    a function from the form to another form, or to the same one if there is nothing better

(defun variable-kind (symbol) (get symbol '%variable))
