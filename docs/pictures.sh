#!/usr/bin/env bash
# Makes the book's pictures, from the running starter world on the host runner: docs/pictures/NAME.png.
set -euo pipefail
cd "$(dirname "$0")/.."
export RUSTUP_AUTO_INSTALL=0
cargo build --release --quiet -p lisp -p runner
target/release/lisp build -o target/starter.sysout
mkdir -p docs/pictures
script=$(mktemp)
trap 'rm -f "$script"' EXIT

# picture NAME LINE...: types the lines, each when the one before is done, and takes a picture.
picture() {
  local name=$1 line
  shift
  printf 'limit 60s\nwait idle\n' >"$script"
  for line in "$@"; do
    line=${line//\\/\\\\}
    printf 'type "%s\\n"\nwait 4s\n' "${line//\"/\\\"}" >>"$script"
  done
  printf 'take "%s"\nquit\n' "$PWD/docs/pictures/$name.png" >>"$script"
  echo "docs/pictures.sh: $name" >&2
  timeout 120 target/release/runner target/starter.sysout --script "$script" >/dev/null
}

picture exec "(tour)"
picture inspector "(setq y (list 'a 'b 'c))" "(rplacd (cdr y) 'd)" "(inspect y)"
picture types "(defstruct point x y)" "(inspect (make-point :x 3 :y 4))"
picture memory-map "(memory-map)"
picture stepper "(step-example)"
picture break "(defun outer (n) (if (= n 0) (car 'oops) (+ 1 (outer (- n 1)))))" "(outer 2)" "(tour 8)"
picture life "(life)"
