;;; The tour: a walk through the world, a page at a time.
;;;
;;;     (tour)          from the beginning            Space, Return or a press on Next: the next page
;;;     (tour 5)        from page 5                   b: back, t: try what the page suggests, q: leave
;;;
;;; Each page is a title, a text, and a form that shows what the text is about: T or a press on "Try it" evaluates it.

(defparameter *tour-pages*
  '(("Welcome"
     "This is a Lisp machine. There is no operating system under it: what you see is Lisp, compiled to the bytecode of the Xerox D-machines, and a machine that runs it.

Everything here can be looked at and changed while it runs. This text is a window; the program that shows it is in lisp/world/tools/tour.lisp.

Press Next, or Space. Try it evaluates the form below."
     (+ 1 2))
    ("The exec"
     "The window behind this one is an exec: it reads a form, evaluates it, and prints its values. Forms may go over several lines; Return ends one when its parentheses are closed. The arrow keys move in the line and bring back what you typed before, Tab completes names.

Integers grow as large as they need:"
     (factorial 60))
    ("Defining functions"
     "DEFUN defines a function: it is compiled to bytecode, here and now, by the same compiler that has made this world. What you type to the exec is interpreted, by an evaluator written in Lisp.

(disassemble 'tak) prints the instructions of a function."
     (disassemble 'tak))
    ("CONS cells and CDR codes"
     "A list is made of cells. A cell is 32 bits: 28 for the CAR, and a code of 4 bits that says where the CDR is. A list that was made at one stroke lies in consecutive cells, and needs no pointers for its CDRs.

The inspector shows any object: what it means, and the words it is made of. Press a field to go on from there."
     (inspect (list 1 2 (list "three" 'four) 5.0 (expt 2 70))))
    ("Counting references"
     "Nobody frees memory here. The machine counts the references to each object; almost every object has exactly one, and only the others are written down in a table. An object that loses its last reference is reclaimed a little later.

(reference-count x) reads that table. The example makes a list that three others hold, and one that only the stack knows."
     (count-example))
    ("The memory map"
     "All of Lisp's memory, a small square a page of 512 bytes. Pages that are written flash black. CONS pages are as dark as they are full.

Press a page to see what it is; the middle button shows its words."
     (memory-map))
    ("Step by step"
     "The stepper runs compiled code an instruction at a time: at the left the code, at the right the source and the stack. Space steps, o takes a call as one step, u runs until the function returns, r runs to the end, q closes.

Watch how the arguments of a call become the variables of the next frame."
     (step-example))
    ("When something goes wrong"
     "An error stops the computation, but does not undo it: a break window opens on top of it. It lists the frames of the stack; press one to see its variables. Forms typed there see the computation's variables. :abort gives up.

Try it makes an error on purpose. Type :abort in the break window to come back."
     (let ((list '(1 2 three)))
       (mapcar (lambda (x) (* x x)) list)))
    ("Processes"
     "Several computations take turns: the exec, the clock, this tour, the process that hands out keys. MAKE-PROCESS starts one, and (life) is one that draws.

Press into its window to set cells; the right button has patterns."
     (life))
    ("Drawing"
     "Everything on the screen is made by one operation, BITBLT: it combines one rectangle of pixels with another. Lines and circles are made of thin rectangles. Even Life counts its neighbours with it, 32 cells at a time.

Paint is a small program for drawing with the mouse."
     (paint))
    ("How fast?"
     "Classic programs for measuring Lisp systems: calls, arithmetic, lists, arrays, rewriting, strings, bignums. The bars are logarithmic."
     (benchmarks))
    ("Where to go from here"
     "(help) says what keys and mouse buttons do. (apropos \"hash\") finds names, (describe 'mapcar) explains one. The right button on the gray background opens the main menu: there you can save the world, with everything that you have defined, and log out.

The chapters in docs/ explain the machine, from a page fault to the collector, and point at the code. F12 opens the monitor below Lisp.

That is all. Have fun."
     (help)))
  "Title, text, and a form to try.")

(defun count-example ()
  "The reference counts of a list that is in a list three times, and of that one."
  (let* ((inner (list 1 2 3))
         (outer (list inner inner inner)))
    (list (reference-count inner) (reference-count outer))))

(defstruct tour
  window
  (page 0))

;;; Filling lines with words

(defun split-words (text)
  "The words of a paragraph."
  (let ((words nil)
        (start 0)
        (end (length text)))
    (loop
      (let ((space (position #\Space text :start start)))
        (when (> (or space end) start)
          (push (subseq text start (or space end)) words))
        (when (null space) (return (nreverse words)))
        (setq start (1+ space))))))

(defun fill-paragraph (text width)
  "Lines of at most WIDTH characters."
  (let ((lines nil)
        (line ""))
    (dolist (word (split-words text))
      (cond ((equal line "") (setq line word))
            ((> (+ 1 (length line) (length word)) width)
             (push line lines)
             (setq line word))
            (t (setq line (concatenate 'string line " " word)))))
    (nreverse (cons line lines))))

(defun paragraphs (text)
  "The lines of a text, as written."
  (let ((result nil)
        (start 0))
    (loop
      (let ((end (position-if (lambda (c) (newline-code-p (char-code c))) text :start start)))
        (push (subseq text start (or end (length text))) result)
        (when (null end) (return (nreverse result)))
        (setq start (1+ end))))))

;;; Showing a page

(defun draw-tour-button (window text x)
  (let ((y (- (window-height window) 26)))
    (fill-rectangle window x y 84 20 0)
    (outline window x y 84 20)
    (draw-centered window text x (+ y 4) 84 *font* 'paint)))

(defun form-text (form)
  "A form as it is typed, as much as fits."
  (let ((text (string-downcase (prin1-to-string form))))
    (if (> (length text) 52) (concatenate 'string (subseq text 0 49) "...") text)))

(defun draw-tour (tour)
  "Draws the present page."
  (let* ((window (tour-window tour))
         (page (nth (tour-page tour) *tour-pages*))
         (y 12))
    (clear-window window)
    (draw-text window (car page) 14 y *bold-font*)
    (fill-rectangle window 14 (+ y 16) (- (window-width window) 28) 1)
    (setq y (+ y 24))
    (dolist (paragraph (paragraphs (cadr page)))
      (dolist (line (fill-paragraph paragraph 54))
        (draw-text window line 14 y)
        (setq y (+ y 14))))
    (setq y (+ y 8))
    (draw-text window (form-text (caddr page)) 28 y)
    (draw-tour-button window "Back" 14)
    (draw-tour-button window "Try it" 108)
    (draw-tour-button window "Next" 202)
    (draw-text window (format nil "~d of ~d" (1+ (tour-page tour)) (length *tour-pages*))
               (- (window-width window) 80) (- (window-height window) 22))
    (set-window-title window (format nil "Tour: ~a" (car page)))))

(defun tour-move (tour by)
  (let ((page (+ by (tour-page tour))))
    (if (>= page (length *tour-pages*))
        (close-window (tour-window tour))
        (progn
          (setf (tour-page tour) (max 0 page))
          (draw-tour tour)))))

(defun try-page (tour)
  "Evaluates the page's form as if it had been typed to the first exec."
  (let ((form (caddr (nth (tour-page tour) *tour-pages*)))
        (terminal (car (last *execs*))))
    (if terminal
        (type-to (reading-terminal terminal) (string-downcase (prin1-to-string form)))
        (make-process "try" (lambda () (catch 'exec (eval form)))))
    (raise-window (tour-window tour))))

(defun reading-terminal (terminal)
  "The terminal where an exec's process waits for keys: its own, or that of its innermost break."
  (let ((process (window-process (terminal-window terminal))))
    (dolist (window *windows* terminal)
      (when (and (terminal-p (window-data window)) (window-reading window) (eq (window-process window) process))
        (return (window-data window))))))

(defun type-to (terminal text)
  "Gives a terminal's window the keys of a text and Return."
  (let ((window (terminal-window terminal)))
    (setf (window-keys window)
          (append (window-keys window) (list (code-char 21)) (coerce text 'list) (list #\Newline)))
    window))

(defun tour-key (tour key)
  (case key
    ((#\Space #\Newline #\n) (tour-move tour 1))
    ((#\b #\Backspace) (tour-move tour -1))
    (#\t (try-page tour))
    (#\q (close-window (tour-window tour)))))

(defun press-tour (tour button x y)
  (let ((window (tour-window tour)))
    (cond ((eq button :right) (window-menu window))
          ((< y (- (window-height window) 26)) nil)
          ((< x 98) (tour-move tour -1))
          ((< x 192) (try-page tour))
          ((< x 286) (tour-move tour 1)))))

(defun tour (&optional (page 1))
  "A walk through the world."
  (let* ((window (create-window "Tour" 548 440 460 300))
         (tour (make-tour :window window :page (1- page))))
    (setf (window-data window) tour)
    (setf (window-key-function window)
          (lambda (window key) (declare (ignore window)) (tour-key tour key)))
    (setf (window-button-function window)
          (lambda (window button x y) (declare (ignore window)) (press-tour tour button x y)))
    (setf (window-shape-function window)
          (lambda (window) (declare (ignore window)) (draw-tour tour)))
    (draw-tour tour)
    (set-focus window)
    (values)))
