;;; What the lowest level does with errors, once there are conditions.

(defun %ignore-errors (function)
  "Calls a function; NIL and the condition if there is an error."
  (block nil
    (handler-bind ((error (lambda (condition) (return (values nil condition)))))
      (funcall function))))
