"""What a browser fetches is weighed part by part, without the host's React."""

import gzip
import random
from pathlib import Path

import pytest

from bench.bundle import NotBuilt, sizes

ENTRY = (
    'var n={"./Panel":()=>Promise.all([r.e(438),r.e(819),r.e(407)]).then(()=>()=>r(93)),'
    '"./Commands":()=>r.e(217).then(()=>()=>r(848)),'
    '"./Routes":()=>Promise.all([r.e(819),r.e(957)]).then(()=>()=>r(465))};'
    'P.u=e=>(({217:"commands",407:"panel",957:"routes"})[e]||e)+"."+'
    '({217:"aa",407:"bb",819:"cc",957:"dd"})[e]+".js";'
)


def test_a_part_is_the_sum_of_its_chunks(tmp_path: Path) -> None:
    """A chunk without a file, as one that the host shares, costs nothing; a shared one counts twice."""
    weights = {"panel.bb.js": 3000, "819.cc.js": 1000, "routes.dd.js": 2000}
    chance = random.Random(1)
    for name, number in weights.items():
        (tmp_path / name).write_bytes(chance.randbytes(number))
    (tmp_path / "remoteEntry.js").write_text(ENTRY)
    found = sizes(tmp_path)

    assert found["remoteEntry"] == len(gzip.compress(ENTRY.encode(), 9)) / 1024
    assert found["panel"] == pytest.approx(4000 / 1024, rel=0.05)
    assert found["page"] == pytest.approx(3000 / 1024, rel=0.05)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "not built"),
        ("nothing", "how its chunks are called"),
        (ENTRY.replace("./Panel", "./Other"), "where ./Panel lies"),
    ],
)
def test_what_cannot_be_weighed_says_why(tmp_path: Path, entry: str | None, reason: str) -> None:
    """A bundle that is built in another way does not become a wrong figure."""
    if entry is not None:
        (tmp_path / "remoteEntry.js").write_text(entry)

    with pytest.raises(NotBuilt, match=reason):
        sizes(tmp_path)
