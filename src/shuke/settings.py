"""Settings. Everything an operator sets comes from the environment; docs/settings.md lists it all.

SHUKE_HOME (in a checkout ./var) holds database, keys, uploads and snapshots. DATABASE_URL moves the database to
PostgreSQL. Nothing here has to be set for a first start.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent.parent


def _home() -> Path:
    if told := os.environ.get("SHUKE_HOME"):
        return Path(told).expanduser().resolve()
    if (CHECKOUT / "pyproject.toml").exists():
        return CHECKOUT / "var"
    return Path("~/.shuke").expanduser()


SHUKE_HOME = _home()
SHUKE_MACHINE = int(os.environ.get("SHUKE_MACHINE", "0"))
# Where the analyses run: empty for the engine in this process, spark://…, spark or sc://… for a cluster (docs/scale.md).
SHUKE_ANALYTICS = os.environ.get("SHUKE_ANALYTICS", "").strip()
SHUKE_MAX_UNPACKED = int(os.environ.get("SHUKE_MAX_UNPACKED", "200"))  # megabytes


def _secret(name: str) -> str:
    """A secret from the environment, else from a file in SHUKE_HOME/keys that is made on first need."""
    if told := os.environ.get(name):
        return told
    path = SHUKE_HOME / "keys" / name.lower()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was first
            return path.read_text().strip()
        with os.fdopen(handle, "w") as file:
            file.write(os.urandom(32).hex())
    return path.read_text().strip()


def _database() -> dict:
    url = os.environ.get("DATABASE_URL", "")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("postgres", "postgresql"):
            raise SystemExit(f"DATABASE_URL must start with postgresql://, not {parts.scheme}://. Unset it for SQLite.")
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": dict(parse_qsl(parts.query)),
        }
    return {
        "ENGINE": "shuke.kit.sqlite",
        "NAME": SHUKE_HOME / "shuke.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # IMMEDIATE: a transaction that reads and then writes must take the write lock at its start, or SQLite
            # refuses it at once when another wrote in between. FULL: at NORMAL a power cut loses acknowledged points.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "cached_statements": 1000,  # of the driver; by its own 128 a till's statements push one another out
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                # 8 MB, not more: at a commit after a page was split, SQLite looks through the whole cache for pages past
                # the end of a file below 1 GB (the split borrows page number 262,145). With 64 MB that was a seventh of
                # a till's sale; what the cache lacks, the system's has.
                "PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY; "
                # A hot page goes back to the database once in 32 MB of log, not once in 4.
                "PRAGMA wal_autocheckpoint=8000;"
            ),
        },
    }


DATABASES = {"default": _database()}
# PostgreSQL prepares the statements of tills and imports once per connection; a pooler in transaction mode may not allow it.
SHUKE_PG_PREPARE = os.environ.get("SHUKE_PG_PREPARE", "1") == "1"
SECRET_KEY = _secret("SHUKE_SECRET_KEY")
# Keys that wrap members' data keys and blind phone numbers (kit/crypto). Losing it loses every phone and address.
SHUKE_MASTER_KEY = _secret("SHUKE_MASTER_KEY")

DEBUG = os.environ.get("SHUKE_DEBUG") == "1"
ALLOWED_HOSTS = os.environ.get("SHUKE_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("SHUKE_ORIGINS", "").split(",") if o]
# Behind TLS (SHUKE_HTTPS=1) cookies and redirects become strict; a first start on localhost has no certificate.
HTTPS = os.environ.get("SHUKE_HTTPS") == "1"
SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "shuke.doors.sessions"  # our own rows: who is signed in where can be seen, and ended
SESSION_COOKIE_AGE = 12 * 3600  # at the longest; after SESSION_IDLE without a page, earlier
SESSION_IDLE = 3 * 3600

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "shuke.kit",
    "shuke.shops",
    "shuke.members",
    "shuke.orders",
    "shuke.loyalty",
    "shuke.service",
    "shuke.insight",
    "shuke.doors.console",
    "shuke.doors.counter",
    "shuke.doors.public",
]
AUTH_USER_MODEL = "shops.Staff"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads pages by a random length, so that BREACH learns nothing
    "shuke.doors.console.middleware.server_timing_and_csp",
    "shuke.doors.console.middleware.OnlyText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "shuke.doors.console.arriving.Arriving",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "shuke.urls"
WSGI_APPLICATION = "shuke.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shuke.doors.console.context.shop",
            ]
        },
    }
]

STATIC_URL = "/static/"
STATIC_ROOT = SHUKE_HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = SHUKE_HOME / "uploads"
FILE_UPLOAD_TEMP_DIR = None
FILE_UPLOAD_HANDLERS = [
    "shuke.doors.console.uploads.Guard",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",  # to disk, never to memory
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024

# Without this Django tells nobody but (unset) mail recipients what broke. Errors of pages, with where they happened, go
# to the error output, where the serving process is watched; addresses that do not exist are no news.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"django": {"level": "WARNING", "handlers": []}, "django.request": {"level": "ERROR"}},
}

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"  # stored and computed in UTC; each merchant's own zone decides what a day is
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
