"""A small real world to watch: throw-away hosts and the monitoring that watches them.

The demonstration and the tests share it. It is not a way to run the agent in production.
"""
