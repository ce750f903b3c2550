"""Something bad was delivered: the conversation from the first words or photo to the stored claim."""
