#!/bin/sh
# A folder of src/ sees the folders below it and no others (docs/architecture.md): an include that points upwards or
# sideways must not compile. Tries every folder with every other, and looks for ways round.
#
#   tools/check-layers.sh ARROWS-DIR [COMPILER]     ARROWS-DIR is made by cmake/FloeModules.cmake
set -eu
arrows=$(cd "${1:?usage: tools/check-layers.sh ARROWS-DIR [COMPILER]}" && pwd)
cc=${2:-cc}
cd "$(dirname "$0")/.."
failed=0

may_include() {
  case $1 in
    base) echo base ;;
    stun | tls | mdns) echo "$1 base" ;;
    turn) echo "turn base stun" ;;
    ice) echo "ice base stun turn tls" ;;
    sdp | sctp) echo "$1 base" ;;
    pc) echo "pc base stun tls ice sdp sctp" ;;
    testserver) echo "testserver base stun turn tls" ;;
    testserver_uv) echo "testserver_uv base testserver" ;;
    uv) echo uv ;;
    *) echo "check-layers: src/$1 is new: say here what it may include" >&2; exit 1 ;;
  esac
}

compiles() { # module, header
  printf '#include "%s"\ntypedef int one_declaration;\n' "$2" |
    "$cc" -x c -std=c11 -D_GNU_SOURCE -Iinclude "-I$arrows/$1" -fsyntax-only - 2>/dev/null
}

tried=0
for module_dir in src/*/; do
  module=$(basename "$module_dir")
  allowed=$(may_include "$module")
  for other_dir in src/*/; do
    other=$(basename "$other_dir")
    for header in "$other_dir"*.h; do
      [ -e "$header" ] || continue
      name=$other/${header##*/}
      tried=$((tried + 1))
      case " $allowed " in
        *" $other "*) compiles "$module" "$name" || { echo "src/$module cannot include $name, and should" >&2; failed=1; } ;;
        *) ! compiles "$module" "$name" || { echo "src/$module can include $name, and should not" >&2; failed=1; } ;;
      esac
      break # one header of each folder is enough
    done
  done
done

if grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"(\.|/)' -r src include cli --include='*.[ch]'; then
  echo "includes by relative path go round the layers" >&2
  failed=1
fi
if grep -nE '#[[:space:]]*include[[:space:]]*[<"](base|stun|turn|tls|mdns|ice|sdp|sctp|pc|uv|testserver)/' include/floe/*.h; then
  echo "a public header includes an internal one" >&2
  failed=1
fi
# Outside of the driver nobody needs the operating system's network headers.
if grep -nE '#[[:space:]]*include[[:space:]]*<(sys/socket|netinet/|arpa/|netdb|poll|sys/epoll|sys/select|pthread|threads|uv|ares)' \
  -r src/base src/stun src/turn src/tls src/mdns src/ice src/sdp src/pc src/testserver; then
  echo "the core includes headers of the operating system's network" >&2
  failed=1
fi
[ $failed -ne 0 ] || echo "layers: $tried includes tried, as they should be"
exit $failed
