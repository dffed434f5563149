#!/bin/sh
# Prints the ten longest files and functions. Fails over 900 lines a file, 80 lines a function. Files that are nothing
# but a table, and so have no function, may be longer.
set -eu
cd "$(dirname "$0")/.."
max_file=900
max_function=80

# Relies on clang-format: a function's body begins with a line that ends in "{", and ends with a "}" in the first column.
functions() {
  awk -v OFS='\t' '
    FNR == 1 { start = 0; head = "" }
    start == 0 && /^[a-zA-Z_].*\(/ && !/=/ && !/^(typedef|struct|enum|union|#|else|extern "C")/ { head = $0; head_line = FNR }
    start == 0 && /\{$/ && head != "" && !/^(typedef|struct|enum|union|static const [^(]*=)/ { start = FNR }
    start == 0 && /;$/ { head = "" }
    start != 0 && /^\}/ {
      name = head; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
      print FNR - start + 1, FILENAME ":" head_line, name
      start = 0; head = ""
    }' "$@"
}

if [ "${1-}" = --self-test ]; then
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  { echo "int f("; echo "    int x) {"; i=0; while [ $i -lt 90 ]; do echo "  x++;"; i=$((i + 1)); done; echo "}"; } >"$dir/a.c"
  [ "$(functions "$dir/a.c" | cut -f 1,3)" = "$(printf '92\tf')" ] || { echo "check-sizes: miscounts" >&2; exit 1; }
  exit 0
fi
"$0" --self-test

files=$(find include src cli tests bench fuzz examples -name '*.[ch]' 2>/dev/null || true)
echo "longest files:"
# shellcheck disable=SC2086
wc -l $files | grep -v ' total$' | sort -rn | head -n 10
echo "longest functions:"
# shellcheck disable=SC2086
functions $files | sort -rn | head -n 10

failed=0
for file in $files; do
  lines=$(wc -l <"$file")
  if [ "$lines" -gt $max_file ] && [ -n "$(functions "$file")" ]; then
    echo "$file: $lines lines, the limit is $max_file" >&2
    failed=1
  fi
done
# shellcheck disable=SC2086
if functions $files | awk -v max=$max_function '$1 > max { print $2 ": " $3 " has " $1 " lines, the limit is " max; bad = 1 } END { exit !bad }' >&2; then
  failed=1
fi
exit $failed
