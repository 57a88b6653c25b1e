# --- images ------------------------------------------------------------------

# Names of the repositories in the registry. known_digest_of queries only these repositories, because the registry's
# error for a missing repository cannot be distinguished from other errors.
repositories=''

list_repositories() {
  mkdir -p "$STATE/images"
  repositories=$(query acr repository list --name "$REGISTRY")
}

# digest_of <image>: prints the digest of an image in the registry; prints nothing if its tag does not exist.
digest_of() {
  query acr repository show-tags --name "$REGISTRY" --repository "${1%:*}" --detail --query "[?name=='${1##*:}'].digest | [0]"
}

# known_digest_of <image>: prints the digest of an image. Prints nothing if its repository or its tag does not exist.
known_digest_of() {
  ! printf '%s\n' "$repositories" | grep -xF "${1%:*}" >/dev/null || digest_of "$1"
}

# record_digest <image> <digest>: writes the digest to $STATE/images, as a record for the user.
record_digest() {
  printf '%s@%s\n' "$1" "$2" >"$STATE/images/$(printf '%s' "$1" | tr '/:' '__')"
}

{{#if images}}
IMAGES=(
{{#each images}}
  {{source}} {{target}}
{{/each}}
)

# import_from <source> <arguments of az…>: runs az. If the image is from Docker Hub and DOCKERHUB_TOKEN is set, passes
# the credentials of Docker Hub to az. az reads the token from stdin, so that no command-line argument contains the
# token.
import_from() {
  local source=$1 try
  shift
  if [ "${source#docker.io/}" = "$source" ] || ! has_docker_token; then
    az_ "$@"
    return
  fi
  for try in 1 2 3; do
    printenv DOCKERHUB_TOKEN | tr -d '\n' | TRIES=1 az_ "$@" --username "$DOCKERHUB_USERNAME" --password @- && return
    is_transient "$SCRATCH/error" || return
    sleep $((try * RETRY_SECONDS))
  done
  printenv DOCKERHUB_TOKEN | tr -d '\n' | TRIES=1 az_ "$@" --username "$DOCKERHUB_USERNAME" --password @-
}

# import_image <source> <target>: imports one image. Runs in a subshell, with a separate $SCRATCH for each image.
import_image() {
  local digest
  SCRATCH="$SCRATCH/$(printf '%s' "$2" | tr '/:' '__')"
  mkdir -p "$SCRATCH"
  digest=$(known_digest_of "$2") || return 1
  if [ -z "$digest" ]; then
    import_from "$1" acr import --name "$REGISTRY" --resource-group "$RESOURCE_GROUP" --source "$1" --image "$2" --force --output none || return 1
    digest=$(digest_of "$2") || return 1
    note "imported $2"
    : >"$SCRATCH/imported"
  fi
  record_digest "$2" "$digest"
}

mirror_images() {
  local i=0 jobs=() job failed=0 imported
  list_repositories
  while [ "$i" -lt "${#IMAGES[@]}" ]; do
    import_image "${IMAGES[$i]}" "${IMAGES[$((i + 1))]}" &
    jobs+=("$!")
    i=$((i + 2))
    if [ "${#jobs[@]}" -eq "$PARALLEL" ] || [ "$i" -ge "${#IMAGES[@]}" ]; then
      for job in "${jobs[@]}"; do wait "$job" || failed=$((failed + 1)); done
      jobs=()
    fi
  done
  imported=$(find "$SCRATCH" -name imported | wc -l | tr -d ' ')
  if [ "$failed" -gt 0 ]; then
    cat "$SCRATCH"/*/error >"$SCRATCH/error"
    exit 1
  fi
  outcome="$imported imported, $((${#IMAGES[@]} / 2 - imported)) already in the registry; digests in $STATE/images"
}
{{/if}}

{{#if clientImage}}
client_image() {
  local digest
  list_repositories
  digest=$(known_digest_of "$CLIENT_IMAGE")
  if [ -n "$digest" ]; then
    outcome='already exists'
  elif [ ! -f {{clientImage.sources}}/Dockerfile ]; then
    outcome="not built, because {{clientImage.sources}}/Dockerfile is missing; the client's pods cannot start until $CLIENT_IMAGE is pushed to $REGISTRY"
    return
  else
    TRIES=1 with_progress 'building the image' az_ acr build --registry "$REGISTRY" --resource-group "$RESOURCE_GROUP" --image "$CLIENT_IMAGE" --output none \
      {{clientImage.sources}} >"$STATE/build.log" || fail 1 "$(cat "$SCRATCH/error")" "read the build log, $STATE/build.log"
    digest=$(digest_of "$CLIENT_IMAGE")
    outcome="built; log in $STATE/build.log"
  fi
  record_digest "$CLIENT_IMAGE" "$digest"
}
{{/if}}
