"""``segprep train``: a whole course of training, from its settings to its last epoch, its log and
its checkpoints.

    run = segprep.train("out", epochs=20, arch="unet")
    run.checkpoint, run.miou, run.history[-1].val_loss
"""
