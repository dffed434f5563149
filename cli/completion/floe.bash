# Completion for floe in bash.

_floe_check_options="--ice-servers --all --relay-only --no-relay-test --demo --explain --user --credential
  --credential-file --credential-prompt --secret --secret-file --ttl --ca-file --insecure --ipv4 --ipv6 --interface
  --port-range --include-loopback --dns-server --timeout --watch --count --json --verbose --trace --trace-addresses
  --help --version -u -4 -6 -v -h"

_floe_connect_options="--send --receive --expose --forward --force --no-input --answer --ticket-out --ticket-in --server
  --ice-servers --relay-only --user --credential --credential-file --credential-prompt --secret --secret-file --ttl --ca-file
  --insecure --ipv4 --ipv6 --interface --port-range --include-loopback --dns-server --timeout --json --verbose --trace
  --trace-addresses --keylog --help -n -s -u -4 -6 -v -h"

_floe_explain_options="--summary --json --agent --verbose --help -s -v -h"

_floe_nat_options="--server --ipv4 --ipv6 --interface --timeout --tls-port --no-transports --dns-server --json --verbose
  --help -4 -6 -v -h"

_floe_testserver_options="--listen --alternate --user --credential --secret --realm --relay-ip --sha256 --lifetime --write-ca
  --quiet --verbose --help -q -v -h"

_floe_check() {
  local cur=$1 prev=$2
  case $prev in
    --ice-servers | --credential-file | --secret-file | --ca-file | --trace)
      COMPREPLY=($(compgen -f -- "$cur"))
      compopt -o filenames 2>/dev/null
      return
      ;;
    --interface)
      COMPREPLY=($(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur"))
      return
      ;;
    --explain)
      COMPREPLY=($(compgen -W "list $(floe check --explain list 2>/dev/null | cut -d ' ' -f 1)" -- "$cur"))
      return
      ;;
    --user | -u | --credential | --secret | --ttl | --port-range | --dns-server | --timeout | --count)
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$_floe_check_options" -- "$cur"))
  else
    # a colon is a word of its own for readline: "turn:" is completed up to it
    COMPREPLY=($(compgen -W "stun: stuns: turn: turns:" -- "$cur"))
    compopt -o nospace 2>/dev/null
  fi
}

_floe_connect() {
  local cur=$1 prev=$2
  case $prev in
    --send | --ice-servers | --credential-file | --secret-file | --ca-file | --trace | --keylog | --ticket-out | --ticket-in)
      COMPREPLY=($(compgen -f -- "$cur"))
      compopt -o filenames 2>/dev/null
      return
      ;;
    --receive)
      COMPREPLY=($(compgen -d -- "$cur"))
      compopt -o filenames 2>/dev/null
      return
      ;;
    --interface)
      COMPREPLY=($(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur"))
      return
      ;;
    --server | -s)
      COMPREPLY=($(compgen -W "stun: stuns: turn: turns:" -- "$cur"))
      compopt -o nospace 2>/dev/null
      return
      ;;
    --expose)
      COMPREPLY=($(compgen -A hostname -- "$cur"))
      compopt -o nospace 2>/dev/null
      return
      ;;
    --forward | --user | -u | --credential | --secret | --ttl | --port-range | --dns-server | --timeout)
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$_floe_connect_options" -- "$cur"))
  elif [[ " ${COMP_WORDS[*]} " == *" --send "* ]]; then
    COMPREPLY=($(compgen -f -- "$cur"))
    compopt -o filenames 2>/dev/null
  fi
}

_floe_nat() {
  local cur=$1 prev=$2
  case $prev in
    --interface)
      COMPREPLY=($(compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$cur"))
      return
      ;;
    --timeout | --tls-port | --dns-server)
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$_floe_nat_options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "stun: stuns: turn: turns:" -- "$cur"))
    compopt -o nospace 2>/dev/null
  fi
}

_floe() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "check connect explain nat testserver help --help --version" -- "$cur"))
    return
  fi
  case ${COMP_WORDS[1]} in
    check) _floe_check "$cur" "$prev" ;;
    connect) _floe_connect "$cur" "$prev" ;;
    nat) _floe_nat "$cur" "$prev" ;;
    testserver)
      if [[ $prev == --write-ca ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
      elif [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$_floe_testserver_options" -- "$cur"))
      fi
      ;;
    explain)
      if [[ $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$_floe_explain_options" -- "$cur"))
      elif [[ $prev != --agent ]]; then
        COMPREPLY=($(compgen -f -- "$cur"))
        compopt -o filenames 2>/dev/null
      fi
      ;;
    help) COMPREPLY=($(compgen -W "check connect explain nat testserver" -- "$cur")) ;;
  esac
}

complete -F _floe floe
