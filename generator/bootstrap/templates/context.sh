# --- cluster -----------------------------------------------------------------

# Any cluster is accepted, but the user must name its context or confirm it.
confirm() {
  local typed=''
  if [ -z "$CONTEXT" ]; then
    [ "$CONFIRMED" != --yes ] || fail 2 '--yes requires the name of the context' "run meshops $TASK $ENVIRONMENT with --context NAME"
    CONTEXT=$(kubectl config current-context 2>"$SCRATCH/error") || fail 3 'kubectl has no current context' "run meshops $TASK $ENVIRONMENT with --context NAME"
  fi
  if [ "$CONFIRMED" != --yes ]; then
    [ -t 0 ] || fail 2 "stdin is not a terminal, so the context $CONTEXT cannot be confirmed" \
      "run meshops $TASK $ENVIRONMENT with --context $CONTEXT{{#if teardown}}, and the script with --yes{{/if}}"
    printf '        the context is %s; type its name to continue: ' "$CONTEXT" >&2
    read -r typed || true
    [ "$typed" = "$CONTEXT" ] || fail 2 'the name does not match; nothing was changed' 'run kubectl config get-contexts to list the contexts'
  fi
  kubectl_ get --raw /version >/dev/null
  outcome=$CONTEXT
}
