;;; Types of objects: a descriptor each, from which the machine makes objects of the type and takes them apart again.
;;;
;;;     descriptor, 18 words at DTD + 18 n
;;;       0-1 name | 3 words of an object | 4-5 free objects | 10-11 list of word offsets of counted pointers
;;;       16 what the type table has for pages of this type | 17 number of the type that this one extends
;;;
;;; vm/src/storage/types.rs reads the same words. The machine gives out pages of objects by itself.

(defconstant %most-types 2000)

(defun %type-descriptor (type)
  (%add (%pointer 20 4096) (* 18 type)))

(defun %type-words (type)
  "Words of an object of a type."
  (%word (%type-descriptor type) 3))

(defun %make-type (name words pointers parent)
  "A new type whose objects have so many words. POINTERS lists the word offsets of what is counted; PARENT is the number of
the type that this one extends, or 0. The number of the type."
  (let* ((type (1+ |\\MaxTypeNumber|))
         (descriptor (%type-descriptor type)))
    (when (>= type %most-types)
      (error "There are too many types."))
    (setq |\\MaxTypeNumber| type)
    (%store descriptor 0 name)
    (%set-word descriptor 3 words)
    (%store descriptor 10 pointers)
    (%set-word descriptor 16 type)
    (%set-word descriptor 17 parent)
    ;; The compiler makes objects by the number that is the value of this variable.
    (set (intern (concatenate 'string "%TYPE-" (symbol-name name))) type)
    type))

(defun %type-named (name)
  "The number of the newest type of this name, or NIL."
  (do ((type |\\MaxTypeNumber| (1- type)))
      ((eql type 0) nil)
    (when (eq (%cell (%type-descriptor type) 0) name) (return type))))

