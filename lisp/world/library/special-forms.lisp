;;; The evaluator's special forms, and the macros that are used most, as functions of the form and the environment. What an
;;; environment is: eval.lisp.

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

;;; Macros that are done here without their expansion, which would count the parts.
(define-shape when 1 nil)
(define-shape unless 1 nil)
(define-shape case 1 nil)
(define-shape typecase 1 nil)
(define-shape prog1 1 nil)
(define-shape progv 2 nil)
(define-shape multiple-value-list 1 1)
(define-shape multiple-value-bind 2 nil)
(define-shape dotimes 1 nil)
(define-shape dolist 1 nil)
(define-shape handler-case 1 nil)

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
         (symbol (car (%parts binding 2 3 binding))))
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
         (symbol (car (%parts binding 2 3 binding))))
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
