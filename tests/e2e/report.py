"""The table that `make e2e` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from e2e.cases import Case
from e2e.play import Outcome

GIB = 1 << 30
HEADERS = ("", "ready", "probes", "curl", "chat", "in flight", "memory", "preStop", "drain", "verdict")


def verdict(case: Case, outcome: Outcome) -> str:
    """`serves` or `FAILED` for an overlay, `failed as expected` or `WRONG` for a negative case."""
    if not case.expected:
        return "FAILED" if outcome.failure else "serves"
    return "failed as expected" if case.is_expected(outcome.failure) else "WRONG"


def passed(case: Case, outcome: Outcome) -> bool:
    """Whether the outcome is the one that the case is there for."""
    return verdict(case, outcome) in ("serves", "failed as expected")


LEGEND = "probes: passed of all, startup readiness liveness; drain: from SIGTERM to the end"


def table(results: Iterable[tuple[Case, Outcome]]) -> str:
    """One row a case, columns as wide as they need to be."""
    rows = [HEADERS, *(_row(case, outcome) for case, outcome in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADERS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def details(results: Iterable[tuple[Case, Outcome]]) -> str:
    """What failed, and how each run differed from a cluster."""
    lines = []
    for case, outcome in results:
        texts = [*([outcome.failure] if outcome.failure else []), *outcome.notes]
        if case.expected and not case.is_expected(outcome.failure):
            texts.insert(0, f"expected: {' … '.join(case.expected)}")
        lines += [case.name, *(f"  {text}" for text in texts)]
    return "\n".join(lines)


def _row(case: Case, outcome: Outcome) -> Sequence[str]:
    shutdown = outcome.shutdown
    answers = [
        "-" if answer is None else ("failed" if answer.error else str(answer))
        for answer in (outcome.curl, outcome.chat, outcome.in_flight)
    ]
    return (
        case.name,
        "-" if outcome.startup is None else f"{outcome.startup:.0f} s",
        outcome.probes or "-",
        *answers,
        f"{outcome.memory / GIB:.1f} GiB" if outcome.memory else "-",
        f"{shutdown.pre_stop:.0f} s" if shutdown else "-",
        f"{shutdown.drain:.0f} s" if shutdown else "-",
        verdict(case, outcome),
    )
