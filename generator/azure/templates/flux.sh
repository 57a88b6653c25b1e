# --- Flux --------------------------------------------------------------------

{{> kubectl}}

# apply: makes what stdin says so; the objects go through no file.
apply() {
  kubectl_ apply --server-side --force-conflicts --field-manager=meshops -f - >"$SCRATCH/applied"
}

# Linkerd's webhooks leave this namespace alone, so that Flux can mend the mesh while its injector is down.
flux_namespace() {
  apply <<'YAML'
{{{manifests.namespace}}}
YAML
  outcome=$(grep -q unchanged "$SCRATCH/applied" && echo 'already there' || echo 'there')
}

# The key goes from meshops to the cluster through pipes: no file, no argument, no variable holds it.
age_key() {
  local -a secret=(create secret generic sops-age --namespace flux-system --from-file=age.agekey=/dev/stdin)
  meshops identity export "$ENVIRONMENT" --age-key 2>"$SCRATCH/export" |
    kubectl_ "${secret[@]}" --dry-run=client --output yaml |
    apply || {
    [ ! -s "$SCRATCH/export" ] || cp "$SCRATCH/export" "$SCRATCH/error"
    exit 1
  }
  outcome='there'
}

flux_version() {
  kubectl_ get deployment kustomize-controller --namespace flux-system --ignore-not-found \
    --output 'jsonpath={.metadata.labels.app\.kubernetes\.io/version}'
}

# root_is_there: whether a root Kustomization follows the spec's repository, branch and path.
root_is_there() {
  local source path
  source=$(kubectl_ get gitrepository flux-system --namespace flux-system --output 'jsonpath={.spec.url} {.spec.ref.branch}') &&
    path=$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --output 'jsonpath={.spec.path}') &&
    [ "$source" = "$GIT_URL $GIT_BRANCH" ] && [ "${path#./}" = "$FLUX_PATH" ]
}

# `flux bootstrap` commits Flux's own manifests, so it must be able to push: by ssh, or with a token in GIT_PASSWORD.
# Without that, or without the flux CLI, Flux is applied from its install manifests.
install_flux() {
  local there
  there=$(flux_version)
  if [ -n "$there" ] && [ "${FLUX_VERSION:-$there}" = "$there" ] && root_is_there; then
    outcome="already there, $there"
  elif command -v flux >/dev/null 2>&1 && { [ "${GIT_PASSWORD+set}" = set ] || [ "${GIT_URL%%:*}" = ssh ]; }; then
    flux_by_cli
    outcome='installed by flux bootstrap'
  else
    flux_by_manifests
    outcome="installed from $FLUX_MANIFESTS"
  fi
}

flux_by_cli() {
  local login=()
  if [ "${GIT_URL%%:*}" != ssh ]; then
    login=(--token-auth --username "${GIT_USERNAME:-git}") # flux reads GIT_PASSWORD itself
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    login=(--private-key-file "$GIT_SSH_KEY_FILE" --silent)
  fi
  flux bootstrap git --context "$CONTEXT" --url "$GIT_URL" --branch "$GIT_BRANCH" --path "$FLUX_PATH" \
    ${FLUX_VERSION:+--version "$FLUX_VERSION"} ${login[@]+"${login[@]}"} >&2
}

flux_by_manifests() {
  kubectl_ apply --server-side --force-conflicts --field-manager=meshops -f "$FLUX_MANIFESTS" >"$SCRATCH/applied"
  patiently 'starting Flux' kubectl_ wait deployment --all --namespace flux-system --for=condition=Available --timeout=10m >"$SCRATCH/applied"
  if git_credentials; then
    apply <<'YAML'
{{{manifests.privateSource}}}
YAML
  else
    apply <<'YAML'
{{{manifests.publicSource}}}
YAML
  fi
  apply <<'YAML'
{{{manifests.root}}}
YAML
}

# git_credentials: the Secret that Flux clones with, from GIT_PASSWORD (https) or GIT_SSH_KEY_FILE (ssh); 1 where neither is given.
# They go through pipes, so that neither arguments nor a trace of this script show them.
git_credentials() {
  local secret=(create secret generic flux-system --namespace flux-system --dry-run=client --output yaml)
  if [ "${GIT_PASSWORD+set}" = set ]; then
    printenv GIT_PASSWORD | tr -d '\n' |
      kubectl_ "${secret[@]}" --from-literal "username=${GIT_USERNAME:-git}" --from-file password=/dev/stdin | apply || exit 1
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    kubectl_ "${secret[@]}" --from-file "identity=$GIT_SSH_KEY_FILE" \
      --from-file "known_hosts=${GIT_KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts}" | apply || exit 1
  else
    return 1
  fi
}

reconciled() {
  local what
  if patiently 'waiting for Flux' kubectl_ wait kustomization.kustomize.toolkit.fluxcd.io/flux-system --namespace flux-system \
    --for=condition=Ready --timeout="$ROOT_TIMEOUT" >"$SCRATCH/applied"; then
    outcome="$(kubectl_ get kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --output 'jsonpath={.status.lastAppliedRevision}')"
    return
  fi
  for what in gitrepository kustomization.kustomize.toolkit.fluxcd.io; do
    kubectl_ get "$what" flux-system --namespace flux-system \
      --output 'jsonpath={.kind} {.metadata.name}: {.status.conditions[?(@.type=="Ready")].message}{"\n"}' >>"$SCRATCH/conditions" || true
  done
  fail 1 "Flux has not reconciled flux-system within $ROOT_TIMEOUT:
$(cat "$SCRATCH/conditions")" "is branch $GIT_BRANCH pushed to $GIT_URL, with $FLUX_PATH in it, and can Flux read it?"
}
