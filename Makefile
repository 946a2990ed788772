# Works on a machine with nothing but Python and make: the first target run makes .venv from the lock.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
LOCK := tools/requirements.lock

.PHONY: help
help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv: $(LOCK) pyproject.toml ## Install the tool and its developers' tools, all pinned
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q tools # where Python may not write bytecode, it would compile at every run
	@touch .venv

.PHONY: validate
validate: .venv ## Build and prove every overlay
	$(BIN)/vllm-kustomize validate

.PHONY: test
test: .venv ## Run the tests (under two minutes on two cores)
	$(BIN)/pytest --numprocesses auto

.PHONY: lint
lint: .venv ## Check style, format, and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/python tools/docs/prose.py

.PHONY: types
types: .venv ## Check types
	$(BIN)/mypy

.PHONY: check
check: lint types validate test ## All that a change has to pass

.PHONY: check-all
check-all: check engines fuzz ## The same with the slow matrices: every kubectl, thousands of inputs and builds
	VLLM_KUSTOMIZE_BUILDS=1000 $(BIN)/pytest --numprocesses auto tests/kustomize/replay/test_replay.py

.PHONY: mutants
SAMPLE ?= 0
SEED ?= 1
mutants: .venv ## Break the code and see whether the tests notice; SAMPLE=400 tries that many places
	PYTHONPATH=tests $(BIN)/python -m mutants --sample $(SAMPLE) --seed $(SEED)

.PHONY: engines
engines: .venv ## Build everything with kubectl 1.28 to 1.37 and compare the bytes
	PYTHONPATH=tests $(BIN)/python tests/engines/compare.py

.PHONY: schemas
schemas: .venv ## Renew the bundled schemas of Kubernetes, from those of kubernetes-validate
	PYTHONPATH=tools $(BIN)/python -m record.kubernetes_schemas

.PHONY: openapi
openapi: .venv ## Renew what is kept of the OpenAPI document that Kustomize carries (needs Go)
	PYTHONPATH=tools $(BIN)/python -m record.kustomize_openapi

.PHONY: coverage
coverage: .venv ## Measure what the API-server checks catch and rewrite docs/api-server-coverage.md
	PYTHONPATH=tests:tools $(BIN)/python tests/conformance/coverage.py

KUBERNETES ?=
RECORD = PYTHONPATH=tools $(BIN)/python -m record
CRDS ?=
RECORDED_CRDS = $(if $(CRDS),custom-resources custom-resources-updates --definitions "$(CRDS)")
.PHONY: record record-apiserver record-updates record-pod-security
record: .venv ## Record all that a control plane says: KUBERNETES=1.38, in $$KUBEBUILDER_ASSETS or $$KUBECONFIG; CRDS=FOLDER too
	$(RECORD) apiserver updates pod-security $(RECORDED_CRDS) --kubernetes "$(KUBERNETES)"
record-apiserver: .venv ## Record what it says of new objects alone
	$(RECORD) apiserver --kubernetes "$(KUBERNETES)"
record-updates: .venv ## Record what it says of updates
	$(RECORD) updates --kubernetes "$(KUBERNETES)"
record-pod-security: .venv ## Record which pods the Pod Security Standards admit
	$(RECORD) pod-security --kubernetes "$(KUBERNETES)"

.PHONY: record-crds
record-crds: .venv ## Rewrite the bundled definitions, from the clones in CHECKOUTS (docs/custom-resources.md)
	PYTHONPATH=tools $(BIN)/python -m record.custom_resources $(CHECKOUTS)

.PHONY: golden
golden: .venv ## Rewrite the expected renders and outputs; read the diff
	$(BIN)/pytest -q --update-golden

.PHONY: fuzz
fuzz: .venv ## Try 10,000 hostile inputs of each kind; `make test` tries a slice of them
	printf '%s\n' manifests broken_yaml sources settings secrets numbers commands patterns paths engines caches | VLLM_KUSTOMIZE_FUZZ=10000 \
		xargs -P 2 -n 1 $(BIN)/pytest -q --no-header -p no:cacheprovider tests/fuzz -k

.PHONY: bench
bench: .venv ## Measure speed on repos of 3 to 1,000 overlays (10 minutes); writes docs/benchmarks.*
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/bench.py
	$(BIN)/python tests/benchmarks/scaling.py

.PHONY: bench-checks
bench-checks: .venv ## Measure what the API-server checks of one object take
	PYTHONPATH=tests $(BIN)/python tests/benchmarks/api_server.py

.PHONY: e2e
e2e: .venv ## Run a real vLLM with what the overlays render (docs/execution.md); CASES="cpu ..." chooses
	@PYTHONPATH=tests $(BIN)/python -m e2e $(CASES)

VLLM_ENV := build/vllm/environment
$(VLLM_ENV): tools/catalog/requirements.txt
	$(PYTHON) -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

.PHONY: catalog
catalog: $(VLLM_ENV) ## Renew the data files of vLLM's releases: VLLM="0.34.0 0.34.1" (5 GB in build/)
	PYTHONPATH=tools $(VLLM_ENV)/bin/python -m catalog $(VLLM)

.PHONY: cluster
cluster: .venv ## Apply everything to a real control plane with what is in $KUBEBUILDER_ASSETS and $CLUSTER_BIN
	$(BIN)/pytest tests/cluster -q -rs -p no:cacheprovider $(if $(CASES),-k "$(CASES)")

.PHONY: cluster-binaries
cluster-binaries: .venv ## Build the control plane and the controllers into $CLUSTER_BIN; KUBERNETES=1.37.2, NAMES="keda ..."
	$(BIN)/python tests/cluster/build.py $(if $(KUBERNETES),--kubernetes $(KUBERNETES)) $(NAMES)

.venv-docs: tools/docs.lock
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement tools/docs.lock
	@touch .venv-docs

.PHONY: docs
docs: .venv-docs ## Build the documentation site into build/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

.PHONY: changelog
changelog: .venv-docs ## Collect newsfragments/ into CHANGELOG.md for the version of the package
	.venv-docs/bin/towncrier build --yes

.PHONY: dist
dist: .venv ## Build the package that a release publishes into dist/
	$(BIN)/hatchling build

# What names vLLM's release; the other overlays take it from here, and a test compares the three.
PINS := base/deployment.yaml overlays/integrations/mistral-7b-instruct/model.yaml examples/helm/values.yaml
RELEASE := $(shell sed -n 's|.*image: vllm/vllm-openai:v||p' base/deployment.yaml)
.PHONY: bump
bump: ## Serve with another release of vLLM: VLLM=0.34.0; then `make catalog golden check`
	@test -n "$(VLLM)" || { echo 'bump: say which release, such as VLLM=0.34.0'; exit 2; }
	sed -i.old 's|v$(subst .,\.,$(RELEASE))$$|v$(VLLM)|' $(PINS)
	rm -f $(PINS:=.old)

.PHONY: record-vllm
record-vllm: $(VLLM_ENV) ## Record what the parser of a vLLM release says of many command lines: VLLM=0.34.0
	PYTHONPATH=tools $(VLLM_ENV)/bin/python -m record.vllm_serve $(VLLM)

.PHONY: record-kv-cache
VLLM_PYTHON ?= python3
record-kv-cache: .venv ## Record the KV cache that real servers report: FILE=tests/conformance/vllm-kv-cache-cpu.json, with VLLM_PYTHON's vLLM
	PYTHONPATH=tools $(BIN)/python -m record.kv_cache $(FILE) $(VLLM_PYTHON)

.PHONY: lock
lock: ## Pin the newest versions that pyproject.toml allows
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-annotate --group dev \
		--output-file $(LOCK) --upgrade pyproject.toml
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
		--output-file tools/docs.lock --upgrade --group docs
	.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes --no-header --no-annotate \
		--output-file tools/action/requirements.lock --upgrade --constraint $(LOCK) pyproject.toml
	rm -rf .venv-lock

.PHONY: clean
clean: ## Remove what make has made
	rm -rf .venv .venv-docs .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
