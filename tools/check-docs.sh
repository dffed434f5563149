#!/bin/sh
# The reference manual is made without a warning, every public declaration is documented, and no link in docs/ and the
# top-level pages is broken.
#
#   tools/check-docs.sh OUTPUT-DIR
set -eu
out=${1:?usage: tools/check-docs.sh OUTPUT-DIR}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
version=$(sed -n 's/^project(floe VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
failed=0

(cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $out"; echo "PROJECT_NUMBER = $version") | doxygen - >"$out/doxygen.log" || failed=1
if [ -s "$out/warnings.log" ]; then
  sed "s|$PWD/||" "$out/warnings.log"
  failed=1
fi

python3 - <<'END' || failed=1
import pathlib, re, subprocess, sys
bad = 0
files = [pathlib.Path(f) for f in subprocess.run(["tools/files.sh"], capture_output=True, text=True).stdout.split("\n") if f.endswith(".md")]
for page in files:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        if not (page.parent / target.split("#")[0]).exists():
            print(f"{page}: link to {target}, which is not there")
            bad += 1
sys.exit(1 if bad else 0)
END
for page in docs/man/*.1; do
  warnings=$(groff -man -Tutf8 -wall -z "$page" 2>&1) || failed=1
  [ -z "$warnings" ] || { printf '%s\n' "$warnings"; failed=1; }
done
[ $failed -ne 0 ] || echo "docs: reference in $out/html, no warnings, no broken links"
exit $failed
