"""Parts that the pages of the whole log, of a run's evidence and of a foreign bundle share."""
