;;; Small programs that Lisp systems have been measured with since the 1970s, written anew for this world after their
;;; well-known definitions. Each function BENCH-... runs once and returns a value that is checked.
;;;
;;;     tak      calls with small integers          ctak     the same by way of CATCH and THROW
;;;     fib      calls and additions                deriv    CONS and symbols: symbolic derivatives
;;;     puzzle   arrays                             boyer    rewriting and tautology checking, a small version
;;;     queens   lists as sets                      string   characters
;;;     bignum   1000 digits of factorials          float    the machine's floats
;;;     bitblt   the screen's own operation         gc       lists made and dropped

;;; tak: the function of Ikuo Takeuchi

(defun tak (x y z)
  (if (< y x)
      (tak (tak (1- x) y z) (tak (1- y) z x) (tak (1- z) x y))
      z))

(defun bench-tak () (tak 18 12 6))

;;; ctak: the same values, thrown

(defun ctak (x y z)
  (catch 'ctak (ctak-inner x y z)))

(defun ctak-inner (x y z)
  (if (< y x)
      (ctak-inner (catch 'ctak (ctak-inner (1- x) y z))
                  (catch 'ctak (ctak-inner (1- y) z x))
                  (catch 'ctak (ctak-inner (1- z) x y)))
      (throw 'ctak z)))

(defun bench-ctak () (ctak 12 8 4))

;;; fib

(defun fib (n)
  (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))

(defun bench-fib () (fib 20))

;;; deriv: derivatives of sums, products, quotients

(defun deriv (form)
  "The derivative of a form with respect to X."
  (cond ((eq form 'x) 1)
        ((atom form) 0)
        (t (let ((operator (car form))
                 (arguments (cdr form)))
             (case operator
               (+ (cons '+ (mapcar #'deriv arguments)))
               (- (cons '- (mapcar #'deriv arguments)))
               (* (list '* form
                        (cons '+ (mapcar (lambda (a) (list '/ (deriv a) a)) arguments))))
               (/ (list '-
                        (list '/ (deriv (car arguments)) (cadr arguments))
                        (list '/ (car arguments)
                              (list '* (cadr arguments) (cadr arguments) (deriv (cadr arguments))))))
               (t (list 'derivative form)))))))

(defun bench-deriv ()
  (let ((result nil))
    (dotimes (i 400 (length result))
      (setq result (deriv '(+ (* 3 x x) (* a x x) (* b x) 5))))))

;;; queens: all ways to put eight queens on a board so that none attacks another

(defun queen-safe-p (row queens)
  (let ((distance 1)
        (safe t))
    (dolist (queen queens safe)
      (when (or (eql queen row) (eql (abs (- queen row)) distance))
        (return nil))
      (setq distance (1+ distance)))))

(defun count-queens (size placed queens)
  (if (eql placed size)
      1
      (let ((sum 0))
        (dotimes (row size sum)
          (when (queen-safe-p row queens)
            (setq sum (+ sum (count-queens size (1+ placed) (cons row queens)))))))))

(defun bench-queens () (count-queens 7 0 nil))

;;; puzzle: the sieve of Eratosthenes and a permutation, on arrays

(defun sieve (limit)
  "How many primes there are below a limit."
  (let ((composite (make-array limit :initial-element nil))
        (count 0))
    (do ((n 2 (1+ n)))
        ((>= n limit) count)
      (unless (aref composite n)
        (setq count (1+ count))
        (do ((multiple (+ n n) (+ multiple n)))
            ((>= multiple limit))
          (setf (aref composite multiple) t))))))

(defun bench-array () (sieve 8000))

;;; boyer-lite: rewrites logic to IFs and asks whether the result is a tautology

(defparameter *rewrite-rules*
  '(((and p q) (if p (if q t f) f))
    ((or p q) (if p t (if q t f)))
    ((not p) (if p f t))
    ((implies p q) (if p (if q t f) t))
    ((iff p q) (and (implies p q) (implies q p)))
    ((if (if a b c) d e) (if a (if b d e) (if c d e)))))

(defun match-rule (pattern term bindings)
  "Bindings under which the pattern is the term, as ((variable . term) ...) behind a dummy; NIL if there are none."
  (cond ((null bindings) nil)
        ((member pattern '(p q a b c d e))
         (let ((bound (assoc pattern (cdr bindings))))
           (cond ((null bound) (cons 'bound (cons (cons pattern term) (cdr bindings))))
                 ((equal (cdr bound) term) bindings)
                 (t nil))))
        ((atom pattern) (if (eql pattern term) bindings nil))
        ((atom term) nil)
        (t (match-rule (cdr pattern) (cdr term)
                       (match-rule (car pattern) (car term) bindings)))))

(defun fill-in (pattern bindings)
  (cond ((atom pattern)
         (let ((bound (assoc pattern bindings)))
           (if bound (cdr bound) pattern)))
        (t (cons (fill-in (car pattern) bindings) (fill-in (cdr pattern) bindings)))))

(defun rewrite (term)
  "Applies the rules from the inside out until none fits."
  (if (atom term)
      term
      (let ((term (cons (car term) (mapcar #'rewrite (cdr term)))))
        (dolist (rule *rewrite-rules* term)
          (let ((bindings (match-rule (car rule) term (list 'bound))))
            (when bindings
              (return (rewrite (fill-in (cadr rule) (cdr bindings))))))))))

(defun tautology-p (term true false)
  "Whether a rewritten term is true whatever its variables are."
  (cond ((or (eq term t) (member term true)) t)
        ((or (eq term 'f) (member term false)) nil)
        ((atom term) nil)
        ((member (cadr term) true) (tautology-p (caddr term) true false))
        ((member (cadr term) false) (tautology-p (cadddr term) true false))
        ((eq (cadr term) t) (tautology-p (caddr term) true false))
        ((eq (cadr term) 'f) (tautology-p (cadddr term) true false))
        (t (and (tautology-p (caddr term) (cons (cadr term) true) false)
                (tautology-p (cadddr term) true (cons (cadr term) false))))))

(defun bench-boyer ()
  (tautology-p (rewrite '(implies (and (implies x y) (and (implies y z) (and (implies z u) (implies u w))))
                                  (implies x w)))
               nil nil))

;;; string, bignum, float

(defun bench-string ()
  (let ((text (make-string 400 :initial-element #\a))
        (count 0))
    (dotimes (round 10 count)
      (dotimes (i 400)
        (setf (char text i) (code-char (+ 97 (mod (+ i round) 26)))))
      (dotimes (i 400)
        (when (eql (char text i) #\e)
          (setq count (1+ count)))))))

(defun factorial (n)
  (if (< n 2) 1 (* n (factorial (1- n)))))

(defun bench-bignum ()
  (mod (factorial 100) 1000007))

(defun bench-float ()
  (let ((sum 0.0))
    (do ((n 1 (1+ n)))
        ((> n 3000) (< 8.5 sum 8.7))
      (setq sum (+ sum (/ 1.0 n))))))

;;; gc: lists made and dropped at once; the machine's reference counts find them

(defun bench-gc ()
  (let ((last nil))
    (dotimes (i 300 (length last))
      (setq last nil)
      (dotimes (j 50)
        (setq last (cons j last))))))

;;; bitblt: a bitmap to and fro

(defun bench-bitblt ()
  (let ((one (make-bitmap 256 256))
        (two (make-bitmap 256 256)))
    (fill-bitmap one 0 0 256 256 #xA5A5 'replace)
    (dotimes (i 200 (bitmap-bit two 3 3))
      (bitblt one 0 0 two (logand i 7) 0 250 256 'invert))))
