# --- Flux --------------------------------------------------------------------

# Applies the namespace flux-system. A label of the namespace disables Linkerd's webhooks in the namespace, so that Flux
# can repair Linkerd while the proxy injector is down.
flux_namespace() {
  apply <<'YAML'
{{{manifests.namespace}}}
YAML
  outcome='applied'
}

# Prints the host of the ssh URL in $GIT_URL in the format of the file known_hosts: `host`, or `[host]:port`.
git_host() {
  local host=${GIT_URL#ssh://}
  host=${host%%/*}
  host=${host##*@}
  case $host in *:*) printf '[%s]:%s' "${host%:*}" "${host##*:}" ;; *) printf '%s' "$host" ;; esac
}

# Prints the lines of the file known_hosts that contain the repository's host. The script copies only these lines into
# the cluster.
known_host() {
  ssh-keygen -F "$(git_host)" -f "${GIT_KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts}" | grep -v '^#'
}

# Succeeds if the script installs Flux with `flux bootstrap`. This requires that the flux CLI is installed, and that
# credentials to push are available: GIT_PASSWORD is set, or the URL of the repository is an ssh URL.
uses_flux_cli() {
  command -v flux >/dev/null 2>&1 && { has_git_password || [ "${GIT_URL%%:*}" = ssh ]; }
}

# Checks the credentials for the repository before the script creates anything.
git_access() {
  if [ "${GIT_URL%%:*}" = ssh ] && [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    [ -r "$GIT_SSH_KEY_FILE" ] || fail 2 "GIT_SSH_KEY_FILE: cannot read $GIT_SSH_KEY_FILE" 'set GIT_SSH_KEY_FILE to a private key that can read the repository'
    known_host >/dev/null 2>&1 || fail 2 "${GIT_KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts} does not contain the host $(git_host)" \
      "get the host's public key with ssh-keyscan, check the key, and add it to this file; or set GIT_KNOWN_HOSTS_FILE to a file that contains the key"
  fi
  if uses_flux_cli && command -v git >/dev/null 2>&1; then can_push; fi
}

# Checks with a dry run that the credentials can push to the repository, because `flux bootstrap` pushes to the
# repository. Does not change the repository.
can_push() {
  local ssh='ssh -o BatchMode=yes -o ConnectTimeout=10'
  [ -z "${GIT_SSH_KEY_FILE:-}" ] || ssh="$ssh -i '$GIT_SSH_KEY_FILE' -o IdentitiesOnly=yes"
  cat >"$SCRATCH/askpass" <<'SH'
#!/bin/sh
case $1 in Username*) printenv GIT_USERNAME || echo git ;; *) printenv GIT_PASSWORD ;; esac
SH
  chmod 700 "$SCRATCH/askpass"
  GIT_ASKPASS="$SCRATCH/askpass" GIT_TERMINAL_PROMPT=0 GIT_SSH_COMMAND=$ssh git -c credential.helper= \
    push --dry-run --no-verify --quiet "$GIT_URL" HEAD:refs/heads/meshops-push-check 2>"$SCRATCH/error" ||
    fail 1 "cannot push to $GIT_URL: $(grep -m 1 . "$SCRATCH/error")" \
      'allow the credentials to push, because flux bootstrap pushes to the repository; or remove flux from the PATH: the script then applies the install manifests of Flux'
}

# Succeeds if this machine has an ssh key with which Flux can read the repository. Also succeeds if the URL of the
# repository is not an ssh URL, because Flux then needs no ssh key.
has_ssh_key() {
  [ "${GIT_URL%%:*}" != ssh ] || [ -n "${GIT_SSH_KEY_FILE:-}" ] || { uses_flux_cli && ssh-add -l >/dev/null 2>&1; }
}

no_ssh_key() {
  fail 2 "Flux has no ssh key for $GIT_URL" 'set GIT_SSH_KEY_FILE to a private key that can read the repository, such as a deploy key'
}

# Checks the Flux that is already installed in the cluster, before the script creates anything. The script changes the
# version of this Flux only if --upgrade-flux is set.
existing_flux() {
  local version other
{{#if azure}}
  [ "$(cluster_state)" = Succeeded ] || {
    has_ssh_key || no_ssh_key
    outcome='no cluster yet'
    return
  }
  credentials
  kubectl_ get --raw /version >/dev/null || {
    outcome='the cluster does not respond yet'
    return
  }
{{/if}}
  # An earlier run may have stored an ssh key in the Secret flux-system in the cluster.
  has_ssh_key || [ -n "$(managers_of flux-system flux-system)" ] || no_ssh_key
  list_kinds
  other=$(other_root)
  [ -z "$other" ] || [ "${MESHOPS_TAKE_OVER:-}" = yes ] || fail 1 "Flux in this cluster syncs another repository or path: $other" \
    "check the kubectl context; to let the other repository apply this environment, set gitops.root in $SPEC; if the other repository or path is no longer needed, set MESHOPS_TAKE_OVER=yes. Flux then syncs $GIT_URL, ./$FLUX_PATH, and deletes the objects of the other repository or path"
  version=$(flux_version)
  outcome=${version:-none}
  if [ -z "$version" ] || [ "$UPGRADE_FLUX" = yes ]; then return; fi
  if is_older "$version" "$FLUX_MINIMUM"; then
    fail 1 "Flux $version in this cluster is older than $FLUX_MINIMUM, and rejects the generated HelmReleases" \
      "upgrade Flux yourself, or run meshops bootstrap $ENVIRONMENT with --upgrade-flux, which installs $FLUX_VERSION"
  fi
  [ "${FLUX_WANTED:-$version}" = "$version" ] || outcome="$version is kept; to install $FLUX_WANTED, use --upgrade-flux"
}

# Succeeds if GIT_PASSWORD is set and not empty. Does not expand the variable, because `bash -x` would print its value.
has_git_password() {
  printenv GIT_PASSWORD | grep . >/dev/null
}

# Installs Flux. `flux bootstrap` pushes Flux's manifests to Git, so it needs ssh or a token in GIT_PASSWORD. Without
# these credentials, or without the flux CLI, the script applies Flux's install manifests directly. If Flux is already
# installed, the script keeps its version. The script installs another version over an existing Flux only if
# --upgrade-flux is set.
install_flux() {
  local version
  version=$(flux_version)
  if [ -n "$version" ] && { [ "$UPGRADE_FLUX" != yes ] || [ "$FLUX_VERSION" = "$version" ]; }; then
    outcome="already installed, $version"
    # If an earlier run was interrupted, it may have installed Flux without setting the feature gates.
    case $(kubectl_ get deployment kustomize-controller --namespace flux-system --show-managed-fields \
      --output 'jsonpath={.metadata.managedFields[*].manager}') in *meshops-flux*) cancel_health_checks ;; esac
    follow
  elif uses_flux_cli; then
    flux_by_cli
    # Flux's manifests are now in Git, so Flux would revert feature gates that this script sets in the cluster.
    outcome='installed by flux bootstrap; to make Flux apply a pushed fix at once, commit the patch that meshops help status shows'
  else
    # Use a separate field manager, because Flux's install manifests also contain the namespace flux-system. If the
    # script applied these manifests with the field manager meshops, the API server would remove the labels and
    # annotations that flux_namespace applied.
    kubectl_ apply --server-side --force-conflicts --field-manager=meshops-flux -f "$FLUX_MANIFESTS" >/dev/null
    cancel_health_checks
    with_progress 'starting Flux' kubectl_ wait deployment --all --namespace flux-system --for=condition=Available --timeout=10m >/dev/null
    outcome="installed from $FLUX_MANIFESTS"
    follow
  fi
  resume
}

# Sets the feature gate CancelHealthCheckOnNewRevision. With this feature gate, Flux applies a new commit at once,
# without waiting for the health checks of the previous commit. A controller with an unknown feature gate does not
# start, so the script checks the version of Flux first. kustomize-controller supports this feature gate since Flux 2.7,
# helm-controller since Flux 2.8. Before Flux 2.8.2, helm-controller with this feature gate cancelled its own installs.
cancel_health_checks() {
  local version controller since arguments
  version=$(flux_version)
  while read -r controller since; do
    ! is_older "$version" "$since" || continue
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
    --version "$FLUX_VERSION" ${login[@]+"${login[@]}"} >&2 || fail 1 'flux bootstrap failed; see its output above' 'fix the error in the output of flux'
}

# Applies the GitRepository and the root Kustomization. The GitRepository refers to the Secret with the Git credentials
# if that Secret exists in the cluster.
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

# Resumes the root Kustomization, because an interrupted teardown leaves it suspended. Requests a reconciliation,
# because the Ready condition of the root Kustomization may be older than this run.
requested=''

resume() {
  requested="$(date -u +%Y-%m-%dT%H:%M:%SZ)-$$"
  kubectl_ patch kustomization.kustomize.toolkit.fluxcd.io flux-system --namespace flux-system --type merge --patch \
    '{"metadata":{"annotations":{"reconcile.fluxcd.io/requestedAt":"'"$requested"'"}},"spec":{"suspend":false}}' >/dev/null
}

# Applies the Secret with Flux's Git credentials if GIT_PASSWORD (https) or GIT_SSH_KEY_FILE (ssh) is set.
git_credentials() {
  if has_git_password; then
    printenv GIT_PASSWORD | tr -d '\n' | secret_from flux-system flux-system --from-literal "username=${GIT_USERNAME:-git}" --from-file password=/dev/stdin
  elif [ -n "${GIT_SSH_KEY_FILE:-}" ]; then
    known_host | secret_from flux-system flux-system --from-file "identity=$GIT_SSH_KEY_FILE" --from-file known_hosts=/dev/stdin
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
