"""Objects of kinds that Kubernetes itself does not know, of which no validator brings the schema."""

import jsonschema_rs
import pytest

from tests.support.chart import MATRIX, Object, render
from tests.support.custom_kinds import FORMS


def form_of(one: Object) -> str:
    return f"{one['apiVersion']}/{one['kind']}"


def custom_objects() -> list[Object]:
    """Return each object whose group is not one of the cluster's own, over all sets of values."""
    own = {"v1", "apps/v1", "autoscaling/v2", "policy/v1"}
    return [
        one
        for values in MATRIX.values()
        for one in render(values).objects
        if one["apiVersion"] not in own and ".k8s.io/" not in one["apiVersion"]
    ]


def test_every_custom_kind_is_rendered_and_has_a_form() -> None:
    """A kind that is new to the chart needs one, and no form is left over."""
    assert {form_of(one) for one in custom_objects()} == set(FORMS)


def test_every_object_has_its_form() -> None:
    """Field by field: an operator would pass over a name that it does not know."""
    for one in custom_objects():
        jsonschema_rs.validate(FORMS[form_of(one)], one["spec"])


@pytest.mark.parametrize("form", FORMS)
def test_a_mistyped_field_is_found(form: str) -> None:
    """The forms are closed."""
    spec = next(one["spec"] for one in custom_objects() if form_of(one) == form)

    assert jsonschema_rs.is_valid(FORMS[form], spec)
    assert not jsonschema_rs.is_valid(FORMS[form], {**spec, "selektor": {}})
    assert not jsonschema_rs.is_valid(FORMS[form], {})
