# --- objects that bootstrap applies --------------------------------------------

{{> kubectl}}

# apply: applies the objects on stdin. Secrets are passed on stdin, so that they are never written to a file.
apply() {
  kubectl_ apply --server-side --force-conflicts --field-manager=meshops -f - >/dev/null
}

# secret_from <namespace> <name> <arguments…>: applies a Secret. The secret values come from stdin or from files, so
# that no command-line argument and no shell variable contains them.
secret_from() {
  local namespace=$1 name=$2
  shift 2
  kubectl --context "${CONTEXT:?}" create secret generic "$name" --namespace "$namespace" --dry-run=client --output yaml "$@" 2>"$SCRATCH/create" | apply || {
    [ ! -s "$SCRATCH/create" ] || cp "$SCRATCH/create" "$SCRATCH/error"
    exit 1
  }
}

{{#if needsAgeKey}}
# Pipes the age key from meshops to the cluster. First checks that meshops prints a key, because an empty value would
# replace the key in the cluster. Never changes a Secret that another program or person created.
age_key() {
  local managers
  managers=$(managers_of "$NAMESPACE" "$AGE_SECRET")
  case $managers in
    '' | *meshops*) ;;
    *) fail 1 "Secret $AGE_SECRET already exists in namespace $NAMESPACE, but meshops did not create this Secret" \
      "set gitops.decryption.secretRef.name in $SPEC to another name, then run meshops generate and push" ;;
  esac
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/error" | grep '^AGE-SECRET-KEY-' >/dev/null || exit 3
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/export" | secret_from "$NAMESPACE" "$AGE_SECRET" --from-file=age.agekey=/dev/stdin
  outcome='applied'
}

{{/if}}
flux_version() {
  kubectl_ get deployment kustomize-controller --namespace flux-system --ignore-not-found \
    --output 'jsonpath={.metadata.labels.app\.kubernetes\.io/version}'
}

# is_older <version> <version>: succeeds if the first version is older than the second. Ignores a `v` at the start of
# each version: flux_version reads a label. If a Helm chart installed Flux, the version in this label does not start
# with `v`.
is_older() {
  [ "${1#v}" != "${2#v}" ] && [ "$(printf '%s\n' "${1#v}" "${2#v}" | sort -V | head -n 1)" = "${1#v}" ]
}
