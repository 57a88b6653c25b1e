# settled <function>: what the function says of a thing's state, once nothing is under way; nothing where the thing is not there.
settled() {
  local state began=$SECONDS
  while :; do
    state=$("$1") || return
    case "$state" in '' | Succeeded | Failed | Canceled) break ;; esac
    note "it is $state, $(elapsed $((SECONDS - began))) so far"
    sleep "$POLL_SECONDS"
  done
  printf '%s' "$state"
}
