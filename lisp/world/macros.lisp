;;; Macros: how the dialect grows out of its few special forms.
;;;
;;; This file is the first one of all. The host's interpreter loads it before the compiler, and it is compiled into the
;;; world, where EVAL and COMPILE use the same macros. A macro is a function of the whole form, kept by %SET-MACRO:
;;;
;;;     (when test a b)  --expander of WHEN-->  (if test (progn a b) nil)
;;;
;;; The file begins with nothing but special forms and functions on lists; DEFMACRO, DEFUN and backquote are made first.

;;; Lambda lists of macros may have patterns in them: ((a b) &body c). Each pattern becomes a variable of its own, which
;;; is taken apart by another function around the body.

(%define-function '%simple-parameter
  (function (lambda (parameter section)
    (if (consp parameter)
        (not (eq section 'required))
        t))))

;;; Whoever wrote too much or too little wants to hear of it: functions do not count their arguments. The number of parts that
;;; a lambda list asks for at least, and takes at most; that is NIL if there is no limit.
(%define-function '%fewest-parts
  (function (lambda (parameters)
    (let ((count 0))
      (tagbody
       next
         (if (and (consp parameters)
                  (not (member (car parameters) '(&optional &rest &body &key &aux &allow-other-keys))))
             (progn (setq count (+ count 1))
                    (setq parameters (cdr parameters))
                    (go next))
             nil))
      count))))

(%define-function '%most-parts
  (function (lambda (parameters)
    (let ((count 0))
      (tagbody
       next
         (if (and (consp parameters) (not (member (car parameters) '(&rest &body &key &aux))))
             (progn (if (member (car parameters) '(&optional)) nil (setq count (+ count 1)))
                    (setq parameters (cdr parameters))
                    (go next))
             nil))
      (if (or (null parameters) (and (consp parameters) (eq (car parameters) '&aux))) count nil)))))

;;; The parts of a form or pattern, counted.
(%define-function '%parts
  (function (lambda (parts fewest most whole)
    (let ((count 0) (rest parts))
      (tagbody
       next
         (if (consp rest)
             (progn (setq count (+ count 1))
                    (setq rest (cdr rest))
                    (go next))
             nil))
      (if (< count fewest) (error "~S has too few parts" whole) nil)
      (if (and most (< most count)) (error "~S has too many parts" whole) nil)
      parts))))

(%define-function '%counted-parts
  (function (lambda (parts parameters whole)
    (list '%parts parts (%fewest-parts parameters) (%most-parts parameters) whole))))

(%define-function '%pattern-lambda
  (function (lambda (parameters body)
    (let ((section 'required) (simple nil) (patterns nil) (rest parameters))
      (tagbody
       next
         (if (null rest) (go done) nil)
         (if (symbolp rest) (progn (setq simple (cons rest (cons '&rest simple))) (go done)) nil)
         (let ((parameter (car rest)))
           (if (member parameter '(&optional &rest &body &key &aux &allow-other-keys))
               (setq section parameter)
               nil)
           (if (%simple-parameter parameter section)
               (setq simple (cons parameter simple))
               (let ((variable (gensym)))
                 (setq simple (cons variable simple))
                 (setq patterns (cons (cons variable parameter) patterns)))))
         (setq rest (cdr rest))
         (go next)
       done)
      (tagbody
       next
         (if (null patterns) (go done) nil)
         (setq body (list (list 'apply
                                (list 'function (%pattern-lambda (cdr (car patterns)) body))
                                (%counted-parts (car (car patterns)) (cdr (car patterns)) (car (car patterns))))))
         (setq patterns (cdr patterns))
         (go next)
       done)
      (cons 'lambda (cons (reverse simple) body))))))

;;; (name parameters . body) as a function of the whole form.
(%define-function '%macro-lambda
  (function (lambda (definition)
    (let ((body (cdr (cdr definition))))
      (if (and (stringp (car body)) (cdr body)) (setq body (cdr body)) nil)
      (list 'function
            (list '%named-lambda (car definition)
                  '(%form)
                  (list 'apply
                        (list 'function
                              (%pattern-lambda (car (cdr definition))
                                               (list (cons 'block (cons (car definition) body)))))
                        (%counted-parts '(cdr %form) (car (cdr definition)) '(car %form)))))))))

(%set-macro 'defmacro
  (function (lambda (form)
    (list '%set-macro (list 'quote (car (cdr form))) (%macro-lambda (cdr form))))))

;;; Backquote: `x is read as (backquote x), with (unquote y) and (splice y) within.

(%define-function '%constant-form
  (function (lambda (form)
    (if (consp form)
        (eq (car form) 'quote)
        (if (symbolp form) (or (null form) (keywordp form)) t)))))

(%define-function '%constant-value
  (function (lambda (form) (if (consp form) (car (cdr form)) form))))

;;; (cons a b), but quoted if both are, and LIST or LIST* where possible.
(%define-function '%cons-form
  (function (lambda (first rest old)
    (if (and (%constant-form first) (%constant-form rest))
        (list 'quote (if (and (eql (%constant-value first) (car old)) (eql (%constant-value rest) (cdr old)))
                         old
                         (cons (%constant-value first) (%constant-value rest))))
        (if (null rest)
            (list 'list first)
            (if (and (consp rest) (or (eq (car rest) 'list) (eq (car rest) 'list*)))
                (cons (car rest) (cons first (cdr rest)))
                (if (and (consp rest) (eq (car rest) 'quote) (null (%constant-value rest)))
                    (list 'list first)
                    (list 'list* first rest))))))))

(%define-function '%backquote
  (function (lambda (form)
    (if (not (consp form))
        (if (and (vectorp form) (not (stringp form)))
            (list 'coerce (%backquote (coerce form 'list)) ''vector)
            (if (and (symbolp form) (not (keywordp form)) form) (list 'quote form) form))
        (if (eq (car form) 'unquote)
            (car (cdr form))
            (if (and (consp (car form)) (eq (car (car form)) 'splice))
                (if (null (cdr form))
                    (car (cdr (car form)))
                    (list 'append (car (cdr (car form))) (%backquote (cdr form))))
                (%cons-form (%backquote (car form)) (%backquote (cdr form)) form)))))))

(%set-macro 'backquote (function (lambda (form) (%backquote (car (cdr form))))))

;;; Definitions

(defmacro defun (name parameters &body body)
  `(%define-function ',(%function-name name) #'(%named-lambda ,(%function-name name) ,parameters
                                                  ,@(%function-body name body))))

;;; The symbol under which a function is kept: (setf f) is defined as %SET-F, with the new value as its first argument.
(%define-function '%function-name
  (function (lambda (name)
    (if (consp name) (intern (concatenate 'string "(SETF " (symbol-name (car (cdr name))) ")")) name))))

;;; The body in a block of the function's name; declarations and a documentation string stay outside.
(%define-function '%function-body
  (function (lambda (name body)
    (let ((before nil))
      (tagbody
       next
         (if (and (consp body)
                  (or (and (stringp (car body)) (cdr body))
                      (and (consp (car body)) (eq (car (car body)) 'declare))))
             (progn (setq before (cons (car body) before))
                    (setq body (cdr body))
                    (go next))
             nil))
      (append (reverse before)
              (list (cons 'block (cons (if (consp name) (car (cdr name)) name) body))))))))

(defmacro defvar (name &optional (value nil given) documentation)
  `(progn (%proclaim ',name :special)
          ,@(if given `((if (boundp ',name) nil (setq ,name ,value))) nil)
          ',name))

(defmacro defparameter (name value &optional documentation)
  `(progn (%proclaim ',name :special) (setq ,name ,value) ',name))

(defmacro defglobal (name &optional value documentation)
  `(progn (%proclaim ',name :global) (setq ,name ,value) ',name))

(defmacro defconstant (name value &optional documentation)
  `(progn (%proclaim ',name :constant) (set ',name ,value) ',name))

(defmacro declaim (&rest declarations) nil)
(defmacro proclaim (declaration) nil)

;;; Conditionals

(defmacro cond (&rest clauses)
  (if (null clauses)
      nil
      (let ((clause (car clauses)) (rest (cdr clauses)))
        (if (null (cdr clause))
            `(or ,(car clause) (cond ,@rest))
            (if (eq (car clause) t)
                `(progn ,@(cdr clause))
                `(if ,(car clause) (progn ,@(cdr clause)) ,(if rest `(cond ,@rest) nil)))))))

(defmacro when (test &body body)
  `(if ,test (progn ,@body) nil))

(defmacro unless (test &body body)
  `(if ,test nil (progn ,@body)))

;;; A form that can be evaluated more than once: itself, or a variable for it in `bindings`.
(defun %is-simple (form)
  (or (symbolp form) (%constant-form form)))

(defun %case-test (key keys)
  (cond ((null keys) nil)
        ((atom keys) `(eql ,key ',keys))
        ((null (cdr keys)) `(eql ,key ',(car keys)))
        (t `(or ,@(mapcar (lambda (it) `(eql ,key ',it)) keys)))))

(defun %case-clauses (key clauses)
  (mapcar (lambda (clause)
            (if (member (car clause) '(t otherwise))
                `(t nil ,@(cdr clause))
                `(,(%case-test key (car clause)) nil ,@(cdr clause))))
          clauses))

(defmacro case (form &rest clauses)
  (if (symbolp form)
      `(cond ,@(%case-clauses form clauses))
      (let ((key (gensym)))
        `(let ((,key ,form)) (cond ,@(%case-clauses key clauses))))))

(defmacro ecase (form &rest clauses)
  (let ((key (gensym)))
    `(let ((,key ,form))
       (cond ,@(%case-clauses key clauses)
             (t (error "~S is none of the cases" ,key))))))

(defmacro typecase (form &rest clauses)
  (let ((key (gensym)))
    `(let ((,key ,form))
       (cond ,@(mapcar (lambda (clause)
                         (if (member (car clause) '(t otherwise))
                             `(t nil ,@(cdr clause))
                             `((typep ,key ',(car clause)) nil ,@(cdr clause))))
                       clauses)))))

;;; Sequences of forms

(defmacro prog1 (first &rest others)
  (let ((value (gensym)))
    `(let ((,value ,first)) ,@others ,value)))

(defmacro prog2 (first second &rest others)
  `(progn ,first (prog1 ,second ,@others)))

(defmacro return (&optional value)
  `(return-from nil ,value))

(defmacro psetq (&rest pairs)
  (let ((bindings nil) (settings nil))
    (tagbody
     next
       (if (null pairs) (go done))
       (let ((variable (gensym)))
         (setq bindings (cons (list variable (cadr pairs)) bindings))
         (setq settings (cons `(setq ,(car pairs) ,variable) settings)))
       (setq pairs (cddr pairs))
       (go next)
     done)
    (if (cdr bindings)
        `(let ,(reverse bindings) ,@(reverse settings) nil)
        `(progn ,@(mapcar (lambda (setting binding) `(setq ,(cadr setting) ,(cadr binding))) settings bindings) nil))))

;;; Loops

;;; Forms before the first one that is no declaration.
(defun %declarations (body)
  (let ((declarations nil))
    (tagbody
     next
       (when (and (consp body) (consp (car body)) (eq (caar body) 'declare))
         (setq declarations (cons (car body) declarations))
         (setq body (cdr body))
         (go next)))
    (reverse declarations)))

(defun %without-declarations (body)
  (nthcdr (length (%declarations body)) body))

(defmacro prog (bindings &body body)
  `(block nil (let ,bindings ,@(%declarations body) (tagbody ,@(%without-declarations body)))))

(defmacro prog* (bindings &body body)
  `(block nil (let* ,bindings ,@(%declarations body) (tagbody ,@(%without-declarations body)))))

(defun %do-form (binder setter bindings end body)
  (let ((again (gensym)) (test (gensym)) (steps nil))
    (mapc (lambda (binding)
            (if (and (consp binding) (cddr binding))
                (setq steps (cons (caddr binding) (cons (car binding) steps)))))
          bindings)
    `(block nil
       (,binder ,(mapcar (lambda (it) (if (consp it) (list (car it) (cadr it)) it)) bindings)
         ,@(%declarations body)
         (tagbody
            (go ,test)
            ,again
            ,@(%without-declarations body)
            ,@(if steps `((,setter ,@(reverse steps))))
            ,test
            (if ,(car end) nil (go ,again)))
         ,@(cdr end)))))

(defmacro do (bindings end &body body)
  (%do-form 'let 'psetq bindings end body))

(defmacro do* (bindings end &body body)
  (%do-form 'let* 'setq bindings end body))

(defmacro dolist ((variable list &optional result) &body body)
  (let ((rest (gensym)) (again (gensym)) (test (gensym)))
    `(block nil
       (let ((,rest ,list))
         (tagbody
            (go ,test)
            ,again
            (let ((,variable (car ,rest)))
              ,@(%declarations body)
              (setq ,rest (cdr ,rest))
              (tagbody ,@(%without-declarations body)))
            ,test
            (if ,rest (go ,again))))
       ,@(if result `((let ((,variable nil)) ,variable ,result)) '(nil)))))

(defmacro dotimes ((variable count &optional result) &body body)
  (let ((limit (if (integerp count) count (gensym))) (again (gensym)) (test (gensym)))
    `(block nil
       (let ((,variable 0) ,@(if (integerp count) nil `((,limit ,count))))
         ,@(%declarations body)
         (tagbody
            (go ,test)
            ,again
            (tagbody ,@(%without-declarations body))
            (setq ,variable (1+ ,variable))
            ,test
            (if (< ,variable ,limit) (go ,again)))
         ,result))))

;;; Several values

(defmacro multiple-value-list (form)
  `(multiple-value-call #'list ,form))

;;; Values are a list already where they arrive, so that is taken apart.
(defmacro multiple-value-bind (variables form &body body)
  (let ((values (gensym)) (first t))
    (if (null (cdr variables))
        `(let ((,(if variables (car variables) values) ,form)) ,@body)
        `(let* ((,values (multiple-value-list ,form))
                ,@(mapcar (lambda (variable)
                            (prog1 `(,variable ,(if first `(car ,values) `(car (setq ,values (cdr ,values)))))
                              (setq first nil)))
                          variables))
           ,@body))))

(defmacro multiple-value-setq (variables form)
  (let ((values (gensym)))
    `(let ((,values (multiple-value-list ,form)))
       (prog1 (car ,values)
         ,@(mapcan (lambda (variable) `((setq ,variable (car ,values)) (setq ,values (cdr ,values))))
                   variables)))))

(defmacro nth-value (n form)
  `(nth ,n (multiple-value-list ,form)))

(defmacro destructuring-bind (pattern form &body body)
  `(apply #',(%pattern-lambda pattern body) ,form))

;;; (loop form...) repeats for ever; (return) leaves it. Loops that begin with a word are those of Common Lisp, in part:
;;;
;;;     for v in list [by f]   for v on list   for v across vector   for v = first [then next]
;;;     for v from a [to | below | downto | above b] [by step]   repeat n   with v = value
;;;     while test   until test   do form...   collect x   append x   sum x   count x   maximize x   minimize x
;;;     when test clause   unless test clause   finally form...   return x

(defmacro loop (&rest forms)
  (if (and forms (symbolp (car forms)))
      (%loop-form forms)
      (let ((again (gensym)))
        `(block nil (tagbody ,again ,@forms (go ,again))))))

;;; What a loop is made of, as an alist: :bindings, :before (tests at the start of each turn), :body, :after (steps),
;;; :result, :finally. Each clause adds to it.
(defun %loop-add (state part &rest forms)
  (let ((entry (assoc part state)))
    (rplacd entry (append (cdr entry) forms))))

(defun %loop-end (test) `(if ,test (go %end)))

(defun %loop-form (forms)
  (let ((state (list (list :bindings) (list :before) (list :body) (list :after) (list :result) (list :finally))))
    (do ()
        ((null forms))
      (setq forms (%loop-clause forms state nil)))
    `(block nil
       (let* ,(cdr (assoc :bindings state))
         (tagbody
            %again
            ,@(cdr (assoc :before state))
            ,@(cdr (assoc :body state))
            ,@(cdr (assoc :after state))
            (go %again)
            %end)
         ,@(cdr (assoc :finally state))
         ,(let ((result (cadr (assoc :result state))))
            (if (consp result) `(nreverse ,(car result)) result))))))

(defun %loop-is (form &rest words)
  (and (symbolp form) (some (lambda (word) (string= word (symbol-name form))) words)))

;;; The variable that a loop's result is gathered in. A list is kept in a list, to be reversed at the end.
(defun %loop-result (state kind first)
  (or (cadr (assoc :result state))
      (let* ((variable (gensym)) (result (if (eq kind :list) (list variable) variable)))
        (%loop-add state :bindings (list variable first))
        (%loop-add state :result result)
        result)))

;;; Handles the first clause and gives the rest. `around` wraps conditions around what the clause does.
(defun %loop-clause (forms state around)
  (let ((word (car forms)) (value (cadr forms)))
    (cond ((%loop-is word "FOR" "AS") (%loop-for (cdr forms) state))
          ((%loop-is word "WITH")
           (if (%loop-is (caddr forms) "=")
               (progn (%loop-add state :bindings (list value (cadddr forms))) (nthcdr 4 forms))
               (progn (%loop-add state :bindings (list value nil)) (cddr forms))))
          ((%loop-is word "REPEAT")
           (let ((count (gensym)))
             (%loop-add state :bindings (list count value))
             (%loop-add state :before (%loop-end `(< (setq ,count (1- ,count)) 0)))
             (cddr forms)))
          ((%loop-is word "WHILE") (%loop-add state :body (%loop-end `(not ,value))) (cddr forms))
          ((%loop-is word "UNTIL") (%loop-add state :body (%loop-end value)) (cddr forms))
          ((%loop-is word "FINALLY")
           (do ((rest (if (%loop-is value "DO") (cddr forms) (cdr forms)) (cdr rest)))
               ((not (consp (car rest))) rest)
             (%loop-add state :finally (car rest))))
          ((%loop-is word "WHEN" "IF")
           (%loop-clause (cddr forms) state (lambda (form) (%loop-around around `(if ,value ,form)))))
          ((%loop-is word "UNLESS")
           (%loop-clause (cddr forms) state (lambda (form) (%loop-around around `(if ,value nil ,form)))))
          (t (%loop-action word (cdr forms) state around)))))

(defun %loop-around (around form)
  (if around (funcall around form) form))

(defun %loop-action (word forms state around)
  (let ((value (car forms)))
    (cond ((%loop-is word "DO" "DOING")
           (let ((body nil))
             (do ()
                 ((not (consp (car forms))))
               (push-form (car forms) body)
               (setq forms (cdr forms)))
             (%loop-add state :body (%loop-around around `(progn ,@(reverse body))))
             forms))
          (t (%loop-add state :body (%loop-around around (%loop-gather word value state)))
             (cdr forms)))))

(defmacro push-form (item list) `(setq ,list (cons ,item ,list)))

(defun %loop-gather (word value state)
  (cond ((%loop-is word "RETURN") `(return ,value))
        ((%loop-is word "COLLECT" "COLLECTING")
         (let ((list (car (%loop-result state :list nil)))) `(setq ,list (cons ,value ,list))))
        ((%loop-is word "APPEND" "NCONC" "APPENDING")
         (let ((list (car (%loop-result state :list nil)))) `(setq ,list (append (reverse ,value) ,list))))
        ((%loop-is word "SUM" "SUMMING")
         (let ((sum (%loop-result state :number 0))) `(setq ,sum (+ ,sum ,value))))
        ((%loop-is word "COUNT" "COUNTING")
         (let ((count (%loop-result state :number 0))) `(if ,value (setq ,count (1+ ,count)))))
        ((%loop-is word "MAXIMIZE" "MINIMIZE")
         (let ((best (%loop-result state :number nil)) (it (gensym)))
           `(let ((,it ,value))
              (if (or (null ,best) (,(if (%loop-is word "MAXIMIZE") '> '<) ,it ,best)) (setq ,best ,it)))))
        (t (error "~S in a loop" word))))

;;; for variable ...
(defun %loop-for (forms state)
  (let ((variable (car forms)) (word (cadr forms)) (value (caddr forms)) (rest (cdddr forms)))
    (cond ((%loop-is word "IN" "ON")
           (let ((list (if (%loop-is word "ON") variable (gensym))) (step 'cdr))
             (when (%loop-is (car rest) "BY")
               (setq step (cadr (cadr rest)))
               (setq rest (cddr rest)))
             (%loop-add state :bindings (list list value))
             (%loop-add state :before (%loop-end `(not (consp ,list))))
             (unless (eq list variable)
               (%loop-add state :bindings (list variable nil))
               (%loop-add state :before `(setq ,variable (car ,list))))
             (%loop-add state :after `(setq ,list (,step ,list)))
             rest))
          ((%loop-is word "ACROSS")
           (let ((vector (gensym)) (index (gensym)))
             (%loop-add state :bindings (list vector value) (list index 0) (list variable nil))
             (%loop-add state :before (%loop-end `(>= ,index (length ,vector)))
                        `(setq ,variable (aref ,vector ,index)))
             (%loop-add state :after `(setq ,index (1+ ,index)))
             rest))
          ((%loop-is word "=")
           (if (%loop-is (car rest) "THEN")
               (progn (%loop-add state :bindings (list variable value))
                      (%loop-add state :after `(setq ,variable ,(cadr rest)))
                      (cddr rest))
               (progn (%loop-add state :bindings (list variable nil))
                      (%loop-add state :before `(setq ,variable ,value))
                      rest)))
          (t (%loop-numbers variable (cdr forms) state)))))

(defun %loop-numbers (variable forms state)
  (let ((first 0) (step 1) (down nil) (test nil) (limit nil))
    (do ()
        ((not (%loop-is (car forms) "FROM" "UPFROM" "DOWNFROM" "TO" "UPTO" "BELOW" "DOWNTO" "ABOVE" "BY")))
      (let ((word (car forms)) (value (cadr forms)))
        (cond ((%loop-is word "FROM" "UPFROM") (setq first value))
              ((%loop-is word "DOWNFROM") (setq first value) (setq down t))
              ((%loop-is word "BY") (setq step value))
              (t (setq limit value)
                 (setq down (or down (%loop-is word "DOWNTO" "ABOVE")))
                 (setq test (cond ((%loop-is word "BELOW") '>=)
                                  ((%loop-is word "ABOVE") '<=)
                                  (down '<)
                                  (t '>))))))
      (setq forms (cddr forms)))
    (%loop-add state :bindings (list variable first))
    (when test
      (let ((end (if (integerp limit) limit (gensym))))
        (unless (integerp limit) (%loop-add state :bindings (list end limit)))
        (%loop-add state :before (%loop-end (list test variable end)))))
    (%loop-add state :after `(setq ,variable (,(if down '- '+) ,variable ,step)))
    forms))
