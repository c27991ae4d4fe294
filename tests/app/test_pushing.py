"""`pitcall push run` delivers by the ways that the service's settings open."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from app.commands.push import command
from domain.fleet import DEVELOPMENT_KEY
from domain.records import Commit
from storage.database import open_store
from tests.notifier.channels.test_smtp import Mailbox, server
from tests.notifier.push.test_outbox import event


def test_mail_goes_to_the_server_of_the_settings_and_the_rest_to_people(tmp_path: Path) -> None:
    url, hand_list, mailbox = f"sqlite:///{tmp_path / 'a.db'}", tmp_path / "by_hand.jsonl", Mailbox()
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.commit(Commit(outbox=(event("m", recipient="route:duty", channel="email"), event("l", channel="log"))))
    config = tmp_path / "pitcall.toml"
    with server(mailbox) as port:
        config.write_text(
            f'[email]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
            '[[routes]]\nname = "duty"\nchannel = "email"\nto = "duty@example.com"\nlanguage = "en"\n',
            encoding="utf-8",
        )
        arguments = ["run", "--database", url, "--config", str(config), "--by-hand", str(hand_list)]
        done = CliRunner().invoke(command, arguments)
    assert done.exit_code == 0, done.output
    assert "2 delivered" in done.output
    ((_, recipients, _),) = mailbox.mails
    assert recipients == ["duty@example.com"]
    assert [json.loads(line)["event"]["id"] for line in hand_list.read_text(encoding="utf-8").splitlines()] == ["l"]
