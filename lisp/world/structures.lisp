;;; DEFSTRUCT: structures, which are types of the machine.
;;;
;;; A structure is an object of a type of its own with a cell a slot:
;;;
;;;     slot 0 | slot 1 | ...        slots of the included structure come first
;;;
;;; A definition expands into functions over four primitives, which the compiler turns into instructions and which the
;;; host knows as functions:
;;;
;;;     (%make-structure 'type slots)     (%structure-ref 'type object slot)
;;;     (%structure-p 'type object)       (%structure-set 'type object slot value)
;;;
;;; What is known about the structure is on the property list of its name under %STRUCTURE, as a list
;;;
;;;     (parent (slot default)... ) = car: the included structure or NIL; cdr: all slots with their default forms
;;;
;;; and %CONSTRUCTOR, %PRINT-FUNCTION. Accessors have the property %SLOT: (type . number).

;;; What %DEFINE-STRUCTURE keeps, on the host and in the world; in the world it also makes the type (library/structures).
(defun %note-structure (name parent slots accessors)
  (%set-get name '%structure (cons parent slots))
  (%set-get name '%includes parent)
  (dolist (accessor accessors)
    (%set-get (car accessor) '%slot (cons name (cdr accessor))))
  name)

(defun %structure-option (options name)
  (find-if (lambda (option) (if (consp option) (eq (car option) name) (eq option name))) options))

(defun %symbol-of (&rest parts)
  (intern (apply #'concatenate 'string (mapcar #'string parts))))

(defun %slot-name (slot) (if (consp slot) (car slot) slot))
(defun %slot-default (slot) (if (consp slot) (cadr slot) nil))

;;; Slots of an included structure, with new defaults where the :include option gives some.
(defun %included-slots (include)
  (mapcar (lambda (slot)
            (or (find-if (lambda (new) (eq (%slot-name new) (car slot))) (cddr include))
                slot))
          (cdr (get (cadr include) '%structure))))

;;; A constructor. `parameters` is its lambda list, or :KEYS for one keyword a slot.
(defun %constructor-form (constructor name slots parameters)
  (let* ((keys (eq parameters :keys))
         (given (if keys
                    (mapcar (lambda (slot) (list (%slot-name slot) (%slot-default slot))) slots)
                    (%constructor-parameters parameters slots)))
         (names (if keys (mapcar #'car given) (%parameter-names given)))
         (object (gensym))
         (number -1))
    `(defun ,constructor ,(if keys (if given `(&key ,@given) nil) given)
       (let ((,object (%make-structure ',name ,(length slots))))
         ,@(mapcan (lambda (slot)
                     (setq number (1+ number))
                     (let ((value (if (member (%slot-name slot) names) (%slot-name slot) (%slot-default slot))))
                       (if (null value) nil `((%structure-set ',name ,object ,number ,value)))))
                   slots)
         ,object))))

;;; Optional parameters of a constructor without a default of their own have the slot's.
(defun %constructor-parameters (parameters slots)
  (let ((section nil))
    (mapcar (lambda (parameter)
              (if (member parameter '(&optional &rest &key &aux))
                  (progn (setq section parameter) parameter)
                  (if (and (symbolp parameter) (member section '(&optional &key)))
                      (let ((slot (find-if (lambda (slot) (eq (%slot-name slot) parameter)) slots)))
                        (list parameter (%slot-default slot)))
                      parameter)))
            parameters)))

(defun %parameter-names (parameters)
  (mapcan (lambda (parameter)
            (cond ((consp parameter) (list (if (consp (car parameter)) (cadar parameter) (car parameter))))
                  ((member parameter '(&optional &rest &key &aux &body)) nil)
                  (t (list parameter))))
          parameters))

(defmacro defstruct (name-and-options &rest slots)
  (let* ((name (if (consp name-and-options) (car name-and-options) name-and-options))
         (options (if (consp name-and-options) (cdr name-and-options) nil))
         (include (%structure-option options :include))
         (conc-name (%structure-option options :conc-name))
         (predicate (%structure-option options :predicate))
         (copier (%structure-option options :copier))
         (printer (or (%structure-option options :print-function) (%structure-option options :print-object)))
         (constructors (remove-if-not
                        (lambda (option) (or (eq option :constructor) (and (consp option) (eq (car option) :constructor))))
                        options))
         (prefix (cond ((null conc-name) (%symbol-of name "-"))
                       ((and (consp conc-name) (cadr conc-name)) (cadr conc-name))
                       (t nil)))
         (documentation (if (stringp (car slots)) (car slots) nil))
         (all (append (if include (%included-slots include) nil)
                      (mapcar (lambda (slot) (if (consp slot) slot (list slot nil)))
                              (if documentation (cdr slots) slots))))
         (number -1)
         (accessors (mapcar (lambda (slot)
                              (setq number (1+ number))
                              (cons (if prefix (%symbol-of prefix (car slot)) (car slot)) number))
                            all))
         (forms nil))
    (dolist (accessor accessors)
      (push `(defun ,(car accessor) (object) (%structure-ref ',name object ,(cdr accessor))) forms))
    (if (null constructors)
        (push (%constructor-form (%symbol-of "MAKE-" name) name all :keys) forms))
    (dolist (constructor constructors)
      (cond ((or (atom constructor) (null (cdr constructor)))
             (push (%constructor-form (%symbol-of "MAKE-" name) name all :keys) forms))
            ((null (cadr constructor)) nil)
            (t (push (%constructor-form (cadr constructor) name all (if (cddr constructor) (caddr constructor) :keys))
                     forms))))
    (unless (and (consp predicate) (cdr predicate) (null (cadr predicate)))
      (push `(defun ,(if (and (consp predicate) (cdr predicate)) (cadr predicate) (%symbol-of name "-P")) (object)
               (%structure-p ',name object))
            forms))
    (unless (and (consp copier) (cdr copier) (null (cadr copier)))
      (push `(defun ,(if (and (consp copier) (cdr copier)) (cadr copier) (%symbol-of "COPY-" name)) (object)
               (%copy-structure object))
            forms))
    (if (and printer (consp printer))
        (push `(%set-get ',name '%print-function #',(cadr printer)) forms))
    (if documentation (push `(%set-documentation ',name 'structure ,documentation) forms))
    `(progn
       (%define-structure ',name ',(if include (cadr include) nil)
                          ',(mapcar (lambda (slot) (list (car slot) (cadr slot))) all)
                          ',accessors
                          ',(cond ((null constructors) (%symbol-of "MAKE-" name))
                                  ((and (consp (car constructors)) (cdar constructors)) (cadar constructors))
                                  (t (%symbol-of "MAKE-" name))))
       ,@(reverse forms)
       ',name)))
