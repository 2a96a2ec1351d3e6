"""The images, built once for all tests of this layer."""

from collections.abc import Mapping

import pytest

from tests.support.containers import (
    Built,
    Containers,
    base_images,
    build_images,
    prometheus_image,
)
from tools import image


@pytest.fixture(scope="session")
def containers() -> Containers:
    return Containers(image.find_engine())


@pytest.fixture(scope="session")
def bases(containers: Containers) -> Mapping[str, str]:
    return base_images(containers)


@pytest.fixture(scope="session")
def built(containers: Containers, bases: Mapping[str, str]) -> Built:
    return build_images(containers, bases)


@pytest.fixture(scope="session")
def prometheus(containers: Containers, bases: Mapping[str, str]) -> str:
    return prometheus_image(containers, bases)
