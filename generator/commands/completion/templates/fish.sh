# Completion of meshops for fish: meshops completion fish | source
function __meshops_candidates
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..] 2>/dev/null
end
complete -c meshops -e
complete -c meshops -n 'count (__meshops_candidates) >/dev/null' -f -a '(__meshops_candidates)'
