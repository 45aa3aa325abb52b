;;; What is known of structures at run time. DEFSTRUCT leaves a list (parent (slot default) ...) under %STRUCTURE on the
;;; property list of the type's name; slots are cells of the object, in order.

(defun %structure-name-p (name)
  (and (symbolp name) (get name '%structure) t))

(defun %structurep (x)
  "True of structures."
  (and (> (%type-number x) 21)
       (%structure-name-p (%type-name (%type-number x)))))

(defun %structure-parent (name)
  "The structure that this one includes, or NIL."
  (car (get name '%structure)))

(defun %structure-slots (name)
  "The names of the slots."
  (mapcar #'car (cdr (get name '%structure))))

(defun %structure-constructor (name)
  "The function that makes such a structure from keywords and values."
  (get name '%constructor))

(defun %slot-value (structure slot)
  "The value of a slot by name."
  (%cell structure (* 2 (%slot-number structure slot))))

(defun %slot-number (structure slot)
  (or (position slot (%structure-slots (type-of structure)))
      (error "~S has no slot ~S." structure slot)))

(defun %set-slot-value (structure slot value)
  (%store structure (* 2 (%slot-number structure slot)) value)
  value)

(defun slot-value (structure slot) (%slot-value structure slot))

(defun %define-structure (name parent slots accessors constructor)
  "Makes NAME a type of structures, each a cell a slot. Defining it again as it was changes nothing; otherwise there is a
new type of that name, and objects of the old one stay as they are."
  (let ((same (and (%type-named name)
                   (equal (mapcar #'car slots) (%structure-slots name))
                   (eq parent (%structure-parent name)))))
    (%note-structure name parent slots accessors)
    (%set-get name '%constructor constructor)
    (unless same
      (let ((pointers nil)
            (count (length slots)))
        (do ((i (1- count) (1- i)))
            ((< i 0))
          (setq pointers (cons (* 2 i) pointers)))
        ;; Compiled code finds the number of the type in a variable.
        (set (intern (string-append "%TYPE-" (symbol-name name)))
             (%make-type name
                         (* 2 (max 1 count))
                         pointers
                         (if parent (%type-named parent) 0)))))
    name))

(defun %copy-structure (structure)
  "A new structure with the same slots."
  (let ((copy (%create-cell (%type-number structure))))
    (dotimes (i (length (%structure-slots (type-of structure))) copy)
      (%store copy (* 2 i) (%cell structure (* 2 i))))))

(defun copy-structure (structure) (%copy-structure structure))

;;; What the compiler makes instructions of, for forms that are interpreted

(defun %check-structure (type object)
  (if (%instancep object type) object (%wrong-type object type)))

(defun %make-structure (type slots)
  (%create-cell (%type-named type)))

(defun %structure-p (type object)
  (%instancep object type))

(defun %structure-ref (type object slot)
  (%cell (%check-structure type object) (* 2 slot)))

(defun %structure-set (type object slot value)
  (%store (%check-structure type object) (* 2 slot) value)
  value)
