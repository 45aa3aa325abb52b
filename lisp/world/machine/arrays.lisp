;;; Vectors: the object, and the block with its elements. Everything else about arrays is library/arrays.lisp.
;;;
;;;     ONED-ARRAY, type 14    | base | flags 8, element code 8 | offset 16 | fill pointer | length |

(defun %element-cells (code size)
  "Cells that so many elements need. The low digit of a code is the logarithm of an element's bits; pointers have 6."
  (case (logand code 15)
    (0 (ash (+ size 31) -5))
    (3 (ash (+ size 3) -2))
    (4 (ash (+ size 1) -1))
    (t size)))

(defun %make-vector (size code)
  "A new vector of SIZE elements of the kind with this code; they are NIL, zero, or characters of code 0."
  (let ((vector (%create-cell 14)))
    (when (> size 0)
      (%store vector 0 (%allocate-block (%element-cells code size) (if (eql code 38) 1 0))))
    (%set-word vector 2 (if (or (eql code 67) (eql code 68)) (+ 4096 code) code))
    (%set-word vector 4 (ash size -16))
    (%set-word vector 5 (logand size 65535))
    (%set-word vector 6 (ash size -16))
    (%set-word vector 7 (logand size 65535))
    vector))
