"""Write a Kustomize repo of as many overlays as wanted, for benchmarks.

The mix is that of a platform team's repo: a shared base for every 25 overlays, components that overlays pick
from, a few patches and a generated ConfigMap an overlay, 5 to 40 objects each, and a finding here and there.
The same number always gives the same repo.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Template

OVERLAYS_A_BASE = 25

DEPLOYMENT = Template("""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: $name
  labels: {app.kubernetes.io/name: $name}
spec:
  replicas: 2
  selector:
    matchLabels: {app.kubernetes.io/name: $name}
  template:
    metadata:
      labels: {app.kubernetes.io/name: $name}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
        - name: main
          image: registry.example.com/$name:v1.4.2
          args: ["--listen=:8080", "--config=/etc/$name/settings.yaml"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: POD_NAME
              valueFrom: {fieldRef: {fieldPath: metadata.name}}
          resources:
            requests: {cpu: 250m, memory: 256Mi}
            limits: {cpu: "1", memory: 512Mi}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {drop: [ALL]}
          readinessProbe:
            httpGet: {path: /ready, port: http}
          livenessProbe:
            httpGet: {path: /health, port: http}
            failureThreshold: 6
          volumeMounts:
            - name: settings
              mountPath: /etc/$name
      volumes:
        - name: settings
          configMap: {name: $name-settings}
""")
SERVICE = Template("""\
apiVersion: v1
kind: Service
metadata:
  name: $name
  labels: {app.kubernetes.io/name: $name}
spec:
  selector: {app.kubernetes.io/name: $name}
  ports:
    - name: http
      port: 80
      targetPort: http
""")
CONFIG_MAP = Template("""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: $name-settings
data:
  settings.yaml: |
    listen: 8080
    upstream: http://$name.internal
    timeout: 30s
""")
SERVICE_ACCOUNT = Template("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: $name\n")
ROLE = Template("""\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: $name
rules:
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, watch]
""")
CLAIM = Template("""\
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: $name
spec:
  accessModes: [ReadWriteOnce]
  resources:
    requests: {storage: 10Gi}
""")
BUDGET = Template("""\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: $name
spec:
  minAvailable: 1
  selector:
    matchLabels: {app.kubernetes.io/name: $name}
""")
AUTOSCALER = Template("""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: $name
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: $name}
  minReplicas: 2
  maxReplicas: 6
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}
""")
NETWORK_POLICY = Template("""\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: $name
spec:
  podSelector:
    matchLabels: {app.kubernetes.io/name: $name}
  policyTypes: [Ingress]
  ingress:
    - ports: [{port: http}]
""")
APPLICATION = {
    "deployment.yaml": DEPLOYMENT,
    "service.yaml": SERVICE,
    "settings.yaml": CONFIG_MAP,
    "account.yaml": SERVICE_ACCOUNT,
    "pvc.yaml": CLAIM,
}
COMPONENTS = {"autoscaling": AUTOSCALER, "budgets": BUDGET, "isolation": NETWORK_POLICY, "access": ROLE}

PATCHES = {
    "replicas": "spec:\n  replicas: {number}\n",
    "resources": """\
spec:
  template:
    spec:
      containers:
        - name: main
          resources:
            requests: {{memory: {number}Gi}}
            limits: {{memory: {number}Gi}}
""",
    "environment": """\
spec:
  template:
    spec:
      containers:
        - name: main
          env:
            - name: WORKERS
              value: "{number}"
""",
    # Every one of these is a mistake that a validator has to name.
    "misspelt": "spec:\n  minReadySecond: {number}\n",
}


def generate(directory: Path, overlays: int) -> list[Path]:
    """Write a repo of `overlays` overlays into an empty directory and return their directories."""
    chance = random.Random(overlays)
    bases = [f"base-{index}" for index in range(-(-overlays // OVERLAYS_A_BASE))]
    applications = {base: _base(directory / "bases" / base, chance) for base in bases}
    for name, template in COMPONENTS.items():
        _component(directory / "components" / name, name, template)
    made = []
    for index in range(overlays):
        base = bases[index // OVERLAYS_A_BASE]
        overlay = directory / "overlays" / f"team-{index:04}"
        _overlay(overlay, base, chance.choice(applications[base]), chance)
        made.append(overlay)
    return made


def _base(directory: Path, chance: random.Random) -> list[str]:
    """Write a base of one to seven applications; return their names."""
    names = [f"app-{index}" for index in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 7)))]
    objects = {
        f"{name}.{file}": text.substitute(name=name) for name in names for file, text in APPLICATION.items()
    }
    _write(directory, {**objects, "kustomization.yaml": _kustomization({"resources": sorted(objects)})})
    return names


def _component(directory: Path, name: str, template: Template) -> None:
    files = {f"{name}.yaml": template.substitute(name="app-0")}
    kustomization = _kustomization({"resources": list(files)}, kind="Component", version="v1alpha1")
    _write(directory, {**files, "kustomization.yaml": kustomization})


def _overlay(directory: Path, base: str, application: str, chance: random.Random) -> None:
    name = directory.name
    concerns = chance.sample(("replicas", "resources", "environment"), chance.randint(1, 3))
    concerns += ["misspelt"] if chance.random() < 0.1 else []
    target = f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {application}\n"
    files = {
        f"patches/deployment.{concern}.yaml": target + PATCHES[concern].format(number=chance.randint(2, 9))
        for concern in concerns
    }
    fields: dict[str, list[str]] = {
        "resources": [f"../../bases/{base}"],
        "components": [
            f"../../components/{component}"
            for component in sorted(chance.sample(sorted(COMPONENTS), chance.randint(0, 3)))
        ],
        "patches": [f"path: {file}" for file in files],
    }
    for index in range(chance.choice((0, 0, 0, 1, 2, 4))):  # objects of the overlay's own
        own = chance.choice((CONFIG_MAP, SERVICE_ACCOUNT, SERVICE)).substitute(name=f"own-{index}")
        files[f"own-{index}.yaml"] = own
        fields["resources"].append(f"own-{index}.yaml")
    files["team.properties"] = f"team={name}\nquota={chance.randint(1, 99)}\n"
    tag = "latest" if chance.random() < 0.05 else f"v1.{chance.randint(0, 9)}.0"
    more = f"""\
namespace: {name}
labels:
  - pairs: {{team: {name}}}
images:
  - name: registry.example.com/{application}
    newTag: {tag}
configMapGenerator:
  - name: team
    files: [team.properties]
"""
    _write(directory, {**files, "kustomization.yaml": _kustomization(fields) + more})


def _kustomization(
    fields: dict[str, list[str]], kind: str = "Kustomization", version: str = "v1beta1"
) -> str:
    return "".join(_lines(fields, f"apiVersion: kustomize.config.k8s.io/{version}\nkind: {kind}\n"))


def _lines(fields: dict[str, list[str]], head: str) -> Iterator[str]:
    yield head
    for field, entries in fields.items():
        if entries:
            yield f"{field}:\n"
            yield from (f"  - {entry}\n" for entry in entries)


def _write(directory: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]))
