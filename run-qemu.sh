#!/usr/bin/env bash
# Builds Duralumin and starts it in QEMU: with its own starter world, or with a Medley world.
#
#   ./run-qemu.sh [--disk FILE] [--fresh] [--autosave SECONDS] [--generation N] [--no-disk]
#                 [--share DIR] [--init FILE] [--env NAME=VALUE] [--timeout SECONDS]
#                 [--boot pvh|bios|uefi] [--size WxH] [--memory MIB] [--headless] [SYSOUT] [-- more qemu arguments]
#
#   SYSOUT        a Medley world; without it, and without a disk that holds a world, the starter world of this repository
#   --disk FILE   the machine's disk, in which its world lives; without it
#                 ${XDG_DATA_HOME:-~/.local/share}/duralumin/machine.disk. A new one takes the world of SYSOUT; later
#                 SYSOUT is not needed, and refused if the disk holds a world of another one
#   --fresh       replace the disk by a new one with the world of SYSOUT
#   --autosave S  save every S seconds while Lisp goes on, 300 by default; 0 for never
#   --generation N  start an older world of the disk; `boot list FILE` shows which there are
#   --no-disk     no disk: run SYSOUT itself, which is only read; nothing can be saved
#   --boot pvh    QEMU loads the kernel itself: well under a second (default)
#   --boot bios   a disk image, started by a BIOS, as on real hardware; --boot uefi: the same by UEFI
#   --size WxH    pixels of the screen, 1024x768 by default; at most 2,097,152 of them
#   --memory MIB  512 by default
#   --share DIR   the folder DIR of this computer is {DSK}/share/, to read and to write
#   --init FILE   Lisp's init file, which is loaded when a world comes up for the first time (without it Medley asks): a
#                 name as Lisp sees it, {DSK}/share/INIT.LISP, or a file of this computer, which is handed over
#   --env NAME=VALUE   an environment variable for Lisp, such as HOME or MEDLEYDIR (kernel/src/logic/environment.rs)
#   --headless    no window; ends by itself when Lisp does, status 0 if it ended well. With --init FILE an error break
#                 ends it too, status 1, with its message on the serial line (the starter world adds the calls); and
#                 without --disk the disk is a new one that is thrown away afterwards. Without --init, what is typed here
#                 is typed for Lisp, and what Lisp prints to the console comes here as it is
#   --timeout SECONDS  ends after so long in any case, status 124
#
# The file SYSOUT is only read. LOGOUT saves the world and switches off; the window's "Power Down" asks for LOGOUT. The
# kernel's log is on standard output. F12, or Control-] here, calls the monitor (docs/monitor.md).
set -euo pipefail
here=$PWD
cd "$(dirname "$0")"
# Without this a rust-toolchain file or a missing component could make rustup replace the user's toolchain.
export RUSTUP_AUTO_INSTALL=0
. scripts/setup.sh
. scripts/boot-image.sh

wrong() { printf 'run-qemu.sh: %s\n' "$*" >&2; exit 2; }

boot=pvh size=1024x768 memory=512 autosave=300 generation='' disk='' fresh='' no_disk=''
sysout='' share='' init='' environment=() timeout='' headless=''
while [ $# -gt 0 ]; do
  case $1 in
    --boot | --size | --memory | --disk | --autosave | --generation | --share | --init | --timeout)
      [ $# -ge 2 ] && [ -n "$2" ] || wrong "$1 wants a value"
      printf -v "${1#--}" %s "$2"
      shift
      ;;
    --env)
      [ $# -ge 2 ] || wrong "$1 wants a value"
      [[ $2 =~ ^[A-Z][A-Z0-9_-]*= ]] || wrong "--env $2 is no NAME=VALUE with a name in capitals"
      environment+=("$2")
      shift
      ;;
    --headless) headless=1 ;;
    --fresh) fresh=--fresh ;;
    --no-disk) no_disk=1 ;;
    --help | -h) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' run-qemu.sh; exit 0 ;;
    --) shift; break ;;
    -*) wrong "unknown option $1; there are --disk, --fresh, --autosave, --generation, --no-disk, --boot, --size, --memory, --share, --init, --env, --headless, --timeout (and -- before arguments for QEMU)" ;;
    *)
      [ -z "$sysout" ] || wrong "one SYSOUT at a time: $sysout or $1?"
      sysout=$1
      ;;
  esac
  shift
done

case $boot in pvh | bios | uefi) ;; *) wrong "--boot $boot is none of pvh, bios, uefi" ;; esac
[[ $size =~ ^([1-9][0-9]{1,4})x([1-9][0-9]{1,4})$ ]] || wrong "--size $size is no size; it looks like 1024x768"
width=${BASH_REMATCH[1]} height=${BASH_REMATCH[2]}
[ $((width % 32)) = 0 ] || wrong "--size $size: Lisp wants a width that is a multiple of 32, such as $((width / 32 * 32))"
[ "$width" -ge 64 ] && [ "$height" -ge 64 ] || wrong "--size $size is too small; 64x64 is the least"
[ $((width * height)) -le 2097152 ] || wrong "--size $size has more than 2097152 pixels, which is all that Lisp can address"
[[ $memory =~ ^[1-9][0-9]{1,6}$ ]] && [ "$memory" -ge 64 ] || wrong "--memory $memory is no number of MiB from 64 on"

[[ $autosave =~ ^(0|[1-9][0-9]{0,5})$ ]] || wrong "--autosave $autosave is no number of seconds"
[[ $generation =~ ^([1-9][0-9]{0,9})?$ ]] || wrong "--generation $generation is no number of a generation"
[[ -z $timeout || $timeout =~ ^[1-9][0-9]{0,5}$ ]] || wrong "--timeout $timeout is no number of seconds"
if [ -n "$share" ]; then
  case $share in /*) ;; *) share=$here/$share ;; esac
  [ -d "$share" ] || wrong "--share $share: there is no such folder"
  [ -r "$share" ] && [ -x "$share" ] || wrong "--share $share cannot be read; check its permissions"
fi
handed=()
if [ -n "$init" ]; then
  case $init in
    '{'*) ;;
    *)
      case $init in /*) ;; *) init=$here/$init ;; esac
      [ -f "$init" ] && [ -r "$init" ] || wrong "--init $init: there is no such file, or it cannot be read"
      name=$(basename "$init" | tr -c 'A-Za-z0-9._\n-' _)
      # QEMU takes names of 55 characters, 14 of them ours.
      [ ${#name} -le 40 ] || name=init.${name##*.}
      handed+=("$name=$init")
      init='{DSK}/init/'$name
      ;;
  esac
fi

if [ -z "$disk$no_disk" ] && [ -n "$headless" ] && [ -n "$init" ]; then
  # Somebody's own world must not change because of a job, and a job wants one that has not begun.
  scratch=$(mktemp -d)
  trap 'rm -rf "$scratch"' EXIT
  disk=$scratch/job.disk
fi
[ -n "$disk" ] || disk=${XDG_DATA_HOME:-${HOME:-/root}/.local/share}/duralumin/machine.disk
case $disk in /*) ;; *) disk=$here/$disk ;; esac
[ -z "$fresh" ] || [ -z "$no_disk" ] || wrong "--fresh makes a disk, and --no-disk wants none"

if [ -z "$sysout" ] && { [ -n "$fresh$no_disk" ] || [ ! -e "$disk" ]; }; then
  # No world is given, so it is the one that comes with Duralumin.
  sysout=$PWD/target/starter.sysout
  if [ ! -e "$sysout" ] || [ -n "$(find lisp vm/src/isa.rs -newer "$sysout" -type f -print -quit)" ]; then
    need_rust
    say "building the starter world"
    cargo run --quiet --release -p lisp -- build -o "$sysout" || wrong "the starter world could not be built"
  fi
fi
if [ -n "$sysout" ]; then
  case $sysout in /*) ;; *) sysout=$here/$sysout ;; esac
  [ -e "$sysout" ] || wrong "there is no file $sysout"
  [ -f "$sysout" ] || wrong "$sysout is no file"
  [ -r "$sysout" ] || wrong "$sysout cannot be read; check its permissions"
  bytes=$(stat -Lc %s "$sysout")
  [ "$bytes" -ge 1024 ] || wrong "$sysout is no Medley sysout: it has only $bytes bytes"
  # Word 15 of the interface page, which is at byte 512.
  key=$(od -An -tx1 -j542 -N2 "$sysout" | tr -d ' ')
  [ "$key" = 15e3 ] || wrong "$sysout is no Medley sysout: it lacks the mark 15e3 at byte 542 (it has $key); is it compressed?"
  [ $((bytes % 512)) = 0 ] || wrong "$sysout is cut off: its $bytes bytes are no whole number of 512-byte pages"
fi

need_rust
need_qemu
say "building the kernel"
cargo build --release --quiet -p kernel
kernel=target/release/duralumin

saving=()
if [ -n "$no_disk" ]; then
  drive="readonly=on,file=${sysout//,/,,}"
else
  mkdir -p "$(dirname "$disk")" 2>/dev/null || wrong "the folder $(dirname "$disk") for the machine's disk cannot be made"
  [ ! -e "$disk" ] || [ -f "$disk" ] || wrong "$disk is no file, and a machine's disk must be one"
  if [ -z "$sysout" ]; then
    # Its superblock, or the copy of it.
    for at in 0 4096; do
      [ "$(od -An -c -j$at -N8 "$disk" 2>/dev/null | tr -d ' ')" = 'Duralumn' ] && break
      [ "$at" = 0 ] || wrong "$disk holds no machine; give a SYSOUT for a new one, or the machine's disk"
    done
  fi
  # A disk has one machine: two would write over each other's worlds. QEMU inherits the lock.
  { true 9>>"$disk.lock"; } 2>/dev/null || wrong "nothing can be written beside the disk $disk; check the permissions there"
  exec 9>>"$disk.lock"
  flock -n 9 || wrong "$disk is in use by another machine"
  if [ -n "$sysout" ]; then
    cargo build --release --quiet -p boot-tools
    # A disk whose world began as this very sysout goes on; any other is refused.
    if said=$(target/release/boot import "$sysout" "$disk" $fresh 2>&1); then
      say "$said"
    else
      case $said in
        *"began as this very sysout"*) say "going on with the world of $disk" ;;
        *) wrong "${said#boot: }" ;;
      esac
    fi
  fi
  [ -f "$disk" ] || wrong "$disk is no file"
  [ -r "$disk" ] && [ -w "$disk" ] || wrong "$disk cannot be read and written; check its permissions"
  # QEMU stops a machine whose host disk is full, unless it is told to tell the machine.
  drive="werror=report,rerror=report,file=${disk//,/,,}"
  saving=("autosave=$autosave" ${generation:+"generation=$generation"})
fi

accelerator=$(accelerator)
# Commas in a file name are doubled for QEMU.
qemu=(qemu-system-x86_64 -name Duralumin -machine pc -accel "$accelerator" -m "$memory" -vga std -no-reboot
  -serial stdio
  -drive "if=none,id=world,format=raw,$drive" -device "virtio-blk-pci,drive=world")
if [ -n "$share" ]; then
  qemu+=(-fsdev "local,id=share,path=${share//,/,,},security_model=none,multidevs=remap"
    -device "virtio-9p-pci,fsdev=share,mount_tag=share")
fi
if [ -n "$init" ] && [ -n "$headless" ]; then
  handed+=("duralumin-job.lisp=$PWD/lisp/job.lisp")
  environment+=("JOB=$init" "LDEINIT={DSK}/init/duralumin-job.lisp")
elif [ -n "$init" ]; then
  environment+=("LDEINIT=$init")
fi
words=(${saving[@]+"${saving[@]}"})
for value in ${environment[@]+"${environment[@]}"}; do
  # A word of the kernel's command line has no spaces in it, and QEMU wants commas doubled only elsewhere.
  value=${value//%/%25} value=${value// /%20}
  words+=("$value")
done
for value in ${handed[@]+"${handed[@]}"}; do
  file=${value#*=}
  qemu+=(-fw_cfg "name=opt/duralumin/${value%%=*},file=${file//,/,,}")
done
[ ${#handed[@]} = 0 ] || words+=(fw-cfg)
if [ -n "$headless" ]; then
  # In a window a stopped kernel leaves its report on the screen; without one QEMU should end.
  qemu+=(-display none -device "isa-debug-exit,iobase=0xf4,iosize=4")
  words+=(exit-device)
  # A job has nobody who types.
  [ -n "$init" ] || words+=(serial=lisp)
elif [ -n "${DISPLAY-}${WAYLAND_DISPLAY-}" ]; then
  dpkg-query -W qemu-system-gui >/dev/null 2>&1 || ! command -v dpkg-query >/dev/null || need_packages qemu-system-gui
else
  qemu+=(-display "vnc=127.0.0.1:0,to=99")
  say "no graphical session here: the screen is served by VNC on 127.0.0.1, port 5900 or the next free one"
fi
case $boot in
  pvh) qemu+=(-kernel "$kernel" -append "size=$size ${words[*]-}") ;;
  bios | uefi)
    need_boot_image
    mkdir -p target/images
    image=target/images/duralumin-$boot.img
    boot_image "$boot" "$kernel" "$image" "$size" ${words[@]+"${words[@]}"}
    qemu+=(-drive "if=none,id=boot,format=raw,file=$image" -device "ide-hd,drive=boot,bootindex=0")
    ;;
esac
if [ "$boot" = uefi ]; then
  need_uefi
  code=/usr/share/OVMF/OVMF_CODE_4M.fd variables=/usr/share/OVMF/OVMF_VARS_4M.fd
  cp "$variables" target/images/variables.fd
  qemu+=(-drive "if=pflash,format=raw,readonly=on,file=$code" -drive "if=pflash,format=raw,file=target/images/variables.fd")
fi

say "starting QEMU: $boot, $accelerator, $memory MiB, screen $size, world of $([ -n "$no_disk" ] && echo "$sysout" || echo "$disk")"
limit=()
[ -z "$timeout" ] || limit=(timeout --foreground --kill-after=5 "$timeout")
status=0
${limit[@]+"${limit[@]}"} "${qemu[@]}" "$@" || status=$?
# The exit device turns code n into status 2n+1: 33 is a good end, 35 one that Lisp did not like.
if [ -n "$headless" ]; then
  case $status in 33) status=0 ;; 35) status=1 ;; esac
fi
[ -z "$timeout" ] || [ "$status" != 137 ] || status=124
[ "$status" != 124 ] || printf 'run-qemu.sh: the %s seconds are over\n' "$timeout" >&2
exit "$status"
