# What the tests of `floe nat` share. Sourced after lib.sh.
# shellcheck shell=sh disable=SC2154,SC2034

# finds TITLE NAMESPACE STATUS EXPECTED ARGUMENTS...: what floe nat says. EXPECTED are members of the line of the family,
# or of the summary, as name=value; !name=value says that it is anything else.
finds() {
  finds_title=$1
  finds_ns=$2
  finds_status=$3
  finds_expected=$4
  shift 4
  n_cases=$((n_cases + 1))
  finds_got=0
  inside "$finds_ns" "$FLOE" nat --json "$@" >"$work/out" 2>"$work/err" </dev/null || finds_got=$?
  finds_wrong=
  [ "$finds_got" -eq "$finds_status" ] || finds_wrong="status $finds_got, expected $finds_status"
  for finds_one in $finds_expected; do
    finds_not=0
    case $finds_one in !*) finds_not=1 ;; esac
    finds_one=${finds_one#!}
    finds_is=1
    grep -qE "\"${finds_one%%=*}\":\"?${finds_one#*=}\"?[,}]" "$work/out" && finds_is=0
    [ "$finds_is" -eq "$finds_not" ] || finds_wrong="$finds_wrong; $finds_one"
  done
  if [ -z "$finds_wrong" ]; then
    echo "ok      $finds_title"
  else
    echo "FAILED  $finds_title: $finds_wrong"
    cat "$work/out" "$work/err"
    failed=yes
  fi
}
