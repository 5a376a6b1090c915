"""What Zoom's numbers and words mean, each with its source and date."""
