"""Regular expressions mean what they mean to Go, whose verdicts stand here; google-re2 gave them."""

from __future__ import annotations

import pytest

from vllm_kustomize.kubernetes.regex import UnknownSyntax, matches


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("^(?:a.c)$", "abc", ["abcd", "a\nc"]),
        ("(?i)B", "abc", ["ac"]),
        ("a(?i)b|c", "aB", ["AB", "d"]),
        ("a(?i)b|c", "C", ["A"]),
        ("(a(?i)b)c", "aBc", ["aBC"]),
        ("(?s).", "\n", [""]),
        ("(?s-i:.)", "\n", [""]),
        ("(?U)a+", "a", ["b"]),
        (r"^[[:^digit:]]$", "é", ["1"]),
        (r"^[\S]$", "é", [" ", "\n"]),
        (r"^[^\S]$", " ", ["a"]),
        (r"^\s$", "\t", ["\v", "a"]),
        (r"^\p{^L}$", "1", ["a"]),
        (r"^\PL$", "1", ["a"]),
        (r"^\w$", "a", ["é"]),
        (r"^\d$", "1", ["٣"]),
        ("^[]a]$", "]", ["["]),
        ("^[a&&b]$", "&", ["c"]),
        ("^}]$", "}]", ["}"]),
        ("^{,2}$", "{,2}", ["a"]),
        ("^a{2}$", "aa", ["a{2}"]),
        (r"^\Qa.b\E$", "a.b", ["axb"]),
        (r"\Aa\z", "a", ["ab", "a\n"]),
        ("a$", "a", ["a\n"]),
        (r"\bb", "a b", ["ab"]),
        (r"^\x{e9}\101$", "éA", ["e"]),
        ("^(?P<x>a)(?<y>b)$", "ab", ["a"]),
    ],
)
def test_patterns(pattern: str, fits: str, others: list[str]) -> None:
    assert [matches(pattern, text) for text in (fits, *others)] == [True, *[False] * len(others)]


@pytest.mark.parametrize(
    "pattern", ["(", "a**", "(?=a)", r"(a)\1", r"\Z", "a{1001}", "a{2,99999}", r"\x{110000}"]
)
def test_what_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(UnknownSyntax):
        matches(pattern, "a")


def test_what_cannot_be_told_is_not_judged() -> None:
    with pytest.raises(UnknownSyntax):
        matches(r"\bé", "é")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)*=", "(a|aa)+$", "^(a?){60}a{60}$"])
def test_no_pattern_takes_exponential_time(pattern: str) -> None:
    assert matches(pattern, "a" * 45 + "!") is False
    assert matches(pattern, "a" * 50_000 + "!") is False
