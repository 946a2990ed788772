"""No output, cache or baseline holds a secret; and nothing else is hidden."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import Result, RunCli
from vllm_kustomize.findings.excerpts import Excerpts
from vllm_kustomize.findings.mask import Mask
from vllm_kustomize.findings.secrets import in_source, in_value
from vllm_kustomize.kustomize.yaml.reader import parse_yaml
from vllm_kustomize.reporters import FORMATS

MARK = "s3cr3t-MARK-4711"
ENCODED = base64.b64encode(MARK.encode()).decode()

SERVER = """\
apiVersion: v1
kind: Pod
metadata:
  name: server
spec:
  containers:
    - name: vllm
      image: vllm/vllm-openai:v0.33.0
      args:
        - meta-llama/Llama-3.2-1B
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: s
  labels: {bad label: x}
"""


def _server(*arguments: str, more: str = "") -> Mapping[str, str]:
    return {"x.yaml": SERVER + "".join(f"        - {each}\n" for each in arguments) + more}


def _overlay(kustomization: str, **files: str) -> Mapping[str, str]:
    named = {name.replace("_", "."): text for name, text in files.items()}
    return {"kustomization.yaml": kustomization, "s.yaml": SECRET, "pod.yaml": SERVER, **named}


PATCHED = "resources: [s.yaml]\npatches:\n  - patch: |-\n"
INLINE = f"{PATCHED}      apiVersion: v1\n      kind: Secret\n      metadata:\n        name: s\n"

LEAKS: dict[str, Mapping[str, str]] = {
    "a slip in an inline patch": _overlay(
        f"{INLINE}      stringData:\n        plain: {MARK}\n       broken: x\n"
    ),
    "a tab in an inline patch": _overlay(f"{INLINE}      stringData:\n\tplain: {MARK}\n"),
    "an inline patch without a colon": _overlay(f"{INLINE}      stringData:\n        plain {MARK}\n"),
    "an inline patch in flow style": _overlay(
        "resources: [s.yaml]\npatches:\n"
        f"  - patch: '{{apiVersion: v1, kind: Secret, metadata: {{name: s}}, stringData: {{a: {MARK}}}'\n"
    ),
    "a patch for a Secret of another name": _overlay(
        f"{INLINE.replace('name: s', 'name: other')}      stringData:\n        plain: {MARK}\n"
    ),
    "a literal that is not a pair": _overlay(
        f"secretGenerator: [{{name: g, literals: ['token: {MARK}']}}]\n"
    ),
    "a literal without a key": _overlay(f"secretGenerator: [{{name: g, literals: ['{MARK}']}}]\n"),
    "a value with the wrong tag": _overlay(
        f"resources: [s.yaml, pod.yaml]\npatches:\n  - patch: |-\n"
        f"      kind: Secret\n      apiVersion: v1\n      metadata: {{name: s}}\n"
        f"      stringData: {{port: !!int {MARK}}}\n"
    ),
    "a key of a Secret that is a value": _overlay(
        "secretGenerator: [{name: g, envs: [a.env]}]\n", a_env=f"token: {MARK}\n"
    ),
    "a key that is a value in a rendered Secret": {
        "x.yaml": f'{SECRET}stringData:\n  "token: {MARK}": ""\n  "{MARK} x": a\n'
    },
    "a resource with a password": _overlay(
        f"resources: ['https://user:{MARK}@host.invalid/a.yaml', 'https://{MARK}@github.com/o/r//x?ref=v1']\n"
    ),
    "a URL with a password": _server(
        f"--tokenizer=https://user:{MARK}@h/x", f"--revision=https://u:{MARK}@h"
    ),
    "a misspelt flag": _server(f"--api-ky={MARK}"),
    "a misspelt flag with a word": _server("--hf-tokn", MARK),
    "an unknown flag": _server(f"--acess-thing={MARK}"),
    "curl": _server(
        more=f"      command: [sh, -c, 'curl -u u:{MARK} x; PGPASS={MARK} vllm serve m --prt $PGPASS']\n"
    ),
    "PGPASS": _server(more=f"      env: [{{name: PGPASS, value: {MARK}, valueFrom: {{}}}}]\n"),
    "a probe path": _server(
        more=f"      livenessProbe: {{httpGet: {{path: '/halth?token={MARK}', port: 8000, scheme: x}}}}\n"
    ),
    "an object where a text belongs": _server(
        f"""'--kv-transfer-config={{"kv_connector": {{"password": "{MARK}"}}}}'"""
    ),
    "a list where a text belongs": _server(
        f"""'--kv-transfer-config={{"kv_connector": [{{"api_key": "{MARK}"}}]}}'"""
    ),
    "a number that nobody reads": _server(f"-tp={MARK}"),
    "another number that nobody reads": _server(f"--tensor-parallel-size={MARK}"),
    "a word too many": _server("--port=1", MARK),
    "a JSON pointer": _overlay(
        "resources: [s.yaml]\npatches:\n  - target: {kind: Secret}\n    patch: |-\n"
        f"      - {{op: replace, path: '/stringData/token={MARK}', value: {MARK}}}\n"
        f"      - {{op: test, path: '/stringData/a/{MARK}', value: b}}\n"
    ),
    "a JSON pointer into a Secret's value": _overlay(
        f"resources: [s.yaml]\npatches:\n  - target: {{kind: Secret}}\n    patch: |-\n"
        f"      - {{op: remove, path: '/data/token/{MARK}'}}\n"
    ),
    "an encoded value": {"x.yaml": f"{SECRET}data:\n  a: {ENCODED}\n  b: {MARK}\n  c: [{MARK}]\n"},
    "a Secret that is not YAML": {"x.yaml": f"{SECRET}stringData:\n  a: {MARK}\n b: {MARK}\n"},
    "a value at its beginning": {"x.yaml": f"{SECRET}stringData:\n  a: {MARK}{'x' * 300}\n"},
    "a header": _server(
        more="      livenessProbe: {httpGet: {port: 1, scheme: x, httpHeaders: "
        f"[{{name: Authorization, value: Bearer {MARK}}}]}}}}\n"
    ),
}


def everything(run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Result, bytes]:
    """One run in every format, and all that it and a run for a baseline leave behind."""
    cache = folder / "cache"
    monkeypatch.setenv("VLLM_KUSTOMIZE_CACHE", str(cache))
    target = "." if (folder / "kustomization.yaml").exists() else "x.yaml"
    files = [f"--format={name}={folder / 'out' / name}" for name in FORMATS]
    (folder / "out").mkdir()
    result = run_cli("validate", target, "--select=*", "-v", "--debug", "--format=text", *files, cwd=folder)
    written = run_cli("validate", target, "--write-baseline", "--baseline=out/baseline", cwd=folder)
    left = [path.read_bytes() for path in (*(folder / "out").iterdir(), *cache.rglob("*")) if path.is_file()]
    texts = (result.output, result.errors, written.output, written.errors)
    return result, b"\n".join([*left, *(text.encode() for text in texts)])


@pytest.mark.parametrize("name", LEAKS)
def test_nothing_that_is_written_holds_a_secret(
    name: str, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, text in LEAKS[name].items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    result, written = everything(run_cli, tmp_path, monkeypatch)
    assert result.code in (0, 1, 2), result
    assert MARK[:8].encode() not in written, result.output
    assert ENCODED[:8].encode() not in written


def test_an_argument_of_the_command_is_masked(run_cli: RunCli, tmp_path: Path) -> None:
    result = run_cli("validate", f"https://user:{MARK}@host/x?token={MARK}", cwd=tmp_path)
    assert result.errors == "vllm-kustomize: https://user:[hidden]@host/x?token=[hidden] does not exist\n"


def test_a_failed_build_shows_no_secret(run_cli: RunCli, tmp_path: Path) -> None:
    for file, text in LEAKS["a literal that is not a pair"].items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    result = run_cli("build", ".", cwd=tmp_path)
    assert result.errors == (
        "vllm-kustomize: . does not build: loading KV pairs: literal sources [token: [hidden]]: "
        "invalid literal source token: [hidden], expected key=value\n"
    )


LINES = """\
  - --api-key=S -> - --api-key=[hidden]
  - --api-key="S" --port=8000 -> - --api-key="[hidden]" --port=8000
  - curl -fsS -u admin:S http://x:8000/health -> - curl -fsS -u admin:[hidden] http://x:8000/health
  command: [sh, -c, "HF_TOKEN=S vllm serve m"] -> command: [sh, -c, "HF_TOKEN=[hidden] vllm serve m"]
  url: postgres://u:S@db:5432/x?sslmode=off -> url: postgres://u:[hidden]@db:5432/x?sslmode=off
  path: /health?token=S&x=1 -> path: /health?token=[hidden]&x=1
  password: S # the reason -> password: [hidden] # the reason
  password: !!str 'S' -> password: !!str '[hidden]'
  apiKey: "S" -> apiKey: "[hidden]"
  .npmrc: "//registry.npmjs.org/:_authToken=S" -> .npmrc: "//registry.npmjs.org/:_authToken=[hidden]"
  dsn: Server=db;User Id=sa;Password=S;Encrypt=no -> dsn: Server=db;User Id=sa;Password=[hidden];Encrypt=no
  auths: '{"ghcr.io": {"auth": "S"}}' -> auths: '{"ghcr.io": {"auth": "[hidden]"}}'
  - "Authorization: Bearer S" -> - "Authorization: Bearer [hidden]"
  value: hf_ABCDEFGHIJKLMNOPQRSTUVWX -> value: [hidden]
"""
READABLE = """\
  Passed: 33
  - --max-num-batched-token=65536
  - --time-to-first-token=2000ms
  key: hf_api_token
  run: pip install hf_transfer
  id-token: write
  externalAuth: {}
  command: [sh, -c, "redis-cli -p 26379 ping"]
  command: [sh, -c, "login --token $(HF_TOKEN)"]
  github-token: ${{ secrets.GITHUB_TOKEN }}
  url: https://x-access-token:${TOKEN}@github.com/o/r
  Authorization: Bearer ${TOKEN}
  token: os.environ["TOKEN"]
  image: registry.io/a:v1@sha256:0123456789
  - until curl -H "Authorization: Bearer ${TOKEN}" "${URL}/v1/models"; do
  - --max-num-batched-tokens=8192
  - --tokenizer=org/name
  - --served-model-name token-server
  - --api-key=$(VLLM_API_KEY)
  - --ssl-keyfile=/etc/tls/tls.key
  topologyKey: kubernetes.io/hostname
  secretName: hf-token-secret
  key: token
  name: HF_TOKEN
  existingSecret: hf-token-secret
  imagePullSecrets: [{name: regcred}]
  automountServiceAccountToken: false
  image: registry.example.com:5000/a/b@sha256:0123456789abcdef
  url: http://host:8080/path/@scope/package
  url: ssh://git@github.com/o/r.git
  url: https://github.com/o/r?ref=v1.2.3
  eos_token: </s>
  token_file: /var/run/secrets/token
  command: [sh, -c, "curl -sf -u $USER:$PASSWORD http://x/health"]
  password: ${DB_PASSWORD}
  password: op://vault/item/field
  description: the token is read from a Secret
"""


@pytest.mark.parametrize("case", LINES.splitlines())
def test_a_line_hides_its_secret_alone(case: str) -> None:
    line, _, expected = case.replace("S ->", f"{MARK} ->").partition(" -> ")
    line = re.sub(r"(?<![A-Za-z])S(?![A-Za-z])", MARK, line)
    assert Excerpts(line).line(1).strip() == expected


@pytest.mark.parametrize("line", READABLE.splitlines())
def test_what_is_no_secret_stays_readable(line: str) -> None:
    assert Excerpts(line).line(1) == line


SPEAKING = f"""\
{SECRET}stringData:
  username: server
  kind: Pod
  level: info
  pin: "8000"
  port: abc
  token: {MARK}
---
{SERVER}        - --prot=8000
        - --log-level=info
"""


def test_ordinary_words_are_not_taken_for_secrets(run_cli: RunCli, tmp_path: Path) -> None:
    """A Secret may hold words that stand in every sentence; they are hidden in its own lines alone."""
    (tmp_path / "x.yaml").write_text(SPEAKING, encoding="utf-8")
    result = run_cli("validate", "x.yaml", "--concise", "--select=unknown-flag,api-*", cwd=tmp_path)
    assert result.output == (
        'x.yaml:5:23: error[api-metadata] Secret/s: metadata.labels: label key "bad label" is not valid: '
        "letters, digits, '-', '_' and '.', beginning and ending with a letter or digit\n"
        "x.yaml:24:11: error[unknown-flag] Pod/server: vLLM 0.33.0 has no option --prot; "
        "did you mean --port?\n"
    )
    lines = Excerpts(SPEAKING)
    assert [lines.line(number) for number in range(6, 13)] == [
        "stringData:",
        "  username: [hidden]",
        "  kind: [hidden]",
        "  level: [hidden]",
        '  pin: "[hidden]"',
        "  port: [hidden]",
        "  token: [hidden]",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'"{MARK}" is not a name', '"[hidden]" is not a name'),
        (f'"{MARK[:7]}…" (300 characters)', '"[hidden]…" (300 characters)'),
        (f"cannot unmarshal !!str `{MARK[:7]}...` into int", "cannot unmarshal !!str `[hidden]...` into int"),
        (f"pre{MARK}post", "pre[hidden]post"),
        ("the short one", "the short one"),
        ("what 'short' is", "what '[hidden]' is"),
        ("short-lived, not/short", "short-lived, not/short"),
        (r"two \"lines\"", "[hidden]"),
    ],
)
def test_a_sentence_hides_a_known_secret_alone(text: str, expected: str) -> None:
    assert Mask([MARK, "short", 'two "lines"']).known(text) == expected


PLACES = [
    "data: {.netrc: 'machine h login u password S'}",
    "data: {dsn: 'user:S@tcp(db:3306)/x'}",
    "data: {url: 'u:S@db:5432'}",
    "data: {url: 'redis://:S@redis:6379/0'}",
    "data: {url: 'amqp://u:S@a,amqp://u:S@b'}",
    "data: {c: 'AccountName=x;AccountKey=S;EndpointSuffix=y'}",
    "data: {u: 'https://x/c?sv=2020&sig=S&X-Amz-Signature=S'}",
    "data: {u: 'https://hooks.slack.com/services/T0/B0/S'}",
    "data: {settings.xml: '<server><password>S</password></server>'}",
    "data: {SECRET_KEY_BASE: S, clientSecret: S, DB_PASS: S}",
    "data: {c.toml: 'api_key = \"S\"'}",
    "data: {my.cnf: 'password=\"S\"'}",
    "kind: Secrets\nmetadata: {}\ndata: {a: S}",
    "kind: secret\nmetadata: {}\nimmutable: S",
    "kind: Secret\nmetadata: {}\nplain: S",
    "kind: Secret\nmetadata: {}\n'token: S': ''",
    "kind: Secret\nstringData: {a: &x S, b: *x}",
    "kind: Secret\nstringData:\n  ? token\n  : S",
    "kind: Secret\nstringData:\n  a: first\n    S\n    third",
    "args: [--api-key, S, Sb]",
    "args: [curl, -uu:S, --user, 'u:S', '-HX-Api-Key: S']",
    "args: ['export HF_TOKEN=S; huggingface-cli login --token S']",
    "args: ['mysql -uroot -pS -e x', 'redis-cli -a S ping', 'docker login -u u -p S reg']",
    "httpHeaders: [{name: Cookie, value: session=S}, {name: X-Auth-Token, value: S}]",
    "env: [{name: GITHUB_PAT, value: S}, {value: S, name: MY_PASSWD}]",
    'metadata: {annotations: {last: \'{"kind": "Secret", "data": {"a": "S"}}\'}}',
    "data:\n  k: |\n    -----BEGIN PRIVATE KEY-----\n    S\n    -----END PRIVATE KEY-----",
    "data:\n  v.yaml: |\n    users:\n      - name: a\n        password: S",
]


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_stands(place: str) -> None:
    numbers = itertools.count()
    text = re.sub(r"(?<![A-Za-z])S(?=b?(?![A-Za-z]))", lambda _: f"s3cr3t-MARK-{next(numbers)}", place)
    assert next(numbers) > 0
    mask = Mask([*in_value(parse_yaml(text)), *in_source(text)])
    assert "s3cr3t" not in mask.known(text)
