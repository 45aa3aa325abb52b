;;; Frames: what the stack says about a computation.
;;;
;;;     the stack segment, words from 10000 (hexadecimal):
;;;
;;;     ... | arguments | basic frame | frame extension | PVARs | temporaries | ...
;;;                       +1 where      1 caller's PVARs (low bit: 8 and 9 are valid)
;;;                          the        2-3 function header    5 program counter, in bytes from the header
;;;                          arguments  8 basic frame          9 caller's PVARs
;;;                          are        10 first PVAR
;;;
;;; A frame is known by the stack offset of its frame extension, a small integer. The format: vm/src/frames.rs.

(defun stack-address (offset)
  "The address of a word of the stack."
  (%add (%pointer 1 0) offset))

(defun frame-word (frame n)
  (%word (stack-address (+ frame n)) 0))

(defun frame-p (frame)
  "Whether there is a frame at a stack offset."
  (and (> frame 10) (eql 6 (ash (frame-word frame 0) -13))))

(defun frame-slow-p (frame)
  "Whether its links are spelled out."
  (logbitp 0 (frame-word frame 1)))

(defun frame-caller (frame)
  "The frame that called this one, or NIL."
  (let ((caller (- (frame-word frame (if (frame-slow-p frame) 9 1)) 10)))
    (if (and (> caller 10) (frame-p (logand caller #xFFFE))) (logand caller #xFFFE) nil)))

(defun frame-header (frame)
  "The code of the function that runs in it."
  (%cell (stack-address (+ frame 2)) 0))

(defun header-name (header)
  "The name of compiled code."
  (%cell header 4))

(defun frame-name (frame)
  "The name of the function that runs in it."
  (header-name (frame-header frame)))

(defun frame-counter (frame)
  "Where it goes on: bytes from the header."
  (frame-word frame 5))

(defun frame-basic (frame)
  "The stack offset of its basic frame."
  (if (frame-slow-p frame) (frame-word frame 8) (- frame 2)))

(defun frame-first-argument (frame)
  "The stack offset of its first argument."
  (%word (stack-address (1+ (frame-basic frame))) 0))

(defun frame-argument-count (frame)
  (ash (- (frame-basic frame) (frame-first-argument frame)) -1))

(defun frame-argument (frame n)
  "Argument number N, from 0."
  (%cell (stack-address (+ (frame-first-argument frame) n n)) 0))

(defun header-locals (header)
  "How many PVARs of compiled code are variables of its own."
  (ash (%word header 7) -8))

(defun frame-local-bound-p (frame n)
  (not (eql 65535 (frame-word frame (+ 10 n n)))))

(defun frame-local (frame n)
  "Local variable number N, from 0."
  (%cell (stack-address (+ frame 10 n n)) 0))

(defun header-slot-name (header kind slot)
  "The name that compiled code has for a slot (kind 0 argument, 128 local), or NIL: only special variables have one."
  (let ((size (%word header 6))
        (name nil))
    (dotimes (i (ash size -1) name)
      (let ((entry (+ 8 i i)))
        (when (and (eql kind (ash (%word (%add header (+ entry size)) 0) -8))
                   (eql slot (%word (%add header (+ entry size)) 1))
                   (%cell (%add header entry) 0))
          (setq name (%cell (%add header entry) 0)))))))

(defun function-debug-info (name)
  "What the compiler noted about a function, a property list, if it was kept."
  (and (symbolp name) (get name '%debug)))

(defun debug-names (header what)
  "The names that the compiler noted for arguments or locals, if it did."
  (let ((debug (function-debug-info (header-name header))))
    (if (consp debug) (getf debug what) nil)))

(defun frame-variables (frame)
  "The frame's variables: ((text . value) ...)."
  (let* ((header (frame-header frame))
         (names (debug-names header :arguments))
         (variables nil))
    (dotimes (n (min 40 (frame-argument-count frame)))
      (push (cons (format nil "~a" (or (nth n names) (header-slot-name header 0 n) (format nil "argument ~d" n)))
                  (frame-argument frame n))
            variables))
    (dotimes (n (header-locals header))
      (when (frame-local-bound-p frame n)
        (push (cons (format nil "~a" (or (header-slot-name header 128 n) (format nil "local ~d" n)))
                    (frame-local frame n))
              variables)))
    (nreverse variables)))

(defun call-chain (frame)
  "The frame and those that called it, innermost first."
  (let ((frames nil))
    (loop
      (when (or (null frame) (not (frame-p frame)) (> (length frames) 500))
        (return (nreverse frames)))
      (push frame frames)
      (setq frame (frame-caller frame)))))
