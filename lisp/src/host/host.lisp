;;; What the host's interpreter has instead of the world's own functions.

(defun %define-structure (name parent slots accessors constructor)
  (%note-structure name parent slots accessors))

(defun first (list) (car list))
(defun second (list) (cadr list))
(defun third (list) (caddr list))
(defun fourth (list) (cadddr list))
(defun rest (list) (cdr list))
(defun identity (x) x)
(defun caadr (list) (car (cadr list)))
(defun cdadr (list) (cdr (cadr list)))
(defun cadadr (list) (cadr (cadr list)))
(defun caddar (list) (caddr (car list)))
(defun cddddr (list) (cdr (cdddr list)))

(defun getf (list name &optional default)
  (cond ((null list) default)
        ((eq (car list) name) (cadr list))
        (t (getf (cddr list) name default))))
