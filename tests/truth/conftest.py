"""Campaigns count what is wrong: they say how much was shown, how much of it marked, and that
nothing is false.

They use the cores of the matrix tests.
"""
from tests.matrix.conftest import dumps  # noqa: F401
