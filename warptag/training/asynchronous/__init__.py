"""Asynchronous training by several processes, the paper's way."""

from warptag.training.asynchronous.chief import Chief
from warptag.training.asynchronous.cluster import ClusterTask, serve, this_task
from warptag.training.asynchronous.local_cluster import LocalCluster

__all__ = ["Chief", "ClusterTask", "LocalCluster", "serve", "this_task"]
