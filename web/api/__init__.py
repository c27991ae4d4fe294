"""The HTTP side of the live service: JSON documents, an event stream and the operator's pages."""

from web.api.application import create_app

__all__ = ["create_app"]
