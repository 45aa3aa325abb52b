;;; The evaluator: an interpreter of forms.
;;;
;;; A form is a symbol, which is a variable; a list, which is a special form, a macro's or a function's call; or anything
;;; else, which is its own value. What names mean inside a form is in an environment:
;;;
;;;     variables     ((symbol . value) ...)           the innermost binding first; SETQ changes the pair
;;;     functions     ((name . function) ...)          a macro is (name :macro . expander); what LABELS defines
;;;                                                    is (0 definitions . the environment around it)
;;;     exits         ((block-or-tag . catch-tag) ...) of BLOCK and TAGBODY
;;;
;;; An interpreted function is a structure with its lambda list, its body and the environment it was made in. It can be
;;; called like any other: what is no compiled code the machine hands to the function \INTERPRETER, with the arguments.
;;;
;;; Special variables live in frames of compiled functions, so binding one takes a compiled function; one is made for each
;;; such variable when it is first needed.

(defstruct (environment (:constructor %make-environment (variables functions exits)) (:conc-name %env-))
  variables
  functions
  exits)

(defstruct (interpreted-function (:print-function %print-interpreted))
  name
  lambda-list
  body
  environment)

(defun %print-interpreted (function stream depth)
  (%print-unreadable function stream nil t
                     (lambda ()
                       (write-string "interpreted function " stream)
                       (prin1 (or (interpreted-function-name function) 'lambda) stream))))

(defun eval (form)
  "The values of a form."
  (%eval form nil))

;;; Variables

(defun %variables (environment) (if environment (%env-variables environment) nil))
(defun %functions (environment) (if environment (%env-functions environment) nil))
(defun %exits (environment) (if environment (%env-exits environment) nil))

(defun %with-variable (symbol value environment)
  "The environment with one more variable."
  (%make-environment (cons (cons symbol value) (%variables environment))
                     (%functions environment)
                     (%exits environment)))

(defun %lexical-binding (symbol environment)
  "The pair of a variable in the environment, or NIL."
  (do ((tail (%variables environment) (cdr tail)))
      ((null tail) nil)
    (when (eq (caar tail) symbol) (return (car tail)))))

(defun %special-value (symbol)
  "The value of a special variable as the running function would find it."
  (let ((value (%cell (%op STKSCAN symbol) 0)))
    (if (eq value (%unbound-marker))
        (%unbound-variable symbol)
        value)))

(defun %unbound-marker ()
  "What a value cell without a value holds: symbol number 1."
  (%pointer 0 1))

(defun %set-special (symbol value)
  "Stores into the binding of a special variable. Bindings on the stack, segment 1, are not counted."
  (let ((binding (%op STKSCAN symbol)))
    (if (eql (%hi binding) 1)
        (%set-cell binding 0 value)
        (%store binding 0 value))
    value))

(defun %call-with-binding (symbol value function)
  "The function's values while a special variable has a value."
  (funcall (or (get symbol '%binder)
               (%set-get symbol '%binder
                         (compile nil (list 'lambda '(%value %function)
                                            (list 'let (list (list symbol '%value))
                                                  (list 'declare (list 'special symbol))
                                                  '(funcall %function))))))
           value function))

(defun %call-with-bindings (symbols values function)
  "The function's values while special variables have values."
  (if (null symbols)
      (funcall function)
      (%call-with-binding (car symbols) (car values)
                          (lambda () (%call-with-bindings (cdr symbols) (cdr values) function)))))

(defun %eval-symbol (symbol environment)
  (cond ((or (null symbol) (eq symbol t) (keywordp symbol)) symbol)
        (t (let ((pair (%lexical-binding symbol environment)))
             (if pair (cdr pair) (%special-value symbol))))))

;;; Any form

(defun %eval (form environment)
  "The values of a form in an environment."
  (cond ((symbolp form) (%eval-symbol form environment))
        ((atom form) form)
        ((consp (car form))
         (apply (%eval-function (car form) environment)
                (%eval-arguments (cdr form) environment)))
        (t
         (let* ((head (car form))
                (local (%local-binding head environment)))
           (cond ((and local (consp (cdr local)) (eq (cadr local) :macro))
                  (%eval (funcall (cddr local) form) environment))
                 (local
                  (apply (cdr local) (%eval-arguments (cdr form) environment)))
                 ((get head '%special-form)
                  (funcall (get head '%special-form) form environment))
                 ((macro-function head)
                  (%eval (funcall (macro-function head) form) environment))
                 ((and (not (fboundp head))
                       (or (get head '%analyser) (get head '%inline)))
                  (%eval-compiled form environment))
                 (t
                  (apply head (%eval-arguments (cdr form) environment))))))))

(defun %eval-compiled (form environment)
  "The values of a form that only the compiler knows, such as an instruction: it is compiled, with the variables around it
as arguments."
  (let ((variables (remove-duplicates (mapcar #'car (%variables environment)) :from-end t)))
    (apply (compile nil (list 'lambda variables form))
           (mapcar (lambda (symbol) (cdr (%lexical-binding symbol environment))) variables))))

(defun %eval-arguments (forms environment)
  "A list of the values of forms."
  (let* ((head (cons nil nil))
         (end head))
    (do ((tail forms (cdr tail)))
        ((null tail) (cdr head))
      (let ((cell (cons (%eval (car tail) environment) nil)))
        (rplacd end cell)
        (setq end cell)))))

(defun %eval-body (forms environment)
  "The values of the last of some forms."
  (do ((tail forms (cdr tail)))
      ((null (cdr tail)) (%eval (car tail) environment))
    (%eval (car tail) environment)))

(defun %eval-function (name environment)
  "The function that a name or lambda expression stands for."
  (cond ((symbolp name)
         (let ((local (%local-binding name environment)))
           (cond (local (cdr local))
                 ((fboundp name) (symbol-function name))
                 (t (error 'undefined-function :name name)))))
        ((eq (car name) 'lambda)
         (make-interpreted-function :lambda-list (cadr name) :body (cddr name) :environment environment))
        ((eq (car name) '%named-lambda)
         (make-interpreted-function :name (cadr name) :lambda-list (caddr name) :body (cdddr name)
                                    :environment environment))
        ((eq (car name) 'setf) (symbol-function (%function-name name)))
        (t (error "~S is no name of a function." name))))

;;; Calling interpreted functions

(defun |\\INTERPRETER| (&rest arguments)
  "What the machine calls for a call of what is no compiled code: that comes last, behind the arguments."
  (let ((called (car (last arguments)))
        (arguments (nbutlast arguments)))
    (%call-uncompiled called arguments)))

(defun %call-uncompiled (called arguments)
  (cond ((interpreted-function-p called) (%apply-interpreted called arguments))
        ((symbolp called)
         (let ((definition (if (fboundp called) (symbol-function called) nil)))
           (if (interpreted-function-p definition)
               (%apply-interpreted definition arguments)
               (%undefined-function called arguments))))
        ((and (consp called) (eq (car called) 'lambda))
         (%apply-interpreted (%eval-function called nil) arguments))
        (t (%undefined-function called arguments))))

(defun evalform (form)
  "What the machine's instruction EVAL calls for a list."
  (%eval form nil))

(defun %apply-interpreted (function arguments)
  "Calls an interpreted function with a list of arguments."
  (%bind-parameters (interpreted-function-lambda-list function)
                    arguments
                    (interpreted-function-body function)
                    (interpreted-function-environment function)))

(defun %declared-specials (body)
  "The variables that declarations at the beginning of a body say are special."
  (let ((symbols nil))
    (dolist (form body symbols)
      (cond ((and (consp form) (eq (car form) 'declare))
             (dolist (declaration (cdr form))
               (when (and (consp declaration) (eq (car declaration) 'special))
                 (setq symbols (append (cdr declaration) symbols)))))
            ((stringp form))
            (t (return symbols))))))

(defun %bind-parameters (parameters arguments body environment)
  "Evaluates a body with parameters bound to arguments."
  (let ((specials (%declared-specials body))
        (symbols nil)
        (values nil)
        (section :required)
        (keys nil))
    (flet ((bind (symbol value)
             (if (or (member symbol specials) (%special-variable-p symbol))
                 (setq symbols (cons symbol symbols)
                       values (cons value values)))
             ;; A special variable gets a pair here, too, for the defaults of parameters behind it.
             (setq environment (%with-variable symbol value environment))))
      (dolist (parameter parameters)
        (cond ((eq parameter '&optional) (setq section :optional))
              ((member parameter '(&rest &body)) (setq section :rest))
              ((eq parameter '&key)
               (setq section :key
                     keys arguments))
              ((eq parameter '&aux) (setq section :aux))
              ((eq parameter '&allow-other-keys))
              ((eq section :required)
               (when (null arguments)
                 (error 'program-error :format-control "There are too few arguments for ~S."
                                       :format-arguments (list parameters)))
               (bind parameter (car arguments))
               (setq arguments (cdr arguments)))
              ((eq section :rest)
               (bind parameter arguments)
               (setq keys arguments
                     arguments nil
                     section :behind-rest))
              ((eq section :aux)
               (if (consp parameter)
                   (bind (car parameter) (%eval (cadr parameter) environment))
                   (bind parameter nil)))
              (t
               (let* ((name (if (consp parameter) (car parameter) parameter))
                      (symbol (if (consp name) (cadr name) name))
                      (place (if (eq section :key)
                                 (%key-place (if (consp name) (car name) (%intern-keyword (symbol-name name))) keys)
                                 arguments)))
                 (bind symbol
                       (cond (place (if (eq section :key) (cadr place) (car place)))
                             ((consp parameter) (%eval (cadr parameter) environment))
                             (t nil)))
                 (when (and (consp parameter) (caddr parameter))
                   (bind (caddr parameter) (if place t nil)))
                 (when (eq section :key)
                   (setq arguments nil))
                 (when (eq section :optional)
                   (setq arguments (cdr arguments)))))))
      (when (and arguments (member section '(:required :optional)))
        (error 'program-error :format-control "There are too many arguments for ~S: ~S."
                              :format-arguments (list parameters arguments)))
      (if symbols
          (let ((environment (%without-variables symbols environment)))
            (%call-with-bindings symbols values (lambda () (%eval-body body environment))))
          (%eval-body body environment)))))

(defun %key-place (key arguments)
  "The tail of a list of keys and values that begins with a key."
  (do ((tail arguments (cddr tail)))
      ((null tail) nil)
    (when (eq (car tail) key) (return tail))))

(defun %without-variables (symbols environment)
  "The environment without bindings of these symbols, so that they are found as special variables."
  (%make-environment (remove-if (lambda (pair) (member (car pair) symbols)) (%variables environment))
                     (%functions environment)
                     (%exits environment)))

(defun %special-variable-p (symbol)
  "True of variables that DEFVAR has made special everywhere."
  (member (%proclamation symbol) '(:special)))

;;; Special forms. Each has a function of the form and the environment.

(defmacro %define-special-form (name parameters &body body)
  `(%set-get ',name '%special-form (lambda ,parameters ,@body)))

(%define-special-form quote (form environment) (cadr form))

(%define-special-form function (form environment)
  (%eval-function (cadr form) environment))

(%define-special-form if (form environment)
  (if (%eval (cadr form) environment)
      (%eval (caddr form) environment)
      (%eval (cadddr form) environment)))

(%define-special-form lambda (form environment)
  (%eval-function form environment))

(%define-special-form and (form environment)
  (do ((tail (cdr form) (cdr tail)))
      ((null (cdr tail)) (if tail (%eval (car tail) environment) t))
    (unless (%eval (car tail) environment)
      (return nil))))

(%define-special-form or (form environment)
  (do ((tail (cdr form) (cdr tail)))
      ((null (cdr tail)) (if tail (%eval (car tail) environment) nil))
    (let ((value (%eval (car tail) environment)))
      (when value (return value)))))

(%define-special-form progn (form environment)
  (%eval-body (cdr form) environment))

(%define-special-form declare (form environment) nil)

(%define-special-form the (form environment)
  (%eval (caddr form) environment))

(%define-special-form locally (form environment)
  (let ((specials (%declared-specials (cdr form))))
    (%eval-body (cdr form) (if specials (%without-variables specials environment) environment))))

(%define-special-form eval-when (form environment)
  (%eval-body (cddr form) environment))

(%define-special-form setq (form environment)
  (let ((value nil))
    (do ((tail (cdr form) (cddr tail)))
        ((null tail) value)
      (setq value (%eval (cadr tail) environment))
      (let ((pair (%lexical-binding (car tail) environment)))
        (if pair
            (rplacd pair value)
            (%set-special (car tail) value))))))

(defun %binding-symbol (binding) (if (consp binding) (car binding) binding))

(%define-special-form let (form environment)
  (let ((specials (%declared-specials (cddr form)))
        (inner environment)
        (symbols nil)
        (values nil))
    (dolist (binding (cadr form))
      (let ((symbol (%binding-symbol binding))
            (value (if (consp binding) (%eval (cadr binding) environment) nil)))
        (if (or (member symbol specials) (%special-variable-p symbol))
            (setq symbols (cons symbol symbols)
                  values (cons value values))
            (setq inner (%with-variable symbol value inner)))))
    (if symbols
        (let ((inner (%without-variables symbols inner)))
          (%call-with-bindings symbols values (lambda () (%eval-body (cddr form) inner))))
        (%eval-body (cddr form) inner))))

(%define-special-form let* (form environment)
  (%eval-let* (cadr form) (cddr form) (%declared-specials (cddr form)) environment))

(defun %eval-let* (bindings body specials environment)
  (do ()
      ((null bindings) (%eval-body body environment))
    (let* ((binding (car bindings))
           (symbol (%binding-symbol binding))
           (value (if (consp binding) (%eval (cadr binding) environment) nil)))
      (setq bindings (cdr bindings))
      (if (or (member symbol specials) (%special-variable-p symbol))
          (let ((inner (%without-variables (list symbol) environment))
                (rest bindings))
            (return (%call-with-binding symbol value
                                        (lambda () (%eval-let* rest body specials inner)))))
          (setq environment (%with-variable symbol value environment))))))

(%define-special-form progv (form environment)
  (let ((symbols (%eval (cadr form) environment))
        (values (%eval (caddr form) environment)))
    (%call-with-bindings symbols values (lambda () (%eval-body (cdddr form) environment)))))

;;; Local functions

(defun %with-functions (bindings environment)
  (%make-environment (%variables environment)
                     (append bindings (%functions environment))
                     (%exits environment)))

;;; A function of LABELS is made each time that its name is met. If the environment had the function, and the function the
;;; environment, that would be a circle, which the collector of a machine that counts references does not take back.

(defun %local-binding (name environment)
  "The pair of a local function or macro and its name, or NIL."
  (do ((tail (%functions environment) (cdr tail)))
      ((null tail) nil)
    (let ((entry (car tail)))
      (cond ((eq (car entry) name) (return entry))
            ((eq (car entry) 0)
             (let ((definition (assoc name (cadr entry)))
                   (outside (cddr entry)))
               (when definition
                 (return (%local-function definition
                                          (%make-environment (%variables outside) tail (%exits outside)))))))))))

(defun %local-function (definition environment)
  "The pair of name and function of a definition in FLET or LABELS."
  (cons (car definition)
        (make-interpreted-function :name (car definition)
                                   :lambda-list (cadr definition)
                                   :body (%function-body (car definition) (cddr definition))
                                   :environment environment)))

(%define-special-form flet (form environment)
  (%eval-body (cddr form)
              (%with-functions (mapcar (lambda (definition) (%local-function definition environment)) (cadr form))
                               environment)))

(%define-special-form labels (form environment)
  (%eval-body (cddr form)
              (%with-functions (list (list* 0 (cadr form) environment)) environment)))

(%define-special-form macrolet (form environment)
  (%eval-body (cddr form)
              (%with-functions
               (mapcar (lambda (definition)
                         (list* (car definition) :macro (%eval-function (cadr (%macro-lambda definition)) environment)))
                       (cadr form))
               environment)))

;;; Leaving

(defun %with-exits (exits environment)
  (%make-environment (%variables environment)
                     (%functions environment)
                     (append exits (%exits environment))))

(%define-special-form block (form environment)
  (let ((tag (list 'block)))
    (catch tag
      (%eval-body (cddr form) (%with-exits (list (cons (cadr form) tag)) environment)))))

(%define-special-form return-from (form environment)
  (let ((exit (assoc (cadr form) (%exits environment))))
    (if exit
        (%throw-values (cdr exit) (multiple-value-list (%eval (caddr form) environment)))
        (error 'control-error :format-control "There is no block ~S." :format-arguments (cdr form)))))

(%define-special-form tagbody (form environment)
  (let* ((tag (list 'tagbody))
         (labels (remove-if #'consp (cdr form)))
         (inner (if labels
                    (%with-exits (mapcar (lambda (label) (cons label tag)) labels) environment)
                    environment))
         (rest (cdr form)))
    (do ()
        ((null rest) nil)
      (let ((label (if labels
                       (catch tag (%eval-statements rest inner tag))
                       (%eval-statements rest inner tag))))
        ;; The statements are done, or LABEL is a list of the label to go to.
        (setq rest (if label (cdr (member (car label) (cdr form))) nil))))))

(defun %eval-statements (statements environment tag)
  "NIL after the last statement; or a list of the label that a statement goes to."
  (do ((tail statements (cdr tail)))
      ((null tail) nil)
    (when (consp (car tail))
      (let ((label (%eval-statement (car tail) environment tag)))
        (when label (return label))))))

(defun %eval-statement (form environment tag)
  "Evaluates a statement of a TAGBODY: a GO that is the statement or a branch of it needs no throw."
  (cond ((and (consp form) (eq (car form) 'go)
              (eq (cdr (assoc (cadr form) (%exits environment))) tag))
         (cdr form))
        ((and (consp form) (eq (car form) 'if))
         (%eval-statement (if (%eval (cadr form) environment) (caddr form) (cadddr form)) environment tag))
        (t (%eval form environment)
           nil)))

(%define-special-form go (form environment)
  (let ((exit (assoc (cadr form) (%exits environment))))
    (if exit
        (%throw-values (cdr exit) (list (cdr form)))
        (error 'control-error :format-control "There is no label ~S." :format-arguments (cdr form)))))

(%define-special-form catch (form environment)
  (catch (%eval (cadr form) environment)
    (%eval-body (cddr form) environment)))

(%define-special-form throw (form environment)
  (let ((tag (%eval (cadr form) environment)))
    (%throw-values tag (multiple-value-list (%eval (caddr form) environment)))))

(%define-special-form unwind-protect (form environment)
  (unwind-protect (%eval (cadr form) environment)
    (%eval-body (cddr form) environment)))

;;; Macros that are used most are special forms here, too: it is faster, and makes no new symbols.

(%define-special-form when (form environment)
  (if (%eval (cadr form) environment)
      (%eval-body (cddr form) environment)
      nil))

(%define-special-form unless (form environment)
  (if (%eval (cadr form) environment)
      nil
      (%eval-body (cddr form) environment)))

(%define-special-form cond (form environment)
  (do ((clauses (cdr form) (cdr clauses)))
      ((null clauses) nil)
    (let ((clause (car clauses)))
      (if (cdr clause)
          (when (%eval (car clause) environment)
            (return (%eval-body (cdr clause) environment)))
          (let ((value (%eval (car clause) environment)))
            (when value (return value)))))))

(%define-special-form case (form environment)
  (%eval-case (%eval (cadr form) environment) (cddr form) environment #'%key-matches-p))

(%define-special-form typecase (form environment)
  (%eval-case (%eval (cadr form) environment) (cddr form) environment
              (lambda (value type) (or (eq type 'otherwise) (typep value type)))))

(defun %key-matches-p (value keys)
  "True if a value is among the keys of a clause of CASE."
  (cond ((or (eq keys t) (eq keys 'otherwise)) t)
        ((consp keys) (member value keys))
        (t (and keys (eql value keys)))))

(defun %eval-case (value clauses environment test)
  (do ((clauses clauses (cdr clauses)))
      ((null clauses) nil)
    (when (funcall test value (caar clauses))
      (return (%eval-body (cdar clauses) environment)))))

(%define-special-form prog1 (form environment)
  (let ((value (%eval (cadr form) environment)))
    (%eval-body (cddr form) environment)
    value))

(%define-special-form multiple-value-list (form environment)
  (multiple-value-list (%eval (cadr form) environment)))

(%define-special-form multiple-value-bind (form environment)
  (let ((values (multiple-value-list (%eval (caddr form) environment))))
    (%bind-parameters (cons '&optional (append (cadr form) '(&rest %more))) values (cdddr form) environment)))

(defun %eval-loop (variable body environment step)
  "Evaluates the body of a loop, with a variable bound anew each time, until STEP, which is called with its pair, says
that it is over. RETURN leaves the loop; statements may have labels."
  (let ((tag (list 'block))
        (statements (cons 'tagbody body))
        (plain (not (some #'symbolp body))))
    (catch tag
      (let ((environment (%with-exits (list (cons nil tag)) environment))
            (values nil))
        (do ()
            ((car (setq values (funcall step))) (funcall (cdr values)))
          (let ((inner (%with-variable variable (cdr values) environment)))
            (if plain
                (dolist (form body) (%eval form inner))
                (%eval statements inner))))))))

(%define-special-form dotimes (form environment)
  (let* ((binding (cadr form))
         (symbol (car binding)))
    (if (%unusual-loop-p symbol (cddr form))
        (%eval (funcall (macro-function 'dotimes) form) environment)
        (let ((limit (%eval (cadr binding) environment))
              (i -1))
          (%eval-loop symbol (cddr form) environment
                      (lambda ()
                        (setq i (1+ i))
                        (if (< i limit)
                            (cons nil i)
                            (cons t (lambda ()
                                      (%eval (caddr binding) (%with-variable symbol i environment)))))))))))

(%define-special-form dolist (form environment)
  (let* ((binding (cadr form))
         (symbol (car binding)))
    (if (%unusual-loop-p symbol (cddr form))
        (%eval (funcall (macro-function 'dolist) form) environment)
        (let ((list (%eval (cadr binding) environment)))
          (%eval-loop symbol (cddr form) environment
                      (lambda ()
                        (if list
                            (prog1 (cons nil (car list))
                              (setq list (cdr list)))
                            (cons t (lambda ()
                                      (%eval (caddr binding) (%with-variable symbol nil environment)))))))))))

(defun %unusual-loop-p (symbol body)
  "True of loops over a special variable, or with declarations: they are expanded."
  (or (%special-variable-p symbol)
      (and (consp body) (consp (car body)) (eq (caar body) 'declare))))

(%define-special-form handler-case (form environment)
  (let* ((tag (list 'handler-case))
         (no-error (assoc :no-error (cddr form)))
         (bindings (mapcar (lambda (clause)
                             (cons (car clause)
                                   (lambda (condition) (throw tag (list clause condition)))))
                           (remove no-error (cddr form))))
         (result (catch tag
                   (cons nil (multiple-value-list
                              (%call-with-handlers bindings (lambda () (%eval (cadr form) environment)))))))
         (clause (car result)))
    (cond (clause
           (%eval-body (cddr clause)
                       (if (cadr clause)
                           (%with-variable (car (cadr clause)) (cadr result) environment)
                           environment)))
          (no-error
           (%bind-parameters (cadr no-error) (cdr result) (cddr no-error) environment))
          (t (values-list (cdr result))))))

;;; Several values

(%define-special-form multiple-value-call (form environment)
  (apply (%eval (cadr form) environment)
         (mapcan (lambda (argument) (copy-list (multiple-value-list (%eval argument environment))))
                 (cddr form))))

(%define-special-form multiple-value-prog1 (form environment)
  (let ((values (multiple-value-list (%eval (cadr form) environment))))
    (%eval-body (cddr form) environment)
    (values-list values)))

;;; Macros

(defun macroexpand-1 (form &optional environment)
  "Two values: the form with its macro call expanded once, and whether it was one."
  (let ((expander (if (and (consp form) (symbolp (car form)))
                      (macro-function (car form))
                      nil)))
    (if expander
        (values (funcall expander form) t)
        (values form nil))))

(defun macroexpand (form &optional environment)
  "Two values: the form expanded until it is no macro call, and whether it was one."
  (let ((expanded nil))
    (do ()
        (nil)
      (multiple-value-bind (expansion changed) (macroexpand-1 form environment)
        (unless changed
          (return (values form expanded)))
        (setq form expansion
              expanded t)))))
