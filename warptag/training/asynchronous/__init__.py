"""Asynchronous SGD by several processes, as in the paper."""

from warptag.training.asynchronous.chief import Chief
from warptag.training.asynchronous.cluster import ClusterTask, serve, this_task
from warptag.training.asynchronous.local_cluster import LocalCluster

__all__ = ["Chief", "ClusterTask", "LocalCluster", "serve", "this_task"]
