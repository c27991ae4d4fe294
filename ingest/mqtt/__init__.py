"""Messages of an MQTT broker: our payload forms, topics, and receivers behind `domain.messages.Receiver`."""
