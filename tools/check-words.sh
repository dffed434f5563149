#!/bin/sh
# No notes to self in the tree, and nothing that is true on one machine only: absolute paths of a working copy, hosts of
# package archives. Patterns are written so that they do not match themselves.
set -eu
cd "$(dirname "$0")/.."
bad='\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b'
bad="$bad|(^|[^a-zA-Z0-9_.-])/[w]ork/|/[r]oot/|/[h]ome/[a-z]"
bad="$bad|[d]eb\\.debian\\.org|[s]napshot\\.debian\\.org|[r]egistry\\.npmjs|[a]rtifact-?registry|[p]ypi\\.org"

if printf '/%s/x\n' work | grep -qE "$bad" && printf '// TO%s: x\n' DO | grep -qE "$bad"; then :; else
  echo "check-words: cannot find what it looks for" >&2
  exit 1
fi
# fuzz/corpus holds arbitrary bytes
if tools/files.sh | grep -v '^fuzz/corpus/' | tr '\n' '\0' | xargs -0 grep -nIE "$bad" 2>/dev/null; then
  echo "check-words: these do not belong into the tree" >&2
  exit 1
fi
echo "words: clean"
