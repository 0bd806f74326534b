"""What is true without any I/O.

Requests and their limits, the status table, capabilities, failures, money, and the messages that pass between
workflow and activities. Pure functions and frozen models; this package imports none of the others.
"""
