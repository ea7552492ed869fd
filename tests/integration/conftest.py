"""What is collected here: recordings of the real Tekton are replayed only where they are. And the fixtures of the tests
of the live cluster (`test_live_*`), which stand in several modules."""

from tests.integration.live_cluster_world import http_faults, server
from tests.integration.tekton_replay import data_folder

__all__ = ["http_faults", "server"]

collect_ignore = [] if data_folder() else ["test_tekton_recordings.py"]
