"""Names, keys, paths and addresses."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vllm_kustomize.kubernetes import names

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
TEXTS = st.text(st.sampled_from("abzAZ09-._/ é*%:="), max_size=12) | st.text(max_size=300)


@given(TEXTS)
def test_a_dns_label_is_what_rfc_1123_says(value: str) -> None:
    assert (names.dns_label(value) == "") == bool(LABEL.fullmatch(value))


@given(st.lists(st.from_regex(r"[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True), min_size=1, max_size=6))
def test_labels_with_dots_between_them_are_a_subdomain(labels: Any) -> None:
    assert names.dns_subdomain(".".join(labels)) == ""
    assert names.qualified_name(".".join(labels) + "/Name_1") == ""
    assert names.wildcard_subdomain("*." + ".".join(labels)) == ""


@given(TEXTS)
def test_every_format_answers(value: str) -> None:
    for rule in FORMATS:
        assert isinstance(rule(value), str)


FORMATS = [rule for name, rule in vars(names).items() if callable(rule) and name.islower() and name[0] != "_"]
FORMATS = [rule for rule in FORMATS if getattr(rule, "__module__", "") == names.__name__]
FORMATS.remove(names.parse_cidr)


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (names.dns_label, ["a", "0", "a-b", "x" * 63], ["", "-a", "a-", "A", "a.b", "x" * 64, "a\n", "é"]),
        (names.dns_subdomain, ["a.b", "1.5", "x" * 253], ["", ".a", "a..b", "a_b", "x" * 254]),
        (names.dns1035_label, ["a1"], ["1a", ""]),
        (names.label_value, ["", "A.b_c-d", "x" * 63], ["-a", "a-", "x" * 64, "a b"]),
        (names.qualified_name, ["a", "A_b", "a.b/C", "x" * 63], ["", "/a", "a/", "a/b/c", "A/b", "x" * 64]),
        (names.port_name, ["http", "a", "a-b"], ["", "8000", "a--b", "-a", "a-", "HTTP", "x" * 16]),
        (names.config_key, [".a", "a_b-c.d", "..."[:1] + "a"], ["", ".", "..", "..a", "a b", "x" * 254]),
        (names.env_name, ["1A", "a b", "A-B.C", "~"], ["A=B", "é", "a\tb", ""]),
        (names.relative_path, ["a/b", ".a", "a..b"], ["/a", "../a", "a/.."]),
        (names.file_below_volume, ["a"], ["..a", "/a", "a/../b"]),
        (names.path_segment, ["A b!"], [".", "..", "a/b", "50%"]),
        (names.ip, ["10.0.0.1", "::1", "010.0.0.1"], ["", "1.2.3", "a", "fe80::1%eth0", "\u0661.0.0.1"]),
        (names.strict_ip, ["10.0.0.1", "::1"], ["010.0.0.1", "::ffff:1.2.3.4", "x"]),
        (names.cidr, ["10.0.0.0/8", "10.1.2.3/8"], ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "x/8"]),
        (names.strict_cidr, ["10.0.0.0/8", "2001:db8::/64"], ["10.1.2.3/8", "010.0.0.0/8", "10.0.0.0/08"]),
        (names.percent, ["0%", "100%"], ["", "%", "25", "-1%", "1.5%"]),
    ],
)  # fmt: skip
def test_format(rule: Any, good: Any, bad: Any) -> None:
    assert {value: rule(value) for value in good} == dict.fromkeys(good, "")
    assert [value for value in bad if not rule(value)] == []
