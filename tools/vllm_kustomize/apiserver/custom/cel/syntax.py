"""The syntax tree of the Common Expression Language, and the parser that makes it.

Grammar: https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax, with the optional syntax
(`a.?b`, `a[?b]`, `{?k: v}`) that Kubernetes turns on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NoReturn

from vllm_kustomize.apiserver.custom.cel.values import Uint, Unsupported

DEEPEST = 60
"""Levels of nesting that an expression may have, each several calls deep here; cel-go ends at 250."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is written out."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, or the first part of a qualified name."""

    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or `operand.?field`."""

    operand: Node
    field: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """`operand[key]`, or `operand[?key]`."""

    operand: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function, a method (with a `target`) or an operator, which is called as it is written."""

    function: str
    arguments: tuple[Node, ...]
    target: Node | None = None


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Items:
    """A list; each item with whether it is left out where it is an empty optional."""

    items: tuple[tuple[Node, bool], ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """A map; each key and value with whether the entry is left out where the value is an empty optional."""

    entries: tuple[tuple[Node, Node, bool], ...]


Node = Literal | Name | Select | Index | Call | Conditional | Items | Entries

_TOKEN = re.compile(
    r"(?P<skip>[ \t\r\n\f]+|//[^\n]*)"
    r"|(?P<string>(?P<prefix>[rRbB]{0,2})(?P<quoted>\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"
    r"|\"(?:[^\\\n\"]|\\.)*\"|'(?:[^\\\n']|\\.)*'))"
    r"|(?P<float>[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.[0-9]+(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<integer>0[xX][0-9a-fA-F]+|[0-9]+)(?P<unsigned>[uU]?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>&&|\|\||[<>=!]=|[-+*/%<>!?:.,()\[\]{}])",
    re.DOTALL | re.ASCII,
)
_RAW = re.compile(
    r"(?P<prefix>[bB]?[rR]|[rR][bB])(?P<quoted>\"\"\".*?\"\"\"|'''.*?'''|\"[^\n\"]*\"|'[^\n']*')", re.DOTALL
)
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|X([0-9a-fA-F]{2})|([0-3][0-7]{2})|(.))",
    re.DOTALL,
)
_SIMPLE_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_CONSTANTS = {"true": True, "false": False, "null": None}
_LEVELS = (("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    value: Any = None


def parse(expression: str) -> Node:
    """Parse an expression; raises Unsupported where it is none that this parser knows."""
    parser = _Parser(_tokens(expression), expression)
    node = parser.expression()
    if parser.token.kind != "end":
        parser.fail()
    return node


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    while position < len(expression):
        raw = _RAW.match(expression, position)
        match = raw or _TOKEN.match(expression, position)
        if not match:
            raise Unsupported(f"cannot read {expression[position : position + 20]!r}")
        position = match.end()
        if raw or match["string"]:
            tokens.append(_Token("literal", match[0], _text(match["prefix"], match["quoted"])))
        elif match["float"]:
            tokens.append(_Token("literal", match[0], float(match["float"])))
        elif match["integer"]:
            tokens.append(_integer(match["integer"], bool(match["unsigned"])))
        elif match["name"] in _CONSTANTS:
            tokens.append(_Token("literal", match[0], _CONSTANTS[match[0]]))
        elif match["name"]:
            tokens.append(_Token("operator" if match[0] == "in" else "name", match[0]))
        elif match["operator"]:
            tokens.append(_Token("operator", match[0]))
    tokens.append(_Token("end", ""))
    return tokens


def _integer(digits: str, unsigned: bool) -> _Token:
    if len(digits) > 20:
        raise Unsupported(f"the number {digits[:20]}… is too large")
    value = int(digits, 16) if digits[:2].lower() == "0x" else int(digits)
    return _Token("literal", digits, Uint(value) if unsigned else value)


def _text(prefix: str, quoted: str) -> str | bytes:
    width = 3 if quoted[:3] in ('"""', "'''") else 1
    inner = quoted[width:-width]
    is_bytes = "b" in prefix.lower()
    if "r" in prefix.lower():
        return inner.encode() if is_bytes else inner
    if not is_bytes:
        return _ESCAPE.sub(lambda match: _unescaped(match), inner)
    parts: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(inner):
        parts.append(inner[position : match.start()].encode())
        code = match[1] or match[4]
        octal = match[5]
        if code or octal:
            parts.append(bytes([int(code, 16) if code else int(octal, 8)]))
        else:
            parts.append(_unescaped(match).encode())
        position = match.end()
    return b"".join((*parts, inner[position:].encode()))


def _unescaped(match: re.Match[str]) -> str:
    for group in (1, 2, 3, 4):
        if match[group]:
            return _character(int(match[group], 16))
    if match[5]:
        return _character(int(match[5], 8))
    if match[6] not in _SIMPLE_ESCAPES:
        raise Unsupported(f"unknown escape {match[0]}")
    return _SIMPLE_ESCAPES[match[6]]


def _character(code: int) -> str:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise Unsupported(f"{code:x} is not a character")
    return chr(code)


class _Parser:
    """Recursive descent over tokens, a method for each level of the grammar."""

    def __init__(self, tokens: list[_Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.position = 0
        self.depth = 0

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def fail(self) -> NoReturn:
        found = self.token.text or "the end"
        raise Unsupported(f"{found} was not expected")

    def take(self, *texts: str) -> str:
        """Consume an operator if it is one of these, and give it."""
        token = self.token
        if token.kind == "operator" and token.text in texts:
            self.position += 1
            return token.text
        return ""

    def expect(self, text: str) -> None:
        if not self.take(text):
            self.fail()

    def expression(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Unsupported("it is nested too deep")
        condition = self.logical("||")
        if self.take("?"):
            yes = self.logical("||")
            self.expect(":")
            condition = Conditional(condition, yes, self.expression())
        self.depth -= 1
        return condition

    def logical(self, operator: str) -> Node:
        parts = [self.logical("&&") if operator == "||" else self.binary(0)]
        while self.take(operator):
            parts.append(self.logical("&&") if operator == "||" else self.binary(0))
        return parts[0] if len(parts) == 1 else Call(operator, tuple(parts))

    def binary(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while operator := self.take(*_LEVELS[level]):
            left = Call(operator, (left, self.binary(level + 1)))
        return left

    def unary(self) -> Node:
        operator, count = self.take("!", "-"), 0
        while operator and (count == 0 or self.take(operator)):
            count += 1
        if operator == "-" and count == 1 and self.token.kind == "literal":
            value = self.token.value
            if isinstance(value, (int, float)) and not isinstance(value, (bool, Uint)):
                self.tokens[self.position] = _Token("literal", self.token.text, -value)
                return self.member()
        node = self.member()
        return Call(f"{operator}_", (node,)) if count % 2 else node

    def member(self) -> Node:
        node = self.primary()
        while True:
            if self.take("."):
                optional = bool(self.take("?"))
                name = self.name()
                if not optional and self.take("("):
                    node = Call(name, self.arguments(")"), node)
                else:
                    node = Select(node, name, optional)
            elif self.take("["):
                optional = bool(self.take("?"))
                node = Index(node, self.expression(), optional)
                self.expect("]")
            else:
                return node

    def name(self) -> str:
        token = self.token
        if token.kind != "name" and token.text not in ("in", "true", "false", "null"):
            self.fail()
        self.position += 1
        return token.text

    def primary(self) -> Node:
        token = self.token
        if token.kind == "literal":
            self.position += 1
            return Literal(token.value)
        if self.take("("):
            node = self.expression()
            self.expect(")")
            return node
        if self.take("["):
            return self.items()
        if self.take("{"):
            return self.entries()
        self.take(".")
        if self.token.kind != "name":
            self.fail()
        name = self.name()
        if self.take("("):
            return Call(name, self.arguments(")"))
        if self.token.kind == "operator" and self.token.text == "{":
            raise Unsupported(f"{name}{{…}} makes a message, of which Kubernetes has none")
        return Name(name)

    def arguments(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.take(end):
            if found:
                self.expect(",")
            found.append(self.expression())
        return tuple(found)

    def items(self) -> Node:
        found: list[tuple[Node, bool]] = []
        while not self.take("]"):
            optional = bool(self.take("?"))
            found.append((self.expression(), optional))
            if not self.take(",") and not (self.token.kind == "operator" and self.token.text == "]"):
                self.fail()
        return Items(tuple(found))

    def entries(self) -> Node:
        found: list[tuple[Node, Node, bool]] = []
        while not self.take("}"):
            optional = bool(self.take("?"))
            key = self.expression()
            self.expect(":")
            found.append((key, self.expression(), optional))
            if not self.take(",") and not (self.token.kind == "operator" and self.token.text == "}"):
                self.fail()
        return Entries(tuple(found))
