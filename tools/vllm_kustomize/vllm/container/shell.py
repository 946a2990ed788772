"""Read the simple commands of a POSIX shell script, as far as they can be known without running it.

Words keep the offset at which they begin. What only the running shell knows (`$(date)`, an unset variable)
becomes the mark `UNKNOWN` and its own text. The grammar is that of the Shell Command Language, IEEE
1003.1-2017, 2.2 to 2.10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import dropwhile, takewhile

from vllm_kustomize.vllm.container.environment import LONGEST, UNKNOWN

_OPERATORS = ("&&", "||", ";;", ";", "&", "|", "(", ")", "\n")
_REDIRECTION = re.compile(r"\d*(?:>>|<<<|<<-?|<>|>&|<&|>\||<|>)(?!\()")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=")
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]")
_BRACED = re.compile(r"\{([A-Za-z_]\w*|[@*])(?:(:?[-+=?])([^{}]*))?\}")
_DEPTH = {"if": 1, "fi": -1, "for": 1, "while": 1, "until": 1, "done": -1, "case": 1, "esac": -1}
_RESERVED = frozenset((*_DEPTH, "then", "else", "elif", "do", "{", "}", "!"))
_TOO_LONG = f"{{}} longer than {LONGEST >> 10} KiB, the most that Linux gives a program as one argument"
_BLANK = " \t"
_PLAIN = re.compile(r"[^ \t\n;&|()<>'\"\\$`]+")
_PLAIN_IN_QUOTES = re.compile(r"[^\"\\$`]+")


class Unreadable(Exception):
    """The script cannot be read; the message says why."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word after quoting and expansion, and where in the script it begins."""

    text: str
    offset: int


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command without its assignments; `conditional` where the script decides whether it runs."""

    words: tuple[Word, ...]
    conditional: bool = False


def commands(script: str, variables: Mapping[str, str], arguments: Sequence[str] = ()) -> list[Command]:
    """The simple commands of a script in order.

    Raises `Unreadable` for broken quoting, for here-documents, and where variables expand to more text than
    Linux gives a program.

    `variables` is the environment, `arguments` what `$@` stands for. Words such as `then` are left out.
    """
    if len(script) > LONGEST:
        raise Unreadable(_TOO_LONG.format("it is"))
    return _Reader(script, dict(variables), tuple(arguments)).read()


@dataclass(slots=True)
class _Reader:
    script: str
    variables: dict[str, str]
    arguments: tuple[str, ...]
    position: int = 0
    depth: int = 0
    found: list[Command] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    expanded: int = 0

    def read(self) -> list[Command]:
        script = self.script
        while self.position < len(script):
            character = script[self.position]
            operator = next((each for each in _OPERATORS if script.startswith(each, self.position)), "")
            redirection = _REDIRECTION.match(script, self.position)
            if character in _BLANK:
                self.position += 1
            elif script.startswith("\\\n", self.position):
                self.position += 2
            elif character == "#":
                end = script.find("\n", self.position)
                self.position = len(script) if end < 0 else end
            elif redirection:
                self._redirect(redirection)
            elif operator:
                self._end_command()
                self.depth += {"(": 1, ")": -1}.get(operator, 0)
                self.position += len(operator)
            else:
                self.words += self._word()
        self._end_command()
        return self.found

    def _redirect(self, redirection: re.Match[str]) -> None:
        if redirection[0].lstrip("0123456789") in ("<<", "<<-"):
            raise Unreadable("it has a here-document")
        self.position = redirection.end()
        while self.position < len(self.script) and self.script[self.position] in _BLANK:
            self.position += 1
        self._word()

    def _end_command(self) -> None:
        words = self.words
        self.words = []
        reserved = list(takewhile(lambda word: word.text in _RESERVED, words))
        self.depth += sum(_DEPTH.get(word.text, 0) for word in reserved)
        words = words[len(reserved) :]
        exported = words[1:] if words and words[0].text == "export" else words
        if exported and all(_ASSIGNMENT.match(word.text) for word in exported):
            for word in exported:
                name, _, value = word.text.partition("=")
                self.variables[name] = value if self.depth == 0 else f"{UNKNOWN}${name}"
            return
        words = list(dropwhile(lambda word: _ASSIGNMENT.match(word.text), words))
        if words:
            self.found.append(Command(tuple(words), self.depth > 0))

    def _word(self) -> list[Word]:
        """One word, which expansion without quotes may split into several, or into none."""
        start = self.position
        pieces: list[str] = [""]
        quoted = False
        while self.position < len(self.script):
            character = self.script[self.position]
            if character in _BLANK or character == "\n" or character in ";&|()<>":
                break
            if character == "'":
                pieces[-1] += self._single_quoted()
                quoted = True
            elif character == '"':
                inner = self._double_quoted()
                pieces[-1] += inner[0]
                pieces += inner[1:]
                quoted = True
            elif character == "\\":
                if not self.script.startswith("\\\n", self.position):
                    pieces[-1] += self.script[self.position + 1 : self.position + 2]
                self.position += 2
            elif character in "$`":
                self._split_into(pieces, self._expansion())
            else:
                pieces[-1] += self._plain(_PLAIN)
        if self.position == start:  # an operator where a word was due, as in `> ;`
            self.position += 1
        return [Word(piece, start) for piece in pieces if piece or quoted]

    def _plain(self, pattern: re.Pattern[str]) -> str:
        """The characters at this position that stand for themselves, at least one."""
        match = pattern.match(self.script, self.position)
        assert match is not None
        self.position = match.end()
        return match[0]

    def _single_quoted(self) -> str:
        end = self.script.find("'", self.position + 1)
        if end < 0:
            raise Unreadable("a single quote is not closed")
        inner = self.script[self.position + 1 : end]
        self.position = end + 1
        return inner

    def _double_quoted(self) -> list[str]:
        """The text between double quotes; several only for `"$@"`."""
        self.position += 1
        parts = [""]
        while self.position < len(self.script):
            character = self.script[self.position]
            if character == '"':
                self.position += 1
                return parts
            if character == "\\":
                following = self.script[self.position + 1 : self.position + 2]
                if following in '$`"\\':
                    parts[-1] += following
                elif following != "\n":
                    parts[-1] += "\\" + following
                self.position += 2
            elif self.script.startswith('"$@"', self.position - 1) and self.arguments:
                parts = [self._limited(argument) for argument in self.arguments]
                self.position += 2
            elif character in "$`":
                parts[-1] += self._expansion()
            else:
                parts[-1] += self._plain(_PLAIN_IN_QUOTES)
        raise Unreadable("a double quote is not closed")

    @staticmethod
    def _split_into(pieces: list[str], value: str) -> None:
        """Add an expansion without quotes: blanks in it separate words. An unknown part stays in one
        piece.
        """
        if UNKNOWN in value:
            pieces[-1] += value
            return
        fields = re.split(r"[ \t\n]+", value)
        pieces[-1] += fields[0]
        pieces += fields[1:]

    def _expansion(self) -> str:
        """What stands for a `$...` or a backquote at this position."""
        script, start = self.script, self.position
        if script[start] == "`":
            end = script.find("`", start + 1)
            if end < 0:
                raise Unreadable("a backquote is not closed")
            return self._unknown(end + 1)
        if script.startswith("$(", start):
            return self._unknown(_closing_parenthesis(script, start + 1))
        if script.startswith("${", start):
            braced = _BRACED.match(script, start + 1)
            if braced is None:
                end = script.find("}", start)
                if end < 0:
                    raise Unreadable("a brace is not closed")
                return self._unknown(end + 1)
            self.position = braced.end()
            return self._parameter(braced[1], braced[2] or "", braced[3] or "", script[start : braced.end()])
        name = _NAME.match(script, start + 1)
        if name is None:
            self.position += 1
            return "$"
        self.position = name.end()
        return self._parameter(name[0], "", "", script[start : name.end()])

    def _parameter(self, name: str, operator: str, word: str, written: str) -> str:
        if name in "@*":
            return self._limited(" ".join(self.arguments))
        value = self.variables.get(name)
        if operator.endswith(("-", "=")) and (value is None or (operator[0] == ":" and not value)):
            return word if not set(word) & set("$`\"'\\") else f"{UNKNOWN}{written}"
        if operator.endswith("+"):
            return f"{UNKNOWN}{written}"
        return f"{UNKNOWN}{written}" if value is None else self._limited(value)

    def _limited(self, value: str) -> str:
        """A value, if all that variables have come to is not too long with it: each can hold others."""
        self.expanded += len(value)
        if self.expanded > LONGEST:
            raise Unreadable(_TOO_LONG.format("with its variables it is"))
        return value

    def _unknown(self, end: int) -> str:
        written = self.script[self.position : end]
        self.position = end
        return f"{UNKNOWN}{written}"


def _closing_parenthesis(script: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(script)):
        depth += {"(": 1, ")": -1}.get(script[position], 0)
        if depth == 0:
            return position + 1
    raise Unreadable("a parenthesis is not closed")
