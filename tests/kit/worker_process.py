"""A worker as a process of its own, for tests that kill it: `python -m tests.kit.worker_process`.

Works on the database named by SHUKE_TEST_DATABASE until nothing is left, with a short lease and short pauses.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

os.environ["DJANGO_SETTINGS_MODULE"] = "shuke.settings"


def main() -> None:
    from django.conf import settings

    settings.DATABASES["default"]["NAME"] = os.environ["SHUKE_TEST_DATABASE"]
    import django

    django.setup()
    from shuke.kit import audit, clock, jobs
    from shuke.kit.models import Job
    from shuke.kit.worker import Worker

    jobs.LEASE = timedelta(seconds=2)
    jobs.FIRST_PAUSE = timedelta(milliseconds=50)

    @jobs.handler("effect")
    def effect(running: jobs.Running) -> None:
        if running.arguments.get("fails") and running.attempt == 1:
            raise RuntimeError("the first attempt fails")
        with running.last_step():
            audit.record(
                merchant_id=None,
                at=clock.utc_now(),
                actor="test",
                verb="effect",
                object=str(running.arguments["number"]),
            )
            time.sleep(0.005)  # so that a kill also falls between the effect and its commit

    worker = Worker(tick=lambda now: None, idle=0.05)
    worker.listen_to_signals()
    print("ready", flush=True)
    while not worker._stop.is_set() and Job.objects.filter(state__in=["ready", "running"]).exists():
        worker.run(once=True)
        time.sleep(0.05)


if __name__ == "__main__":
    main()
