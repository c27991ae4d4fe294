"""What is told to whom: outbox events, their messages, delivery with retries."""
