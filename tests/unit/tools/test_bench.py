"""The cluster that a benchmark plays is read whole, in several pages."""

from tools.bench import cluster


def test_a_cluster_of_several_pages_is_read_without_a_finding() -> None:
    """It raises where a volume is missing, or anything is not as wanted."""
    assert cluster.measure(600).nodes == 600
