# --- Flux --------------------------------------------------------------------

{{> kubectl}}

# apply: applies the objects on stdin, so that no Secret is written to a file.
apply() {
  kubectl_ apply --server-side --force-conflicts --field-manager=meshops -f - >/dev/null
}

# Linkerd's webhooks skip this namespace, so that Flux can fix the mesh while its injector is down.
flux_namespace() {
  apply <<'YAML'
{{{manifests.namespace}}}
YAML
  outcome='applied'
}

# secret_from <name> <arguments…>: applies a Secret in flux-system. Its secret values come from stdin or files, so
# that no argument and no variable contains them.
secret_from() {
  local name=$1
  shift
  kubectl --context "${CONTEXT:?}" create secret generic "$name" --namespace flux-system --dry-run=client --output yaml "$@" 2>"$SCRATCH/create" | apply || {
    [ ! -s "$SCRATCH/create" ] || cp "$SCRATCH/create" "$SCRATCH/error"
    exit 1
  }
}

# Pipes the age key from meshops to the cluster. Checks first that meshops prints a key: an empty one would replace the
# key in the cluster.
age_key() {
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/error" | grep '^AGE-SECRET-KEY-' >/dev/null || exit 3
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/export" | secret_from sops-age --from-file=age.agekey=/dev/stdin
  outcome='applied'
}

flux_version() {
  kubectl_ get deployment kustomize-controller --namespace flux-system --ignore-not-found \
    --output 'jsonpath={.metadata.labels.app\.kubernetes\.io/version}'
}

# Succeeds if GIT_PASSWORD is set and not empty, without expanding it: a trace of this script would show its value.
has_git_password() {
  printenv GIT_PASSWORD | grep . >/dev/null
}

# `flux bootstrap` commits Flux's own manifests, so it must be able to push: by ssh, or with a token in GIT_PASSWORD.
# If it cannot push, or if the flux CLI is missing, Flux's install manifests are applied. An existing Flux of any
# version is kept, unless the spec sets another version.
install_flux() {
  local version other
  list_kinds
  other=$(other_root)
  [ -z "$other" ] || [ "${MESHOPS_TAKE_OVER:-}" = yes ] || fail 1 "Flux in this cluster follows another repository or path: $other" \
    "check the context; to make Flux follow $GIT_URL, ./$FLUX_PATH instead and delete the objects of the other one, set MESHOPS_TAKE_OVER=yes"
  version=$(flux_version)
  if [ -n "$version" ] && [ "${FLUX_VERSION:-$version}" = "$version" ]; then
    outcome="already installed, $version"
    # An interrupted run may have installed Flux without its feature gates.
    case $(kubectl_ get deployment kustomize-controller --namespace flux-system --show-managed-fields \
      --output 'jsonpath={.metadata.managedFields[*].manager}') in *meshops-flux*) cancel_health_checks ;; esac
    follow
  elif command -v flux >/dev/null 2>&1 && { has_git_password || [ "${GIT_URL%%:*}" = ssh ]; }; then
    flux_by_cli
    # Flux's own manifests are in Git now, so Flux would revert a change in the cluster.
    outcome='installed by flux bootstrap; docs/status.md has a patch that makes Flux apply pushed fixes at once'
  else
    # A separate field manager: otherwise the namespace in these manifests would remove the fields that this script
    # applied to it.
    kubectl_ apply --server-side --force-conflicts --field-manager=meshops-flux -f "$FLUX_MANIFESTS" >/dev/null
    cancel_health_checks
    with_progress 'starting Flux' kubectl_ wait deployment --all --namespace flux-system --for=condition=Available --timeout=10m >/dev/null
    outcome="installed from $FLUX_MANIFESTS"
    follow
  fi
  resume
}

# Lets Flux apply a pushed fix at once, without waiting for the health checks of the revision that it fixes. A
# controller does not start with a feature gate that it does not know: kustomize-controller has this one since Flux 2.7,
# helm-controller since 2.8, where it cancelled its own installs before 2.8.2.
cancel_health_checks() {
  local version controller since arguments
  version=$(flux_version)
  while read -r controller since; do
    [ "$(printf '%s\n' "$since" "$version" | sort -V | head -n 1)" = "$since" ] || continue
    arguments=$(kubectl_ get deployment "$controller" --namespace flux-system --ignore-not-found --output 'jsonpath={.spec.template.spec.containers[0].args}')
    case $arguments in '' | *CancelHealthCheckOnNewRevision*) continue ;; esac
    kubectl_ patch deployment "$controller" --namespace flux-system --type json --patch \
      '[{"op":"add","path":"/spec/template/spec/containers/0/args/-","value":"--feature-gates=CancelHealthCheckOnNewRevision=true"}]' >/dev/null
  done <<'GATES'
kustomize-controller v2.7.0
helm-controller v2.8.2
GATES
}

flux_by_cli() {
  local login=()
  if [ "${GIT_URL%%:*}" != ssh ]; then
    login=(--token-auth --username "${GIT_USERNAME:-git}") # flux reads GIT_PASSWORD itself
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    login=(--private-key-file "$GIT_SSH_KEY_FILE" --silent)
  fi
  : >"$SCRATCH/error"
  flux bootstrap git --context "$CONTEXT" --url "$GIT_URL" --branch "$GIT_BRANCH" --path "$FLUX_PATH" \
    ${FLUX_VERSION:+--version "$FLUX_VERSION"} ${login[@]+"${login[@]}"} >&2 || fail 1 'flux bootstrap failed; see its output above' 'fix the error that it reports'
}

# Applies the source and the root Kustomization. The source uses credentials if they are set or exist in the cluster.
follow() {
  local secret
  git_credentials
  secret=$(kubectl_ get secret flux-system --namespace flux-system --ignore-not-found --output name)
  if [ -n "$secret" ]; then
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

# An interrupted teardown leaves the root suspended. A new reconciliation is requested, because the root's Ready
# condition may be older than this run.
requested=''

resume() {
  requested="$(date -u +%Y-%m-%dT%H:%M:%SZ)-$$"
  kubectl_ patch kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --type merge --patch \
    '{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"'"$requested"'"}},"spec":{"suspend":false}}' >/dev/null
}

# Applies the Secret that Flux clones with, if GIT_PASSWORD (https) or GIT_SSH_KEY_FILE (ssh) is set.
git_credentials() {
  if has_git_password; then
    printenv GIT_PASSWORD | tr -d '\n' | secret_from flux-system --from-literal "username=${GIT_USERNAME:-git}" --from-file password=/dev/stdin
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    secret_from flux-system --from-file "identity=$GIT_SSH_KEY_FILE" --from-file "known_hosts=${GIT_KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts}"
  fi
}

reconciled() {
  local what root=kustomization.kustomize.toolkit.fluxcd.io/flux-system
  if with_progress 'waiting for Flux' kubectl_ wait "$root" --namespace flux-system --for="jsonpath={.status.lastHandledReconcileAt}=$requested" --timeout="$ROOT_TIMEOUT" >/dev/null &&
    with_progress 'waiting for Flux' kubectl_ wait "$root" --namespace flux-system --for=condition=Ready --timeout="$ROOT_TIMEOUT" >/dev/null; then
    outcome=$(kubectl_ get "$root" --namespace flux-system --output 'jsonpath={.status.lastAppliedRevision}')
    return
  fi
  for what in gitrepository kustomization.kustomize.toolkit.fluxcd.io; do
    kubectl_ get "$what" flux-system --namespace flux-system \
      --output 'jsonpath={.kind} {.metadata.name}: {.status.conditions[?(@.type=="Ready")].message}{"\n"}' >>"$SCRATCH/conditions" || true
  done
  fail 1 "Flux did not reconcile flux-system within $ROOT_TIMEOUT:
$(cat "$SCRATCH/conditions")" "push branch $GIT_BRANCH with $FLUX_PATH to $GIT_URL, and check that Flux can read the repository"
}
