"""Ours beside Pynguin and Hypothesis' ghostwriter: the same projects, cores and minutes. Run by ``make bench-peers``."""
