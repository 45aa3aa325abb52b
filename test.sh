#!/usr/bin/env bash
# Sets up whatever is missing and runs every test of Duralumin that fits in twenty minutes.
#
#   ./test.sh            everything
#   ./test.sh --quick    no QEMU and no images: formatting, lints and unit tests
#
# Tests that need a Medley image look in MEDLEY_SYSOUT, then in ../shared/medley/lisp.sys, and say when they skip.
set -euo pipefail
cd "$(dirname "$0")"
# Without this a rust-toolchain file or a missing component could make rustup replace the user's toolchain.
export RUSTUP_AUTO_INSTALL=0
. scripts/setup.sh

quick=''
case "${1-}" in
  '') ;;
  --quick) quick=1 ;;
  *) echo "test.sh: unknown option $1 (there is only --quick)" >&2; exit 2 ;;
esac

# Seconds of each step, for the table at the end.
steps=() started=$SECONDS now=''
finish_step() { [ -z "$now" ] || steps+=("$(printf '%5d s  %s' $((SECONDS - since)) "$now")"); }
step() {
  finish_step
  now=$* since=$SECONDS
  printf '\n== %s\n' "$*"
}

need_rust
if [ -z "$quick" ]; then
  need_qemu
  # Disk images are tested where the tool that makes them has been built: `run-qemu.sh --boot bios` does it.
  [ ! -x target/boot/release/boot-image ] || need_uefi
fi

if cargo fmt --version >/dev/null 2>&1; then
  step "formatting"
  cargo fmt --all -- --check
else
  step "formatting: skipped, this toolchain has no rustfmt"
fi
if cargo clippy --version >/dev/null 2>&1; then
  step "lints"
  # The kernel by itself: beside tests `vm` would have the parts that only tests have, and those need Linux.
  cargo clippy --workspace --exclude kernel --all-targets --release -- -D warnings
  cargo clippy -p kernel --all-targets --release -- -D warnings
else
  step "lints: skipped, this toolchain has no clippy"
fi

step "unit tests"
# One at a time inside a binary: Lisp's address space is one place, and only one machine can be there.
cargo test --release --workspace --lib --bins --exclude kernel --exclude scenarios -- --test-threads=1
# Of the kernel, the part that is only arithmetic.
cargo test --release -p kernel --lib

if [ -z "$quick" ]; then
  step "power cuts and damaged disks"
  # With their figures. STORE_CUTS=N and DISKFS_CUTS=N make N random cuts instead of 10,000, of worlds and of files.
  cargo test --release -p store -p diskfs --test '*' -- --nocapture --test-threads=1
  step "images on the host"
  # Each test is a process of its own that waits for Lisp now and then.
  cargo test --release --workspace --test '*' --exclude kernel --exclude qemu --exclude scenarios --exclude store --exclude diskfs --exclude book -- --test-threads=3
  step "the starter world, and what the book asks one to type"
  cargo test --release -p book
  step "scenarios on the host"
  cargo test --release -p scenarios --test host
  step "the bare machine in QEMU"
  cargo test --release -p qemu --test '*' -- --test-threads=2
  step "scenarios and batteries in QEMU"
  cargo test --release -p scenarios --test qemu --test files --test starter
  step "QEMU killed while it saves"
  # KILLS=N for another number than 50.
  cargo test --release -p scenarios --test kills
fi

finish_step
printf '\n== all passed, %d s\n' $((SECONDS - started))
printf '%s\n' "${steps[@]}"
