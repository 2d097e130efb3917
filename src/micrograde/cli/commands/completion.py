"""Print a script that lets a shell complete commands, keys and choices.

What can follow is asked of Hydra, which knows the keys and groups of the
config that is typed so far.
"""

import argparse

from micrograde.cli.main import command_names

_SCRIPTS = {
    "bash": r"""
_micrograde_completion() {
    local word="${COMP_WORDS[COMP_CWORD]}" line="${COMP_LINE:0:COMP_POINT}" choices
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "COMMANDS" -- "$word"))
        COMPREPLY=("${COMPREPLY[@]/%/ }")
        return
    fi
    choices=$(COMP_LINE="${line#* }" "${COMP_WORDS[0]}" "${COMP_WORDS[1]}" -sc query=bash 2>/dev/null)
    COMPREPLY=($(compgen -o default -W "$choices" -- "$word"))
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
complete -o nospace -o default -F _micrograde_completion micrograde
""",
    "zsh": r"""
_micrograde() {
    local -a choices
    if (( CURRENT == 2 )); then
        compadd -- COMMANDS
        return
    fi
    choices=(${=$(COMP_LINE="${(j: :)words[2,CURRENT]}" ${words[1]} ${words[2]} -sc query=bash 2>/dev/null)})
    if (( $#choices )); then compadd -S '' -- $choices; else _files; fi
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _micrograde micrograde
""",
    "fish": r"""
function __micrograde_complete
    set -l words (commandline -cpo)
    set -l line (string replace -r '^\S+\s+' '' -- (commandline -cp))
    COMP_LINE=$line $words[1] $words[2] -sc query=fish 2>/dev/null
end
complete -c micrograde -n '__fish_use_subcommand' -x -a 'COMMANDS'
complete -c micrograde -n 'not __fish_use_subcommand' -a '(__micrograde_complete)'
""",
}

_INSTALL = {
    "bash": "echo 'eval \"$(micrograde completion bash)\"' >> ~/.bashrc",
    "zsh": "echo 'eval \"$(micrograde completion zsh)\"' >> ~/.zshrc",
    "fish": "mkdir -p ~/.config/fish/completions\n        "
    "micrograde completion fish > ~/.config/fish/completions/micrograde.fish",
}


def main() -> None:
    """Print the script of the shell that is named."""
    lines = [f"  {shell:<5} {command}" for shell, command in _INSTALL.items()]
    parser = argparse.ArgumentParser(
        description=f"{__doc__}\nInstall it once:\n\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=list(_SCRIPTS), help="the shell that the script is for")
    shell = parser.parse_args().shell
    print(_SCRIPTS[shell].strip().replace("COMMANDS", " ".join(command_names())))
