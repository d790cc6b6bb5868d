"""The cores of tests/matrix, for the tests here."""
from tests.matrix.conftest import dumps  # noqa: F401
