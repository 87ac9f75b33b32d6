"""The command line of segprep, installed as ``segprep_cli``."""
