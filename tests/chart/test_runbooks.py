"""What the runbooks let somebody paste at night has been pasted before."""

import json
import re
import subprocess

from tests.support.events import TENANT
from tests.support.senders import TOKEN
from tools.workspace import ROOT

BLOCK = re.compile(
    r"^<!-- run by: tests/chart/test_runbooks.py -->\n```sh\n(?P<body>.*?)^```",
    re.MULTILINE | re.DOTALL,
)


def test_what_is_asked_in_the_name_of_core_is_answered(plugin: str) -> None:
    """Runs, quarantine and receipts are shown, and a job begins, by the page's own words."""
    page = (ROOT / "docs/runbooks.md").read_text("utf-8")
    (block,) = BLOCK.finditer(page)
    given = f"token='{TOKEN}' url='{plugin}' tenant='{TENANT}'\n"
    separated = block["body"].replace("\nask ", "\necho\nask ")

    done = subprocess.run(
        ["sh", "-eu"], input=given + separated, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    answers = [json.loads(line)["data"] for line in done.stdout.splitlines() if line]
    assert len(answers) == 4
    assert answers[-1]["job"] == "rollup.verify"
