# --- the cluster -------------------------------------------------------------

# Any cluster will do, but it must be the one that is meant.
confirm() {
  local typed=''
  if [ -z "$CONTEXT" ]; then
    [ "$CONFIRMED" != --yes ] || fail 2 '--yes needs the name of the cluster' '--context NAME'
    CONTEXT=$(kubectl config current-context 2>"$SCRATCH/error") || fail 3 'kubectl has no current context' 'name one: --context NAME'
  fi
  if [ "$CONFIRMED" != --yes ]; then
    [ -t 0 ] || fail 2 "nobody is there to confirm the context $CONTEXT" "name it with --context{{#if teardown}}, and call it with --yes{{/if}}"
    printf '        the context is %s; type its name to go on: ' "$CONTEXT" >&2
    read -r typed || true
    [ "$typed" = "$CONTEXT" ] || fail 2 'that is not its name: nothing was changed' 'kubectl config get-contexts'
  fi
  kubectl_ get --raw /version >/dev/null
  outcome=$CONTEXT
}
