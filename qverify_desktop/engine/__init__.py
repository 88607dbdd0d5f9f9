"""Durable execution of analyses, their events, and the one face that windows and commands talk to."""
