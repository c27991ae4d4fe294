"""Settings of all tests."""

import os

from hypothesis import settings

# Tests run side by side: threads of one that wait in a loop for threads of another make small fits take ten times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# In continuous integration the same examples are tried in every run, so that a failure is the change's own;
# elsewhere each run tries new ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
