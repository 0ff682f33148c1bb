"""Scripts that complete commands, options, choices and files in bash, zsh and fish.

They hold the whole table, so that completing a word starts no process.
"""

from __future__ import annotations

from rtkpos.app.command_table.commands import HELP, ROOT, all_commands
from rtkpos.app.command_table.option import FILE, FLAG, FOLDER, Command, Option


def completion_script(shell: str) -> str:
    """The script for "bash", "zsh" or "fish"."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell]()


def _groups() -> list[Command]:
    """The commands that are followed by another: `rtkpos` itself and the groups."""
    return [ROOT, *(one for one in ROOT.commands if one.commands)]


def _last(command: Command) -> str:
    """The last word of a command's name."""
    return command.name.rpartition(" ")[2]


def _options(command: Command) -> list[Option]:
    """The options to complete: those of the table and help."""
    return [*command.shown_options, *([] if command is ROOT else [HELP])]


def _flags(command: Command) -> str:
    """All options of a command in one line, the long ones only."""
    return " ".join(one.flags[-1] for one in _options(command))


# --- bash ---------------------------------------------------------------------------------------

_BASH = """\
# Completion of rtkpos for bash: eval "$(rtkpos completion bash)"
_rtkpos() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command=${{COMP_WORDS[1]}} words=''
    if [ "$current" = = ]; then
        current=''
    elif [ "$previous" = = ]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case "$command" in
        {groups}) ((COMP_CWORD > 2)) && command="$command ${{COMP_WORDS[2]}}" ;;
    esac
    ((COMP_CWORD == 1)) && command=''
    COMPREPLY=()
    case "$command:$previous" in
{values}
        *)
            case "$command:$current" in
{flags}
{arguments}
            esac
            ;;
    esac
    compopt -o filenames 2> /dev/null
    if [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
    elif [ "${{current:0:1}}" != - ]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}}
complete -F _rtkpos rtkpos
"""


def _bash() -> str:
    """The script for bash."""
    values, flags, arguments = [], [], []
    for command in (*_groups(), *all_commands()):
        for option in _options(command):
            if option.words:
                names = "|".join(f"'{command.name}:{flag}'" for flag in option.flags)
                values.append(f"        {names}) words='{' '.join(option.words)}' ;;")
            elif option.takes == FOLDER:
                names = "|".join(f"'{command.name}:{flag}'" for flag in option.flags)
                values.append(
                    f'        {names}) mapfile -t COMPREPLY < <(compgen -d -- "$current")\n'
                    "            compopt -o filenames 2> /dev/null\n            return ;;"
                )
        flags.append(f"                '{command.name}:-'*) words='{_flags(command)}' ;;")
        words = _words_of(command)
        if words:
            arguments.append(f"                '{command.name}:'*) words='{words}' ;;")
    groups = "|".join(one.name for one in _groups()[1:])
    return _BASH.format(
        groups=groups,
        values="\n".join(values),
        flags="\n".join(flags),
        arguments="\n".join(arguments),
    )


def _words_of(command: Command) -> str:
    """What may stand in the place of an argument: commands or choices; "" for files."""
    if command.commands:
        return " ".join(_last(one) for one in command.commands)
    return " ".join(word for one in command.arguments for word in one.words)


# --- zsh ----------------------------------------------------------------------------------------


def _zsh() -> str:
    """The script for zsh."""
    parts = ["#compdef rtkpos", '# Completion of rtkpos for zsh: eval "$(rtkpos completion zsh)"']
    parts += [_zsh_group(one) for one in _groups()]
    parts += [_zsh_command(one) for one in all_commands()]
    parts.append(
        'if [ "$funcstack[1]" = _rtkpos ]; then\n    _rtkpos "$@"\nelse\n'
        "    compdef _rtkpos rtkpos\nfi"
    )
    return "\n\n".join(parts) + "\n"


def _zsh_name(command: Command) -> str:
    """Name of the function of a command."""
    return "_".join(["_rtkpos", *command.name.split()])


def _zsh_group(group: Command) -> str:
    """The function of a group: the word behind it, then the function of that command."""
    rows = [f"        '{_last(one)}:{_zsh_text(one.text)}'" for one in group.commands]
    cases = [f"                {_last(one)}) {_zsh_name(one)} ;;" for one in group.commands]
    options = [f"        {_zsh_option(one)} \\" for one in _options(group)]
    return "\n".join(
        [
            f"{_zsh_name(group)}() {{",
            "    local context state state_descr line",
            "    typeset -A opt_args",
            "    local -a commands=(",
            *rows,
            "    )",
            "    _arguments -C \\",
            *options,
            "        '1:command:->command' '*::argument:->argument'",
            "    case $state in",
            "        command) _describe command commands ;;",
            "        argument)",
            "            case $line[1] in",
            *cases,
            "            esac",
            "            ;;",
            "    esac",
            "}",
        ]
    )


def _zsh_command(command: Command) -> str:
    """The function of a command."""
    rows = [_zsh_option(one) for one in _options(command)]
    for argument in command.arguments:
        place = "*" if argument.is_many else ""
        rows.append(f"'{place}:{argument.shown.lower()}:{_zsh_action(argument)}'")
    body = " \\\n".join(f"        {row}" for row in rows)
    return f"{_zsh_name(command)}() {{\n    _arguments -s \\\n{body}\n}}"


def _zsh_option(option: Option) -> str:
    """An option as _arguments wants it."""
    flags = option.flags
    text = f"[{_zsh_text(option.meaning)}]"
    if option.takes != FLAG:
        text += f":{option.name}:{_zsh_action(option)}" + ": : :" * (option.n_value > 1)
    if option.is_many:
        return " ".join(f"'*{flag}{text}'" for flag in flags)
    if len(flags) == 1:
        return f"'{flags[0]}{text}'"
    return f"'({' '.join(flags)})'{{{','.join(flags)}}}'{text}'"


def _zsh_action(value: Option) -> str:
    """What completes a value."""
    if value.words:
        return f"({' '.join(value.words)})"
    return {FILE: "_files", FOLDER: "_files -/"}.get(value.takes, " ")


def _zsh_text(text: str) -> str:
    """A description without what zsh reads as syntax."""
    for sign, harmless in (("'", "’"), (":", ","), ("[", "("), ("]", ")"), ("`", "")):
        text = text.replace(sign, harmless)
    return text


# --- fish ---------------------------------------------------------------------------------------


def _fish() -> str:
    """The script for fish."""
    lines = [
        "# Completion of rtkpos for fish: ~/.config/fish/completions/rtkpos.fish",
        "function __rtkpos_at",
        "    set -l words (commandline -opc)",
        '    test (string join " " -- $words[2..(math 1 + (count $argv))]) = "$argv"',
        "end",
        "complete -c rtkpos -f",
    ]
    for group in _groups():
        names = [_last(one) for one in group.commands]
        condition = (
            f"{_fish_at(group)}; and not __fish_seen_subcommand_from {' '.join(names)}"
            if group.commands and group is not ROOT
            else "__fish_use_subcommand"
        )
        lines += [
            f"complete -c rtkpos -n '{condition}' -a {_last(one)} -d '{_fish_text(one.text)}'"
            for one in group.commands
        ]
        lines += [
            f"complete -c rtkpos -n '{condition}' {_fish_option(one)}" for one in _options(group)
        ]
    for command in all_commands():
        here = f"complete -c rtkpos -n '{_fish_at(command)}'"
        lines += [f"{here} {_fish_option(one)}" for one in _options(command)]
        for argument in command.arguments:
            lines.append(f"{here} {_fish_argument(argument)}")
    return "\n".join(lines) + "\n"


def _fish_at(command: Command) -> str:
    """The condition that the words begin with a command."""
    return f"__rtkpos_at {command.name}"


def _fish_option(option: Option) -> str:
    """An option as fish wants it."""
    words = [f"-s {option.short}"] if option.short else []
    words += [f"-l {option.name}", f"-d '{_fish_text(option.meaning)}'"]
    if option.takes != FLAG:
        words.append("-r")
        if option.words:
            words.append(f"-a '{' '.join(option.words)}'")
        elif option.takes == FILE:
            words.append("-F")
        elif option.takes == FOLDER:
            words.append("-a '(__fish_complete_directories)'")
    return " ".join(words)


def _fish_argument(argument: Option) -> str:
    """An argument as fish wants it."""
    if argument.words:
        return f"-a '{' '.join(argument.words)}'"
    return "-F" if argument.takes == FILE else "-f"


def _fish_text(text: str) -> str:
    """A description within single quotes."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
