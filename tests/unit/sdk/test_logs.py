"""Log lines: the specified fields first, no secret anywhere, one level for all."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from mosaiclife_plugin_sdk import FrameSettings, Secret
from mosaiclife_plugin_sdk.frame import configure_logs
from mosaiclife_plugin_sdk.frame.logs import AccessLog, lines_in_turns


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, known = root.handlers, root.level, structlog.get_config()
    yield
    root.handlers, root.level = handlers, level
    structlog.configure(**known)


def configured(**fields: Any) -> None:
    settings = FrameSettings(self_register=False, **fields)
    configure_logs("tiny", "0.1.0", settings)


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_line_begins_with_the_seven_fields(capsys: pytest.CaptureFixture[str]) -> None:
    """The fields of spec §8.5 come first, and the rest follows."""
    configured()
    structlog.stdlib.get_logger().warning("low on disk", free=7)
    found = line(capsys)

    assert list(found) == [
        *("timestamp", "level", "plugin.name", "plugin.version", "trace_id", "span_id", "msg"),
        "free",
    ]
    assert (found["level"], found["msg"], found["free"]) == ("warn", "low on disk", 7)


def test_lines_of_libraries_look_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """What a library writes with `logging` is JSON with the same fields, traceback included."""
    configured()
    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("some.library").exception("it failed: %s", "why")
    found = line(capsys)

    assert (found["level"], found["msg"], found["plugin.name"]) == (
        "error",
        "it failed: why",
        "tiny",
    )
    assert "ValueError: broken" in found["exception"]


def test_level_is_a_setting(capsys: pytest.CaptureFixture[str]) -> None:
    """Below LOG_LEVEL nothing is written, from neither side."""
    configured(log_level="error")
    structlog.stdlib.get_logger().warning("quiet")
    logging.getLogger("some.library").warning("quiet")

    assert capsys.readouterr().out == ""


def test_secret_is_masked_wherever_it_stands(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A secret word is masked at any depth, and so is whatever stands under a telling name."""
    file = tmp_path / "token"
    file.write_text("from-a-file")
    token = Secret(file=file)
    assert token.value == "from-a-file"
    configured(reg_token=token, core_token=Secret("hush-hush older-one"))

    structlog.stdlib.get_logger().info(
        "sent hush-hush",
        url="http://x/?t=older-one",
        nested={"deep": ["from-a-file", 1]},
        authorization="Bearer anything",
        error=ValueError("hush-hush"),
    )
    out = capsys.readouterr().out

    for word in ("hush-hush", "older-one", "from-a-file", "anything"):
        assert word not in out
    assert json.loads(out)["nested"] == {"deep": ["***", 1]}


def access_line(log_level: Any = "info", **told: Any) -> None:
    """Write the line of one request in the trace 10, with what else is *told* of it."""
    settings = FrameSettings(
        self_register=False, reg_token=Secret("hush-hush"), log_level=log_level
    )
    usual: dict[str, Any] = {"path": "/v1/notes", "request_id": "r1"}
    AccessLog("tiny", "0.1.0", settings).write(
        (f"{16:032x}", f"{17:016x}"),
        method="GET",
        route="/v1/notes",
        status=200,
        seconds=0.0123456,
        **{**usual, **told},
    )


def test_access_line_looks_like_every_other_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The seven fields come first, as they would be written for any other line of that trace."""
    access_line()
    found = line(capsys)
    configured()
    structlog.stdlib.get_logger().info("request")

    assert list(found)[:7] == list(line(capsys))
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "level": "info",
        "plugin.name": "tiny",
        "plugin.version": "0.1.0",
        "trace_id": f"{16:032x}",
        "span_id": f"{17:016x}",
        "msg": "request",
        "method": "GET",
        "route": "/v1/notes",
        "path": "/v1/notes",
        "status": 200,
        "ms": 12.346,
        "request_id": "r1",
    }


def test_access_line_masks_what_the_caller_has_written(capsys: pytest.CaptureFixture[str]) -> None:
    """A caller may put a secret into the path or the request's id."""
    access_line(path="/v1/hush-hush/x", request_id="my-hush-hush")
    found = line(capsys)

    assert (found["path"], found["request_id"]) == ("/v1/***/x", "my-***")


def test_access_line_is_written_at_info(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever wants warnings only gets no access lines."""
    access_line(log_level="warn")

    assert capsys.readouterr().out == ""


def test_access_lines_go_out_once_in_a_turn_and_in_order(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Other lines do not overtake those that wait, and none is lost when serving ends."""
    configured()

    async def serve() -> list[str]:
        seen = []
        with lines_in_turns(asyncio.get_running_loop()):
            access_line(request_id="first")
            access_line(request_id="second")
            seen.append(capsys.readouterr().out)
            await asyncio.sleep(0)
            seen.append(capsys.readouterr().out)
            access_line(request_id="third")
            structlog.stdlib.get_logger().info("between")
            access_line(request_id="fourth")
        access_line(request_id="fifth")
        return [*seen, capsys.readouterr().out]

    at_once, in_a_turn, in_the_end = asyncio.run(serve())

    assert at_once == ""
    assert told(in_a_turn) == ["first", "second"]
    assert told(in_the_end) == ["third", "between", "fourth", "fifth"]


def told(out: str) -> list[str]:
    """Return by what each line of *out* can be known."""
    lines = [json.loads(line) for line in out.splitlines()]
    return [line.get("request_id", line["msg"]) for line in lines]
