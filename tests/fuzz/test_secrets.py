"""A secret in every place that can hold one, in every style of YAML, sound or broken: no byte comes out.

The engine either renders the objects or fails and prints every source that it read: the real one quotes what
it cannot read.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import RunCli
from fuzz.test_hostile_input import cases
from vllm_kustomize.reporters import FORMATS

MARKS = ("s3cr3t-MARK-4711", "hunter2MARKER99", "Tr0ub4dor_and.3", "aB3dE6gH9jK2mN5p", "SECRETMARKER")
ODD_MARKS = (*MARKS, "p@ss: w0rd/MARK", "with blanks MARK 9", "quo\"ted'MARK\\1", "pässwörtMARK9", "9" * 12)
"""Values that a Secret may hold, and that no URL or shell word has."""

Dump = Callable[[Any], str]


def _encoded(mark: str) -> str:
    return base64.b64encode(mark.encode()).decode()


def _pod(container: dict[str, Any]) -> dict[str, Any]:
    named = {"name": "c", "image": "vllm/vllm-openai:v0.33.0", **container}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [named]}}


def _secret(**fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"bad label": "x"}},
    } | fields


def _config(text: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b@d"}, "data": {"bad key": text}}


def _probe(**request: Any) -> dict[str, Any]:
    return _pod({"livenessProbe": {"httpGet": {"port": "no such", "scheme": "x", **request}}})


SECRETS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda mark: _secret(stringData={"plain": mark}),
    lambda mark: _secret(stringData={"token: " + mark: "", "a": f"x={mark}\n  y: {mark}\n"}),
    lambda mark: _secret(data={"plain": _encoded(mark), "wrong": mark}),
    lambda mark: _secret(data=[mark], stringData={"nested": {"a": [mark]}}),
    lambda mark: _secret(stringData={".dockerconfigjson": json.dumps({"auths": {"x": {"auth": mark}}})}),
    lambda mark: {"kind": "List", "apiVersion": "v1", "items": [_secret(stringData={"a": mark})]},
)
OTHERS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda mark: _pod({"env": [{"name": "HF_TOKEN", "value": mark, "valueFrom": {}}]}),
    lambda mark: _pod({"env": [{"value": mark, "name": "PGPASS"}, {"name": "A", "value": "$(PGPASS)"}]}),
    lambda mark: _pod({"args": ["m", f"--api-key={mark}", "--prot=1"]}),
    lambda mark: _pod({"args": ["m", "--api-key", mark, "--api-key", mark]}),
    lambda mark: _pod({"args": ["m", f"--api-ky={mark}"]}),
    lambda mark: _pod({"args": ["m", "--hf-tokn", mark, "--port=x"]}),
    lambda mark: _pod({"args": ["m", f"--tokenizer=https://u:{mark}@h/x"]}),
    lambda mark: _pod(
        {"command": ["sh", "-c", f"curl -u u:{mark} h; PGPASS={mark} vllm serve m --prot $PGPASS"]}
    ),
    lambda mark: _pod(
        {"command": ["sh", "-c", f"export HF_TOKEN={mark}; exec vllm serve m --api-ky $HF_TOKEN"]}
    ),
    lambda mark: _pod(
        {"args": ["m", "--kv-transfer-config", json.dumps({"kv_connector": {"password": mark}})]}
    ),
    lambda mark: _pod({"args": ["m", f"--kv-transfer-config.kv_role.token={mark}"]}),
    lambda mark: _probe(path=f"/halth?token={mark}"),
    lambda mark: _probe(httpHeaders=[{"name": "Authorization", "value": f"Bearer {mark}"}]),
    lambda mark: _config(f"//registry.npmjs.org/:_authToken={mark}\n"),
    lambda mark: _config(f"[db]\nuser = u\npassword = {mark}\n"),
    lambda mark: _config(f"Server=db;User Id=sa;Password={mark};"),
    lambda mark: _config(f"replicas: 1\nauth:\n  rootPassword: {mark}\n"),
    lambda mark: _config(json.dumps({"auths": {"ghcr.io": {"auth": mark}}}, indent=2)),
    lambda mark: {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": {"git": f"https://{mark}@github.com/o/r", "x y": ""}},
    },
    lambda mark: {"apiVersion": "x.io/v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"apiKey": mark}},
)
MISPLACED: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda mark: _pod({"args": ["m", f"-tp={mark}", f"--max-model-len={mark}"]}),
    lambda mark: _pod({"args": ["m", "--port=1", mark]}),
    lambda mark: _pod({"args": ["m", f"--acess={mark}"]}),
)
"""Where only a server's command line shows that a value fits nowhere."""

STYLES: tuple[Dump, ...] = (
    lambda data: str(yaml.safe_dump(data, sort_keys=False)),
    lambda data: str(yaml.safe_dump(data, sort_keys=True, allow_unicode=True)),
    lambda data: str(yaml.safe_dump(data, default_flow_style=True, width=10_000)),
    lambda data: str(yaml.safe_dump(data, default_style='"', width=30)),
    lambda data: str(yaml.safe_dump(data, default_style="'", width=30)),
    lambda data: str(yaml.safe_dump(data, default_style="|")),
    lambda data: json.dumps(data) + "\n",
    lambda data: json.dumps(data, indent=2, ensure_ascii=False) + "\n",
)


def _slip(text: str, kind: int, where: int) -> str:
    """Break a text as an editor does: a space too many, a colon or quote missing, a tab, a bracket."""
    lines = text.split("\n")
    at = where % len(lines)
    line = lines[at]
    lines[at] = (
        f" {line}",
        line.replace(":", "", 1),
        f"\t{line.lstrip()}",
        f"{line} [",
        line.replace('"', "", 1),
        f'{line} "',
        f"{line}\n!!",
        line.lstrip(),
    )[kind]
    return "\n".join(lines)


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" for line in text.rstrip("\n").split("\n"))


def _repository(place: int, mark: str, style: int, slip: tuple[int, int] | None) -> dict[str, str]:
    """The files of an overlay with a secret at one place."""
    objects = (*SECRETS, *OTHERS)
    if place >= PLACES - len(MISPLACED):
        pod = MISPLACED[PLACES - 1 - place](mark)
        return {"object.yaml": STYLES[style](pod), "kustomization.yaml": "resources: [object.yaml]\n"}
    text = STYLES[style](objects[place % len(objects)](mark))
    broken = _slip(text, *slip) if slip and place % len(objects) < len(SECRETS) else text
    kustomization = "resources:\n  - object.yaml\n"
    files = {"object.yaml": text}
    match place // len(objects):
        case 0:
            files["object.yaml"] = broken
        case 1:
            kustomization += f"patches:\n  - patch: |-\n{_indented(broken, 6)}"
        case 2:
            kustomization += "patches:\n  - path: patch.yaml\n    target: {kind: Secret}\n"
            files["patch.yaml"] = broken
        case 3:
            literal = ("token=", "token: ", "token ", "")[style % 4] + mark
            kustomization += f"secretGenerator:\n  - name: g\n    literals:\n      - {json.dumps(literal)}\n"
        case 4:
            kustomization += "secretGenerator:\n  - name: g\n    envs: [a.env]\n    files: [token.txt]\n"
            files |= {"a.env": f"A=1\ntoken{'=: '[style % 3]}{mark}\n", "token.txt": f"{mark}\n"}
        case 5:
            operation = {"op": "add", "path": "/stringData/plain", "value": mark}
            kustomization += f"patches:\n  - patch: |-\n{_indented(STYLES[style]([operation]), 6)}"
        case _:
            kustomization += f"  - https://user:{mark}@host.invalid/a.yaml\nhelmCharts:\n"
            kustomization += f"  - name: c\n    valuesInline: {{auth: {{password: {json.dumps(mark)}}}}}\n"
    return {**files, "kustomization.yaml": kustomization}


def _engine(folder: Path) -> Path:
    """An engine that renders `object.yaml`, or fails and prints all that it has read."""
    engine = folder / "kustomize"
    if not engine.exists():
        engine.write_text(
            '#!/bin/sh\n[ "$1" = version ] && exec echo v5.8.1\n[ -e fail ] || exec cat object.yaml\n'
            "echo Error: cannot read the following >&2; cat *.yaml *.env *.txt >&2 2>/dev/null; exit 1\n"
        )
        engine.chmod(0o755)
    return engine


def _left_behind(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


PLACES = 7 * (len(SECRETS) + len(OTHERS)) + len(MISPLACED)


@cases(0.1 if "VLLM_KUSTOMIZE_FUZZ" not in os.environ else 1)
@given(
    st.integers(0, PLACES - 1),
    st.integers(0, len(ODD_MARKS) - 1),
    st.integers(0, len(STYLES) - 1),
    st.one_of(st.none(), st.tuples(st.integers(0, 7), st.integers(0, 30))),
    st.booleans(),
)
def test_secrets_stay_secret(
    run_cli: RunCli,
    tmp_path: Path,
    place: int,
    which: int,
    style: int,
    slip: tuple[int, int] | None,
    fails: bool,
) -> None:
    only_secrets = place < PLACES - len(MISPLACED) and place % (len(SECRETS) + len(OTHERS)) < len(SECRETS)
    mark = ODD_MARKS[which] if only_secrets else MARKS[which % len(MARKS)]
    repository, out = tmp_path / "repository", tmp_path / "out"
    for folder in (repository, out):
        folder.mkdir(exist_ok=True)
        for file in folder.iterdir():
            file.unlink()
    for name, text in _repository(place, mark, style, slip).items():
        (repository / name).write_text(text, encoding="utf-8")
    if fails and place < PLACES - len(MISPLACED):
        (repository / "fail").touch()
    arguments = ["validate", ".", "--engine", str(_engine(tmp_path)), "--select=*", "-v", "--debug"]
    arguments += [f"--format={name}={out / name}" for name in FORMATS]
    first = run_cli(*arguments, "--format=text", cwd=repository)
    second = run_cli(*arguments[:4], "--write-baseline", f"--baseline={out / 'baseline'}", cwd=repository)
    cache = Path(os.environ["VLLM_KUSTOMIZE_CACHE"])
    written = "\n".join(text for result in (first, second) for text in (result.output, result.errors))
    everything = _left_behind(out) + _left_behind(cache) + written.encode()
    for form in (mark, json.dumps(mark)[1:-1], _encoded(mark)):
        assert form.encode() not in everything, _quoted(written, form)


def _quoted(written: str, form: str) -> str:
    return "\n".join(line for line in written.splitlines() if form in line) or "only in a file"
