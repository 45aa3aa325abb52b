;;; The soak: random expressions and actions for a while, on windows, files, processes and large storage, while somebody may
;;; play with the mouse (tests/world/src/lib.rs). Each expression is evaluated by the interpreter, and now and then compiled
;;; and called, too; both must give the same, and what is printed must read as what it was. At the end all is closed, and in
;;; storage there must be as much in use as there was after a tenth of the time. *SOAK-SECONDS* says how long.
;;;
;;; Nothing here makes circles: what counts references does not take those back (docs/counting.md).

(defstruct soak-point x y)
(defvar *soak-special* 1)

(defun soak-special () *soak-special*)

(defun soak-dive (n value)
  "Goes N calls deep and throws a value from there."
  (if (eql n 0)
      (throw 'soak value)
      (1+ (soak-dive (1- n) value))))

(defun pick (list) (nth (random (length list)) list))

;;; Expressions. VARIABLES are symbols bound to integers around the expression; DEPTH says how deep it may be.

(defun soak-integer (depth variables)
  "An expression whose value is an integer."
  (if (<= depth 0)
      (case (random 6)
        (0 (if variables (pick variables) 7))
        (1 (if variables (pick variables) -3))
        (2 (- (random 200000) 100000))
        (3 (- (random 10000000000000000) 5000000000000000))
        (t (random 20)))
      (let ((depth (1- depth)))
        (flet ((int () (soak-integer depth variables))
               (ints () (soak-list depth variables)))
          (case (random 38)
            (0 `(+ ,(int) ,(int)))
            (1 `(- ,(int) ,(int)))
            (2 `(* ,(int) ,(int)))
            (3 `(if ,(soak-test depth variables) ,(int) ,(int)))
            (4 `(let ((a ,(int)) (b ,(int))) ,(soak-integer depth (list* 'a 'b variables))))
            (5 `(max ,(int) ,(int) ,(int)))
            (6 `(values (floor ,(int) ,(1+ (random 1000)))))
            (7 `(mod ,(int) ,(- -1 (random 1000))))
            (8 `(length ,(ints)))
            (9 `(logand ,(int) ,(int)))
            (10 `(logxor ,(int) ,(int)))
            (11 `(ash ,(int) ,(- (random 30) 15)))
            (12 `(reduce #'+ ,(ints)))
            (13 `(gcd ,(int) ,(int)))
            (14 `(abs ,(int)))
            (15 `(let ((n 0)) (dotimes (i ,(random 6)) (setq n (+ n i ,(soak-integer depth (list* 'n 'i variables))))) n))
            (16 `(let ((n 0)) (dolist (x ,(ints)) (setq n (+ x n))) n))
            (17 `(block out (+ 1 (return-from out ,(int)))))
            (18 `(catch 'soak (+ 1 (throw 'soak ,(int)))))
            (19 `(handler-case (progn (error "soak ~A" ,(int)) 1) (error (c) ,(int))))
            (20 `(funcall (lambda (x y) (- x y)) ,(int) ,(int)))
            (21 `(isqrt (abs ,(int))))
            (22 `(values (parse-integer (prin1-to-string ,(int)))))
            (23 `(soak-point-y (make-soak-point :x ,(int) :y ,(int))))
            (24 `(let ((h (make-hash-table :test 'equal))) (dolist (x ,(ints)) (setf (gethash x h) t)) (hash-table-count h)))
            (25 `(flet ((f (x) (- x ,(int)))) (+ (f ,(int)) (f 1))))
            (26 `(labels ((f (n sum) (if (<= n 0) sum (f (1- n) (+ n sum))))) (f ,(random 9) ,(int))))
            (27 `(labels ((f (n) (if (<= n 0) (throw 'soak ,(int)) (1+ (f (1- n)))))) (catch 'soak (f ,(random 20)))))
            (28 `(catch 'soak (soak-dive ,(random 200) ,(int))))
            (29 `(let ((*soak-special* ,(int))) (+ (soak-special) (let ((*soak-special* ,(int))) (soak-special)))))
            (30 `(let ((n 0)) (block out (unwind-protect (return-from out 1) (setq n ,(int)))) n))
            (31 `(let* ((n ,(int)) (f (lambda (x) (setq n (+ n x))))) (funcall f 1) (funcall f ,(int)) n))
            (32 `(let ((p (make-soak-point :x ,(int)))) (setf (soak-point-y p) (soak-point-x p)) (soak-point-y p)))
            (33 `(restart-case (1+ (invoke-restart 'soak-go ,(int))) (soak-go (x) (- x))))
            (34 `(let ((v (make-array ,(1+ (random 40)) :initial-element ,(int)))) (setf (aref v 0) 7) (reduce #'+ v)))
            (35 `(let ((s (make-symbol "SOAK"))) (set s ,(int)) (symbol-value s)))
            (36 `(values (truncate (* ,(random 1000) (/ ,(1+ (random 100)) 7.0)))))
            (t `(multiple-value-bind (q r) (truncate ,(int) ,(1+ (random 50))) (+ q r))))))))

(defun soak-list (depth variables)
  "An expression whose value is a list of integers."
  (if (<= depth 0)
      `(list ,@(let ((items nil)) (dotimes (i (random 5) items) (push (soak-integer 0 variables) items))))
      (let ((depth (1- depth)))
        (flet ((int () (soak-integer depth variables))
               (ints () (soak-list depth variables)))
          (case (random 12)
            (0 `(cons ,(int) ,(ints)))
            (1 `(append ,(ints) ,(ints)))
            (2 `(reverse ,(ints)))
            (3 `(mapcar (lambda (x) (+ x ,(int))) ,(ints)))
            (4 `(remove-if #'evenp ,(ints)))
            (5 `(sort (copy-list ,(ints)) #'<))
            (6 `(remove-duplicates ,(ints)))
            (7 `(let ((v (coerce ,(ints) 'vector))) (coerce (reverse v) 'list)))
            (8 `(mapcar #'char-code (coerce ,(soak-string depth variables) 'list)))
            (9 `(cdr ,(ints)))
            (10 `(let ((l nil)) (dolist (x ,(ints)) (push (* 2 x) l)) l))
            (t `(list ,(int) ,(int))))))))

(defun soak-string (depth variables)
  "An expression whose value is a string."
  (if (<= depth 0)
      (pick '("" "a" "soak" "The quick brown fox" "\"quoted\" \\ and so on"))
      (let ((depth (1- depth)))
        (case (random 8)
          (0 `(format nil "~D and ~S" ,(soak-integer depth variables) ,(soak-string depth variables)))
          (1 `(prin1-to-string ,(soak-list depth variables)))
          (2 `(string-upcase ,(soak-string depth variables)))
          (3 `(concatenate 'string ,(soak-string depth variables) ,(soak-string depth variables)))
          (4 `(let ((s ,(soak-string depth variables))) (subseq s 0 (min 3 (length s)))))
          (5 `(reverse ,(soak-string depth variables)))
          (6 `(with-output-to-string (out) (princ ,(soak-integer depth variables) out)))
          (t `(string (code-char ,(+ 65 (random 26)))))))))

(defun soak-test (depth variables)
  "An expression whose value is T or NIL."
  (if (<= depth 0)
      (pick '(t nil))
      (let ((depth (1- depth)))
        (case (random 7)
          (0 `(< ,(soak-integer depth variables) ,(soak-integer depth variables)))
          (1 `(evenp ,(soak-integer depth variables)))
          (2 `(null ,(soak-list depth variables)))
          (3 `(if (member ,(soak-integer depth variables) ,(soak-list depth variables)) t nil))
          (4 `(not ,(soak-test depth variables)))
          (5 `(string= ,(soak-string depth variables) ,(soak-string depth variables)))
          (t `(equal ,(soak-list depth variables) ,(soak-list depth variables)))))))

(defun soak-form ()
  (let ((depth (1+ (random 4))))
    (case (random 4)
      (0 (soak-list depth nil))
      (1 (soak-string depth nil))
      (t (soak-integer depth nil)))))

(defglobal *soak-failures* 0)

(defun soak-failure (what form)
  (setq *soak-failures* (1+ *soak-failures*))
  (console-line (format nil "FAIL ~A: ~S" what form)))

(defun console-line (text) (%console-line text))

(defun soak-expression (compiled)
  (let ((form (soak-form)))
    (handler-case
        (let ((value (eval form)))
          (when compiled
            (let ((other (funcall (compile nil (list 'lambda nil form)))))
              (unless (equal value other)
                (soak-failure (format nil "interpreted ~S, compiled ~S" value other) form))))
          (unless (equal value (values (read-from-string (prin1-to-string value))))
            (soak-failure (format nil "~S is read otherwise" value) form)))
      (error (condition)
        (soak-failure (format nil "~S ~A" (type-of condition) condition) form)))))

;;; Windows

(defglobal *soak-windows* nil)

(defun soak-window-action ()
  (let ((window (if *soak-windows* (pick *soak-windows*) nil)))
    (cond ((or (null window) (and (< (length *soak-windows*) 5) (eql (random 6) 0)))
           (push (create-window (format nil "Soak ~D" (random 1000)) (random 700) (random 500)
                                (+ 40 (random 300)) (+ 30 (random 200)))
                 *soak-windows*))
          ;; The mouse may have closed it.
          ((not (window-open window))
           (setq *soak-windows* (remove window *soak-windows*)))
          (t
           (case (random 9)
             (0 (move-window window (- (random 1000) 20) (random 740)))
             (1 (shape-window window (random 700) (random 500) (+ 40 (random 300)) (+ 30 (random 200))))
             (2 (raise-window window))
             (3 (bury-window window))
             (4 (setq *soak-windows* (remove window *soak-windows*))
                (close-window window))
             (5 (draw-line window (random 300) (random 200) (random 300) (random 200) (1+ (random 4))))
             (6 (draw-circle window (random 300) (random 200) (random 90)))
             (7 (draw-text window (format nil "~R" (random 100000)) (random 100) (random 150)))
             (t (scroll-canvas window 0 0 (window-width window) (window-height window) (- (random 60) 30))))))))

(defun soak-tool ()
  "Opens one of the windows that have functions and processes of their own."
  (case (random 5)
    (0 (make-exec (random 400) (random 300) (+ 20 (random 40)) (+ 3 (random 10))))
    (1 (inspect (pick (list '(1 2 3) 'car "string" *soak-windows* 1.5))))
    (2 (life (+ 32 (random 32)) 32))
    (3 (tour))
    (t (paint 200 100))))

(defun soak-few-windows ()
  "Closes the windows that are furthest back, if there are many. Their processes share the stack."
  (loop
    (unless (> (length *windows*) 9) (return nil))
    (close-window (car (last *windows*)))))

;;; Processes

(defun soak-process-action ()
  "Processes that count, one of which is ended before its time; all must be over in the end, with what they cleaned up."
  (let* ((done 0)
         (processes nil)
         (turns (1+ (random 5))))
    (dotimes (i 3)
      (push (make-process "soak" (lambda ()
                                   (unwind-protect (dotimes (turn turns) (yield))
                                     (setq done (1+ done)))))
            processes))
    (yield)
    (kill-process (car processes))
    (dotimes (i 12) (yield))
    (unless (and (eql done 3) (notany #'process-live-p processes))
      (soak-failure "not all processes have ended" done))))

;;; Files: only if this machine has some.

(defglobal *soak-files* nil)
(defvar *soak-loaded* nil)

(defun soak-file-action ()
  (let* ((name (format nil "soak-~D.lisp" (random 3)))
         (value (eval (soak-list 2 nil)))
         (form `(setq *soak-loaded* ',value)))
    (with-open-file (stream name :direction :output :if-exists :supersede)
      (prin1 form stream))
    (with-open-file (stream name)
      (unless (equal form (read stream))
        (soak-failure "another form is in the file" form)))
    (load name)
    (unless (equal value *soak-loaded*)
      (soak-failure "another list was loaded" value))
    (delete-file name)
    (when (open-files)
      (soak-failure "a file is still open" (open-files)))))



(defun soak-files-p ()
  "Whether a file can be made."
  (handler-case (progn (soak-file-action) t)
    (error () nil)))

;;; Storage and stack

(defun soak-endless (n) (1+ (soak-endless (1+ n))))

(defun soak-large-action ()
  (case (random 4)
    (0 (unless (eq t (handler-case (soak-endless 0) (error () t)))
         (soak-failure "the stack is endless" nil)))
    (t (let ((array (make-array (random 60000) :initial-element nil)))
         (unless (every #'null array)
           (soak-failure "an array is not as it was made" (length array)))))))

;;; The whole

(defun soak-safely (action)
  (handler-case (funcall action)
    (error (condition)
      (soak-failure (format nil "~S ~A" (type-of condition) condition) action))))

(defun soak-step (count)
  "One expression, and every now and then something else."
  (soak-expression (eql (rem count 8) 0))
  (when (eql (rem count 4) 0) (soak-safely #'soak-window-action))
  (when (eql (rem count 64) 0) (yield))
  (when (eql (rem count 64) 32) (soak-few-windows))
  (when (eql (rem count 512) 0) (soak-safely #'soak-tool))
  (when (eql (rem count 256) 100) (soak-safely #'soak-process-action))
  (when (and *soak-files* (eql (rem count 256) 150)) (soak-safely #'soak-file-action))
  (when (eql (rem count 512) 200) (soak-safely #'soak-large-action)))

(defglobal *soak-count* 0)

(defun soak-for (seconds)
  "Goes on for so many seconds, and says each minute how far it is."
  (do* ((now (get-internal-real-time) (get-internal-real-time))
        (end (+ now (* 1000 seconds)))
        (say (+ now 60000)))
       ((> now end))
    (when (> now say)
      (setq say (+ say 60000))
      (console-line (format nil "soak: at expression ~D, ~D windows, ~D processes"
                            *soak-count* (length *windows*) (length *processes*))))
    (setq *soak-count* (1+ *soak-count*))
    (soak-step *soak-count*)))

(defun soak-processes-left ()
  "Processes that are there beside this one and the one that hands out keys and presses."
  (remove-if (lambda (process) (or (eq process *current-process*) (equal (process-name process) "input")))
             *processes*))

(defun soak-close-all ()
  "Closes all windows and waits for the processes that they had. The mouse must not open new ones meanwhile."
  (when (process-p *mouse-owner*)
    (kill-process *mouse-owner*))
  (setq *mouse-owner* :nobody)
  (let ((end (+ (get-internal-real-time) 20000)))
    (loop
      (dolist (window *windows*) (close-window window))
      (yield)
      (when (or (null (soak-processes-left)) (> (get-internal-real-time) end)) (return nil))
      (sleep 0.05)))
  (setq *soak-windows* nil)
  (when (soak-processes-left)
    (soak-failure "processes are left" (mapcar #'process-name (soak-processes-left)))))

(defun soak-state ()
  "Storage with everything closed."
  (soak-close-all)
  (setq *mouse-events* nil)
  (let ((state (storage-state)))
    (setq *mouse-owner* nil)
    state))

(defun soak-unexpected (condition hook)
  "What happens to an error that nobody handles, in a process of a window or of the mouse."
  (declare (ignore hook))
  (soak-failure (format nil "~S ~A" (type-of condition) condition) *current-process*)
  (console-line (with-output-to-string (out) (backtrace out 24)))
  (throw '%end-of-process nil))

(defun soak-main ()
  (start-screen)
  (setq *debugger-hook* #'soak-unexpected)
  ;; The mouse may choose anything but the end of the world, and what takes long.
  (setq *background-items*
        (remove-if (lambda (item) (member (car item) '("Save world" "Log out" "Benchmarks") :test #'equal))
                   *background-items*))
  ;; The tour leads to the benchmarks, too; one of them needs more storage at once than all the rest of the world.
  (setq *tour-pages* (remove "How fast?" *tour-pages* :key #'car :test #'equal))
  (make-process "input" #'input-process)
  (setf (random-state-seed (%random-state)) (+ 20261128 (* 7919 *soak-seed*)))
  (setq *soak-files* (soak-files-p))
  (console-line (format nil "soak begins; files: ~A" *soak-files*))
  (soak-for (max 1 (floor *soak-seconds* 10)))
  (let ((before (soak-state)))
    (soak-for (ceiling (* 9 *soak-seconds*) 10))
    (let ((after (soak-state)))
      (console-line (format nil "storage before ~S" before))
      (console-line (format nil "storage after  ~S" after))
      (console-line (format nil "soak: ~D expressions, ~D failures" *soak-count* *soak-failures*))))
  (%subr 13))

;;; In place of the screen's.
(setf (symbol-function 'main) #'soak-main)
