# --- Azure -------------------------------------------------------------------

# az_ <arguments…>: runs az in the environment's subscription and saves its stderr in $SCRATCH/error. Retries transient
# errors, up to $TRIES attempts (default 4). Returns 3 if the resource does not exist.
az_() {
  local try status
  for try in 1 2 3 4; do
    status=0
    az "$@" --subscription "$SUBSCRIPTION" --only-show-errors 2>"$SCRATCH/error" || status=$?
    if [ "$status" -eq 0 ] || [ "$status" -eq 3 ] || [ "$try" -ge "${TRIES:-4}" ] || ! is_transient "$SCRATCH/error"; then return "$status"; fi
    note "az $1 $2: $(grep -m 1 . "$SCRATCH/error"); retrying in $((try * RETRY_SECONDS)) s"
    sleep $((try * RETRY_SECONDS))
  done
}

# is_transient <file>: succeeds if the file contains an error that is often temporary, so that a retry can succeed.
is_transient() {
  grep -qE 'TooManyRequests|\(429\)|ServiceUnavailable|InternalServerError|GatewayTimeout|ServerTimeout|Read timed out|ConnectTimeout|Connection (aborted|reset|broken)|RemoteDisconnected|connection was forcibly closed|PrincipalNotFound' "$1"
}

# query <arguments…>: prints the output of az as plain text. Prints nothing if the resource does not exist. Assign the
# output of query to a variable in a separate statement. In a condition or in the header of a loop, the shell would
# ignore a failure of query and use an empty string.
query() {
  local status=0
  az_ "$@" --output tsv || status=$?
  [ "$status" -eq 3 ] || return "$status"
}

account() {
  local name
  SUBSCRIPTION=$(az account show ${WANTED_SUBSCRIPTION:+--subscription "$WANTED_SUBSCRIPTION"} --query id --output tsv --only-show-errors 2>"$SCRATCH/error") || exit 3
  name=$(query account show --query name)
  outcome="$name ($SUBSCRIPTION)"
}
