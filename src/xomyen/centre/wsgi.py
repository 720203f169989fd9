"""What the web server calls."""

import os

from django.core.wsgi import get_wsgi_application

from xomyen.centre.configuration import WEB_VARIABLE
from xomyen.terms.tether import tie_to_parent

if WEB_VARIABLE in os.environ:
    tie_to_parent(int(os.environ[WEB_VARIABLE]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "xomyen.centre.settings")
application = get_wsgi_application()
