"""The tutorials' augmentations, step by step: docs/augmentation.md has every parameter.

chain = presets.steps("membrane", rotation=5)
image, mask = steps.applied(chain, image, mask, np.random.default_rng(0))
"""
