# coturn (Debian package coturn) as each test wants it. Sourced after ../netns/lib.sh.
# shellcheck shell=sh

need_coturn() {
  need turnserver
}

# coturn LOG PORT ARGUMENTS...: a turnserver in the namespace `server`, on PORT for UDP and TCP. It has a database of its
# own, and no other thing in common with its host's.
coturn() {
  coturn_log=$1
  coturn_port=$2
  shift 2
  serve server "$coturn_log" "Total General servers" turnserver -n --no-cli --no-rfc5780 --log-file stdout \
    --simple-log --userdb "$work/$coturn_log.db" --pidfile "$work/$coturn_log.pid" --realm floe.test \
    --listening-port "$coturn_port" "$@"
}

# What its users have in common.
COTURN_USER="--lt-cred-mech --user floe:floe-secret"
