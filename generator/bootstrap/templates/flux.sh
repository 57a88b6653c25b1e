# --- Flux --------------------------------------------------------------------

{{> kubectl}}

# apply: makes what stdin says so; the objects go through no file.
apply() {
  kubectl_ apply --server-side --force-conflicts --field-manager=meshops -f - >/dev/null
}

# Linkerd's webhooks skip this namespace, so that Flux can fix the mesh while its injector is down.
flux_namespace() {
  apply <<'YAML'
{{{manifests.namespace}}}
YAML
  outcome='there'
}

# secret_from <name> <arguments…>: a Secret of flux-system, of what stdin and files hold: no argument and no variable holds it.
secret_from() {
  local name=$1
  shift
  kubectl --context "${CONTEXT:?}" create secret generic "$name" --namespace flux-system --dry-run=client --output yaml "$@" 2>"$SCRATCH/create" | apply || {
    [ ! -s "$SCRATCH/create" ] || cp "$SCRATCH/create" "$SCRATCH/error"
    exit 1
  }
}

# The key goes from meshops to the cluster through pipes. First it is seen to be there: an empty one would take the good one's place.
age_key() {
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/error" | grep '^AGE-SECRET-KEY-' >/dev/null || exit 3
  meshops identity age-key "$ENVIRONMENT" 2>"$SCRATCH/export" | secret_from sops-age --from-file=age.agekey=/dev/stdin
  outcome='there'
}

flux_version() {
  kubectl_ get deployment kustomize-controller --namespace flux-system --ignore-not-found \
    --output 'jsonpath={.metadata.labels.app\.kubernetes\.io/version}'
}

# A variable that is set and not empty, without the trace of this script showing what it holds.
has_git_password() {
  printenv GIT_PASSWORD | grep . >/dev/null
}

# `flux bootstrap` commits Flux's own manifests, so it must be able to push: by ssh, or with a token in GIT_PASSWORD.
# Without that, or without the flux CLI, Flux is applied from its install manifests. Any Flux that is there will do, unless the spec names another.
install_flux() {
  local version other
  list_kinds
  other=$(other_root)
  [ -z "$other" ] || [ "${MESHOPS_TAKE_OVER:-}" = yes ] || fail 1 "Flux in this cluster follows something else: $other" \
    "is it the right cluster? to have it follow $GIT_URL, ./$FLUX_PATH, which removes what it has brought: MESHOPS_TAKE_OVER=yes"
  version=$(flux_version)
  if [ -n "$version" ] && [ "${FLUX_VERSION:-$version}" = "$version" ]; then
    outcome="already there, $version"
    # A run that was interrupted may have left out the gates of a Flux that this script installed.
    case $(kubectl_ get deployment kustomize-controller --namespace flux-system --show-managed-fields \
      --output 'jsonpath={.metadata.managedFields[*].manager}') in *meshops-flux*) cancel_health_checks ;; esac
    follow
  elif command -v flux >/dev/null 2>&1 && { has_git_password || [ "${GIT_URL%%:*}" = ssh ]; }; then
    flux_by_cli
    # Flux's own manifests are in Git now, and a change in the cluster would be undone.
    outcome='installed by flux bootstrap; docs/status.md has a patch that lets pushed fixes apply at once'
  else
    # As a manager of its own: what the manifests say of the namespace must not take away what this script says of it.
    kubectl_ apply --server-side --force-conflicts --field-manager=meshops-flux -f "$FLUX_MANIFESTS" >/dev/null
    cancel_health_checks
    patiently 'starting Flux' kubectl_ wait deployment --all --namespace flux-system --for=condition=Available --timeout=10m >/dev/null
    outcome="installed from $FLUX_MANIFESTS"
    follow
  fi
  resume
}

# Lets Flux apply a pushed fix at once, instead of after the health checks of what it fixes. An older controller does not start with an unknown
# gate. kustomize-controller has it from Flux 2.7 on; helm-controller from 2.8 on, and cancelled its own installs before 2.8.2.
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
    ${FLUX_VERSION:+--version "$FLUX_VERSION"} ${login[@]+"${login[@]}"} >&2 || fail 1 'flux bootstrap failed: see above' 'correct what it reports'
}

# The source and the root, with credentials where they are given now or are in the cluster already.
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

# A teardown that was broken off leaves the root suspended; and a root that was ready before tells nothing of now.
requested=''

resume() {
  requested="$(date -u +%Y-%m-%dT%H:%M:%SZ)-$$"
  kubectl_ patch kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --type merge --patch \
    '{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"'"$requested"'"}},"spec":{"suspend":false}}' >/dev/null
}

# The Secret that Flux clones with, from GIT_PASSWORD (https) or GIT_SSH_KEY_FILE (ssh), where one is given.
git_credentials() {
  if has_git_password; then
    printenv GIT_PASSWORD | tr -d '\n' | secret_from flux-system --from-literal "username=${GIT_USERNAME:-git}" --from-file password=/dev/stdin
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    secret_from flux-system --from-file "identity=$GIT_SSH_KEY_FILE" --from-file "known_hosts=${GIT_KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts}"
  fi
}

reconciled() {
  local what root=kustomization.kustomize.toolkit.fluxcd.io/flux-system
  if patiently 'waiting for Flux' kubectl_ wait "$root" --namespace flux-system --for="jsonpath={.status.lastHandledReconcileAt}=$requested" --timeout="$ROOT_TIMEOUT" >/dev/null &&
    patiently 'waiting for Flux' kubectl_ wait "$root" --namespace flux-system --for=condition=Ready --timeout="$ROOT_TIMEOUT" >/dev/null; then
    outcome=$(kubectl_ get "$root" --namespace flux-system --output 'jsonpath={.status.lastAppliedRevision}')
    return
  fi
  for what in gitrepository kustomization.kustomize.toolkit.fluxcd.io; do
    kubectl_ get "$what" flux-system --namespace flux-system \
      --output 'jsonpath={.kind} {.metadata.name}: {.status.conditions[?(@.type=="Ready")].message}{"\n"}' >>"$SCRATCH/conditions" || true
  done
  fail 1 "Flux has not reconciled flux-system within $ROOT_TIMEOUT:
$(cat "$SCRATCH/conditions")" "is branch $GIT_BRANCH pushed to $GIT_URL, with $FLUX_PATH in it, and can Flux read it?"
}
