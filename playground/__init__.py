"""A small WeChat of our own: fake platform servers and people's phones, for demo, tests and load runs.

It knows the bot only as a callback address and as a caller of its API.
"""
