"""Django's settings, made of the centre's own (`configuration.py`)."""

import os
import secrets
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from xomyen.centre.configuration import ZONE, django_database, django_providers, folder_of_process, load_centre_settings

FOLDER = folder_of_process()
CENTRE = load_centre_settings(FOLDER)
FOLDER.own.mkdir(mode=0o700, parents=True, exist_ok=True)
_PACKAGE = Path(__file__).parent


def _secret() -> str:
    """What signs sessions and links; made at the first start."""
    try:
        descriptor = os.open(FOLDER.secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return FOLDER.secret.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        made = secrets.token_urlsafe(48)
        file.write(made + "\n")
    return made


SECRET_KEY = _secret()
DEBUG = False
_TLS = CENTRE.behind_tls or CENTRE.tls_certificate is not None
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *CENTRE.hosts]
ROOT_URLCONF = "xomyen.centre.urls"
WSGI_APPLICATION = "xomyen.centre.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    # Ours stand first: where catalogues of words differ, the first wins.
    "xomyen.centre.organisation",
    "xomyen.centre.accounts",
    "xomyen.centre.cameras",
    "xomyen.centre.watch",
    "xomyen.centre.audit",
    "xomyen.centre.api",
    "xomyen.centre.operation",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.forms",  # its templates, of which templates/django/forms holds ours
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
    "axes",
    "simple_history",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "xomyen.centre.policy.ContentPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "xomyen.centre.operation.privacy.KeptByNobody",
    "xomyen.centre.accounts.session_cookie.SteadySessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "xomyen.centre.operation.plain_text.NoNull",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "xomyen.centre.accounts.screens.ScreenMiddleware",
    # Every page wants somebody signed in, but those that say they do not.
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "xomyen.centre.operation.pace.Paced",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "xomyen.centre.accounts.entry.EntryMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_PACKAGE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "xomyen.centre.page.page",
                "xomyen.centre.accounts.entry.frame",
            ],
            "builtins": ["xomyen.centre.templatetags.page"],
            "libraries": {"page": "xomyen.centre.templatetags.page"},
        },
    }
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

DATABASES = {"default": django_database(CENTRE, FOLDER)}
CACHES = {"default": {"BACKEND": "xomyen.centre.accounts.shared.SharedCache"}}

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "full_name", "folded", "phone", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "xomyen.centre.accounts.passwords.EasilyGuessedValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "change_password": "xomyen.centre.accounts.forms.OtherPasswordForm",
    "set_password": "xomyen.centre.accounts.forms.FirstPasswordForm",
}
ACCOUNT_ADAPTER = "xomyen.centre.accounts.adapter.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "xomyen.centre.accounts.adapter.SocialAccountAdapter"
MFA_ADAPTER = "xomyen.centre.accounts.adapter.SecondFactorAdapter"
# Wrong passwords are counted by axes for name and address together: nobody locks out somebody elsewhere. The loose
# bound of a name alone and the strict one of second factors are ours (accounts/tries.py); both are in the database.
ACCOUNT_RATE_LIMITS = {"login_failed": "30/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if CENTRE.behind_tls else 0
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Xóm Yên"
# WebAuthn wants a secure context; browsers count http://localhost as one.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _TLS
USERSESSIONS_TRACK_ACTIVITY = False  # EntryMiddleware notes it, less often
AXES_CLIENT_IP_CALLABLE = "xomyen.centre.accounts.entry.network_of"
AXES_USERNAME_CALLABLE = "xomyen.centre.accounts.entry.name_tried"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # what is refused makes the wait no longer
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "account/locked.html"
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "login"
AXES_VERBOSE = False
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_PROVIDERS = django_providers(CENTRE)

# Sessions and cookies.
# With __Host- browsers keep a cookie to this one host, and take none that another host or plain HTTP sets.
_PREFIX = "__Host-" if _TLS else ""
SESSION_COOKIE_NAME = f"{_PREFIX}xomyen_centre"
SCREEN_COOKIE_NAME = f"{_PREFIX}xomyen_screen"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = _TLS
SESSION_SAVE_EVERY_REQUEST = False
CSRF_USE_SESSIONS = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # Django's own keeps them in another cookie
CSRF_FAILURE_VIEW = "xomyen.centre.operation.problems.form_too_old"

# Headers.
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _TLS and CENTRE.hsts_subdomains
X_FRAME_OPTIONS = "DENY"
if CENTRE.behind_tls:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
FILE_UPLOAD_MAX_MEMORY_SIZE = 8 << 20
FILE_UPLOAD_HANDLERS = [
    "xomyen.centre.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# Words: Vietnamese first, English complete.
LANGUAGE_CODE = "vi"
LANGUAGES = [("vi", _("Vietnamese")), ("en", _("English"))]
LANGUAGE_COOKIE_NAME = f"{_PREFIX}xomyen_language"
LANGUAGE_COOKIE_SECURE = _TLS
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [_PACKAGE / "locale", _PACKAGE / "allauth_texts/locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = ZONE
FORMAT_MODULE_PATH = ["xomyen.centre.formats"]

# Files built by web/: their names carry a hash of their content.
STATIC_URL = "/static/"
BUILT = _PACKAGE / "static"
STATIC_ROOT = BUILT
WHITENOISE_ROOT = BUILT / "root"  # served at the top: a worker of browsers has no say over what lies above it
WHITENOISE_AUTOREFRESH = False
WHITENOISE_USE_FINDERS = False
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
WHITENOISE_IMMUTABLE_FILE_TEST = r"^.+-[0-9A-Za-z_-]{8}\.[a-z0-9]+$"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s [%(levelname)s] %(message)s [%(name)s]"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": CENTRE.log_level.upper()},
    # Anybody can send a wrong name; the page says what to do.
    "loggers": {"django.security.DisallowedHost": {"level": "CRITICAL"}},
}
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W012", "security.W016"]
