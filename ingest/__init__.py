"""MQTT messages and log files -> frames -> signals and trouble codes."""
