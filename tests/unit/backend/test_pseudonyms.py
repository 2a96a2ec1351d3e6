"""Pseudonyms: stable for a key, different for each tenant, and of no use without the key."""

from plugin_analytics.model.pseudonyms import Pseudonyms

ONE, OTHER = Pseudonyms(b"k" * 32), Pseudonyms(b"x" * 32)


def test_known_answer() -> None:
    """The derivation never changes unnoticed: stored pseudonyms depend on it."""
    assert ONE("family", "user:ada").hex() == "66f2e9f6de7985a0b97ad18e9c6358a5"


def test_pseudonym_depends_on_key_tenant_and_person() -> None:
    """Change any of the three, and it is another."""
    mine = ONE("family", "user:ada")

    assert mine == ONE("family", "user:ada")
    assert mine not in {OTHER("family", "user:ada"), ONE("other", "user:ada")}
    assert mine != ONE("family", "user:ben")


def test_check_value_tells_keys_apart_and_is_no_pseudonym() -> None:
    """What is stored to recognise a key opens nothing."""
    assert ONE.check_value() != OTHER.check_value()
    assert ONE.check_value() not in {ONE("family", "check"), ONE.subkey("check")[:16]}
    assert ONE.subkey("a") != ONE.subkey("b")
