# SPDX-License-Identifier: ISC
#
# Completion for bash: source tools/control/motet.bash

_motet() {
    local commands='ps top log stats restart kill' word=${COMP_WORDS[COMP_CWORD]}
    local before=${COMP_WORDS[COMP_CWORD - 1]} command="" options='--json --socket --timeout --help' i
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} == -* ]] || {
            command=${COMP_WORDS[i]}
            break
        }
    done
    case $before in
    --socket)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --timeout | --interval | --count) return ;;
    esac
    case $command in
    '')
        mapfile -t COMPREPLY < <(compgen -W "$commands --help" -- "$word")
        return
        ;;
    top) options="$options --interval --count" ;;
    log) options="$options --follow" ;;
    stats) options="$options --all" ;;
    esac
    case $command.$word in
    *.-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word") ;;
    log.* | stats.* | restart.* | kill.*)
        # The domains of the image that runs, if one does.
        mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" ps --json --timeout 500 2>/dev/null |
            sed -n 's/^  {"domain": "\([a-z0-9_]*\)".*/\1/p')" -- "$word")
        ;;
    esac
}
complete -F _motet motet tools/motet build/tools/motet
