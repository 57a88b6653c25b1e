# settled <function>: waits until Azure has completed all operations on a resource, and then prints the state of the
# resource. The function prints the current state, and settled calls the function repeatedly. Prints nothing if the
# resource does not exist.
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
