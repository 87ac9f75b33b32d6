"""What a network is fed with: lists, image and mask pairs, normalization.

pair = pairs.read_pair(segprep.Tree(Path("out")), "img_001")     image (H, W, 3), mask (H, W)
mean, std = pairs.moments([pair])
small = pairs.scaled(pair, pairs.InputSpec(256, 0.5, mean, std))
"""
