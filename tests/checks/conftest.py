"""The generated scenes and the faults of tests/mutation, for the tests of the rules."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "mutation"))
