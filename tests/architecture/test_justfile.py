"""`./just` without arguments is the manual: each recipe is short, commented and grouped."""

import json
import subprocess
from typing import Any

import pytest

from tools.workspace import ROOT

LONGEST_BODY = 4


def recipes() -> dict[str, dict[str, Any]]:
    """Return what just itself reads from the justfile, without the private recipes."""
    command = [str(ROOT / "just"), "--dump", "--dump-format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    known = json.loads(done.stdout)["recipes"]
    return {name: recipe for name, recipe in known.items() if not recipe["private"]}


@pytest.mark.parametrize("name", recipes())
def test_a_recipe_is_commented_grouped_and_short(name: str) -> None:
    """A reader learns from the list what a recipe does, and from its body how."""
    recipe = recipes()[name]

    assert recipe["doc"]
    assert [entry for entry in recipe["attributes"] if "group" in entry]
    assert 1 <= len(recipe["body"]) <= LONGEST_BODY


def test_the_two_commands_of_a_newcomer_are_there() -> None:
    """The README begins with them."""
    assert {"dev", "test"} <= set(recipes())
