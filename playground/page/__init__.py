"""The playground in a browser: phones side by side, and beside them what the bot made of each message."""
