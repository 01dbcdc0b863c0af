"""docs/protocol: every promise holds in the nearest states, and every rule is needed."""
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "docs", "protocol"))

import explore  # noqa: E402
import model  # noqa: E402


@pytest.mark.parametrize("form", ["script", "watch"])
def test_every_promise_holds(form):
    for faults, resets in explore.PLANS:
        machine = model.Model("short poison", faults=faults, form=form, resets=resets)
        run = explore.Run(machine, 6000)
        assert run.path is None, "\n".join([" and ".join(faults), *run.path])


@pytest.mark.parametrize("rule", [r for r in explore.MUTANTS if r not in explore.FAR])
def test_without_the_rule_a_promise_breaks(rule):
    assert explore.mutant(rule).path


def test_every_safety_rule_has_its_mutant():
    assert set(explore.MUTANTS) == set(model.SAFETY) | set(model.SAFETY_OF_WATCH)
