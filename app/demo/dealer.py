"""A demo dealer as its own process: the reference client of `examples`, told by the demonstration what to be."""

from __future__ import annotations

import threading

from app.demo.children import Parent
from examples.dealer_client import Api, Workshop, webhook_server


def main() -> None:
    """Serve until the parent ends us; reports the port, then every push by verdict."""
    parent = Parent()
    parent.listen(lambda _command: None)
    plan = parent.configuration
    api = Api(plan["api"], plan["key"])
    workshop = Workshop(plan["dealer"], api, declines=plan["declines"], thinks_s=plan["thinks_s"], over=parent.over)
    server = webhook_server(plan["secret"], workshop.receive, lambda verdict: parent.report(push=verdict.value), plan["port"])
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
    threading.Thread(target=workshop.work, daemon=True).start()
    parent.report(ready=True, port=server.server_address[1])
    parent.over.wait()
    server.shutdown()
    server.server_close()


if __name__ == "__main__":
    main()
