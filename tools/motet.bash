# SPDX-License-Identifier: ISC
#
# Completion of tools/motet and tools/compose for bash: `. tools/motet.bash`, perhaps in ~/.bashrc.
# The commands and names are those of the tree that the command belongs to.

# The tree of the command that is completed; the present folder, if it was found in $PATH.
_motet_root() {
    local command=${COMP_WORDS[0]}
    case $command in
    */*) echo "$(dirname -- "${command/#\~/$HOME}")/.." ;;
    *) echo . ;;
    esac
}

_motet_images() {
    local path
    for path in "$1"/images/*.conf "$1"/tests/images/*.conf; do
        [ ! -e "$path" ] || basename "$path" .conf
    done
}

# The commands for a running image: "ps [--json]" and so on.
_motet_control() {
    [ ! -x "$1/build/tools/motet" ] || "$1/build/tools/motet" --help | sed -n 's/^  motet //p'
}

# The domains of the image that runs, if one does.
_motet_domains() {
    "$1/build/tools/motet" ps --json --timeout 500 2>/dev/null |
        sed -n 's/^ *{"domain": "\([a-z0-9_]*\)".*/\1/p'
}

_motet_options() {
    "$1/build/tools/motet" "$2" --help | grep -o -e '--[a-z]*'
}

_motet_words() {
    local root command=${COMP_WORDS[1]}
    root=$(_motet_root)
    if [ "$COMP_CWORD" -eq 1 ]; then
        echo "new run test explain check compose help"
        _motet_control "$root" | sed 's/ .*//'
        return
    fi
    case $command in
    new)
        [ "$COMP_CWORD" -gt 2 ] || echo "server driver"
        [ "${COMP_WORDS[2]}" = server ] && echo "--client --help"
        [ "${COMP_WORDS[2]}" = driver ] && echo "--class --pci --help own rng block net console clock"
        ;;
    run) [ "$COMP_CWORD" -eq 2 ] && _motet_images "$root" ||
        echo "PORT= MACHINE= MEDIUM= FIRMWARE= MEMORY= IOMMU= TRACE= APPEND= ZONES= DEBUG=" ;;
    test) ls "$root/servers" ;;
    explain) echo "--svg --file"; _motet_images "$root" ;;
    check) echo "--file"; _motet_images "$root" ;;
    compose) _compose_words "$root" ;;
    help)
        echo "new run test explain check compose help"
        _motet_control "$root" | sed 's/ .*//'
        ;;
    key | sign) # files
        [[ ${COMP_WORDS[COMP_CWORD]} != -* ]] || _motet_options "$root" "$command"
        ;;
    swap | zone) # behind these words come files
        case ${COMP_WORDS[COMP_CWORD]} in
        -*) _motet_options "$root" "$command" ;;
        *)
            [ "$COMP_CWORD" -eq 2 ] || return
            [ "$command" = zone ] && echo reload || _motet_domains "$root"
            ;;
        esac
        ;;
    *)
        _motet_options "$root" "$command"
        [[ $command == ps || $command == top ]] || _motet_domains "$root"
        ;;
    esac
}

_compose_words() {
    echo "--explain --check --svg --file --help"
    _motet_images "$1"
}

# Words that are no option's and no image's are files.
_motet() {
    local word=${COMP_WORDS[COMP_CWORD]}
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -W "$(_motet_words 2>/dev/null)" -- "$word"))
    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
}

_compose() {
    local word=${COMP_WORDS[COMP_CWORD]}
    # shellcheck disable=SC2207
    COMPREPLY=($(compgen -W "$(_compose_words "$(_motet_root)")" -- "$word"))
}

complete -o default -F _motet motet tools/motet ./tools/motet
complete -o default -F _compose compose tools/compose ./tools/compose
