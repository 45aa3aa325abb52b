;;; Processes: several computations that share the stack segment and take turns.
;;;
;;;     *processes*   a ring: each process in turn is asked whether it can go on
;;;
;;;     stack    | ... frames of one | free | frames of another | free | ...
;;;
;;; The frame of a process that does not run is kept in the process; word 3 of the interface page is where frames change
;;; places. A process gives up its turn in YIELD, WAIT-UNTIL and SLEEP; interrupts (keys, the collector) run on the stack
;;; of whichever process has the turn. When nobody can go on the processor rests (subr YIELD) until something happens.

(defstruct (process (:constructor %make-process (name function)))
  name
  function                              ; what it does, without arguments
  (frame 0)                             ; where it goes on, while it does not run
  (wait nil)                            ; NIL, or a function that says whether it can go on
  (state :ready)                        ; :ready, :dead
  (value nil)                           ; what its function returned
  (pending nil)                         ; a function to be called as soon as it goes on
  (properties nil))

(defglobal *processes* nil)             ; all that live, in the order of their turns
(defglobal *current-process* nil)       ; whose turn it is
(defglobal %previous-process nil)       ; whose turn it was
(defglobal %idle nil)                   ; true while nobody can go on

(defconstant %process-words 2000)       ; stack that a new process gets, if there is so much

;;; Stack for a new process. This runs in the system context: all frames are in order.

(defun %end-of-piece (at)
  "The stack offset behind the block at an offset."
  (let ((kind (ash (%word (%pointer 1 at) 0) -13)))
    (case kind
      ((5 7) (+ at (%word (%pointer 1 at) 1)))
      (6 (%word (%pointer 1 at) 4))
      (t (do ((at at (+ at 2)))
             ((eql (ash (%word (%pointer 1 at) 0) -13) 4) (+ at 2)))))))

(defun %free-piece-p (at end)
  (and (< at end)
       (eql (%word (%pointer 1 at) 0) 40960)))

(defun %carve-frame (code)
  "Makes a frame for CODE at the end of a free block of the stack; its offset, or NIL. The smallest block that is large enough
is taken, such as one that a process left: the largest one is where somebody will need much."
  (let ((end (%interface-word 7))
        (at (%interface-word 30))
        (best 0)
        (best-end 0))
    (loop
      (unless (< at end) (return nil))
      (if (%free-piece-p at end)
          (let ((first at))
            (loop
              (setq at (%end-of-piece at))
              (unless (%free-piece-p at end) (return nil)))
            (when (%better-piece-p (- at first) (- best-end best))
              (setq best first best-end at)))
          (setq at (%end-of-piece at))))
    (let* ((free (- best-end best))
           (words (if (< free 6000) (logand (ash free -1) 65534) %process-words))
           (start (- best-end words)))
      (if (< words 400)
          nil
          (progn
            (%lay-free best (- free words))
            (%lay-frame start best-end code))))))

(defun %better-piece-p (words best)
  "Whether a free block of so many words is better for a new process than one of BEST."
  (if (< best %process-words)
      (> words best)
      (and (>= words %process-words) (< words best))))

;;; Turns

(defun %switch-to (process)
  "Gives the turn to a process; comes back when this one has it again."
  (setq %previous-process *current-process*)
  (setq *current-process* process)
  (%set-interface-word 3 (process-frame process))
  (%context-switch 3)
  (%note-switch))

(defun %note-switch ()
  "What a process does first when it has got the turn."
  (let ((frame (%interface-word 3)))
    (if (eq (process-state %previous-process) :dead)
        (%release-frame frame)
        (setf (process-frame %previous-process) frame))
    ;; A process that is over may have returned something large.
    (setq %previous-process nil)))

(defun %release-frame (frame)
  "Frees the frames of a process that is over, from the innermost to the outermost."
  (do ()
      ((eql frame 0))
    (let* ((caller (%frame-caller frame))
           (next (%word (%pointer 1 frame) 4))
           (basic (%frame-basic frame))
           (arguments (%word (%pointer 1 basic) 1)))
      (if (eql basic (- frame 2))
          (%lay-free arguments (- next arguments))
          ;; The frame was moved: its arguments are elsewhere, and a copy of the basic frame is before it.
          (progn (%lay-free arguments (- (+ basic 2) arguments))
                 (%lay-free (- frame 2) (- next (- frame 2)))))
      (setq frame caller))))

(defun %ready-p (process)
  (let ((wait (process-wait process)))
    (or (null wait) (process-pending process) (funcall wait))))

(defun %next-process ()
  "The next process that can go on, beginning behind the current one; NIL if none can."
  (let ((after (cdr (member *current-process* *processes*))))
    (or (%first-ready after nil)
        (%first-ready *processes* after))))

(defun %first-ready (processes end)
  (loop
    (when (or (null processes) (eq processes end)) (return nil))
    (when (%ready-p (car processes)) (return (car processes)))
    (setq processes (cdr processes))))

(defun %give-turn ()
  "Gives the turn to whoever can go on, and waits until it is the current process's turn again."
  (let ((next (%next-process)))
    (unless next
      (setq %idle t)
      (loop
        (setq next (%next-process))
        (when next (return nil))
        (%subr 210 16000000))
      (setq %idle nil))
    (unless (eq next *current-process*)
      (%switch-to next))
    (let ((pending (process-pending *current-process*)))
      (when pending
        (setf (process-pending *current-process*) nil)
        (funcall pending)))))

(defun yield ()
  "Lets the other processes have a turn."
  (setf (process-wait *current-process*) nil)
  (%give-turn)
  nil)

(defun wait-until (test)
  "Lets other processes run until a function without arguments returns true; what it returns."
  (loop
    (let ((value (funcall test)))
      (when value
        (setf (process-wait *current-process*) nil)
        (return value)))
    (setf (process-wait *current-process*) test)
    (%give-turn)))

(defun sleep (seconds)
  "Waits so many seconds; other processes run meanwhile."
  (let ((until (+ (get-internal-real-time) (truncate (* seconds internal-time-units-per-second)))))
    (wait-until (lambda () (>= (get-internal-real-time) until)))
    nil))

;;; Making and ending

(defun %process-main ()
  "The outermost function of a process."
  (%note-switch)
  (let ((process *current-process*))
    (setf (process-value process)
          (catch '%end-of-process
            (funcall (process-function process))))
    (%end-process process)))

(defun %end-process (process)
  "The current process is over: gives the turn away for good."
  (setf (process-state process) :dead)
  ;; What it did may know the process.
  (setf (process-function process) nil)
  (setf (process-pending process) nil)
  (setf (process-wait process) #'%never)
  ;; Before the others are asked: one of them may wait for this.
  (setq *processes* (remove process *processes*))
  (let ((next nil))
    (loop
      (setq next (%next-process))
      (when next (return nil))
      (%subr 210 16000000))
    (%switch-to next)))

(defun %never () nil)

(defun make-process (name function)
  "Starts a process that calls a function without arguments."
  (let ((frame (%in-system '%carve-frame (%definition-code '%process-main))))
    (unless frame
      (error "There is no room on the stack for the process ~A." name))
    (let ((process (%make-process name function)))
      (setf (process-frame process) frame)
      (setq *processes* (append *processes* (list process)))
      process)))

(defun process-live-p (process)
  (eq (process-state process) :ready))

(defun interrupt-process (process function)
  "Has a process call a function as soon as it has its turn."
  (if (eq process *current-process*)
      (funcall function)
      (setf (process-pending process) function))
  nil)

(defun kill-process (process)
  "Ends a process; its cleanup forms run."
  (when (process-live-p process)
    (interrupt-process process (lambda () (throw '%end-of-process nil))))
  nil)

(defun %begin-processes (name function)
  "Makes the running stack the one process that there is, and calls its function."
  (let ((process (%make-process name function)))
    (setq *processes* (list process))
    (setq *current-process* process)
    (catch '%end-of-process
      (funcall function))
    (%end-process process)))
