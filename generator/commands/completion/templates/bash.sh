# Completion of meshops for bash: eval "$(meshops completion bash)"
# shellcheck shell=bash
_meshops() {
  local value
  COMPREPLY=()
  while IFS=$'\t' read -r value _; do
    COMPREPLY+=("$value")
  done < <("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _meshops meshops
