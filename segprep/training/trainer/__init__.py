"""``segprep train``: a whole course of training, from its settings to its last epoch, its log and
its checkpoints.
"""
