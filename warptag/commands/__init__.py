"""The commands of `warptag`, one a file. They only parse; the work is in the rooms."""
