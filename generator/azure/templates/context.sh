# --- the cluster -------------------------------------------------------------

# Any cluster will do, but it must be the one that is meant: the context is named when the script is made, or typed here.
confirm() {
  local current typed
  current=$(kubectl config current-context 2>"$SCRATCH/error") || fail 3 'kubectl has no current context' 'kubectl config use-context NAME'
  if [ -z "$CONTEXT" ]; then
    [ -t 0 ] || fail 2 "the current context is $current; nobody is there to confirm it" "name it: --context $current"
    printf '        the current context is %s; type its name to go on: ' "$current" >&2
    read -r typed
    [ "$typed" = "$current" ] || fail 2 'that is not its name: nothing was changed' 'kubectl config use-context NAME'
    CONTEXT=$current
  fi
  kubectl --context "$CONTEXT" get --raw /version >/dev/null 2>"$SCRATCH/error"
  outcome=$CONTEXT
}
