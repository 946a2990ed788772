"""Find the vLLM command line in what people write as a container.

    line = command_line(build, pod, container)
    if isinstance(line, CommandLine):
        parsed = parse(line.texts, release, line.read, serve=line.serve)
        line.arguments[parsed.errors[0].index].path    # the field to point at

It may stand in `command` and `args`, in `args` alone behind the image's entrypoint, or in a script for `sh
-c`. What cannot be known is said, never guessed: a `NotRead` carries the reason.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from vllm_kustomize.kubernetes import images
from vllm_kustomize.kubernetes.pods import Container, Pod
from vllm_kustomize.model import Build, FieldPath, Offset
from vllm_kustomize.vllm.cli import catalog
from vllm_kustomize.vllm.container import shell
from vllm_kustomize.vllm.container.environment import (
    UNKNOWN,
    Expander,
    File,
    environment,
    may_have_more,
    mounted_file,
)
from vllm_kustomize.vllm.container.release import version_in

API_SERVER = "vllm.entrypoints.openai.api_server"

_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh"))
_WRAPPERS = frozenset(("exec", "env", "nohup", "tini", "dumb-init", "time", "command", "--"))
_SERVERS = re.compile(
    r"(?:[\w.]+-)?vllm(?:-(?:openai|serve|server|cpu|gpu|cuda|rocm|xpu|tpu|rhel\d+|ubi\d*))*"
)
"""Names of images that may well start a server; routers, exporters and frontends are called otherwise."""
_PYTHON = re.compile(r"python(?:3(?:\.\d+)?)?")
_SHELL_SCRIPT_OPTION = re.compile(r"-[a-z]*c")
_MODULE_ENTRYPOINT_BEFORE = (0, 11, 1)
"""Up to 0.11.0 the entrypoint was `python3 -m vllm.entrypoints.openai.api_server`, since then `vllm
serve`.
"""


FindFile = Callable[[str], "File | None"]
"""A file in the container by its path, or None where nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of the server and the field it comes from.

    `offset` is where in that field's text it begins, `verbatim` whether that text is as it is written.
    """

    text: str
    path: FieldPath
    offset: int = 0
    verbatim: bool = True


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What follows `vllm serve`, or with `serve` False what follows the module of the API server.

    `entrypoint` are words of `args` that repeat the image's entrypoint: the server takes the first for its
    model. `read` gives the text of a file that a ConfigMap of the build puts into the container.
    """

    arguments: tuple[Argument, ...]
    serve: bool = True
    entrypoint: tuple[Argument, ...] = ()
    file: FindFile = field(default=lambda _: None, compare=False)

    @property
    def texts(self) -> list[str]:
        """The arguments as `parse` takes them."""
        return [argument.text for argument in self.arguments]

    def read(self, name: str) -> str | None:
        """The text of a file in the container, or None where it is not known."""
        found = self.file(name)
        return found.text if found else None


@dataclass(frozen=True, slots=True)
class NotRead:
    """A container that runs vLLM, or may, with arguments that cannot be known."""

    reason: str


def command_line(build: Build, pod: Pod, container: Container) -> CommandLine | NotRead | None:
    """The command line of the vLLM server in a container; None for a container that runs something else."""
    words = _words(container)
    if isinstance(words, NotRead):
        return words
    variables = environment(build, pod, container)
    expander = Expander(variables, may_have_more(container) or pod.may_have("containers.env", container))
    words = [_expanded(word, expander) for word in words]

    def find(file: str) -> File | None:
        return mounted_file(build, pod, container, file)

    if container.spec.get("command"):
        line = _of_program(words, variables, find)
    else:
        line = _behind_entrypoint(container, words, find)
    if isinstance(line, CommandLine) and "--omni" in line.texts:
        return NotRead("--omni hands the command line to vLLM-Omni, whose options are not in the catalog")
    return line


def _expanded(word: Argument, expander: Expander) -> Argument:
    text = expander.expand(word.text)
    return Argument(text, word.path, verbatim=text == word.text)


def _words(container: Container) -> list[Argument] | NotRead:
    words: list[Argument] = []
    for key in ("command", "args"):
        value = container.spec.get(key)
        if value is None:
            continue
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            return NotRead(f"its {key} is not a list of strings")
        if any(UNKNOWN in item for item in value):
            return NotRead(f"its {key} holds a NUL character, which no program can be given")
        words += [Argument(item, (*container.path, key, index)) for index, item in enumerate(value)]
    return words


def _behind_entrypoint(
    container: Container, words: Sequence[Argument], find: FindFile
) -> CommandLine | NotRead | None:
    image = images.image_of(container.image)
    if image is None or image.entrypoint is None:
        line = _of_program(words, {}, find)
        if line is None and _SERVERS.fullmatch(images.parse(container.image).name):
            return NotRead(f"the entrypoint of the image {container.image} is not known; give a command")
        return line
    if image.entrypoint == "module":
        return CommandLine(tuple(words), serve=False, file=find)
    version, _ = version_in(container.image)
    serve = not version or catalog.version_key(version) >= _MODULE_ENTRYPOINT_BEFORE
    repeated = 0
    while repeated < min(2, len(words)) and words[repeated].text in ("vllm", "serve"):
        repeated += 1
    return CommandLine(tuple(words[repeated:]), serve, tuple(words[:repeated]), find)


def _of_program(
    words: Sequence[Argument], variables: Mapping[str, str], find: FindFile
) -> CommandLine | NotRead | None:
    """The server behind a program with its arguments, past whatever starts it in turn."""
    words = _unwrapped(words)
    if not words:
        return None
    program = words[0].text.rpartition("/")[2]
    if program == "vllm":
        return CommandLine(tuple(words[2:]), file=find) if _text(words, 1) == "serve" else None
    if _PYTHON.fullmatch(program):
        return _of_python(words[1:], find)
    if program in _SHELLS:
        return _of_shell(words[1:], variables, find)
    if UNKNOWN in program:
        return NotRead("which program it runs is known only in the cluster")
    if program.endswith((".sh", ".py")):
        return NotRead(f"what the script {words[0].text} does is not known")
    if any(word.text == "vllm" or API_SERVER in word.text for word in words):
        return NotRead(f"how {words[0].text} starts vLLM is not known")
    return None


def _unwrapped(words: Sequence[Argument]) -> Sequence[Argument]:
    """Without programs that only start another one, their options, and variables set for it."""
    position = 0
    wrapped = False
    while position < len(words):
        text = words[position].text
        if text.rpartition("/")[2] in _WRAPPERS:
            wrapped = True
        elif not wrapped or not (re.match(r"[A-Za-z_]\w*=", text) or text in ("-g", "-s", "-i", "-c")):
            break
        position += 1
    return words[position:]


def _of_python(words: Sequence[Argument], find: FindFile) -> CommandLine | NotRead | None:
    position = 0
    while _text(words, position).startswith("-") and _text(words, position) not in ("-m", "-c"):
        position += 2 if _text(words, position) in ("-W", "-X") else 1
    option, module, rest = _text(words, position), _text(words, position + 1), words[position + 2 :]
    if option == "-m" and module == API_SERVER:
        return CommandLine(tuple(rest), serve=False, file=find)
    if option == "-m" and module in ("vllm", "vllm.entrypoints.cli.main"):
        return CommandLine(tuple(rest[1:]), file=find) if _text(rest, 0) == "serve" else None
    if option == "-m" and module.startswith("vllm.entrypoints."):
        return NotRead(f"the options of the module {module} are not in the catalog")
    if option.endswith(".py") or "vllm" in f"{option} {module}":
        return NotRead("what its Python program does is not known")
    return None


def _of_shell(
    words: Sequence[Argument], variables: Mapping[str, str], find: FindFile
) -> CommandLine | NotRead | None:
    at = next((i for i, word in enumerate(words) if _SHELL_SCRIPT_OPTION.fullmatch(word.text)), None)
    if at is None or at + 1 >= len(words):
        script_file = next((word.text for word in words if not word.text.startswith("-")), "")
        return NotRead(f"what the script {script_file} does is not known") if script_file else None
    script = words[at + 1]
    try:
        found = shell.commands(script.text, variables, [word.text for word in words[at + 3 :]])
    except shell.Unreadable as unreadable:
        return NotRead(f"its shell script cannot be read: {unreadable}") if "vllm" in script.text else None
    lines = []
    for command in found:
        inner = [_word_of(script, word) for word in command.words]
        line = _of_program(inner, variables, find)
        if isinstance(line, CommandLine):
            lines.append(line)
        elif isinstance(line, NotRead) and "vllm" in script.text and len(found) == 1:
            return line
    if len(lines) > 1:
        return NotRead("its shell script has more than one command that starts vLLM")
    if not lines and "vllm" in script.text:
        return NotRead("its shell script does not show how it starts vLLM")
    return lines[0] if lines else None


def _word_of(script: Argument, word: shell.Word) -> Argument:
    """A word of a script as an argument; one of a script inside of another is where that one is."""
    if not script.verbatim or script.offset:
        return Argument(word.text, script.path, word.offset, script.verbatim)
    return Argument(word.text, (*script.path, Offset(word.offset)), word.offset)


def _text(words: Sequence[Argument], index: int) -> str:
    return words[index].text if index < len(words) else ""
