"""What a run is handed on as: JSON documents, a report, and files for other tools. Pure functions of a result."""
