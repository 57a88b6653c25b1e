# settled <function>: waits until no operation is in progress, then prints the state that the function prints.
# Prints nothing if the resource does not exist.
settled() {
  local state began=$SECONDS
  while :; do
    state=$("$1") || return
    case "$state" in '' | Succeeded | Failed | Canceled) break ;; esac
    note "state is $state, $(elapsed $((SECONDS - began))) elapsed"
    sleep "$POLL_SECONDS"
  done
  printf '%s' "$state"
}
