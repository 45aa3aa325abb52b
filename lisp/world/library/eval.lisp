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
;;;
;;; Special forms: special-forms.lisp.

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
        ((not (symbolp (car form)))
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
                  (%check-shape form)
                  (funcall (get head '%special-form) form environment))
                 ((macro-function head)
                  (%check-shape form)
                  (%eval (funcall (macro-function head) form) environment))
                 ((and (not (fboundp head))
                       (or (get head '%analyser) (get head '%inline) (get head '%shape)))
                  (%eval-compiled form environment))
                 (t
                  (apply head (%eval-arguments (cdr form) environment))))))))

(defun %eval-compiled (form environment)
  "The values of a form that only the compiler knows, such as an instruction, or a comma that it complains of: it is compiled,
with the variables around it as arguments."
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
        ((atom name) (error 'undefined-function :name name))
        ((eq (car name) 'lambda)
         (%check-lambda (cadr name) (cddr name))
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
