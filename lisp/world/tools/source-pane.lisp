;;; Source panes: a form in a window, and marks on parts of it.
;;;
;;;     form --print--> text --walk both--> (cons start . end) ... --> lines, with the marked part inverted
;;;
;;; Which part of the source an instruction came from the compiler says: it compiles the function once more, with
;;; *FORM-TABLE*, and gives the same instructions.
;;;
;;;     (form-places 'step-fact)     ((STEP-FACT (0 . (< n 2)) ...) ...)     offset and form, for each code object

(defstruct source-pane
  lister
  (form nil)                            ; what is shown
  (text "")
  (places nil))                         ; (cons start . end) in the text, for each list in the form

;;; Which form is it?

(defun note-conses (form table)
  "Puts all conses of a form into a table."
  (when (and (consp form) (null (gethash form table)))
    (setf (gethash form table) t)
    (note-conses (car form) table)
    (note-conses (cdr form) table)))

(defun form-places (name)
  "Places and forms for a function that was compiled on this machine, and for those within it; NIL for others."
  (let ((source (and (symbolp name) (function-source name)))
        (table (make-hash-table :test 'eq)))
    (when source
      (note-conses source table)
      (let ((*form-table* table)
            (*form-places* nil)
            (*calls-by-name* nil)
            (*function-notes* nil)
            (*compile-warnings* nil))
        (compile-lambda name (if (eq (car source) '%named-lambda) (cddr source) (cdr source)))
        *form-places*))))

(defun places-fit-p (places code)
  "Whether noted places are those of this code."
  (let ((start (%code-start code))
        (real (code-places code)))
    (every (lambda (place) (if (member (+ start (car place)) real) t nil)) places)))

(defun form-at (places offset)
  "The form of the instruction at an offset from the first one."
  (let ((form nil))
    (dolist (place places form)
      (when (> (car place) offset) (return form))
      (setq form (cdr place)))))

(defun definition-form (name)
  "The definition that a function was compiled from, as one would write it; NIL if it was not kept."
  (let ((source (function-source name)))
    (when source
      (destructuring-bind (parameters &rest body) (if (eq (car source) '%named-lambda) (cddr source) (cdr source))
        (list* 'defun name parameters
               (mapcan (lambda (form)
                         (if (and (consp form) (eq (car form) 'block) (eq (cadr form) name))
                             (copy-list (cddr form))
                             (list form)))
                       body))))))

;;; Where is it in the text?

(defun skip-space (text at)
  (or (position-if (lambda (c) (> (char-code c) 32)) text :start at) (length text)))

(defun walk-form (form text at note)
  "Finds a form in a text that it was printed to: where it ends. Calls NOTE with each list, its start and its end."
  (let* ((start (skip-space text at))
         (prefix (and (consp form) (%prefix form)))
         (end (cond ((atom form) (+ start (length (prin1-to-string form))))
                    (prefix (walk-form (cadr form) text (+ start (length prefix)) note))
                    (t (walk-elements form text (1+ start) note)))))
    (when (consp form)
      (funcall note form start end))
    end))

(defun walk-elements (rest text at note)
  "The same for the elements of a list, and what closes it."
  (cond ((consp rest) (walk-elements (cdr rest) text (walk-form (car rest) text at note) note))
        ((null rest) (1+ (skip-space text at)))
        ;; A dot.
        (t (1+ (skip-space text (walk-form rest text (1+ (skip-space text at)) note))))))

(defun text-lines (text)
  "A list of the lines of a text."
  (let ((lines nil)
        (start 0))
    (loop
      (let ((end (position #\Newline text :start start)))
        (push (subseq text start end) lines)
        (unless end (return (nreverse lines)))
        (setq start (1+ end))))))

(defun line-marks (lines start end)
  "What a part of a text is of its lines: (number from . to) each, without the space that a line begins with."
  (let ((marks nil)
        (at 0)
        (n 0))
    (dolist (line lines (nreverse marks))
      (let ((from (max 0 (- start at)))
            (to (min (length line) (- end at)))
            (first (skip-space line 0)))
        (when (< (max from first) to)
          (push (list* n (max from first) to) marks)))
      (setq at (+ at 1 (length line)))
      (setq n (1+ n)))))

;;; The window

(defun pane-columns (pane)
  (floor (- (window-width (lister-window (source-pane-lister pane))) 8) (font-width *font*)))

(defun make-source-window (left top width lines)
  "A window for a form; the source pane."
  (make-source-pane :lister (make-list-window "Source" left top width lines nil nil)))

(defun show-source (pane name)
  "Shows the definition of a function."
  (let* ((form (definition-form name))
         (text (if form
                   (let ((*print-right-margin* (pane-columns pane))
                         (*print-pretty* t))
                     (prin1-to-string form))
                   (format nil "The source of ~a was not kept." name)))
         (places nil))
    (when form
      (walk-form form text 0 (lambda (part start end) (push (list* part start end) places))))
    (setf (source-pane-form pane) form)
    (setf (source-pane-text pane) text)
    (setf (source-pane-places pane) places)
    (setf (lister-marks (source-pane-lister pane)) nil)
    (show-items (source-pane-lister pane) (mapcar #'list (text-lines text)))
    (set-window-title (lister-window (source-pane-lister pane)) (format nil "Source of ~a" name))))

(defun mark-source (pane form)
  "Shows a part of the source inverted, or nothing."
  (let* ((lister (source-pane-lister pane))
         (place (cdr (assoc form (source-pane-places pane) :test #'eq)))
         (marks (and form place (line-marks (mapcar #'car (lister-items lister)) (car place) (cdr place)))))
    (mark-lines lister marks)))
