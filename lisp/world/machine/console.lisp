;;; The console: a line for text that leaves the machine, the serial line or the terminal that it was started from.

(defun %console-char (char)
  (let ((code (char-code char)))
    (%subr 9 (if (eql code 13) 10 (logand code 127)))))

(defun %console (string)
  "Writes a string to the console."
  (dotimes (i (length string))
    (%console-char (aref string i)))
  nil)

(defun %console-line (string)
  (%console string)
  (%subr 9 10)
  nil)
