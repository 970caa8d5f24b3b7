"""Fetching the images of NUS-WIDE, whose release has only their addresses."""
