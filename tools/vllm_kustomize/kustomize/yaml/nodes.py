"""Read YAML once into values that know where they stand: file, line and column.

Values are those that Kubernetes sees. sigs.k8s.io/yaml resolves plain scalars with go-yaml v2 (YAML 1.1
booleans, octal and binary integers, no sexagesimals, dates stay strings) and then passes everything through
JSON, so keys are strings and `1.0` is the integer 1.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from yaml import CSafeLoader, MarkedYAMLError, YAMLError
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from vllm_kustomize.kustomize.yaml.aside import KEY, Aside, set_aside
from vllm_kustomize.kustomize.yaml.scalars import resolve
from vllm_kustomize.model import Error, FieldPath, Location, Precision

MAX_DEPTH = 200
"""Levels of nesting; Kubernetes objects stay below 100, and every walk over them may recurse."""

MAX_ALIASED = 100_000
"""Values that aliases may repeat in one file; a few lines of nested aliases can stand for billions."""

MAX_VALUES = 2_000_000
"""Values that one file may hold, a tenth of what fills a small machine's memory."""

_TAG = "tag:yaml.org,2002:"

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class DocumentError(Error):
    """A file that is not YAML; `location` says where reading stopped."""

    def __init__(self, message: str, location: Location) -> None:
        super().__init__(f"{location.file}:{location.line}:{location.column}: {message}")
        self.message = message
        self.location = location


class Node:
    """A value and where it was written; never changed once it is read.

    `value` is a scalar, a dict of nodes or a list of nodes. `line` and `column` (from 1) are the value's,
    `key_line` and `key_column` those of its key, or 0. `past` holds the nodes that this one overrode,
    the latest first; `removed` what took fields out of this mapping. `precision` is less than exact where
    the place explains the value without spelling it.
    """

    __slots__ = (
        "column",
        "file",
        "key_column",
        "key_line",
        "line",
        "note",
        "past",
        "precision",
        "removed",
        "value",
    )

    def __init__(
        self,
        value: Any,
        file: str,
        line: int,
        column: int,
        key_line: int = 0,
        key_column: int = 0,
        past: tuple[Node, ...] = (),
        removed: Mapping[str, Node] = _NOTHING,
        note: str = "",
        precision: Precision = Precision.EXACT,
    ) -> None:
        self.value = value
        self.file = file
        self.line = line
        self.column = column
        self.key_line = key_line
        self.key_column = key_column
        self.past = past
        self.removed = removed
        self.note = note
        self.precision = precision

    def replace(
        self, value: Any, past: tuple[Node, ...] | None = None, removed: Mapping[str, Node] | None = None
    ) -> Node:
        """Return a node at the same place with another value."""
        return Node(
            value,
            self.file,
            self.line,
            self.column,
            self.key_line,
            self.key_column,
            self.past if past is None else past,
            self.removed if removed is None else removed,
            self.note,
            self.precision,
        )

    def location(self, precision: Precision = Precision.EXACT, note: str = "") -> Location:
        """Return where the value stands, at most as sure as the node itself."""
        return Location(self.file, self.line, self.column, note or self.note, min(precision, self.precision))

    def key_location(self, precision: Precision = Precision.EXACT, note: str = "") -> Location:
        """Return where the value's key stands, or the value where it has no key."""
        if not self.key_line:
            return self.location(precision, note)
        return Location(
            self.file, self.key_line, self.key_column, note or self.note, min(precision, self.precision)
        )

    def get(self, key: str) -> Node | None:
        """Return the field `key`, or None where this is not a mapping or lacks it."""
        return self.value.get(key) if isinstance(self.value, dict) else None

    def text(self, key: str) -> str:
        """Return the field `key` if it is a string, else an empty one."""
        found = self.get(key)
        return found.value if found is not None and isinstance(found.value, str) else ""

    def items(self, key: str) -> list[Node]:
        """Return the entries of the list at `key`, none where there is no list."""
        found = self.get(key)
        return found.value if found is not None and isinstance(found.value, list) else []

    def find(self, path: FieldPath) -> tuple[Node, int]:
        """Return the deepest node on `path` and how many of its steps lead there."""
        node = self
        for depth, step in enumerate(path):
            children = node.value
            if isinstance(children, dict):
                child = children.get(str(step))
            elif isinstance(children, list) and isinstance(step, int) and 0 <= step < len(children):
                child = children[step]
            else:
                child = None
            if child is None:
                return node, depth
            node = child
        return node, len(path)

    def same_as(self, other: Node) -> bool:
        """Whether both nodes come to the same data; parts that they share are not looked into."""
        if self is other or self.value is other.value:
            return True
        mine, theirs = self.value, other.value
        if isinstance(mine, dict) and isinstance(theirs, dict):
            return mine.keys() == theirs.keys() and all(mine[key].same_as(theirs[key]) for key in mine)
        if isinstance(mine, list) and isinstance(theirs, list):
            return len(mine) == len(theirs) and all(map(Node.same_as, mine, theirs))
        return bool(mine == theirs)

    def data(self) -> Any:
        """Return the value as plain dicts, lists and scalars."""
        value = self.value
        if isinstance(value, dict):
            return {key: child.data() for key, child in value.items()}
        if isinstance(value, list):
            return [child.data() for child in value]
        return value


class Unread(Node):
    """A mapping whose lines were set aside, and are read once somebody asks for its value."""

    __slots__ = ("_aside", "_value", "_yes_is_true")

    def __init__(self, aside: Aside, place: Node, yes_is_true: bool) -> None:
        self._aside: Aside | None = aside
        self._yes_is_true = yes_is_true
        super().__init__(None, place.file, place.line, place.column)

    @property
    def value(self) -> Any:
        """What the lines hold; an empty mapping where they are not YAML, of which the engine complains."""
        if self._aside is not None:
            (above, text), self._aside = self._aside, None
            try:
                documents = read_documents(text, self.file, (above, 0), yes_is_true=self._yes_is_true)
                self._value = documents[0].root.value
            except DocumentError:
                self._value = {}
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._value = value


def written_over(new: Node, old: Node | None) -> Node:
    """Return `new` remembering that it took the place of `old`."""
    return new if old is None else new.replace(new.value, past=(*new.past, old, *old.past))


class Duplicate(NamedTuple):
    """A key that a mapping holds twice; the later one wins, at `location`; `first` is the earlier one."""

    path: FieldPath
    location: Location
    first: Location


class Document:
    """One document of a file: its `root` node and the `duplicates` found while reading."""

    __slots__ = ("_data", "duplicates", "root")

    def __init__(self, root: Node, duplicates: tuple[Duplicate, ...]) -> None:
        self.root = root
        self.duplicates = duplicates
        self._data: Any = self

    @property
    def data(self) -> Any:
        """The document as plain dicts, lists and scalars; None where it is empty."""
        if self._data is self:
            self._data = self.root.data()
        return self._data

    def locate(self, path: FieldPath, *, key: bool = False) -> Location:
        """Return where the value at `path` stands (or its key), or the closest parent that is there."""
        node, depth = self.root.find(path)
        if depth < len(path):
            return node.key_location(Precision.PARENT)
        return node.key_location() if key else node.location()


def read_documents(
    text: str, file: str, start: tuple[int, int] = (0, 0), *, yes_is_true: bool = True, later: bool = False
) -> tuple[Document, ...]:
    """Read every document of a YAML (or JSON) stream; empty ones hold None.

    `file` is the name that locations carry, `start` the lines above and the columns left of the text there.
    `yes_is_true` takes `yes`, `on` and `y` for booleans, as kubectl does; Kustomize does so in kustomizations
    (go-yaml v2), not in resources and patches (go-yaml v3). `later` leaves the schemas of custom resource
    definitions to be read when they are asked for; duplicate keys in them are not found.
    Raises DocumentError where the text is not YAML, is nested more than `MAX_DEPTH` levels deep, holds more
    than `MAX_VALUES` values, repeats more than `MAX_ALIASED` of them by aliases, or has keys that JSON cannot
    hold.
    """
    try:
        shorter, asides = set_aside(text) if later else (text, {})
        return tuple(_Reader(shorter, file, start, yes_is_true, asides).documents())
    except MarkedYAMLError as error:
        raise _no_break_space(text, file, start) or _syntax_error(error, file, start) from None
    except UnicodeEncodeError as error:
        at = _position(text, error.start, file, start)
        raise DocumentError("the text is not valid Unicode", at) from None
    except YAMLError as error:
        at = _position(text, getattr(error, "position", 0), file, start)
        reason = getattr(error, "reason", None) or "not YAML"
        raise DocumentError(str(reason), at) from None


class _Reader:
    """Builds nodes from the parser's events, without recursion."""

    def __init__(
        self, text: str, file: str, start: tuple[int, int], yes_is_true: bool, asides: Mapping[int, Aside]
    ) -> None:
        self.asides = asides
        self.file = file
        self.yes_is_true = yes_is_true
        self.line, self.column = start[0] + 1, start[1] + 1
        self.next: Any = CSafeLoader(text).get_event
        self.duplicates: list[Duplicate] = []
        self.anchors: dict[str, _Anchor | None] = {}
        self.count = 0
        self.aliased = 0

    def documents(self) -> Iterator[Document]:
        while (event := self.next()) is not None:
            if type(event) is DocumentStartEvent:
                self.anchors.clear()
                self.duplicates = []
                root = self.read()
                yield Document(root, tuple(self.duplicates))

    def read(self) -> Node:
        """Read the nodes of one document, up to its end."""
        root: Node | None = None
        stack: list[_Open] = []
        while type(event := self.next()) is not DocumentEndEvent:
            kind = type(event)
            if kind is ScalarEvent:
                node = self.scalar(event)
                if event.anchor:
                    self.anchors[event.anchor] = _Anchor(node, 1, 0)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self.expect_depth(event, len(stack) + 1)
                mark = event.start_mark
                value: Any = {} if kind is MappingStartEvent else []
                opened = Node(value, self.file, mark.line + self.line, mark.column + self.column)
                self.count += 1
                stack.append(_Open(opened, event.anchor, self.count))
                if event.anchor:
                    self.anchors[event.anchor] = None
                continue
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                closed = stack.pop()
                node = closed.node
                if closed.merges:
                    _merge(node.value, closed.merges)
                height = closed.height + 1
                if stack:
                    stack[-1].height = max(stack[-1].height, height)
                if closed.anchor:
                    self.anchors[closed.anchor] = _Anchor(node, self.count - closed.count + 1, height)
            else:
                node = self.alias(event, stack)
            if self.count > MAX_VALUES:
                raise self.error(event, f"more than {MAX_VALUES} values")
            if not stack:
                root = node
            elif type(stack[-1].node.value) is list:
                stack[-1].node.value.append(node)
            elif stack[-1].key is None:
                stack[-1].key = self.key(event, node)
            else:
                if kind is ScalarEvent and event.start_mark.index == event.end_mark.index:
                    node.line, node.column = stack[-1].key[1].line, stack[-1].key[1].column
                self.field(stack, node)
        assert root is not None
        return root

    def scalar(self, event: Any) -> Node:
        self.count += 1
        mark, text, tag = event.start_mark, event.value, event.tag
        value: Any = text
        if tag is None:
            if event.implicit[0]:
                value = resolve(text, yes_is_true=self.yes_is_true)
        elif tag in _EXPLICIT:
            value = resolve(text, yes_is_true=self.yes_is_true)
            if not isinstance(value, _EXPLICIT[tag]):
                raise self.error(event, f"{text!r} is not what its tag !!{tag.removeprefix(_TAG)} says")
        elif tag == _TAG + "binary":
            try:
                value = base64.b64decode(text).decode()
            except (binascii.Error, ValueError):
                raise self.error(event, "!!binary value is not base64 of text") from None
        return Node(value, self.file, mark.line + self.line, mark.column + self.column)

    def alias(self, event: Any, stack: list[_Open]) -> Node:
        name = event.anchor
        if name not in self.anchors:
            raise self.error(event, f"unknown anchor {name!r}")
        anchor = self.anchors[name]
        if anchor is None:
            raise self.error(event, f"anchor {name!r} contains itself")
        target, size, height = anchor
        self.count += size
        self.aliased += size
        if stack:
            self.expect_depth(event, len(stack) + height)
            stack[-1].height = max(stack[-1].height, height)
        if self.aliased > MAX_ALIASED:
            raise self.error(event, f"aliases repeat more than {MAX_ALIASED} values")
        mark = event.start_mark
        return Node(target.value, self.file, mark.line + self.line, mark.column + self.column)

    def key(self, event: Any, node: Node) -> tuple[Any, Node]:
        value = node.value
        if type(value) is str:
            merges = value == "<<" and getattr(event, "implicit", (False,))[0]
            return (_MERGE if merges else value), node
        if type(value) is bool:
            return ("true" if value else "false"), node
        if type(value) is int or type(value) is float:
            return str(value), node
        raise self.error(event, "a key that is not a scalar" if value is not None else "an empty key")

    def field(self, stack: list[_Open], node: Node) -> None:
        """Put `node` into the innermost mapping, under the key that was read before it."""
        mapping = stack[-1]
        assert mapping.key is not None
        name, key = mapping.key
        mapping.key = None
        if name is _MERGE:
            sources = node.value if type(node.value) is list else [node]
            if not all(type(source.value) is dict for source in sources):
                raise DocumentError("'<<' merges something that is not a mapping", node.location())
            mapping.merges += sources
            return
        if name == KEY and node.value is None and key.line - self.line in self.asides:
            node = Unread(self.asides[key.line - self.line], node, self.yes_is_true)
        node.key_line, node.key_column = key.line, key.column
        fields = mapping.node.value
        if name in fields:
            path = tuple(len(up.node.value) if up.key is None else up.key[0] for up in stack[:-1])
            self.duplicates.append(Duplicate((*path, name), key.location(), fields[name].key_location()))
            del fields[name]
        fields[name] = node

    def expect_depth(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error(event, f"nested more than {MAX_DEPTH} levels deep")

    def error(self, event: Any, message: str) -> DocumentError:
        mark = event.start_mark
        return DocumentError(message, Location(self.file, mark.line + self.line, mark.column + self.column))


class _Anchor(NamedTuple):
    """What an anchor names: its node, how many values that holds, and how many levels."""

    node: Node
    size: int
    height: int


class _Open:
    """A mapping or sequence whose end is yet to come; `height` counts the levels closed in it."""

    __slots__ = ("anchor", "count", "height", "key", "merges", "node")

    def __init__(self, node: Node, anchor: str | None, count: int) -> None:
        self.node = node
        self.anchor = anchor
        self.count = count
        self.key: tuple[Any, Node] | None = None
        self.merges: list[Node] = []
        self.height = 0


_MERGE = object()
_EXPLICIT: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}


def _merge(fields: dict[str, Node], sources: list[Node]) -> None:
    """Add what `<<` names; a mapping's own keys win, then the earlier source."""
    for source in sources:
        for name, node in source.value.items():
            fields.setdefault(name, node)


def _no_break_space(text: str, file: str, start: tuple[int, int]) -> DocumentError | None:
    """The likely cause where lines are indented by what only looks like a space: a copy from a web page."""
    found = re.search(r"^[ \u00a0]*?\u00a0", text, re.MULTILINE)
    if found is None:
        return None
    message = "indented with a no-break space (U+00A0), as copied from a web page; YAML takes plain spaces"
    return DocumentError(message, _position(text, found.end() - 1, file, start))


def _syntax_error(error: MarkedYAMLError, file: str, start: tuple[int, int]) -> DocumentError:
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    message = error.problem or "not YAML"
    if error.context and context and context.line + 1 != line:
        message += f" ({error.context} that starts at line {context.line + 1 + start[0]})"
    return DocumentError(message, Location(file, line + start[0], column + start[1]))


def _position(text: str, index: int, file: str, start: tuple[int, int]) -> Location:
    before = text[:index]
    column = index - (before.rfind("\n") + 1) + 1
    return Location(file, before.count("\n") + 1 + start[0], column + start[1])
