"""Runs the module that Cython made of compiled_generators.pyx, from $COMPILED."""
import os
import sys

sys.path.insert(0, os.environ['COMPILED'])
import compiled_generators  # noqa: E402

compiled_generators.main()
