"""Settings of all tests."""

import os

from hypothesis import settings

# In continuous integration the same examples are tried in every run, so that a failure is the change's own;
# elsewhere each run tries new ones.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
