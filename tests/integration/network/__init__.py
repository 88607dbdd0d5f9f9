"""Who connects to what, seen from outside the process: network name spaces, strace, and a search for planted secrets."""
