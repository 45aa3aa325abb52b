;;; The line editor: how a form is typed.
;;;
;;;     12> (defun square (x)
;;;           (* x x))_              Return ends the form when all its parentheses are closed, else it begins a line
;;;     ^   ^
;;;     |   START-COLUMN, where all its lines begin
;;;     prompt
;;;
;;;     ^B ^F (Left Right)     Home ^A   End           Backspace   Delete ^D
;;;     ^P ^N (Up Down)        earlier and later inputs (within a form of several lines: up and down)
;;;     ^K  remove to the end of the line     ^U  remove all     ^Y  bring back what was removed     ^L  clear the window
;;;     Tab  complete a symbol's name         Control-C, Control-E  forget the input
;;;
;;; The text is a string; after each key the lines it covers are drawn again.

(defstruct editor
  terminal
  (text "")
  (point 0)                             ; where in the text the caret is
  start-line start-column               ; where the text begins
  (end-line 0)                          ; the last line it covered when it was drawn
  (past nil)                            ; how far back in the history: a number, or NIL
  (draft ""))                           ; what had been typed before going back

(defglobal *removed-text* "")           ; for ^Y

;;; Is the form complete?

(defun skip-string (text i end delimiter)
  "The place behind a string or |symbol| that begins before I, or NIL if it does not end."
  (loop
    (when (>= i end) (return nil))
    (let ((c (char text i)))
      (cond ((eql c #\\) (setq i (+ i 2)))
            ((eql c delimiter) (return (1+ i)))
            (t (setq i (1+ i)))))))

(defun skip-comment (text i end)
  "The place of the end of the line."
  (do ((i i (1+ i)))
      ((or (>= i end) (newline-code-p (char-code (char text i)))) i)))

(defun skip-block-comment (text i end)
  "The place behind |#, or NIL."
  (do ((i i (1+ i)))
      ((>= (1+ i) end) nil)
    (when (and (eql (char text i) #\|) (eql (char text (1+ i)) #\#))
      (return (+ i 2)))))

(defun scan-parentheses (text end)
  "The places of parentheses before END that are still open, the innermost first; :STRING if within a string."
  (let ((open nil)
        (i 0))
    (loop
      (when (>= i end) (return open))
      (let ((c (char text i)))
        (setq i (1+ i))
        (case c
          (#\( (push (1- i) open))
          (#\) (if open (pop open) (return :closed)))
          (#\" (setq i (skip-string text i end #\")))
          (#\| (setq i (skip-string text i end #\|)))
          (#\; (setq i (skip-comment text i end)))
          (#\\ (setq i (1+ i)))
          (#\# (when (< i end)
                 (cond ((eql (char text i) #\\) (setq i (+ i 2)))
                       ((eql (char text i) #\|) (setq i (skip-block-comment text (1+ i) end))))))))
      (unless i (return :string)))))

(defun blank-p (text)
  "Whether a text is only space."
  (dotimes (i (length text) t)
    (unless (<= (char-code (char text i)) 32)
      (return nil))))

(defun complete-p (text)
  "Whether a text can be read: all parentheses and strings are closed."
  (let ((open (scan-parentheses text (length text))))
    (or (null open) (eq open :closed))))

(defun matching-parenthesis (text point)
  "The place of the parenthesis that the one before POINT closes, or NIL."
  (let ((open (scan-parentheses text (1- point))))
    (if (consp open) (car open) nil)))

;;; Where a place in the text is on the screen

(defun text-position (editor place)
  "Line and column of a place in the text, as a cons."
  (let ((line (editor-start-line editor))
        (column (editor-start-column editor))
        (columns (terminal-columns (editor-terminal editor)))
        (text (editor-text editor)))
    (dotimes (i place (if (>= column columns) (cons (1+ line) (editor-start-column editor)) (cons line column)))
      (when (>= column columns)
        (setq line (1+ line) column (editor-start-column editor)))
      (if (newline-code-p (char-code (char text i)))
          (setq line (1+ line) column (editor-start-column editor))
          (setq column (1+ column))))))

(defun piece-end (text start room)
  "Where a piece of text ends that is one line on the screen."
  (let ((end (min (length text) (+ start room))))
    (do ((i start (1+ i)))
        ((or (>= i end) (newline-code-p (char-code (char text i)))) i))))

(defun draw-editor (editor)
  "Draws the text and the caret."
  (let* ((terminal (editor-terminal editor))
         (text (editor-text editor))
         (left (editor-start-column editor))
         (room (max 1 (- (terminal-columns terminal) left)))
         (line (editor-start-line editor))
         (start 0))
    (hide-caret terminal)
    (loop
      (let ((end (piece-end text start room)))
        (need-line terminal line)
        (when (> end start)
          (put-text terminal line left (subseq text start end)))
        (cut-line terminal line (+ left (- end start)))
        (cond ((>= end (length text)) (return nil))
              ((newline-code-p (char-code (char text end))) (setq start (1+ end)))
              (t (setq start end)))
        (setq line (1+ line))))
    (do ((rest (1+ line) (1+ rest)))
        ((> rest (editor-end-line editor)))
      (when (<= rest (terminal-last terminal))
        (cut-line terminal rest 0)))
    (setf (editor-end-line editor) line)
    (place-caret editor)))

(defun place-caret (editor)
  (let ((at (text-position editor (editor-point editor)))
        (terminal (editor-terminal editor)))
    (hide-caret terminal)
    (go-to terminal (car at) (cdr at))
    (bring-into-view terminal)
    (show-caret terminal)))

(defun flash-match (editor)
  "Shows for a moment which parenthesis the one just typed closes."
  (let ((match (matching-parenthesis (editor-text editor) (editor-point editor)))
        (terminal (editor-terminal editor)))
    (when match
      (let ((at (text-position editor match))
            (until (+ (milliseconds) 350)))
        (invert-cell terminal (car at) (cdr at))
        (wait-until (lambda () (or (window-keys (terminal-window terminal)) (>= (milliseconds) until))))
        (invert-cell terminal (car at) (cdr at))))))

;;; Changing the text

(defun set-editor-text (editor text point)
  (setf (editor-text editor) text)
  (setf (editor-point editor) point)
  (draw-editor editor))

(defun insert-text (editor new)
  (let ((text (editor-text editor))
        (point (editor-point editor)))
    (set-editor-text editor
                     (concatenate 'string (subseq text 0 point) new (subseq text point))
                     (+ point (length new)))))

(defun remove-text (editor from to)
  "Removes a part of the text."
  (let ((text (editor-text editor)))
    (when (< from to)
      (set-editor-text editor (concatenate 'string (subseq text 0 from) (subseq text to)) from))))

(defun kill-text (editor from to)
  "Removes a part of the text and keeps it for ^Y."
  (when (< from to)
    (setq *removed-text* (subseq (editor-text editor) from to))
    (remove-text editor from to)))

(defun line-start (text point)
  (do ((i point (1- i)))
      ((or (eql i 0) (newline-code-p (char-code (char text (1- i))))) i)))

(defun line-end (text point)
  (do ((i point (1+ i)))
      ((or (>= i (length text)) (newline-code-p (char-code (char text i)))) i)))

(defun move-point (editor point)
  (setf (editor-point editor) (max 0 (min point (length (editor-text editor)))))
  (place-caret editor))

(defun begin-line (editor)
  "A new line, indented by how many parentheses are open."
  (let ((open (scan-parentheses (editor-text editor) (editor-point editor))))
    (insert-text editor
                 (concatenate 'string
                              (make-string 1 :initial-element #\Newline)
                              (make-string (if (consp open) (* 2 (length open)) 0) :initial-element #\Space)))))

;;; The history

(defglobal *inputs* nil)                ; all texts typed, newest first

(defun recall (editor past)
  "Shows an earlier input."
  (when (and (>= past -1) (< past (length *inputs*)))
    (unless (editor-past editor)
      (setf (editor-draft editor) (editor-text editor)))
    (let ((text (if (< past 0) (editor-draft editor) (nth past *inputs*))))
      (setf (editor-past editor) (if (< past 0) nil past))
      (set-editor-text editor text (length text)))))

(defun move-up (editor)
  (let* ((text (editor-text editor))
         (start (line-start text (editor-point editor))))
    (if (eql start 0)
        (recall editor (1+ (or (editor-past editor) -1)))
        (let ((above (line-start text (1- start))))
          (move-point editor (min (1- start) (+ above (- (editor-point editor) start))))))))

(defun move-down (editor)
  (let* ((text (editor-text editor))
         (start (line-start text (editor-point editor)))
         (end (line-end text (editor-point editor))))
    (if (>= end (length text))
        (when (editor-past editor)
          (recall editor (1- (editor-past editor))))
        (move-point editor (min (line-end text (1+ end)) (+ 1 end (- (editor-point editor) start)))))))

;;; Completion

(defun constituent-p (character)
  (not (or (<= (char-code character) 32) (find character "()'`,\"|;"))))

(defun word-start (text point)
  (do ((i point (1- i)))
      ((or (eql i 0) (not (constituent-p (char text (1- i))))) i)))

(defun common-start (a b)
  "The characters that two strings begin with."
  (let ((end (min (length a) (length b))))
    (do ((i 0 (1+ i)))
        ((or (>= i end) (not (eql (char a i) (char b i)))) (subseq a 0 i)))))

(defun symbols-beginning (start)
  "The names of symbols that begin with START and mean something."
  (let ((names nil)
        (length (length start)))
    (%map-symbols
     (lambda (symbol)
       (let ((name (symbol-name symbol)))
         (when (and (>= (length name) length)
                    (eql (char name 0) (char start 0))
                    (string= start (subseq name 0 length))
                    (or (fboundp symbol) (boundp symbol) (macro-function symbol)))
           (push name names)))))
    names))

(defun complete-symbol (editor)
  "Completes the symbol before the caret as far as there is only one way to go on."
  (let* ((text (editor-text editor))
         (point (editor-point editor))
         (start (word-start text point)))
    (when (< start point)
      (let ((names (symbols-beginning (string-upcase (subseq text start point)))))
        (when names
          (let ((common (car names)))
            (dolist (name (cdr names))
              (setq common (common-start common name)))
            (when (> (length common) (- point start))
              (insert-text editor (string-downcase (subseq common (- point start)))))))))))

;;; One key

(defun edit-control (editor code)
  "Does what a control character says."
  (let ((text (editor-text editor))
        (point (editor-point editor)))
    (case code
      (1 (move-point editor (line-start text point)))
      (2 (move-point editor (1- point)))
      (4 (remove-text editor point (min (length text) (1+ point))))
      (6 (move-point editor (1+ point)))
      ((8 127) (remove-text editor (max 0 (1- point)) point))
      (9 (complete-symbol editor))
      (11 (kill-text editor point (line-end text point)))
      (12 (clear-around editor))
      (14 (move-down editor))
      (16 (move-up editor))
      (21 (kill-text editor 0 (length text)))
      (25 (insert-text editor *removed-text*)))))

(defun clear-around (editor)
  "Clears the window but for the text."
  (let* ((terminal (editor-terminal editor))
         (prompt (subseq (line-at terminal (editor-start-line editor)) 0 (editor-start-column editor))))
    ;; Else the text would be drawn over it, and hiding it then would show it.
    (hide-caret terminal)
    (clear-terminal terminal)
    (put-text terminal 0 0 prompt)
    (setf (editor-start-line editor) 0)
    (setf (editor-end-line editor) 0)
    (draw-editor editor)))

(defun edit-function-key (editor key)
  (let ((text (editor-text editor))
        (point (editor-point editor)))
    (case key
      (:left (move-point editor (1- point)))
      (:right (move-point editor (1+ point)))
      (:home (move-point editor (line-start text point)))
      (:end (move-point editor (line-end text point)))
      (:delete (edit-control editor 4))
      (:up (move-up editor))
      (:down (move-down editor)))))

(defun edit-key (editor key)
  "Does what a key says; true when the text is complete."
  (cond ((not (characterp key)) (edit-function-key editor key) nil)
        ((newline-code-p (char-code key))
         (cond ((complete-p (editor-text editor))
                (move-point editor (length (editor-text editor)))
                t)
               (t (begin-line editor) nil)))
        ((or (< (char-code key) 32) (eql (char-code key) 127))
         (edit-control editor (char-code key))
         nil)
        (t (insert-text editor (make-string 1 :initial-element key))
           (when (eql key #\))
             (flash-match editor))
           nil)))

;;; Echo on the console. What is typed or deleted at the end is only written; for all else the terminal there is told to
;;; move its cursor, by the sequences of an ANSI terminal: ESC [ 2 A is two lines up.

(defun console-move (count up down)
  "Moves the console's cursor, by a positive or a negative count of lines or columns."
  (unless (eql count 0)
    (console-string (format nil "~c[~d~c" (code-char 27) (abs count) (if (< count 0) up down)))))

(defun console-place (editor text place)
  "Line and column of a place in a text on the console, as a cons: the text begins in line 0, behind the prompt."
  (let ((line 0)
        (column (editor-start-column editor)))
    (dotimes (i place (cons line column))
      (if (newline-code-p (char-code (char text i)))
          (setq line (1+ line) column 0)
          (setq column (1+ column))))))

(defun console-go (editor text from to)
  "Moves the console's cursor between two places of a text."
  (let ((old (console-place editor text from))
        (new (console-place editor text to)))
    (console-move (- (car new) (car old)) #\A #\B)
    (console-move (- (cdr new) (cdr old)) #\D #\C)))

(defun echo-change (before point editor)
  "Shows on the console what a key has made of a text with the cursor at a point."
  (let* ((after (editor-text editor))
         (old (length before))
         (new (length after))
         (same (length (common-start before after))))
    (cond ((and (eql point old) (eql same old) (eql (editor-point editor) new))
           (console-string (subseq after old)))
          ((and (eql point old) (eql same new) (eql new (1- old)) (not (newline-code-p (char-code (char before new)))))
           (console-char (code-char 8))
           (console-char #\Space)
           (console-char (code-char 8)))
          ((eql same (max old new))
           (console-go editor after point (editor-point editor)))
          (t
           (console-go editor before point same)
           ;; Erase to the end of the screen.
           (console-string (format nil "~c[J" (code-char 27)))
           (console-string (subseq after same))
           (console-go editor after new (editor-point editor))))))

(defun read-form-text (terminal)
  "Lets the user type a form where the caret is: its text; or :INTERRUPTED."
  (flush-terminal terminal)
  (let ((editor (make-editor :terminal terminal
                             :start-line (terminal-line terminal)
                             :start-column (terminal-column terminal)))
        (mirror (terminal-mirror terminal)))
    (setf (editor-end-line editor) (terminal-line terminal))
    (show-caret terminal)
    (loop
      (let ((key (read-key (terminal-window terminal)))
            (before (editor-text editor))
            (point (editor-point editor)))
        (when (and (characterp key) (or (eql (char-code key) 3) (eql (char-code key) 5)))
          (hide-caret terminal)
          (return :interrupted))
        (let ((done (edit-key editor key)))
          (when mirror (echo-change before point editor))
          (when done
            (hide-caret terminal)
            (terminal-write-char terminal #\Newline)
            (note-caret terminal)
            (return (editor-text editor))))))))
