# --- cluster -----------------------------------------------------------------

# The script accepts any cluster. The user must specify the context of the cluster, or confirm the current context.
confirm() {
  local typed=''
  if [ -z "$CONTEXT" ]; then
    [ "$CONFIRMED" != --yes ] || fail 2 '--yes requires a script that was generated with --context' "run meshops $TASK $ENVIRONMENT with --context NAME"
    CONTEXT=$(kubectl config current-context 2>"$SCRATCH/error") || fail 3 'kubectl has no current context' "run meshops $TASK $ENVIRONMENT with --context NAME"
  fi
  if [ "$CONFIRMED" != --yes ]; then
    [ -t 0 ] || fail 2 "stdin is not a terminal, so the context $CONTEXT cannot be confirmed" \
      "run meshops $TASK $ENVIRONMENT with --context $CONTEXT{{#if teardown}}, then run the script with --yes{{/if}}"
    printf '        the kubectl context is %s; type this name to continue: ' "$CONTEXT" >&2
    read -r typed || true
    [ "$typed" = "$CONTEXT" ] || fail 2 'the typed name does not match the context; nothing was changed' 'run kubectl config get-contexts to list the contexts'
  fi
  kubectl_ get --raw /version >/dev/null
  outcome=$CONTEXT
}
