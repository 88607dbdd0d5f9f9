"""The pipeline: one file per stage, in order. ``workflow`` shows the whole order on one screen."""
