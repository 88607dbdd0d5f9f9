"""The evidence log: canonical entries, RFC 6962 tree, signed checkpoints, bundles, and the stand-alone verifier."""
