# kubectl_ <arguments…>: kubectl on the one cluster, with its complaint kept.
kubectl_() {
  kubectl --context "$CONTEXT" "$@" 2>"$SCRATCH/error"
}
