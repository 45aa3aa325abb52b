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
