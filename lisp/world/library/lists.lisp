;;; Lists: taking apart, putting together, searching, lists as sets, trees, association and property lists.
;;;
;;;     (a b c)     | a | *-|--> | b | *-|--> | c | NIL |        CAR is the left half of a cell, CDR the right one
;;;
;;; The machine has opcodes for CAR, CDR, CONS, RPLACA and RPLACD, and stores the CDR in a few bits where the next cell
;;; follows in memory (docs: CONS and CDR coding). Nothing here can see that.

;;; Compositions of CAR and CDR

(defun caar (x) (car (car x)))
(defun cadr (x) (car (cdr x)))
(defun cdar (x) (cdr (car x)))
(defun cddr (x) (cdr (cdr x)))
(defun caaar (x) (car (car (car x))))
(defun caadr (x) (car (car (cdr x))))
(defun cadar (x) (car (cdr (car x))))
(defun caddr (x) (car (cdr (cdr x))))
(defun cdaar (x) (cdr (car (car x))))
(defun cdadr (x) (cdr (car (cdr x))))
(defun cddar (x) (cdr (cdr (car x))))
(defun cdddr (x) (cdr (cdr (cdr x))))
(defun cadddr (x) (car (cdddr x)))
(defun cddddr (x) (cdr (cdddr x)))
(defun first (list) (car list))
(defun rest (list) (cdr list))
(defun second (list) (car (cdr list)))
(defun third (list) (car (cddr list)))
(defun fourth (list) (car (cdddr list)))
(defun fifth (list) (car (cddddr list)))
(defun sixth (list) (nth 5 list))
(defun seventh (list) (nth 6 list))
(defun eighth (list) (nth 7 list))
(defun ninth (list) (nth 8 list))
(defun tenth (list) (nth 9 list))

;;; Making and measuring

(defun list (&rest elements)
  "A new list of the arguments."
  elements)

(defun list* (first &rest others)
  "A list of all arguments but the last, which is its tail."
  (if (null others)
      first
      (let* ((head (cons first nil))
             (tail head))
        (do ((rest others (cdr rest)))
            ((null (cdr rest))
             (rplacd tail (car rest))
             head)
          (let ((cell (cons (car rest) nil)))
            (rplacd tail cell)
            (setq tail cell))))))

(defun make-list (size &key initial-element)
  "A list of so many times the same element."
  (let ((list nil))
    (dotimes (i size list)
      (setq list (cons initial-element list)))))

(defun endp (list)
  "True at the end of a list; an error if it does not end in NIL."
  (cond ((null list) t)
        ((consp list) nil)
        (t (%wrong-type list 'list))))

(defun list-length (list)
  "The length of a list, or NIL if it is circular."
  (do ((n 0 (+ n 2))
       (fast list (cddr fast))
       (slow list (cdr slow)))
      (nil)
    (when (null fast) (return n))
    (when (null (cdr fast)) (return (1+ n)))
    (when (and (eq fast slow) (> n 0)) (return nil))))

(defun %list-length (list)
  "The length of a list that is known to be one."
  (let ((n 0))
    (do ((tail list (cdr tail)))
        ((not (consp tail))
         (when tail (%wrong-type list 'list))
         n)
      (setq n (1+ n)))))

(defun nthcdr (n list)
  "The list without its first N elements."
  (do ((i n (1- i))
       (tail list (cdr tail)))
      ((or (<= i 0) (null tail)) tail)))

(defun nth (n list)
  "Element number N, from 0; NIL behind the end."
  (car (nthcdr n list)))

(defun %set-nth (n list value)
  (let ((tail (nthcdr n list)))
    (if (consp tail)
        (rplaca tail value)
        (error "There is no element ~S in ~S." n list))
    value))

(defun last (list &optional (n 1))
  "The last N cells of a list."
  (if (eql n 1)
      (do ((tail list (cdr tail)))
          ((not (consp (cdr tail))) tail))
      (let ((ahead list)
            (tail list))
        (dotimes (i n) (when (consp ahead) (setq ahead (cdr ahead))))
        (do ()
            ((not (consp ahead)) tail)
          (setq ahead (cdr ahead)
                tail (cdr tail))))))

(defun butlast (list &optional (n 1))
  "A copy of the list without its last N elements."
  (let ((keep (- (%cells list) n))
        (result nil))
    (do ((tail list (cdr tail)))
        ((<= keep 0) (nreverse result))
      (setq result (cons (car tail) result)
            keep (1- keep)))))

(defun nbutlast (list &optional (n 1))
  "BUTLAST, done to the list itself."
  (let ((keep (- (%cells list) n)))
    (if (<= keep 0)
        nil
        (progn (rplacd (nthcdr (1- keep) list) nil)
               list))))

(defun %cells (list)
  "How many cells a list has, whatever it ends in."
  (do ((n 0 (1+ n))
       (tail list (cdr tail)))
      ((not (consp tail)) n)))

;;; Copying and joining

(defun copy-list (list)
  "A list of the same elements."
  (if (consp list)
      (let* ((head (cons (car list) nil))
             (end head))
        (do ((tail (cdr list) (cdr tail)))
            ((not (consp tail))
             (when tail (rplacd end tail))
             head)
          (let ((cell (cons (car tail) nil)))
            (rplacd end cell)
            (setq end cell))))
      list))

(defun copy-alist (alist)
  "A copy of the list and of the pairs in it."
  (mapcar (lambda (pair) (if (consp pair) (cons (car pair) (cdr pair)) pair))
          alist))

(defun copy-tree (tree)
  "A copy of all cells of a tree."
  (if (consp tree)
      (cons (copy-tree (car tree)) (copy-tree (cdr tree)))
      tree))

(defun %append-2 (a b)
  "B behind a copy of A."
  (cond ((null a) b)
        ((consp a)
         (let* ((head (cons (car a) nil))
                (end head))
           (do ((tail (cdr a) (cdr tail)))
               ((not (consp tail))
                (rplacd end b)
                head)
             (let ((cell (cons (car tail) nil)))
               (rplacd end cell)
               (setq end cell)))))
        (t (%wrong-type a 'list))))

(defun append (&rest lists)
  "One list of the elements of all; the last list is not copied."
  (cond ((null lists) nil)
        ((null (cdr lists)) (car lists))
        ((null (cddr lists)) (%append-2 (car lists) (cadr lists)))
        (t (%append-2 (car lists) (apply #'append (cdr lists))))))

(defun nconc (&rest lists)
  "The lists themselves, joined."
  (let ((result nil)
        (end nil))
    (do ((tail lists (cdr tail)))
        ((null tail) result)
      (let ((list (car tail)))
        (when list
          (if end
              (rplacd end list)
              (setq result list))
          ;; The last list may be circular by now.
          (when (and (cdr tail) (consp list))
            (setq end (last list))))))))

(defun revappend (list tail)
  "The list backwards, in front of TAIL."
  (do ((rest list (cdr rest)))
      ((null rest) tail)
    (setq tail (cons (car rest) tail))))

(defun nreconc (list tail)
  "REVAPPEND that uses the cells of the list."
  (do ((rest list))
      ((null rest) tail)
    (let ((next (cdr rest)))
      (rplacd rest tail)
      (setq tail rest
            rest next))))

(defun ldiff (list object)
  "A copy of the part of the list in front of the tail OBJECT."
  (let ((result nil))
    (do ((tail list (cdr tail)))
        ((or (eql tail object) (not (consp tail)))
         (if (eql tail object)
             (nreverse result)
             (nreconc result tail)))
      (setq result (cons (car tail) result)))))

(defun tailp (object list)
  "True if OBJECT is LIST or one of its tails."
  (do ((tail list (cdr tail)))
      ((not (consp tail)) (eql tail object))
    (when (eql tail object) (return t))))

;;; Searching. A test is a function of two arguments; a key is applied to an element before it is looked at.

(defun %matcher (item test test-not)
  "A predicate that is true for what matches ITEM."
  (cond (test-not (lambda (x) (not (funcall test-not item x))))
        ((or (null test) (eq test 'eql) (eq test #'eql)) (lambda (x) (eql item x)))
        ((or (eq test 'eq) (eq test #'eq)) (lambda (x) (eq item x)))
        (t (lambda (x) (funcall test item x)))))

(defun member (item list &key test test-not key)
  "The tail of the list that begins with the first element that matches, or NIL."
  (if (or test test-not key)
      (member-if (%matcher item test test-not) list :key key)
      (do ((tail list (cdr tail)))
          ((null tail) nil)
        (when (eql item (car tail)) (return tail)))))

(defun member-if (predicate list &key key)
  "The tail of the list that begins with the first element that satisfies the predicate."
  (do ((tail list (cdr tail)))
      ((null tail) nil)
    (when (funcall predicate (if key (funcall key (car tail)) (car tail)))
      (return tail))))

(defun member-if-not (predicate list &key key)
  (member-if (lambda (x) (not (funcall predicate x))) list :key key))

(defun assoc (item alist &key test test-not key)
  "The first pair of the list whose CAR matches, or NIL."
  (if (or test test-not key)
      (assoc-if (%matcher item test test-not) alist :key key)
      (dolist (pair alist nil)
        (when (and pair (eql item (car pair))) (return pair)))))

(defun assoc-if (predicate alist &key key)
  "The first pair whose CAR satisfies the predicate."
  (dolist (pair alist nil)
    (when (and pair (funcall predicate (if key (funcall key (car pair)) (car pair))))
      (return pair))))

(defun assoc-if-not (predicate alist &key key)
  (assoc-if (lambda (x) (not (funcall predicate x))) alist :key key))

(defun rassoc (item alist &key test test-not key)
  "The first pair of the list whose CDR matches, or NIL."
  (rassoc-if (%matcher item test test-not) alist :key key))

(defun rassoc-if (predicate alist &key key)
  "The first pair whose CDR satisfies the predicate."
  (dolist (pair alist nil)
    (when (and pair (funcall predicate (if key (funcall key (cdr pair)) (cdr pair))))
      (return pair))))

(defun acons (key value alist)
  "The association list with one more pair in front."
  (cons (cons key value) alist))

(defun pairlis (keys values &optional alist)
  "Pairs of keys and values, in front of ALIST."
  (let ((result alist))
    (do ((k keys (cdr k))
         (v values (cdr v)))
        ((null k) result)
      (setq result (acons (car k) (car v) result)))))

;;; Lists as sets

(defun %present (item list test test-not key)
  "The tail of the list that begins with what matches an element ITEM of another list."
  (member (if key (funcall key item) item) list :test test :test-not test-not :key key))

(defun adjoin (item list &key test test-not key)
  "The list with ITEM in front, unless it is in it."
  (if (%present item list test test-not key)
      list
      (cons item list)))

(defun union (a b &key test test-not key)
  "The elements of A or of B."
  (let ((result b))
    (dolist (item a result)
      (unless (%present item b test test-not key)
        (setq result (cons item result))))))

(defun intersection (a b &key test test-not key)
  "The elements of A that are in B, too."
  (let ((result nil))
    (dolist (item a (nreverse result))
      (when (%present item b test test-not key)
        (setq result (cons item result))))))

(defun set-difference (a b &key test test-not key)
  "The elements of A that are not in B."
  (let ((result nil))
    (dolist (item a (nreverse result))
      (unless (%present item b test test-not key)
        (setq result (cons item result))))))

(defun set-exclusive-or (a b &key test test-not key)
  "The elements that are in only one of the lists."
  (let ((back (if test (lambda (x y) (funcall test y x)) nil))
        (back-not (if test-not (lambda (x y) (funcall test-not y x)) nil)))
    (nconc (set-difference a b :test test :test-not test-not :key key)
           (set-difference b a :test back :test-not back-not :key key))))

(defun subsetp (a b &key test test-not key)
  "True if all elements of A are in B."
  (dolist (item a t)
    (unless (%present item b test test-not key)
      (return nil))))

(defun nunion (a b &key test test-not key) (union a b :test test :test-not test-not :key key))
(defun nintersection (a b &key test test-not key) (intersection a b :test test :test-not test-not :key key))
(defun nset-difference (a b &key test test-not key) (set-difference a b :test test :test-not test-not :key key))

;;; Trees

(defun tree-equal (a b &key test)
  "True if the trees have the same shape and leaves that match."
  (cond ((consp a)
         (and (consp b)
              (tree-equal (car a) (car b) :test test)
              (tree-equal (cdr a) (cdr b) :test test)))
        ((consp b) nil)
        (test (if (funcall test a b) t nil))
        (t (eql a b))))

(defun subst (new old tree &key test test-not key)
  "A copy of the tree with NEW for every part that matches OLD."
  (subst-if new (%matcher old test test-not) tree :key key))

(defun subst-if (new predicate tree &key key)
  "A copy of the tree with NEW for every part that satisfies the predicate. What need not change is shared."
  (cond ((funcall predicate (if key (funcall key tree) tree)) new)
        ((consp tree)
         (let ((left (subst-if new predicate (car tree) :key key))
               (right (subst-if new predicate (cdr tree) :key key)))
           (if (and (eql left (car tree)) (eql right (cdr tree)))
               tree
               (cons left right))))
        (t tree)))

(defun nsubst (new old tree &key test test-not key)
  (subst new old tree :test test :test-not test-not :key key))

(defun sublis (alist tree &key test key)
  "A copy of the tree with every part that is a key of the association list replaced by its value."
  (let ((pair (assoc (if key (funcall key tree) tree) alist :test test)))
    (cond (pair (cdr pair))
          ((consp tree)
           (let ((left (sublis alist (car tree) :test test :key key))
                 (right (sublis alist (cdr tree) :test test :key key)))
             (if (and (eql left (car tree)) (eql right (cdr tree)))
                 tree
                 (cons left right))))
          (t tree))))

;;; Property lists: name, value, name, value ...

(defun getf (plist name &optional default)
  "The value behind NAME in a property list."
  (do ((tail plist (cddr tail)))
      ((null tail) default)
    (when (eq (car tail) name) (return (cadr tail)))))

(defun %putf (plist name value)
  "The property list with another value behind NAME."
  (do ((tail plist (cddr tail)))
      ((null tail) (list* name value plist))
    (when (eq (car tail) name)
      (rplaca (cdr tail) value)
      (return plist))))

(defun %remf (plist name)
  "Two values: the property list without NAME, and whether it was there."
  (if (eq (car plist) name)
      (values (cddr plist) (not (null plist)))
      (do ((tail plist (cddr tail)))
          ((null tail) (values plist nil))
        (when (and (cddr tail) (eq (caddr tail) name))
          (rplacd (cdr tail) (cddr (cddr tail)))
          (return (values plist t))))))

(defun get-properties (plist names)
  "Three values: the first of the names in the property list, its value, and the tail that begins there."
  (do ((tail plist (cddr tail)))
      ((null tail) (values nil nil nil))
    (when (member (car tail) names)
      (return (values (car tail) (cadr tail) tail)))))

;;; Mapping over lists: MAPCAR over elements, MAPLIST over tails; MAPC and MAPL for effect, MAPCAN and MAPCON join.

(defun %cars (lists)
  "The first elements of the lists."
  (if (null (cdr lists))
      (list (caar lists))
      (mapcar #'car lists)))

(defun %map-lists (function lists tails)
  "The values of the function, backwards, called with the tails of the lists or with their elements."
  (let ((lists (copy-list lists))
        (values nil))
    (do ()
        ((some #'null lists) values)
      (setq values (cons (apply function (if tails (copy-list lists) (%cars lists))) values))
      (do ((rest lists (cdr rest)))
          ((null rest))
        (rplaca rest (cdar rest))))))

(defun mapcar (function list &rest more)
  "A list of the function's values for the elements of the lists."
  (if more
      (nreverse (%map-lists function (cons list more) nil))
      (let* ((head (cons nil nil))
             (end head))
        (do ((tail list (cdr tail)))
            ((null tail) (cdr head))
          (let ((cell (cons (funcall function (car tail)) nil)))
            (rplacd end cell)
            (setq end cell))))))

(defun mapc (function list &rest more)
  "Calls the function for the elements of the lists; the first list."
  (if more
      (%map-lists function (cons list more) nil)
      (do ((tail list (cdr tail)))
          ((null tail))
        (funcall function (car tail))))
  list)

(defun maplist (function list &rest more)
  "A list of the function's values for the tails of the lists."
  (nreverse (%map-lists function (cons list more) t)))

(defun mapl (function list &rest more)
  "Calls the function for the tails of the lists; the first list."
  (%map-lists function (cons list more) t)
  list)

(defun %join-backwards (lists)
  "The lists joined, the last one first."
  (let ((result nil))
    (dolist (list lists result)
      (setq result (nconc list result)))))

(defun mapcan (function list &rest more)
  "MAPCAR with the lists that the function returns joined."
  (%join-backwards (%map-lists function (cons list more) nil)))

(defun mapcon (function list &rest more)
  "MAPLIST with the lists that the function returns joined."
  (%join-backwards (%map-lists function (cons list more) t)))
