"""What `helm template` renders and pipes into the command is reported at the template."""

from __future__ import annotations

from conftest import RunCli

RENDERED = b"""\
---
# Source: server/templates/configmap.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: Upper
---
# Source: server/templates/service.yaml
apiVersion: v1
kind: ConfigMap
metadata:
  name: Accepted # vllm-kustomize: allow[api-metadata] a case of its own
"""


def test_the_template_is_the_place(run_cli: RunCli) -> None:
    result = run_cli("validate", "-", stdin=RENDERED)
    assert result.output.splitlines()[:2] == [
        'server/templates/configmap.yaml: error[api-metadata] ConfigMap/Upper: metadata.name: "Upper" is not '
        "valid: lower-case letters, digits, '-' and '.', each part beginning and ending with a letter or "
        "digit",
        "    <stdin>:6:9: rendered here",
    ]
    assert "1 error, 0 warnings, 1 suppressed" in result.output
