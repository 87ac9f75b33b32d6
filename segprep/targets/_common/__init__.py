"""What several targets share: pictures, masks, lists, names, the text that says how to load it."""
