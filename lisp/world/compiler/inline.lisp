;;; The compiler, chapter 5: what becomes instructions instead of calls.
;;;
;;; Two tables, on the property lists of function names. %INLINE says which instructions do the work for so many
;;; arguments, all of them on the stack, the last one on top:
;;;
;;;     (definline car (1 (:op CAR)))
;;;
;;; %REWRITE turns a call into another form first: sums of many numbers into sums of two, and so on. Functions of the
;;; same names exist too, for (function car) and for calls with other numbers of arguments.

;;; The instructions of the machine: (name number operands pops pushes), from the one table of the processor.
(%proclaim '%opcodes :global)
(dolist (row %opcodes)
  (%set-get (car row) '%opcode row))

(defun opcode (name)
  (or (get name '%opcode) (compile-error "~S is no instruction" name)))

(defmacro definline (name &rest rows)
  `(%set-get ',name '%inline ',rows))

(defmacro define-rewrite (name (form) &body body)
  `(%set-get ',name '%rewrite (lambda (,form) ,@body)))

(definline car (1 (:op CAR)))
(definline cdr (1 (:op CDR)))
(definline first (1 (:op CAR)))
(definline rest (1 (:op CDR)))
(definline caar (1 (:op CAR) (:op CAR)))
(definline cadr (1 (:op CDR) (:op CAR)))
(definline cdar (1 (:op CAR) (:op CDR)))
(definline cddr (1 (:op CDR) (:op CDR)))
(definline second (1 (:op CDR) (:op CAR)))
(definline caddr (1 (:op CDR) (:op CDR) (:op CAR)))
(definline third (1 (:op CDR) (:op CDR) (:op CAR)))
(definline cdddr (1 (:op CDR) (:op CDR) (:op CDR)))
(definline cadar (1 (:op CAR) (:op CDR) (:op CAR)))
(definline cadddr (1 (:op CDR) (:op CDR) (:op CDR) (:op CAR)))
(definline fourth (1 (:op CDR) (:op CDR) (:op CDR) (:op CAR)))
(definline caadr (1 (:op CDR) (:op CAR) (:op CAR)))
(definline cdadr (1 (:op CDR) (:op CAR) (:op CDR)))
(definline cddddr (1 (:op CDR) (:op CDR) (:op CDR) (:op CDR)))
(definline cons (2 (:op CONS)))
(definline rplaca (2 (:op RPLACA)))
(definline rplacd (2 (:op RPLACD)))
(definline consp (1 (:op LISTP)))
(definline characterp (1 (:op TYPEP 9)))
(definline floatp (1 (:op TYPEP 3)))
(definline eq (2 (:op EQ)))
(definline eql (2 (:op EQL)))
(definline memq (2 (:op FMEMB)))
(definline + (2 (:op PLUS2)))
(definline - (2 (:op DIFFERENCE)))
(definline * (2 (:op TIMES2)))
(definline > (2 (:op GREATERP)))
(definline = (2 (:op CL_EQUAL)))
(definline logand (2 (:op LOGAND2)))
(definline logior (2 (:op LOGOR2)))
(definline logor (2 (:op LOGOR2)))
(definline logxor (2 (:op LOGXOR2)))
(definline ash (2 (:op LSH)))
(definline rem (2 (:op IREMAINDER)))
(definline aref (2 (:op AREF1)) (3 (:op AREF2)))
(definline svref (2 (:op AREF1)))
(definline char (2 (:op AREF1)))
(definline schar (2 (:op AREF1)))

;;; Functions of the machine itself.

(definline %add (2 (:op ADDBASE)))
(definline %pointer (2 (:op VAG2)))
(definline %hi (1 (:op HILOC)))
(definline %lo (1 (:op LOLOC)))
(definline %blt (3 (:op BLT)))
(definline %byte (2 (:op GETBASEBYTE)))
(definline %set-byte (3 (:op PUTBASEBYTE)))
(definline %type-number (1 (:op NTYPX)))
(definline %create-cell (1 (:op CREATECELL)))
(definline %context-switch (1 (:op CONTEXTSWITCH)))
(definline %my-alink (0 (:op MYALINK)))
(definline %arg (1 (:op ARG0)))
(definline %arg-count (0 (:op MYARGCOUNT)))
(definline %reference (1 (:op GCREF 0)))
(definline %unreference (1 (:op GCREF 1)))
(definline %pilot-bitblt (2 (:op PILOTBITBLT)))

;;; An integer from 0 to 255, known now.
(defun literal-byte (form)
  (and (integerp form) (>= form 0) (< form 256)))

;;; (name base offset . others): the instruction with the offset as its operand, or with 0 after adding it to the base.
(defun based (form instruction env)
  (let ((base (cadr form)) (offset (caddr form)))
    (if (literal-byte offset)
        (cons (cons :op (cons instruction (list offset)))
              (list (analyse base env)))
        (cons (cons :op (cons instruction (list 0)))
              (list (analyse `(%add ,base ,offset) env))))))

(defmacro define-based (name instruction others)
  `(define-special ,name (form env)
     (let ((it (based form ',instruction env)))
       (list 'operation (list (car it))
             (append (cdr it) ,(if others '(analyse-all (cdddr form) env) nil))))))

(define-based %word GETBASE_N nil)
(define-based %set-word PUTBASE_N t)
(define-based %cell GETBASEPTR_N nil)
(define-based %set-cell PUTBASEPTR_N t)
(define-based %store RPLPTR t)

;;; (%bits base offset first size) and (%set-bits base offset first size value): bits counted from the left of a word.
(defun field-operand (form)
  (let ((first (cadddr form)) (size (car (cddddr form))))
    (if (and (literal-byte first) (literal-byte size))
        (logior (ash first 4) (1- size))
        (compile-error "the place of a field has to be known: ~S" form))))

(defun field-operation (form instruction others env)
  (let ((it (based form instruction env)))
    (list 'operation (list (append (car it) (list (field-operand form))))
          (append (cdr it) others))))

(define-special %bits (form env)
  (if (= (length form) 5)
      (field-operation form 'GETBITS_N_FD nil env)
      (analyse-call form env)))

(define-special %set-bits (form env)
  (field-operation form 'PUTBITS_N_FD (analyse-all (cdr (cddddr form)) env) env))

(define-special %typep (form env)
  (list 'operation (list (list :op 'TYPEP (caddr form))) (list (analyse (cadr form) env))))

(define-special %subr (form env)
  (let ((arguments (cddr form)))
    (list 'operation (list (list :op 'SUBRCALL (cadr form) (length arguments))) (analyse-all arguments env))))

(define-special %misc (form env)
  (let ((arguments (cddr form)))
    (list 'operation (list (list :op 'MISCN (cadr form) (length arguments))) (analyse-all arguments env))))

;;; (%op NAME argument...) or (%op (NAME operand...) argument...)
(define-special %op (form env)
  (let ((instruction (if (consp (cadr form)) (cadr form) (list (cadr form)))))
    (opcode (car instruction))
    (list 'operation (list (cons :op instruction)) (analyse-all (cddr form) env))))

;;; Structures

(define-special %make-structure (form env)
  (list 'operation '((:op CREATECELL))
        (list (list 'global (structure-variable (cadr (cadr form)))))))

;;; The variable that holds the number of a structure's type.
(defun structure-variable (name)
  (intern (concatenate 'string "%TYPE-" (symbol-name name))))

(defun checked-object (type object env)
  (list 'operation (list (list :op 'DTEST (cadr type))) (list (analyse object env))))

(define-special %structure-ref (form env)
  (list 'operation (list (list :op 'GETBASEPTR_N (* 2 (cadddr form))))
        (list (checked-object (cadr form) (caddr form) env))))

(define-special %structure-set (form env)
  (list 'store (list :op 'RPLPTR (* 2 (cadddr form)))
        (list (checked-object (cadr form) (caddr form) env)
              (analyse (car (cddddr form)) env))))

(define-special %structure-p (form env)
  (list 'operation (list (list :op 'INSTANCEP (cadr (cadr form)))) (list (analyse (caddr form) env))))

;;; Stores whose instruction leaves the container on the stack.

(define-special %set-car (form env)
  (list 'store '(:op RPLACA) (analyse-all (cdr form) env)))

(define-special %set-cdr (form env)
  (list 'store '(:op RPLACD) (analyse-all (cdr form) env)))

;;; Whether evaluating `form` may set one of the variables that `others` are.
(defun may-set (form others)
  (cond ((atom form) nil)
        ((eq (car form) 'quote) nil)
        ((and (member (car form) '(setq setf incf decf push pop psetq psetf))
              (some (lambda (it) (and (symbolp it) (member it (cdr form)))) others))
         t)
        (t (some-part (lambda (part) (may-set part others)) form))))

(defun some-part (function list)
  (cond ((atom list) nil)
        ((funcall function (car list)) t)
        (t (some-part function (cdr list)))))

;;; ASET1 wants the value below the array and the index.
(defun aset-form (form)
  (let ((array (cadr form)) (index (caddr form)) (value (cadddr form)))
    (cond ((cddddr form) form)
          ((and (%is-simple array) (%is-simple index) (not (may-set value (list array index))))
           `(%op ASET1 ,value ,array ,index))
          (t (let ((a (gensym)) (i (gensym)))
               `(let ((,a ,array) (,i ,index)) (%op ASET1 ,value ,a ,i)))))))

(define-rewrite %set-aref (form) (aset-form form))
(define-rewrite %set-svref (form) (aset-form form))

;;; Truth

(define-special not (form env) (list 'not (analyse (cadr form) env)))
(define-special null (form env) (list 'not (analyse (cadr form) env)))
(define-rewrite atom (form) `(not (consp ,(cadr form))))
(define-rewrite endp (form) `(null ,(cadr form)))

(define-rewrite listp (form)
  (if (symbolp (cadr form)) `(or (null ,(cadr form)) (consp ,(cadr form))) form))

;;; Comparing what is EQ whenever it is EQL

(defun immediate-p (value)
  (or (symbolp value) (characterp value)
      (and (integerp value) (< value 65536) (>= value -65536))))

(defun immediate-form (form)
  (and (%constant-form form) (immediate-p (%constant-value form))))

(define-rewrite eql (form)
  (if (or (immediate-form (cadr form)) (immediate-form (caddr form)))
      `(eq ,@(cdr form))
      form))

(define-rewrite eq (form)
  (cond ((not (= (length form) 3)) form)
        ((null (caddr form)) `(not ,(cadr form)))
        (t form)))

;;; Arithmetic: two numbers at a time, from the left.

(defun two-at-a-time (form nothing)
  (let ((count (length (cdr form))))
    (cond ((= count 0) nothing)
          ((= count 1) (cadr form))
          ((= count 2) form)
          (t `(,(car form) (,(car form) ,(cadr form) ,(caddr form)) ,@(cdddr form))))))

(define-rewrite + (form) (two-at-a-time form 0))
(define-rewrite * (form) (two-at-a-time form 1))
(define-rewrite logand (form) (two-at-a-time form -1))
(define-rewrite logior (form) (two-at-a-time form 0))
(define-rewrite logor (form) (two-at-a-time form 0))
(define-rewrite logxor (form) (two-at-a-time form 0))

(define-rewrite - (form)
  (cond ((null (cdr form)) form)
        ((null (cddr form)) `(- 0 ,(cadr form)))
        (t (two-at-a-time form 0))))

(define-rewrite 1+ (form) `(+ ,(cadr form) 1))
(define-rewrite 1- (form) `(- ,(cadr form) 1))
(define-rewrite lognot (form) `(logxor ,(cadr form) -1))
(define-rewrite zerop (form) `(= ,(cadr form) 0))
(define-rewrite plusp (form) `(> ,(cadr form) 0))
(define-rewrite minusp (form) `(< ,(cadr form) 0))

;;; a < b is b > a; the operands are evaluated in the other order if nobody can tell, and exchanged otherwise.
(define-rewrite < (form)
  (let ((a (cadr form)) (b (caddr form)))
    (cond ((not (= (length form) 3)) form)
          ((or (%constant-form a) (%constant-form b)
               (and (symbolp a) (not (may-set b (list a))))
               (and (symbolp b) (not (may-set a (list b)))))
           `(> ,b ,a))
          (t `(%less ,a ,b)))))

(define-special %less (form env)
  (list 'operation '((:op SWAP) (:op GREATERP)) (analyse-all (cdr form) env)))

(define-rewrite <= (form)
  (if (= (length form) 3) `(not (> ,(cadr form) ,(caddr form))) form))

(define-rewrite >= (form)
  (if (= (length form) 3) `(not (< ,(cadr form) ,(caddr form))) form))

(define-rewrite /= (form)
  (if (= (length form) 3) `(not (= ,(cadr form) ,(caddr form))) form))

;;; A call of a known function with constants is done now.
(defun fold-constants (name node)
  (let ((nodes (caddr node)))
    (if (and (member name '(+ - * logand logior logor logxor))
             (every (lambda (it) (and (eq (car it) 'constant) (integerp (cadr it)) (immediate-p (cadr it)))) nodes))
        (list 'constant (apply name (mapcar #'cadr nodes)))
        node)))

;;; Lists

(defun list-instructions (count)
  (let ((instructions nil))
    (dotimes (i count) (push '(:op CONS) instructions))
    instructions))

(define-special list (form env)
  (if (< (length form) 12)
      (list 'operation (cons '(:op NIL) (list-instructions (length (cdr form)))) (analyse-all (cdr form) env))
      (list 'call 'list (analyse-all (cdr form) env))))

(define-special list* (form env)
  (if (< 1 (length form) 12)
      (list 'operation (list-instructions (- (length form) 2)) (analyse-all (cdr form) env))
      (list 'call 'list* (analyse-all (cdr form) env))))

;;; Calls of functions that are values. APPLYFN has the function on top, so that is evaluated last; where someone might
;;; notice, it is kept in a variable.

(define-special funcall (form env)
  (let ((function (cadr form)) (arguments (cddr form)))
    (cond ((and (consp function) (eq (car function) 'function) (symbolp (cadr function)))
           (analyse (cons (cadr function) arguments) env))
          ((or (and (symbolp function)
                    (notany-form (lambda (it) (may-set it (list function))) arguments))
               (%constant-form function)
               (every #'%is-simple arguments))
           (list 'funcall (analyse function env) (analyse-all arguments env)))
          (t (let ((variable (gensym)))
               (analyse `(let ((,variable ,function)) (funcall ,variable ,@arguments)) env))))))

(defun notany-form (function list)
  (not (some function list)))

;;; Several values

(define-special values (form env)
  (cond ((null (cdr form))
         ;; VALUES of nothing at all makes no place for its result on the reference emulator.
         (analyse '(values-list nil) env))
        ((null (cddr form))
         (list 'single (analyse (cadr form) env)))
        (t
         (list 'operation (list (list :op 'MISCN 1 (length (cdr form)))) (analyse-all (cdr form) env)))))

(definline values-list (1 (:op MISCN 6 1)))
