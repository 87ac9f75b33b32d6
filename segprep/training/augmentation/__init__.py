"""The tutorials' augmentations, step by step: docs/augmentation.md has every parameter."""
