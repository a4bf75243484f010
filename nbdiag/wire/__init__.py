"""What crosses to the browser: arrays, messages, pictures."""
