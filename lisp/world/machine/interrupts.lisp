;;; Interrupts: functions that the machine calls between two instructions of whatever runs (vm/src/interrupts.rs).
;;;
;;;     \DORECLAIM                 enough references have come and gone: collect garbage
;;;     \DOBUFFEREDTRANSITIONS     keys have gone up or down
;;;     \INTERRUPTFRAME            something in the cell at \INTERRUPTSTATE: storage or stack is full
;;;
;;; They run on the stack of the running process, so they must be short, and leave everything as it was. What may not come
;;; back, or lets others run, waits until the process is at no critical place (%CRITICAL, machine/storage.lisp).

(defun \\doreclaim ()
  (%subr 92)
  nil)

(defun reclaim ()
  "Collects garbage now."
  (\\doreclaim))

;;; The cell at \INTERRUPTSTATE: pending 8, in progress 8, character 16

(defglobal *stack-overflow-hook* nil)   ; what to do when the stack has run into its reserve
(defglobal *storage-full-hook* nil)     ; what to do when storage is nearly full

(defun %take-interrupts ()
  "The bits of what has happened; forgets them."
  (let ((bits (logand 255 (%word \\interruptstate 0))))
    (%set-word \\interruptstate 0 0)
    bits))

(defun \\interruptframe ()
  (if %critical
      (setq %interrupts-wait t)
      (%do-interrupts)))

(defun %take-up-interrupts ()
  "Does what had to wait."
  (setq %interrupts-wait nil)
  (%do-interrupts)
  (%break-if-asked))

(defun %do-interrupts ()
  (let ((bits (%take-interrupts)))
    (unless (eql (logand bits 4) 0)
      (%stack-overflow))
    (unless (eql (logand bits 10) 0)
      (%storage-is-full))
    nil))

(defun %stack-overflow ()
  (if *stack-overflow-hook*
      (funcall *stack-overflow-hook*)
      (error "The stack is full.")))

(defun %storage-is-full ()
  (if *storage-full-hook*
      (funcall *storage-full-hook*)
      (error "Storage is nearly full.")))

(defun \\periodic.interruptframe () nil)

;;; Keys. The machine puts the state of all keys into a ring each time one changes:
;;;
;;;     ring      read | write | record 0 | .. | record 383        read 0: the ring is empty; both count words
;;;     record    keys 0-63, 4 words | buttons (keys 64-79) | keys 80-111, 2 words | 7 more words
;;;
;;; A key that is down is a bit that is clear. Changes are found by comparing with what was seen last; they wait in a
;;; queue of lists (key down x y). The records do not say where the mouse was; this interrupt comes with the change, long
;;; before anybody has time to deal with it, and so reads column and row for all that is of the mouse, keys 64 to 79. For
;;; the others they are NIL.

(defconstant %ring-first 2)
(defconstant %ring-last 5364)
(defconstant %record-words 14)

(defglobal %keys-seen (list 65535 65535 65535 65535 65535 65535 65535))
(defglobal %key-queue nil)              ; events, the oldest first
(defglobal %key-queue-end nil)
(defglobal %control-down nil)
(defglobal *break-hook* nil)            ; called with the key of an interrupt character while something runs

(defglobal %break-key nil)              ; the key of an interrupt character that has just been pressed

(defun %io-word (n)
  "A word of the I/O page."
  (%word (%pointer 0 (+ #xFF00 n)) 0))

(defun %queue-key (key down)
  (let ((new (list (if (eql (ash key -4) 4)
                       (list key down (%io-word 59) (%io-word 60))
                       (list key down nil nil)))))
    (if %key-queue
        (rplacd %key-queue-end new)
        (setq %key-queue new))
    (setq %key-queue-end new)))

(defun %key-number (word bit)
  "The number of the key of a bit, from the left, of a word of a record."
  (+ bit (case word (0 0) (1 16) (2 32) (3 48) (4 64) (5 80) (t 96))))

(defun %note-keys (record)
  "Queues the keys that have changed between the last record and this one."
  (let ((word 0))
    (do ((seen %keys-seen (cdr seen)))
        ((null seen))
      (let* ((now (%word (%add record word) 0))
             (changed (logxor now (car seen))))
        (unless (eql changed 0)
          (rplaca seen now)
          (do ((bit 0 (1+ bit))
               (mask 32768 (ash mask -1)))
              ((eql mask 0))
            (unless (eql (logand changed mask) 0)
              (%key-changed (%key-number word bit) (eql (logand now mask) 0))))))
      (setq word (1+ word)))))

(defun %key-changed (key down)
  (cond ((or (eql key 36) (eql key 47)) (setq %control-down down))
        ;; Control-C and Control-E reach a computation that does not look at keys.
        ((and down %control-down *break-hook* (not %idle) (or (eql key 37) (eql key 3)))
         (setq %break-key key)))
  (%queue-key key down))

(defun \\dobufferedtransitions ()
  "Empties the ring."
  (let ((ring \\keyboardeventqueue))
    (loop
      (let ((read (%word ring 0)))
        (when (eql read 0) (return nil))
        (%note-keys (%add ring read))
        (let ((next (if (>= read %ring-last) %ring-first (+ read %record-words))))
          (%set-word ring 0 (if (eql next (%word ring 1)) 0 next)))))
    (setq \\keybuffering nil)
    ;; The hook may stay for as long as it likes, in a break window that reads keys: all else is done.
    (if %critical
        (when %break-key (setq %interrupts-wait t))
        (%break-if-asked))
    nil))

(defun %break-if-asked ()
  (let ((key %break-key))
    (when key
      (setq %break-key nil)
      (funcall *break-hook* key))))

(defun %key-event-waiting-p ()
  (if %key-queue t nil))

(defun %next-key-event ()
  "The oldest change of a key that nobody has seen, (key down x y), or NIL."
  (pop %key-queue))
