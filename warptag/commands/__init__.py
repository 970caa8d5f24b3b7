"""The commands of `warptag`, one file each. They parse options; other subpackages do the work."""
