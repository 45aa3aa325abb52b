# shellcheck shell=bash
# Sourced by run-qemu.sh and test.sh: finds or installs what they need, and says which it does.

say() { printf 'duralumin: %s\n' "$*"; }
die() { printf 'duralumin: %s\n' "$*" >&2; exit 1; }

can_be_root() { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# need_packages PACKAGE...: installs Debian packages that are not there, or says exactly what to install.
need_packages() {
  local missing=() p
  for p; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "please install: ${missing[*]} (this is no Debian or Ubuntu, so do it by hand)"
  can_be_root || die "please run as root: apt-get install ${missing[*]}"
  say "installing ${missing[*]}"
  { as_root apt-get update -qq &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null ||
    die "could not install ${missing[*]}; please do it by hand: apt-get install ${missing[*]}"
}

# offers_package PACKAGE: is it to be had here? A machine that has never asked its mirror does so now.
offers_package() {
  apt-cache show "$1" >/dev/null 2>&1 ||
    { can_be_root && as_root apt-get update -qq && apt-cache show "$1"; } >/dev/null 2>&1
}

rust_is_new_enough() {
  rustc -vV 2>/dev/null | awk '/^release:/ { split($2, v, "."); exit !(v[1] > 1 || v[2] >= 88) } END { if (!NR) exit 1 }'
}

# A rustc of at least 1.88 with the host's own standard library, from the user's rustup or from Debian; never a
# downloaded toolchain.
need_rust() {
  # Without certificates cargo cannot fetch crates; a bare system has none.
  need_packages gcc libc6-dev ca-certificates
  [ -x "${HOME:-/root}/.cargo/bin/cargo" ] && PATH="${HOME:-/root}/.cargo/bin:$PATH"
  rust_is_new_enough && return 0
  if offers_package rustc-web; then
    need_packages rustc-web cargo-web libstd-rust-web-dev
  else
    need_packages rustc cargo
  fi
  PATH="/usr/bin:$PATH"
  rust_is_new_enough || die "Rust 1.88 or newer is needed; see https://rustup.rs, then run this again"
}

need_qemu() {
  command -v qemu-system-x86_64 >/dev/null || need_packages qemu-system-x86
}

# The firmware of UEFI machines.
need_uefi() {
  [ -r /usr/share/OVMF/OVMF_CODE_4M.fd ] || need_packages ovmf
}

# KVM only where it is real: a writable device on a processor that says it can; elsewhere /dev/kvm may be an emulation
# thousands of times slower than QEMU's own.
accelerator() {
  if [ -w /dev/kvm ] && grep -qE '^flags.*\b(vmx|svm)\b' /proc/cpuinfo; then echo kvm; else echo tcg; fi
}
