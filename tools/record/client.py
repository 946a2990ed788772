"""Ask an API server about objects, several at a time, over connections that stay open."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

APPLY = "application/apply-patch+yaml"
CONNECTIONS = 4

Item = TypeVar("Item")
Answered = TypeVar("Answered")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: the status code, the object in it, and the warnings in its headers."""

    status: int
    body: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the server did, or would do, what it was asked."""
        return self.status < 300

    @property
    def causes(self) -> list[list[str]]:
        """Field, reason and message of each fault; one without a field where the server names none."""
        if self.accepted:
            return []
        details = self.body.get("details") or {}
        causes = [
            [cause.get("field", ""), cause.get("reason", ""), cause.get("message", "")]
            for cause in details.get("causes") or ()
        ]
        return causes or [["", str(self.body.get("reason", "")), str(self.body.get("message", ""))]]


class Client:
    """A connection a thread to one API server."""

    def __init__(self, host: str, port: int, trust: ssl.SSLContext, headers: Mapping[str, str]) -> None:
        self._address = (host, port)
        self._trust = trust
        self._headers = dict(headers)
        self._own = threading.local()
        self._plurals: dict[str, Mapping[str, tuple[str, bool]]] = {}

    def version(self) -> str:
        """The server's release, such as `v1.37.2`."""
        return str(self.call("GET", "/version").body["gitVersion"])

    def create(self, manifest: Mapping[str, Any], place: str, *, dry_run: bool = True) -> Answer:
        """Create an object where those of its kind are, or see whether it could be."""
        return self.call("POST", place + _options(dry_run), manifest)

    def apply(self, manifest: Mapping[str, Any], place: str, manager: str, *, dry_run: bool = True) -> Answer:
        """Apply an object server-side at its own place, taking over the fields that others own."""
        path = f"{place}{_options(dry_run)}&fieldManager={manager}&force=true"
        return self.call("PATCH", path, manifest, APPLY)

    def delete(self, place: str) -> Answer:
        """Delete the object at a place, at once."""
        return self.call("DELETE", f"{place}?gracePeriodSeconds=0&propagationPolicy=Background")

    def call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, kind: str = "application/json"
    ) -> Answer:
        """Send one request; raises OSError where the server cannot be reached."""
        payload = None if body is None else json.dumps(body)
        headers = {**self._headers, "Content-Type": kind}
        try:
            response, text = self._send(method, path, payload, headers)
        except OSError:  # the server ends a connection now and then; a new one tells whether it is there
            response, text = self._send(method, path, payload, headers)
        try:
            found = json.loads(text)
        except ValueError:
            found = {"message": text.decode("utf-8", "replace")}
        warnings = response.headers.get_all("Warning") or ()
        return Answer(response.status, found, tuple(warnings))

    def each(self, ask: Callable[[Item], Answered], items: Iterable[Item]) -> Iterator[Answered]:
        """Ask about many items, a few at a time; the answers come in the items' order."""
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            yield from pool.map(ask, items)

    def _send(
        self, method: str, path: str, payload: str | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = self._connection()
        try:
            connection.request(method, path, payload, dict(headers))
            response = connection.getresponse()
            return response, response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            del self._own.connection
            raise OSError(str(error)) from error

    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPSConnection(
                *self._address, context=self._trust, timeout=60
            )
        connection: http.client.HTTPSConnection = self._own.connection
        return connection

    def place(self, manifest: Mapping[str, Any]) -> str:
        """Where the objects of a kind, in the namespace of this one, are created."""
        version = manifest["apiVersion"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if root not in self._plurals:
            listed = self.call("GET", root).body.get("resources", ())
            self._plurals[root] = {
                item["kind"]: (item["name"], item["namespaced"]) for item in listed if "/" not in item["name"]
            }
        plural, namespaced = self._plurals[root][manifest["kind"]]
        namespace = manifest["metadata"].get("namespace", "default")
        return f"{root}/namespaces/{namespace}/{plural}" if namespaced else f"{root}/{plural}"


def _options(dry_run: bool) -> str:
    return "?fieldValidation=Strict" + ("&dryRun=All" if dry_run else "")
