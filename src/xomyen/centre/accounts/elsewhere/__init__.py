"""Sign-in with an account of elsewhere (OpenID Connect): django-allauth's way, with the checks it leaves to others."""
