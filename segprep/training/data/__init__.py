"""What a network is fed with: lists, image and mask pairs, normalization."""
