# settled <function>: calls the function, which prints the state of an Azure resource, until Azure has completed all
# operations on this resource. Then prints the state. Prints nothing if the resource does not exist.
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
