"""`python -m playground --port P --data-dir D --bot-url U`: page and Official Account on port P, WeCom on P + 1.

The customer service is served at the port of ``PLAYGROUND_KF_URL`` and the smart bot at that of
``PLAYGROUND_BOT_URL``, which the demo's configuration names.
The token that opens the bot's inspection to the page comes in ``QUNDA_INSPECTION_TOKEN``.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

from playground import demo_data
from playground.page.routes import page_routes
from playground.platform.server import HOST
from playground.wechat import WeChat


def main() -> int:
    options = _options()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    wechat = WeChat(demo_data.credentials(options.data_dir), demo_data.cast())
    wechat.oa.app.register_blueprint(page_routes(wechat))
    wechat.connect(options.bot_url, os.environ.get("QUNDA_INSPECTION_TOKEN", ""))
    kf_port, bot_port = (urlsplit(os.environ.get(name, "")).port or 0 for name in (demo_data.KF_URL, demo_data.BOT_URL))
    wechat.open(options.port, options.port + 1, options.host, kf_port=kf_port, bot_port=bot_port)
    ended.wait()
    wechat.close()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m playground", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--bot-url", required=True)
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
