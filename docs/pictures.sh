#!/usr/bin/env bash
# Makes the book's pictures from the running starter world: docs/pictures/NAME.png. Most on the host runner; those that show
# the monitor or the bare machine in QEMU. (Two others, screen.png and starter-on-reference.png in docs/, are of a Medley
# image and of the reference emulator, which are not part of this repository.) With names as arguments, only those.
set -euo pipefail
names=("$@")
cd "$(dirname "$0")/.."
export RUSTUP_AUTO_INSTALL=0
cargo build --release --quiet -p lisp -p runner
target/release/lisp build -o target/starter.sysout
mkdir -p docs/pictures
folder=$(mktemp -d)
script=$folder/script
machine=
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null; rm -rf "$folder"' EXIT

wanted() { [ ${#names[@]} = 0 ] || [[ " ${names[*]} " == *" $1 "* ]]; }

# picture NAME LINE...: types the lines, each when the one before is done, and takes a picture. After "keys:" they are single
# keys, for a window that listens to such.
picture() {
  local name=$1 line
  shift
  wanted "$name" || return 0
  printf 'limit 60s\nwait idle\n' >"$script"
  for line in "$@"; do
    line=${line//\\/\\\\}
    case $line in
      keys:*) printf 'type "%s"\nwait 4s\n' "${line#keys:}" >>"$script" ;;
      *) printf 'type "%s\\n"\nwait 4s\n' "${line//\"/\\\"}" >>"$script" ;;
    esac
  done
  printf 'take "%s"\nquit\n' "$PWD/docs/pictures/$name.png" >>"$script"
  echo "docs/pictures.sh: $name" >&2
  timeout 120 target/release/runner target/starter.sysout --script "$script" >/dev/null
}

picture exec "(tour)"
picture inspector "(setq y (list 'a 'b 'c))" "(rplacd (cdr y) 'd)" "(inspect y)"
picture types "(defstruct point x y)" "(inspect (make-point :x 3 :y 4))"
picture stepper "(step-example)" "keys:          "
picture break "(defun outer (n) (if (= n 0) (car 'oops) (+ 1 (outer (- n 1)))))" "(outer 2)" "(tour 8)"
picture life "(life)"
picture boot
picture compiler "(defun first-or-zero (x) (if (consp x) (car x) 0))" "(disassemble 'first-or-zero)"
picture counting "(setq a (list 1 2))" "(setq b (list a a a))" "(reclaim)" "(inspect a)"
picture devices \
  "(dotimes (i 7) (format t \"~16,'0B~%\" (word-at (+ #xFF00 61 i))))" \
  "(list (word-at (+ #xFF00 59)) (word-at (+ #xFF00 60)))"
picture files "(with-open-file (s \"{DSK}note\" :direction :output) (print '(kept for later) s))" \
  "(directory \"{DSK}note*\")" "(with-open-file (s \"{DSK}note\") (read s))"

# on_the_machine NAME LINE...: types the lines on the serial line of a machine in QEMU, and takes a picture of its screen.
# A line may be ^] (the monitor) or "wait SECONDS".
on_the_machine() {
  local name=$1 line
  shift
  wanted "$name" || return 0
  mkfifo "$folder/monitor.in" "$folder/monitor.out" "$folder/serial"
  # Its own process group, so that QEMU ends with it.
  set -m
  timeout 120 ./run-qemu.sh --headless --disk "$folder/machine.disk" --autosave 3 -- \
    -monitor "pipe:$folder/monitor" <"$folder/serial" >"$folder/log" 2>&1 &
  machine=-$!
  set +m
  exec 7>"$folder/serial" 8>"$folder/monitor.in" 9<"$folder/monitor.out"
  until grep -q "Lisp rests" "$folder/log"; do sleep 0.2; done
  for line in "$@"; do
    case $line in
      '^]') printf '\035' >&7 ;;
      'wait '*) sleep "${line#wait }" ;;
      *) printf '%s\r' "$line" >&7 ;;
    esac
    sleep 1
  done
  echo "screendump $folder/$name.png -f png" >&8
  until [ -s "$folder/$name.png" ]; do sleep 0.2; done
  sleep 0.5
  cp "$folder/$name.png" "docs/pictures/$name.png"
  echo quit >&8
  exec 7>&- 8>&- 9<&-
  wait "${machine#-}" || true
  machine=
  rm -rf "${folder:?}"/*
  echo "docs/pictures.sh: $name" >&2
}

on_the_machine monitor "(defvar *v* 1)" "(defun set-v (x) (setq *v* x))" '^]' "watch *v*" go "(set-v 2)" "frame" "code"
on_the_machine page-fault '^]' pages "map 2e0000 360000"
on_the_machine saving "wait 5" '^]' "map 100000 200000" counters
on_the_machine memory-map "(memory-map)" "wait 3" "(defvar *v* (make-array 20000))"
