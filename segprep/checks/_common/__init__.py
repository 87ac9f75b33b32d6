"""What several rules share: the facts of a dataset, and how a rule names a finding."""
