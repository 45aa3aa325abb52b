;;; The compiler, chapter 4: blocks, tagbodies, and ways out of functions.
;;;
;;; Leaving a block within the same function is a jump. Leaving it from an inner function is a throw: the block is analysed
;;; once more, as a catch with a tag of its own, whose body is a function
;;;
;;;     (block b ... (lambda () (return-from b 1)) ...)
;;;     (let ((tag (cons nil nil))) (%catch tag (lambda () (block b ... (lambda () (%throw-values tag (list 1))) ...))))

(define-special block (form env)
  (let* ((exit (make-exit (cadr form) *function*))
         (calls (fn-calls *function*))
         (body (analyse-body (cddr form) (add-name :block (cadr form) exit env))))
    (if (not (exit-distant exit))
        (list 'block exit body)
        (let ((tag (gensym)))
          (setf (fn-calls *function*) calls)
          (analyse `(let ((,tag (cons nil nil)))
                      (%catch ,tag (lambda () (%caught-block ,(cadr form) ,tag ,@(cddr form)))))
                   env)))))

;;; (%caught-block name tag . body): a block whose distant exits throw to what is in the variable `tag`.
(define-special %caught-block (form env)
  (let ((exit (make-exit (cadr form) *function*)))
    (setf (exit-distant exit) (caddr form))
    (list 'block exit (analyse-body (cdddr form) (add-name :block (cadr form) exit env)))))

(define-special return-from (form env)
  (let* ((found (look-up :block (cadr form) env))
         (exit (cddr found)))
    (cond ((null found) (compile-error "there is no block ~S to return from" (cadr form)))
          ((eq (exit-owner exit) *function*) (list 'leave exit (analyse (caddr form) env)))
          ((and (exit-distant exit) (not (eq (exit-distant exit) t)))
           (analyse (throw-form (exit-distant exit) (caddr form)) env))
          (t (setf (exit-distant exit) t)
             (analyse (caddr form) env)))))

;;; Tagbody: items are nodes, and tags as symbols or numbers.

(defun analyse-items (items exit env)
  (mapcar (lambda (item) (if (consp item) (analyse item env) item)) items))

(defun tag-env (items exit env)
  (dolist (item items env)
    (unless (consp item)
      (setf (exit-tags exit) (cons (cons item nil) (exit-tags exit)))
      (setq env (add-name :tag item exit env)))))

(define-special tagbody (form env)
  (let* ((exit (make-exit nil *function*))
         (calls (fn-calls *function*))
         (items (analyse-items (cdr form) exit (tag-env (cdr form) exit env))))
    (if (not (exit-distant exit))
        (list 'tagbody exit items)
        (progn
          (setf (fn-calls *function*) calls)
          (analyse (distant-tagbody (cdr form)) env)))))

;;; Each turn of the loop runs the statements in a function, from the tag whose number was thrown; NIL is the end.
(defun distant-tagbody (items)
  (let* ((tag (gensym)) (next (gensym)) (again (gensym)) (number 0)
         (tags (remove-if #'consp items))
         (numbers (mapcar (lambda (it) (setq number (1+ number)) (cons it number)) tags)))
    `(let ((,tag (cons nil nil)) (,next 0))
       (tagbody
          ,again
          (setq ,next (%catch ,tag
                        (lambda ()
                          (%caught-tagbody ,tag ,numbers
                            ,@(mapcar (lambda (pair) `(if (eq ,next ,(cdr pair)) (go ,(car pair)))) numbers)
                            ,@items)
                          nil)))
          (if ,next (go ,again))))))

;;; (%caught-tagbody tag ((name . number)...) . items)
(define-special %caught-tagbody (form env)
  (let ((exit (make-exit nil *function*))
        (items (cdddr form)))
    (setf (exit-distant exit) (cons (cadr form) (caddr form)))
    (let ((inner (tag-env items exit env)))
      (list 'tagbody exit (analyse-items items exit inner)))))

(define-special go (form env)
  (let* ((found (look-up :tag (cadr form) env))
         (exit (cddr found)))
    (cond ((null found) (compile-error "there is no tag ~S to go to" (cadr form)))
          ((eq (exit-owner exit) *function*) (list 'jump exit (cadr form)))
          ((consp (exit-distant exit))
           (analyse (throw-form (car (exit-distant exit)) (cdr (assoc (cadr form) (cdr (exit-distant exit))))) env))
          (t (setf (exit-distant exit) t)
             '(constant nil)))))

;;; Catch, throw and unwind-protect are functions of the world (world/machine).

(define-special catch (form env)
  (analyse `(%catch ,(cadr form) (lambda () ,@(cddr form))) env))

(define-special throw (form env)
  (analyse (throw-form (cadr form) (caddr form)) env))

;;; All of the values arrive, however many there are.
(defun throw-form (tag form)
  `(%throw-values ,tag (%all-values ,form)))

(define-special unwind-protect (form env)
  (analyse `(%unwind-protect (lambda () ,(cadr form)) (lambda () ,@(cddr form))) env))

;;; Several values: a call whose next instruction is FN1 \MVLIST receives all of them, as a list.

(define-special multiple-value-call (form env)
  (let ((lists (mapcar (lambda (it) (list '%all-values it)) (cddr form))))
    (if (and (null (cdr lists)) (equal (cadr form) '(function list)))
        (analyse (car lists) env)
        (analyse `(apply ,(cadr form) ,(append-form lists)) env))))

(defun append-form (lists)
  (if (cdr lists) `(append ,(car lists) ,(append-form (cdr lists))) (car lists)))

(define-special %all-values (form env)
  (let ((node (analyse (cadr form) env)))
    (if (member (car node) '(constant variable global free))
        (list 'operation '((:op NIL) (:op CONS)) (list node))
        (list 'values-list node))))

(define-special multiple-value-prog1 (form env)
  (let ((values (gensym)))
    (analyse `(let ((,values (%all-values ,(cadr form)))) ,@(cddr form) (values-list ,values)) env)))
