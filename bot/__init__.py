"""The chat machine: channels, messages, conversations, inbox, outbox, turns, media, storage.

It holds no word of the trade; the rooms above it bring the business.
"""
