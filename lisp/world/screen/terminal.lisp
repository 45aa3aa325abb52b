;;; Terminals: windows full of text, with lines that scroll and can be scrolled back.
;;;
;;;     store      a ring of strings     line number n is at n mod +kept-lines+
;;;
;;;     line       oldest ...            ... top ...             ... last
;;;                |                         |<-- rows of the window -->|
;;;
;;; The characters themselves are kept, not only their pixels: so the window can be given another shape, scrolled back,
;;; and searched. Lines have numbers that only grow. The caret is where the next character goes.

(defconstant +kept-lines+ 500)
(defconstant +margin+ 3)

(defstruct terminal
  window
  (store nil)                           ; vector of strings
  (first 0)                             ; number of the oldest line
  (last 0)                              ; number of the newest line
  (top 0)                               ; number of the uppermost line in the window
  (line 0)                              ; the caret's line
  (column 0)                            ; the caret's column
  (caret nil)                           ; is the caret drawn?
  (mirror nil)                          ; does what is written also go to the console?
  (stream nil)                          ; a stream that writes and reads here
  (input nil)                           ; characters of a line that has been read for the stream
  (pending nil)                         ; characters printed to the stream and not yet drawn, newest first
  (pending-count 0))

(defun terminal-columns (terminal)
  (floor (- (window-width (terminal-window terminal)) 6) (font-width *font*)))

(defun terminal-rows (terminal)
  (max 1 (floor (- (window-height (terminal-window terminal)) 6) (font-height *font*))))

(defun line-at (terminal n)
  "The text of line number N."
  (let ((place (mod n 500)))
    (or (svref (terminal-store terminal) place)
        (setf (svref (terminal-store terminal) place) ""))))

(defun set-line-at (terminal n text)
  (setf (svref (terminal-store terminal) (mod n 500)) text))

(defun row-top (terminal n)
  "The row of pixels where line number N begins in the window."
  (+ +margin+ (* (font-height *font*) (- n (terminal-top terminal)))))

(defun line-visible-p (terminal n)
  (and (>= n (terminal-top terminal))
       (< n (+ (terminal-top terminal) (terminal-rows terminal)))))

;;; Drawing

(defun draw-line-text (terminal n from text)
  "Draws TEXT in line N from a column on."
  (when (line-visible-p terminal n)
    (draw-text (terminal-window terminal) text
               (+ +margin+ (* from (font-width *font*))) (row-top terminal n))))

(defun clear-line-from (terminal n column)
  "Makes the window white in line N from a column on."
  (when (line-visible-p terminal n)
    (let ((x (+ +margin+ (* column (font-width *font*)))))
      (fill-rectangle (terminal-window terminal) x (row-top terminal n)
                      (max 0 (- (window-width (terminal-window terminal)) x)) (font-height *font*) 0))))

(defun redraw-terminal (terminal)
  "Draws all lines that are in the window."
  (let ((window (terminal-window terminal)))
    (fill-bitmap (window-canvas window) 0 0 (window-width window) (window-height window) 0 'replace)
    (dotimes (i (terminal-rows terminal))
      (let ((n (+ i (terminal-top terminal))))
        (when (and (>= n (terminal-first terminal)) (<= n (terminal-last terminal)))
          (draw-string-on (window-canvas window) (line-at terminal n) +margin+ (row-top terminal n) *font* 'replace))))
    (when (terminal-caret terminal)
      (setf (terminal-caret terminal) nil)
      (show-caret terminal))
    (show-part window 0 0 (window-width window) (window-height window))))

(defun invert-cell (terminal n column)
  (when (line-visible-p terminal n)
    (fill-rectangle (terminal-window terminal) (+ +margin+ (* column (font-width *font*))) (row-top terminal n)
                    (font-width *font*) (font-height *font*) +black+ 'invert)))

(defun show-caret (terminal)
  (unless (terminal-caret terminal)
    (setf (terminal-caret terminal) t)
    (invert-cell terminal (terminal-line terminal) (terminal-column terminal))))

(defun hide-caret (terminal)
  (when (terminal-caret terminal)
    (setf (terminal-caret terminal) nil)
    (invert-cell terminal (terminal-line terminal) (terminal-column terminal))))

;;; Scrolling

(defun scroll-to (terminal top)
  "Makes line number TOP the uppermost one."
  (let ((by (- top (terminal-top terminal)))
        (rows (terminal-rows terminal))
        (window (terminal-window terminal)))
    (unless (eql by 0)
      (setf (terminal-top terminal) top)
      (if (and (> by 0) (< by rows))
          ;; What stays moves up; only lines that come into view are drawn.
          (let ((height (font-height *font*)))
            (scroll-canvas window 0 +margin+ (window-width window) (* rows height) (* by height))
            (dotimes (i by)
              (let ((n (+ top (- rows by) i)))
                (when (<= n (terminal-last terminal))
                  (draw-line-text terminal n 0 (line-at terminal n))))))
          (redraw-terminal terminal)))))

(defun scroll-terminal (terminal lines)
  "Scrolls the view, by the user's wish."
  (scroll-to terminal
             (max (terminal-first terminal)
                  (min (+ (terminal-top terminal) lines)
                       (max (terminal-first terminal)
                            (1+ (- (terminal-last terminal) (terminal-rows terminal))))))))

(defun bring-into-view (terminal)
  "Scrolls so far that the caret can be seen."
  (let ((bottom (- (terminal-line terminal) (terminal-rows terminal) -1)))
    (when (or (< (terminal-top terminal) bottom) (< (terminal-line terminal) (terminal-top terminal)))
      (scroll-to terminal (max (terminal-first terminal) bottom)))))

(defun need-line (terminal n)
  "Makes sure that there is a line number N."
  (loop
    (when (<= n (terminal-last terminal)) (return nil))
    (let ((last (1+ (terminal-last terminal))))
      (setf (terminal-last terminal) last)
      (set-line-at terminal last "")
      (when (>= (- last (terminal-first terminal)) 500)
        (setf (terminal-first terminal) (- last 499))
        (when (< (terminal-top terminal) (terminal-first terminal))
          (setf (terminal-top terminal) (terminal-first terminal)))))))

;;; Writing

(defun put-text (terminal n column text)
  "Replaces what is in line N from a column on, as far as TEXT goes."
  (let* ((old (line-at terminal n))
         (end (+ column (length text)))
         (new (make-string (max end (length old)) :initial-element #\Space)))
    (replace new old)
    (replace new text :start1 column)
    (set-line-at terminal n new)
    (draw-line-text terminal n column text)))

(defun cut-line (terminal n column)
  "Removes what is in line N from a column on."
  (when (> (length (line-at terminal n)) column)
    (set-line-at terminal n (subseq (line-at terminal n) 0 column))
    (clear-line-from terminal n column)))

(defun go-to (terminal line column)
  (need-line terminal line)
  (setf (terminal-line terminal) line)
  (setf (terminal-column terminal) column))

(defun new-line (terminal)
  (go-to terminal (1+ (terminal-line terminal)) 0)
  (bring-into-view terminal))

(defun write-run (terminal text)
  "Writes characters that are no control characters, folding lines that are too long."
  (loop
    (when (eql 0 (length text)) (return nil))
    (when (>= (terminal-column terminal) (terminal-columns terminal))
      (new-line terminal))
    (let* ((room (max 1 (- (terminal-columns terminal) (terminal-column terminal))))
           (part (if (> (length text) room) (subseq text 0 room) text)))
      (put-text terminal (terminal-line terminal) (terminal-column terminal) part)
      (setf (terminal-column terminal) (+ (terminal-column terminal) (length part)))
      (setq text (subseq text (length part))))))

(defun newline-code-p (code)
  (or (eql code 10) (eql code 13)))

(defun write-control (terminal code)
  "Does what a control character says."
  (cond ((newline-code-p code) (new-line terminal))
        ((eql code 9)
         (write-run terminal (make-string (- 8 (mod (terminal-column terminal) 8)) :initial-element #\Space)))
        ((eql code 12) (clear-terminal terminal))))

(defun control-position (string start)
  "Where the next control character is, or the string's length."
  (let ((end (length string)))
    (do ((i start (1+ i)))
        ((or (>= i end) (< (char-code (char string i)) 32)) i))))

(defun terminal-write-string (terminal string)
  "Writes a string where the caret is."
  (when (terminal-mirror terminal)
    (console-string string))
  (let ((caret (terminal-caret terminal))
        (start 0)
        (end (length string)))
    (hide-caret terminal)
    (bring-into-view terminal)
    (loop
      (when (>= start end) (return nil))
      (let ((next (control-position string start)))
        (when (> next start)
          (write-run terminal (if (and (eql start 0) (eql next end)) string (subseq string start next))))
        (when (< next end)
          (write-control terminal (char-code (char string next))))
        (setq start (1+ next))))
    (when caret (show-caret terminal))
    string))

(defun terminal-write-char (terminal character)
  "Writes a character where the caret is."
  (terminal-write-string terminal (make-string 1 :initial-element character))
  character)

(defun terminal-fresh-line (terminal)
  "A new line, unless the caret is at the beginning of one."
  (flush-terminal terminal)
  (unless (eql 0 (terminal-column terminal))
    (terminal-write-char terminal #\Newline)))

(defun clear-terminal (terminal)
  "Forgets all lines."
  (setf (terminal-store terminal) (make-array 500 :initial-element nil))
  (setf (terminal-first terminal) 0)
  (setf (terminal-last terminal) 0)
  (setf (terminal-top terminal) 0)
  (setf (terminal-line terminal) 0)
  (setf (terminal-column terminal) 0)
  (redraw-terminal terminal))

;;; The console: the serial line

(defun console-char (character)
  "Sends a character to the console."
  (%subr 9 (char-code character))
  character)

(defun console-string (string)
  (dotimes (i (length string))
    (console-char (char string i))))

;;; Making one

(defun make-terminal-window (title left top columns rows)
  "A window that is a terminal; the terminal."
  (let* ((window (create-window title left top
                                (+ 6 (* columns (font-width *font*))) (+ 6 (* rows (font-height *font*)))))
         (terminal (make-terminal :window window)))
    (setf (window-data window) terminal)
    (setf (window-scroll-function window)
          (lambda (window lines) (declare (ignore window)) (scroll-terminal terminal lines)))
    (setf (window-shape-function window)
          (lambda (window)
            (declare (ignore window))
            (let ((bottom (1+ (- (terminal-line terminal) (terminal-rows terminal)))))
              (setf (terminal-top terminal) (max (terminal-first terminal) bottom)))
            (redraw-terminal terminal)))
    ;; The stream has the terminal; who still prints has the stream.
    (setf (window-close-function window)
          (lambda (window) (declare (ignore window)) (setf (terminal-stream terminal) nil)))
    (clear-terminal terminal)
    (setf (terminal-stream terminal) (make-terminal-stream terminal))
    terminal))
