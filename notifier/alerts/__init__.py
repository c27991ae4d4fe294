"""From findings to alerts: episodes, incidents, flapping, silences and inhibition, review by a person."""
