"""The product's own WSGI application, in a process that kills itself where a caller says so: before the request's work is done
(`X-Die: before`), or when it is done and the answer not yet sent (`X-Die: after`): what every caller fears most."""

from __future__ import annotations

import os
import signal

from shuke.wsgi import application as shuke

__import__("shuke.urls")  # with all pages behind it, before the fork: the killed are back at once


def application(environ, start_response):
    where = environ.get("HTTP_X_DIE")
    if where == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = shuke(environ, start_response)
    if where == "after":
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
