"""The operator's pages: rendered here, kept fresh by the event stream, and in need of nothing from another machine."""
