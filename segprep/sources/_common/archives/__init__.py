"""What came as one zip or tar file."""
