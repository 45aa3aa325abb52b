# shellcheck shell=bash
# Sourced by run-qemu.sh and tests: builds the tool that makes disk images (boot/), and makes them.
# Wants scripts/setup.sh sourced first, and to be in the root of the repository.
#
# The bootloader crate compiles its stages with -Z build-std. That takes the compiler's own library sources, llvm-objcopy
# and rust-lld of the same toolchain, and RUSTC_BOOTSTRAP=1, which makes a stable compiler accept -Z.

# Is there everything in that sysroot?
complete_toolchain() {
  local host=x86_64-unknown-linux-gnu
  [ -f "$1/lib/rustlib/src/rust/library/Cargo.lock" ] && [ -x "$1/lib/rustlib/$host/bin/rust-lld" ] &&
    [ -e "$1/lib/rustlib/$host/bin/llvm-objcopy" ] && [ -e "$1/lib/rustlib/$host/bin/llvm-objdump" ]
}

# debian_toolchain DIR: puts a toolchain together out of Debian's packages, by links; /usr stays as it is.
debian_toolchain() {
  need_packages rustc-web cargo-web rust-web-src libstd-rust-web-dev rust-web-llvm
  local directory=$1 host=x86_64-unknown-linux-gnu system tool found
  mkdir -p "$directory"
  directory=$(cd "$directory" && pwd)
  system=$(/usr/bin/rustc --print sysroot)
  local parts=$directory/lib/rustlib/$host
  mkdir -p "$directory/bin" "$parts/bin/gcc-ld" "$directory/lib/rustlib/src/rust"
  ln -sfn "$system/lib/rustlib/$host/lib" "$parts/lib"
  ln -sfn "$system/lib/rustlib/src/rust/library" "$directory/lib/rustlib/src/rust/library"
  # Debian's rust-lld is a link to the linker of one LLVM version, whose package it only recommends.
  [ -e /usr/bin/rust-lld ] || need_packages "$(readlink /usr/bin/rust-lld)"
  found=$(command -v /usr/bin/rust-lld) || true
  [ -n "$found" ] || die "Debian's packages brought no rust-lld; disk images cannot be made here, use --boot pvh"
  ln -sfn "$found" "$parts/bin/rust-lld"
  ln -sfn "$found" "$parts/bin/gcc-ld/ld.lld"
  for tool in objcopy objdump; do
    found=$(find /usr/bin -name "llvm-$tool" -o -name "llvm-$tool-[0-9]*" | sort -V | tail -1)
    ln -sfn "${found:-/usr/bin/$tool}" "$parts/bin/llvm-$tool"
  done
  for tool in rustc rustdoc; do
    printf '#!/bin/sh\nexec /usr/bin/%s --sysroot "%s" "$@"\n' "$tool" "$directory" >"$directory/bin/$tool"
  done
  printf '#!/bin/sh\nexport RUSTC="%s/bin/rustc" RUSTDOC="%s/bin/rustdoc"\nexec /usr/bin/cargo "$@"\n' \
    "$directory" "$directory" >"$directory/bin/cargo"
  chmod +x "$directory/bin/"*
}

# Builds target/boot/release/boot-image unless it is there and newer than its sources.
need_boot_image() {
  local tool=target/boot/release/boot-image
  if [ -x "$tool" ] && [ -z "$(find boot/src boot/Cargo.toml boot/Cargo.lock -newer "$tool")" ]; then return 0; fi
  local path=$PATH
  if ! complete_toolchain "$(rustc --print sysroot)"; then
    offers_package rust-web-src ||
      die "disk images need the Rust components rust-src and llvm-tools: rustup component add rust-src llvm-tools"
    debian_toolchain target/boot-toolchain
    path=$PWD/target/boot-toolchain/bin:$PATH
  fi
  say "building the maker of disk images; the first time this takes some five minutes"
  # The kernel's own RUSTUP_TOOLCHAIN or flags must not leak into the loader's stages.
  (cd boot && env -u RUSTFLAGS PATH="$path" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=../target/boot cargo build --release --quiet) ||
    die "the maker of disk images could not be built; --boot pvh does without it"
  touch "$tool"
}

# boot_image bios|uefi KERNEL IMAGE [WxH] [WORDS...]: makes a disk image. Strips the kernel first: the BIOS stage reads slowly.
boot_image() {
  local kind=$1 kernel=$2 image=$3
  shift 3
  objcopy --strip-all "$kernel" "$image.kernel"
  target/boot/release/boot-image "$kind" "$image.kernel" "$image" "$@" || die "no $kind image could be made"
}
