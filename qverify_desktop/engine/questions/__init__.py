"""What a window may ask the engine, one module per subject; ``docs/questions.md`` lists all of it."""
