"""A prefill and a decode server cannot exchange their KV caches.

Before the first request NIXL compares both sides and refuses another release, model, type of numbers or type
of cache. One tensor-parallel size has to divide the other, and decode's blocks have to be as large as
prefill's or a multiple; where prefill has more ranks they have to be equal. Until then both are ready. It is
an error where one InferencePool of the build selects both, and else a warning: they may not be a pair.

Bad:   --tensor-parallel-size=2 for prefill, 3 for decode
Good:  --tensor-parallel-size=2 for prefill, 4 for decode, and otherwise the same

Source: v1/nixl/{metadata,base_worker}.py and TransferTopology in vllm/distributed/kv_transfer/kv_connector
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vllm_kustomize.kubernetes import selectors
from vllm_kustomize.kubernetes.fields import mapping, text
from vllm_kustomize.kubernetes.lookup import of_kind
from vllm_kustomize.kubernetes.once import once
from vllm_kustomize.model import Build, Problem, Related, Severity
from vllm_kustomize.vllm.server import Server

SEVERITY = Severity.ERROR
HELP = "Give both sides the same settings; ranks, blocks and batches may differ within these bounds."

_SAME = ("dtype", "kv_cache_dtype")

_BY_ROLE = {"kv_producer": "prefill", "kv_consumer": "decode"}


def check_server(server: Server) -> Iterator[Problem]:
    """Yield decode servers that no prefill server of their namespace can hand a cache to."""
    if _role(server) != "decode":
        return
    found: list[Problem] = []
    for other in _all(server.build):
        if _role(other) == "prefill" and other.resource.namespace == server.resource.namespace:
            differences = list(_differences(server, other))
            if not differences:
                return
            severity = None if _in_one_pool(server, other) else Severity.WARNING
            found += [replace(problem, severity=severity) for problem in differences]
    yield from found


def _in_one_pool(server: Server, other: Server) -> bool:
    pools = [mapping(pool.manifest, "spec", "selector") for pool in of_kind(server.build, "InferencePool")]
    return any(
        selectors.matches(pool, server.pod.labels) and selectors.matches(pool, other.pod.labels)
        for pool in pools
    )


@once
def _all(build: Build) -> tuple[Server, ...]:
    from vllm_kustomize.vllm.container.reading import servers

    return servers(build, faults=[])[0]


def _role(server: Server) -> str:
    """Which side a server is, where it exchanges its cache through NIXL: by its label, else by its role."""
    config = server.value("kv_transfer_config")
    if not isinstance(config, dict) or config.get("kv_connector") != "NixlConnector":
        return ""
    if mapping(config, "kv_connector_extra_config").get("enforce_handshake_compat") is False:
        return ""
    label = text(server.pod.labels.get("llm-d.ai/role"))
    return label or _BY_ROLE.get(str(config.get("kv_role")), "")


def _differences(decode: Server, prefill: Server) -> Iterator[Problem]:
    other = f"{prefill.container} of {prefill.resource}"
    if decode.known_release != prefill.known_release:
        path = (*decode.container.path, "image")
        yield _problem(path, f"{decode} runs {decode.vllm}, and {other} {prefill.vllm}", prefill, "image")
    if decode.model and prefill.model and decode.model != prefill.model:
        message = f"{decode} serves {decode.model}, and {other} {prefill.model}"
        yield _problem(decode.model_path, message, prefill, "model_tag", "model")
    for option in _SAME:
        if decode.value(option) != prefill.value(option):
            message = f"{decode} has {decode.shown(option)}, and {other} {prefill.shown(option)}"
            yield _problem(decode.place(option), message, prefill, option)
    yield from _layout(decode, prefill, other)


def _layout(decode: Server, prefill: Server, other: str) -> Iterator[Problem]:
    sizes = "tensor_parallel_size", "block_size"
    if decode.unknown(*sizes) or prefill.unknown(*sizes):
        return
    ranks, theirs = decode.size(sizes[0]), prefill.size(sizes[0])
    if max(ranks, theirs) % min(ranks, theirs):
        message = f"{decode} has {ranks} tensor-parallel ranks, and {other} {theirs}: none divides the other"
        yield _problem(decode.place(sizes[0]), message, prefill, sizes[0])
    block, their_block = decode.value(sizes[1]), prefill.value(sizes[1])
    if not isinstance(block, int) or not isinstance(their_block, int) or min(block, their_block) < 1:
        return
    if block % their_block or (theirs > ranks and block != their_block):
        message = f"{decode} has blocks of {block} tokens, which cannot take {other}'s of {their_block}"
        yield _problem(decode.place(sizes[1]), message, prefill, sizes[1])


def _problem(path: tuple[str | int, ...], message: str, prefill: Server, *options: str) -> Problem:
    place = (*prefill.container.path, "image") if options == ("image",) else prefill.place(*options)
    return Problem(path, message, related=(Related(place, "the prefill side", prefill.resource),))
