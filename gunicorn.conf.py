"""The tuned defaults of `gunicorn wsgi:app`; what each is for stands in app/serving/defaults.py."""

from app.serving.defaults import *  # noqa: F403
